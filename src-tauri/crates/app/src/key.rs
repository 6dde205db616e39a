//! The key-encryption key: made once, kept as the person chose, never replaced by another while sealed records exist
//! but by `change_protection.rs`, which moves them all.

use std::ops::Deref;
use std::sync::Arc;

use contract::ui::KeychainState;
use domain::audit::AuditEvent;
use domain::id::KekId;
use domain::lock::{Lock, Protection};
use domain::secret::{KeyEncryptionKey, Passphrase};
use thiserror::Error;
use tokio::sync::OwnedRwLockReadGuard;
use vault::envelope::Fresh;
use vault::passphrase::{Cost, WrapError, wrap};

use crate::port::{
    Clock as _, Dice as _, DiceError, KekRow, Keychain as _, KeychainError, Memory as _, Ports, Store as _,
    StoreError,
};
use crate::start::Inner;

/// Why the vault's key is not to be had.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// No randomness to make one from.
    #[error(transparent)]
    Dice(#[from] DiceError),
    /// The keychain.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The vault is locked: only the passphrase gives the key.
    #[error("the vault is locked")]
    Locked,
    /// The keychain has no such item although one was made.
    #[error("the key is gone")]
    Missing,
    /// The keychain's item is not the key that sealed the records.
    #[error("the key is another one")]
    Replaced,
    /// It was just noticed that the store was put back from an older copy: what the caller knows from it is not so.
    #[error("the store was put back")]
    Restored,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The passphrase could not be stretched: the system has no memory for it.
    #[error("the passphrase could not be stretched")]
    Unstretched,
}

impl From<WrapError> for KeyError {
    fn from(err: WrapError) -> Self {
        match err {
            WrapError::WeakRandomness => Self::Dice(DiceError),
            WrapError::Cipher | WrapError::NoMemory => Self::Unstretched,
        }
    }
}

/// The key, for one use. While it is held, no other takes its place: what is sealed with it is stored before.
#[derive(Debug)]
pub(crate) struct HeldKey {
    key: Arc<KeyEncryptionKey>,
    _use: OwnedRwLockReadGuard<()>,
}

impl Deref for HeldKey {
    type Target = KeyEncryptionKey;
    fn deref(&self) -> &KeyEncryptionKey {
        &self.key
    }
}

/// The key and its id, for one use.
pub(crate) type Key = (HeldKey, KekId);

/// A key that was drawn and is not in force yet.
pub(crate) struct NewKey {
    /// The key.
    pub(crate) key: Arc<KeyEncryptionKey>,
    /// What takes part from the keychain, besides a passphrase.
    half: Option<Arc<KeyEncryptionKey>>,
    /// How it will be recorded.
    pub(crate) row: KekRow,
}

impl NewKey {
    /// What the keychain is to keep.
    pub(crate) fn item(&self) -> Option<&KeyEncryptionKey> {
        match self.row.protection {
            Protection::Keychain => Some(&self.key),
            Protection::KeychainAndPassphrase | Protection::Passphrase => self.half.as_deref(),
        }
    }
}

impl<P: Ports> Inner<P> {
    /// The key; made on first use, after the keychain has shown that it keeps what it is given.
    pub(crate) async fn ensure_key(&self) -> Result<Key, KeyError> {
        // One at a time: two first connections must not make two keys.
        let _one = self.key_making.lock().await;
        if let Lock::Locked { .. } = self.lock_state() {
            return Err(KeyError::Locked);
        }
        if self.ports.store().read(|tx| tx.kek()).await?.is_none() {
            self.make_key(Protection::Keychain, None).await?;
        }
        match self.existing_key().await {
            // What is new is not concerned.
            Err(KeyError::Restored) => self.existing_key().await,
            key => key,
        }
    }

    /// The key that was made; `Missing` if none was.
    pub(crate) async fn existing_key(&self) -> Result<Key, KeyError> {
        let held = Arc::clone(&self.key_use).read_owned().await;
        let row = self.ports.store().read(|tx| tx.kek()).await?.ok_or(KeyError::Missing)?;
        self.compare_anchor(row.protection).await?;
        let key = self.open_key(&row).await?;
        Ok((HeldKey { key, _use: held }, row.id))
    }

    /// The key of this row: read anew, or kept since the person opened the vault.
    pub(crate) async fn open_key(&self, row: &KekRow) -> Result<Arc<KeyEncryptionKey>, KeyError> {
        match row.protection {
            Protection::Keychain => self.read_key(row).await.map(Arc::new),
            Protection::KeychainAndPassphrase | Protection::Passphrase => {
                self.door.kept(row.id).ok_or(KeyError::Locked)
            }
        }
    }

    async fn read_key(&self, row: &KekRow) -> Result<KeyEncryptionKey, KeyError> {
        let keys = self.read_items(row.id).await?;
        // Whatever else stands under its id, the key is the one that opens the check.
        let is_ours = |key: &KeyEncryptionKey| vault::key::is_key(&row.check, &self.install, key, row.id);
        keys.into_iter().find(is_ours).ok_or(KeyError::Replaced)
    }

    /// Everything that the keychain has under this id, which is something.
    pub(crate) async fn read_items(&self, id: KekId) -> Result<Vec<KeyEncryptionKey>, KeyError> {
        self.ports.keychain().status().await?;
        let keys = self.ports.keychain().read_keks(&self.install, id).await?;
        if keys.is_empty() { Err(KeyError::Missing) } else { Ok(keys) }
    }

    /// Draws a key and wraps it as it is to be kept. Nothing is stored yet, here or in the keychain.
    pub(crate) async fn draw_key(
        &self,
        protection: Protection,
        passphrase: Option<Passphrase>,
    ) -> Result<NewKey, KeyError> {
        if protection.has_keychain() {
            self.ports.keychain().status().await?;
            self.ports.keychain().probe(&self.install).await?;
        }
        let id = KekId::make_from(self.random()?);
        // Filled in where it stays: a copy handed on by value is left behind on the stack.
        let draw = || {
            let key = KeyEncryptionKey::filled_by(|bytes| self.ports.dice().fill(bytes));
            key.map(|key| self.ports.memory().shield(key))
        };
        let key = Arc::new(draw()?);
        let half = match protection {
            Protection::KeychainAndPassphrase => Some(Arc::new(draw()?)),
            Protection::Keychain | Protection::Passphrase => None,
        };
        let fresh = Fresh::from_random(self.random()?);
        let check = vault::key::key_check(&self.install, &key, id, fresh).map_err(|_| DiceError)?;
        let wrapped = match passphrase {
            None => None,
            Some(passphrase) => {
                let fresh = vault::passphrase::Fresh::from_random(self.random()?);
                let (install, key, half) = (self.install.clone(), Arc::clone(&key), half.clone());
                let work =
                    move || wrap(&key, id, &install, &passphrase, half.as_deref(), Cost::RECOMMENDED, fresh);
                let wrapped = tokio::task::spawn_blocking(work).await;
                Some(wrapped.map_err(|_| KeyError::Unstretched)??)
            }
        };
        Ok(NewKey { key, half, row: KekRow { id, check, protection, wrapped } })
    }

    /// Makes the first key. Whoever calls has made sure that there is none, and that nobody else makes one.
    pub(crate) async fn make_key(
        &self,
        protection: Protection,
        passphrase: Option<Passphrase>,
    ) -> Result<(), KeyError> {
        let locks = self.door.locks();
        let new = self.draw_key(protection, passphrase).await?;
        // Keychain first: a key without a row is litter, a row without a key would lock the person out.
        if let Some(item) = new.item() {
            self.ports.keychain().write_kek(&self.install, new.row.id, item).await?;
        }
        let now = self.ports.clock().now();
        let row = new.row.clone();
        self.ports
            .store()
            .write(move |tx| {
                tx.insert_kek(&row)?;
                tx.append_audit(now, &AuditEvent::KeyMade { kek: row.id.to_string() })
            })
            .await?;
        self.door.keep(locks, &new);
        Ok(())
    }

    /// How the keychain is, for the window; never prompts.
    pub(crate) async fn keychain_state(&self) -> Result<KeychainState, StoreError> {
        let row = self.ports.store().read(|tx| tx.kek()).await?;
        let mut state = self.look_at_keychain(row.as_ref()).await;
        if matches!(state, Err(KeyError::Missing | KeyError::Replaced)) {
            // It may have been replaced by us in this moment.
            let now = self.ports.store().read(|tx| tx.kek()).await?;
            if now != row {
                state = self.look_at_keychain(now.as_ref()).await;
            }
        }
        match state {
            Ok(()) => Ok(KeychainState::Ready),
            Err(KeyError::Keychain(KeychainError::Locked)) => Ok(KeychainState::Locked),
            Err(KeyError::Keychain(KeychainError::Blocked)) => Ok(KeychainState::Blocked),
            Err(KeyError::Keychain(KeychainError::Absent | KeychainError::NotLasting)) => {
                Ok(KeychainState::Absent)
            }
            Err(KeyError::Keychain(KeychainError::Malformed) | KeyError::Replaced) => {
                Ok(KeychainState::KeyReplaced)
            }
            Err(KeyError::Missing) => Ok(KeychainState::KeyMissing),
            Err(KeyError::Store(err)) => Err(err),
            Err(
                KeyError::Dice(DiceError) | KeyError::Locked | KeyError::Restored | KeyError::Unstretched,
            ) => Ok(KeychainState::Ready),
        }
    }

    /// What stands in the way on the keychain's side. Where the key is not kept there, nothing does.
    async fn look_at_keychain(&self, row: Option<&KekRow>) -> Result<(), KeyError> {
        match row.map(|row| (row, row.protection)) {
            None => Ok(self.ports.keychain().status().await?),
            Some((row, Protection::Keychain)) => self.read_key(row).await.map(drop),
            // Whether it is the right one, only the passphrase tells.
            Some((row, Protection::KeychainAndPassphrase)) => self.read_items(row.id).await.map(drop),
            Some((_, Protection::Passphrase)) => Ok(()),
        }
    }

    /// Random bytes, as many as the caller's type asks for.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], DiceError> {
        let mut bytes = [0; N];
        self.ports.dice().fill(&mut bytes)?;
        Ok(bytes)
    }
}
