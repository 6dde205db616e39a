//! A keychain in memory, for tests: its state is set from outside, and it counts what is asked of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::port::{Anchor, Keychain, KeychainError};
use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use zeroize::Zeroizing;

use crate::item;

/// The keychain behind [`app::port::Keychain`], in memory.
#[derive(Default)]
pub struct MemoryKeychain {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    items: HashMap<String, Vec<Zeroizing<Vec<u8>>>>,
    fault: Option<KeychainError>,
    unlock_fails: Option<KeychainError>,
    forgetful: bool,
    calls: usize,
    /// How many calls still work.
    fails_after: Option<usize>,
    anchored: usize,
}

impl MemoryKeychain {
    /// An empty keychain, unlocked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes every call fail like this, or none any more. `Locked` and `Blocked` end with [`Keychain::unlock`]
    /// unless [`Self::refuse_unlock`] says otherwise.
    pub fn set_fault(&self, fault: Option<KeychainError>) {
        self.lock().fault = fault;
    }

    /// Makes every call but this many more fail, or none any more.
    pub fn fail_after(&self, calls: Option<usize>) {
        self.lock().fails_after = calls;
    }

    /// Makes the person dismiss the system's prompt, or whatever else unlocking fails with.
    pub fn refuse_unlock(&self, fault: Option<KeychainError>) {
        self.lock().unlock_fails = fault;
    }

    /// Makes it take what it is given and forget it.
    pub fn set_forgetful(&self, forgetful: bool) {
        self.lock().forgetful = forgetful;
    }

    /// Puts arbitrary bytes where a key is looked for, in place of what is there.
    pub fn set_item(&self, install: &InstallId, kek: KekId, bytes: Vec<u8>) {
        self.lock().items.insert(item::kek_account(install, kek), vec![Zeroizing::new(bytes)]);
    }

    /// Puts another item under the same name, before what is there, as any program of the person can.
    pub fn plant(&self, install: &InstallId, kek: KekId, bytes: Vec<u8>) {
        let mut inner = self.lock();
        inner.items.entry(item::kek_account(install, kek)).or_default().insert(0, Zeroizing::new(bytes));
    }

    /// What is stored under the name of a key.
    #[must_use]
    pub fn secrets(&self, install: &InstallId, kek: KekId) -> Vec<Vec<u8>> {
        let inner = self.lock();
        let items = inner.items.get(&item::kek_account(install, kek));
        items.into_iter().flatten().map(|bytes| bytes.to_vec()).collect()
    }

    /// Loses a key.
    pub fn forget(&self, install: &InstallId, kek: KekId) {
        self.lock().items.remove(&item::kek_account(install, kek));
    }

    /// Puts another anchor in place of what is there, or takes it away.
    pub fn set_anchor(&self, install: &InstallId, anchor: Option<Anchor>) {
        let account = item::anchor_account(install);
        let mut inner = self.lock();
        match anchor {
            Some(anchor) => {
                let text = Zeroizing::new(item::anchor_text(&anchor).into_bytes());
                inner.items.insert(account, vec![text]);
            }
            None => {
                inner.items.remove(&account);
            }
        }
    }

    /// Puts another anchor beside what is there, as any program of the person can.
    pub fn plant_anchor(&self, install: &InstallId, bytes: Vec<u8>) {
        let account = item::anchor_account(install);
        self.lock().items.entry(account).or_default().insert(0, Zeroizing::new(bytes));
    }

    /// The anchors that stand there.
    #[must_use]
    pub fn anchors(&self, install: &InstallId) -> Vec<Anchor> {
        let inner = self.lock();
        inner
            .items
            .get(&item::anchor_account(install))
            .and_then(|all| item::anchors(all).ok())
            .unwrap_or_default()
    }

    /// How often an anchor was written.
    #[must_use]
    pub fn anchored(&self) -> usize {
        self.lock().anchored
    }

    /// How many keys there are.
    #[must_use]
    pub fn items(&self) -> usize {
        let inner = self.lock();
        inner
            .items
            .iter()
            .filter(|(account, _)| !account.ends_with("/anchor"))
            .map(|(_, all)| all.len())
            .sum()
    }

    /// How often anything was asked of it.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self) -> Result<MutexGuard<'_, Inner>, KeychainError> {
        let mut inner = self.lock();
        inner.calls += 1;
        if let Some(left) = &mut inner.fails_after {
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => return Err(KeychainError::Blocked),
            }
        }
        inner.fault.map_or(Ok(inner), Err)
    }
}

impl Keychain for MemoryKeychain {
    async fn status(&self) -> Result<(), KeychainError> {
        self.ask().map(drop)
    }

    async fn probe(&self, _install: &InstallId) -> Result<(), KeychainError> {
        if self.ask()?.forgetful { Err(KeychainError::NotLasting) } else { Ok(()) }
    }

    async fn read_keks(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> Result<Vec<KeyEncryptionKey>, KeychainError> {
        let inner = self.ask()?;
        inner
            .items
            .get(&item::kek_account(install, kek))
            .map_or_else(|| Ok(Vec::new()), |all| item::keys(all))
    }

    async fn write_kek(
        &self,
        install: &InstallId,
        kek: KekId,
        key: &KeyEncryptionKey,
    ) -> Result<(), KeychainError> {
        let mut inner = self.ask()?;
        if inner.forgetful {
            return Err(KeychainError::NotLasting);
        }
        let account = item::kek_account(install, kek);
        let items = inner.items.entry(account).or_default();
        let there = item::keys(items)?;
        if there.is_empty() {
            items.push(item::text(key));
            Ok(())
        } else if there.iter().any(|there| there.same_as(key)) {
            Ok(())
        } else {
            Err(KeychainError::NotLasting)
        }
    }

    async fn delete_kek(&self, install: &InstallId, kek: KekId) -> Result<(), KeychainError> {
        self.ask()?.items.remove(&item::kek_account(install, kek));
        Ok(())
    }

    async fn read_anchors(&self, install: &InstallId) -> Result<Vec<Anchor>, KeychainError> {
        let inner = self.ask()?;
        inner
            .items
            .get(&item::anchor_account(install))
            .map_or_else(|| Ok(Vec::new()), |all| item::anchors(all))
    }

    async fn write_anchor(&self, install: &InstallId, anchor: &Anchor) -> Result<(), KeychainError> {
        let mut inner = self.ask()?;
        inner.anchored += 1;
        let text = Zeroizing::new(item::anchor_text(anchor).into_bytes());
        inner.items.insert(item::anchor_account(install), vec![text]);
        Ok(())
    }

    async fn unlock(&self) -> Result<(), KeychainError> {
        let mut inner = self.lock();
        inner.calls += 1;
        if let Some(fault) = inner.unlock_fails {
            return Err(fault);
        }
        match inner.fault {
            Some(fault @ (KeychainError::Absent | KeychainError::Malformed | KeychainError::NotLasting)) => {
                Err(fault)
            }
            Some(KeychainError::Blocked | KeychainError::Locked) | None => {
                inner.fault = None;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_does_what_it_is_told() {
        let (keychain, install) = (MemoryKeychain::new(), InstallId::make_from([1; 8]));
        let (kek, key) = (KekId::make_from([2; 8]), KeyEncryptionKey::from_random([3; 32]));
        assert!(keychain.read_keks(&install, kek).await.unwrap().is_empty());
        keychain.set_forgetful(true);
        assert_eq!(keychain.probe(&install).await, Err(KeychainError::NotLasting));
        assert_eq!(keychain.write_kek(&install, kek, &key).await, Err(KeychainError::NotLasting));
        keychain.set_forgetful(false);
        assert_eq!(keychain.write_kek(&install, kek, &key).await, Ok(()));
        assert!(keychain.read_keks(&install, kek).await.unwrap()[0].same_as(&key));
        let other = KeyEncryptionKey::from_random([4; 32]);
        assert_eq!(keychain.write_kek(&install, kek, &other).await, Err(KeychainError::NotLasting));
        for fault in [KeychainError::Absent, KeychainError::Blocked, KeychainError::Locked] {
            keychain.set_fault(Some(fault));
            assert_eq!(keychain.status().await, Err(fault));
            assert_eq!(keychain.read_keks(&install, kek).await.err(), Some(fault));
        }
        keychain.refuse_unlock(Some(KeychainError::Locked));
        assert_eq!(keychain.unlock().await, Err(KeychainError::Locked));
        keychain.refuse_unlock(None);
        assert_eq!((keychain.unlock().await, keychain.status().await), (Ok(()), Ok(())));
        keychain.set_item(&install, kek, b"else".to_vec());
        assert_eq!(keychain.read_keks(&install, kek).await.err(), Some(KeychainError::Malformed));
        keychain.forget(&install, kek);
        assert_eq!((keychain.items(), keychain.calls()), (0, 16));
    }
}
