//! The macOS login keychain and the Windows Credential Manager, by the keyring project's stores.  Written, not run.
//!
//! Their calls block and cannot be stopped, so each has a thread of its own and is not waited for beyond its limit.
//! Neither can tell beforehand whether it would prompt: `status` asks for an item that is not there.

use std::future::Future;
use std::sync::Arc;

use app::port::{Anchor, Keychain, KeychainError};
use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use keyring_core::Error;
use keyring_core::api::CredentialStoreApi as _;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use crate::{Settings, item};

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(windows)]
use windows_native_keyring_store::Store;

/// Threads at once, those included that nobody waits for any more.
const WORKERS: usize = 4;

/// The operating system's keychain behind [`app::port::Keychain`].
pub struct NativeKeychain {
    settings: Settings,
    workers: Arc<Semaphore>,
}

impl NativeKeychain {
    /// Makes an adapter; nothing is asked of the system yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, workers: Arc::new(Semaphore::new(WORKERS)) }
    }

    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, KeychainError> + Send + 'static,
    ) -> impl Future<Output = Result<T, KeychainError>> + Send {
        let (limit, workers) = (self.settings.limits.call, Arc::clone(&self.workers));
        async move {
            let place = workers.try_acquire_owned().map_err(|_| KeychainError::Blocked)?;
            let (done, result) = oneshot::channel();
            let thread = std::thread::Builder::new().name("keychain".into()).spawn(move || {
                let _ = done.send(Store::new().map_err(|err| fault(&err)).and_then(|store| work(&store)));
                drop(place);
            });
            thread.map_err(|_| KeychainError::Blocked)?;
            match tokio::time::timeout(limit, result).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) | Err(_) => Err(KeychainError::Blocked),
            }
        }
    }
}

impl Keychain for NativeKeychain {
    async fn status(&self) -> Result<(), KeychainError> {
        self.call(|store| read(store, "status").map(drop)).await
    }

    async fn probe(&self, install: &InstallId) -> Result<(), KeychainError> {
        const TEXT: &[u8] = b"Countersign was here for a moment";
        let account = item::probe_account(install);
        self.call(move |store| {
            write(store, &account, TEXT)?;
            let kept = read(store, &account)?.is_some_and(|secret| secret.as_slice() == TEXT);
            delete(store, &account)?;
            if kept && read(store, &account)?.is_none() { Ok(()) } else { Err(KeychainError::NotLasting) }
        })
        .await
    }

    /// These stores hold one item of a name.
    async fn read_keks(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> Result<Vec<KeyEncryptionKey>, KeychainError> {
        let account = item::kek_account(install, kek);
        self.call(move |store| Ok(read_key(store, &account)?.into_iter().collect())).await
    }

    async fn write_kek(
        &self,
        install: &InstallId,
        kek: KekId,
        key: &KeyEncryptionKey,
    ) -> Result<(), KeychainError> {
        let account = item::kek_account(install, kek);
        let key = KeyEncryptionKey::copy_of(key.expose_bytes());
        self.call(move |store| {
            if read_key(store, &account)?.is_none() {
                write(store, &account, &item::text(&key))?;
            }
            let kept = read_key(store, &account)?;
            if kept.is_some_and(|kept| kept.same_as(&key)) { Ok(()) } else { Err(KeychainError::NotLasting) }
        })
        .await
    }

    async fn delete_kek(&self, install: &InstallId, kek: KekId) -> Result<(), KeychainError> {
        let account = item::kek_account(install, kek);
        self.call(move |store| match read(store, &account)? {
            Some(_) => delete(store, &account),
            None => Ok(()),
        })
        .await
    }

    async fn read_anchors(&self, install: &InstallId) -> Result<Vec<Anchor>, KeychainError> {
        let account = item::anchor_account(install);
        self.call(move |store| item::anchors(&read(store, &account)?.into_iter().collect::<Vec<_>>())).await
    }

    async fn write_anchor(&self, install: &InstallId, anchor: &Anchor) -> Result<(), KeychainError> {
        let (account, text) = (item::anchor_account(install), item::anchor_text(anchor));
        self.call(move |store| write(store, &account, text.as_bytes())).await
    }

    /// The system prompts by itself when an item is asked for.
    async fn unlock(&self) -> Result<(), KeychainError> {
        self.status().await
    }
}

fn read_key(store: &Store, account: &str) -> Result<Option<KeyEncryptionKey>, KeychainError> {
    read(store, account)?.map(|secret| item::parse(&secret)).transpose()
}

fn read(store: &Store, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
    let entry = store.build(item::SERVICE, account, None).map_err(|err| fault(&err))?;
    match entry.get_secret() {
        Ok(secret) => Ok(Some(Zeroizing::new(secret))),
        Err(err) => absent_or(&err),
    }
}

fn write(store: &Store, account: &str, secret: &[u8]) -> Result<(), KeychainError> {
    let entry = store.build(item::SERVICE, account, None).map_err(|err| fault(&err))?;
    entry.set_secret(secret).map_err(|err| fault(&err))
}

fn delete(store: &Store, account: &str) -> Result<(), KeychainError> {
    let entry = store.build(item::SERVICE, account, None).map_err(|err| fault(&err))?;
    entry.delete_credential().map_err(|err| fault(&err))
}

fn absent_or<T>(err: &Error) -> Result<Option<T>, KeychainError> {
    if let Error::NoEntry = err { Ok(None) } else { Err(fault(err)) }
}

fn fault(err: &Error) -> KeychainError {
    if let Error::NoStorageAccess(_) = err {
        KeychainError::Locked
    } else if let Error::Ambiguous(_) | Error::BadEncoding(_) | Error::BadDataFormat(..) = err {
        KeychainError::Malformed
    } else {
        KeychainError::Absent
    }
}
