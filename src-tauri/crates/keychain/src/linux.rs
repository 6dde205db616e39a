//! The Secret Service (freedesktop.org), asked in the one order that never makes it prompt: is it there, which
//! collection, is that locked, and only then for a secret.
//!
//! The keyring project's own store for it, `zbus-secret-service-keyring-store`, cannot be given a bus address or a time
//! limit, blocks its thread in every call, and unlocks (prompts for) whatever a search finds locked. So this module
//! uses `secret-service`, the library below that store, with the same item layout and a connection per operation:
//! what is late is dropped with its connection, and nothing old can answer a later call.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use app::port::{Anchor, Keychain, KeychainError};
use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{Settings, item};

mod bus;
mod fault;
#[cfg(test)]
mod tests;

use bus::Bus;

/// Calls under way at once; more wait, within their own time limit.
const WORKERS: usize = 4;

/// The Secret Service behind [`app::port::Keychain`].
pub struct SecretService {
    settings: Settings,
    workers: Arc<Semaphore>,
    /// One prompt at a time.
    prompts: Arc<Semaphore>,
}

impl SecretService {
    /// Makes an adapter; nothing is asked of the bus yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, workers: Arc::new(Semaphore::new(WORKERS)), prompts: Arc::new(Semaphore::new(1)) }
    }

    /// Runs one operation within a limit, its place among the workers included. Dropping it closes its connection.
    async fn within<T>(
        &self,
        limit: Duration,
        places: &Semaphore,
        work: impl Future<Output = Result<T, KeychainError>> + Send,
    ) -> Result<T, KeychainError> {
        let bounded = async {
            let _place = places.acquire().await.map_err(|_| KeychainError::Blocked)?;
            work.await
        };
        tokio::time::timeout(limit, bounded).await.unwrap_or(Err(KeychainError::Blocked))
    }

    async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, KeychainError>> + Send,
    ) -> Result<T, KeychainError> {
        self.within(self.settings.limits.call, &self.workers, work).await
    }

    /// A connection to an unlocked keychain.
    async fn open(&self) -> Result<Vault, KeychainError> {
        let bus = Bus::connect(self.settings.bus.as_deref()).await?;
        let collection = bus.lasting_collection().await?;
        if bus.is_locked(&collection).await? {
            return Err(KeychainError::Locked);
        }
        let service = bus.secret_service().await?;
        Ok(Vault { service, collection })
    }
}

impl Keychain for SecretService {
    async fn status(&self) -> Result<(), KeychainError> {
        self.call(async {
            let bus = Bus::connect(self.settings.bus.as_deref()).await?;
            let collection = bus.lasting_collection().await?;
            if bus.is_locked(&collection).await? { Err(KeychainError::Locked) } else { Ok(()) }
        })
        .await
    }

    async fn probe(&self, install: &InstallId) -> Result<(), KeychainError> {
        const TEXT: &[u8] = b"Countersign was here for a moment";
        let account = item::probe_account(install);
        self.call(async {
            let vault = self.open().await?;
            vault.write(&account, TEXT).await?;
            let kept = vault.read(&account).await?.iter().any(|secret| secret.as_slice() == TEXT);
            vault.delete(&account).await?;
            let gone = vault.read(&account).await?.is_empty();
            if kept && gone { Ok(()) } else { Err(KeychainError::NotLasting) }
        })
        .await
    }

    async fn read_keks(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> Result<Vec<KeyEncryptionKey>, KeychainError> {
        let account = item::kek_account(install, kek);
        self.call(async { item::keys(&self.open().await?.read(&account).await?) }).await
    }

    async fn write_kek(
        &self,
        install: &InstallId,
        kek: KekId,
        key: &KeyEncryptionKey,
    ) -> Result<(), KeychainError> {
        let account = item::kek_account(install, kek);
        self.call(async {
            let vault = self.open().await?;
            // A key that is there is never replaced: records may be sealed under it.
            if item::keys(&vault.read(&account).await?)?.is_empty() {
                vault.write(&account, &item::text(key)).await?;
            }
            let kept = item::keys(&vault.read(&account).await?)?;
            if kept.iter().any(|kept| kept.same_as(key)) { Ok(()) } else { Err(KeychainError::NotLasting) }
        })
        .await
    }

    async fn delete_kek(&self, install: &InstallId, kek: KekId) -> Result<(), KeychainError> {
        let account = item::kek_account(install, kek);
        self.call(async { self.open().await?.delete(&account).await }).await
    }

    async fn read_anchors(&self, install: &InstallId) -> Result<Vec<Anchor>, KeychainError> {
        let account = item::anchor_account(install);
        self.call(async { item::anchors(&self.open().await?.read(&account).await?) }).await
    }

    async fn write_anchor(&self, install: &InstallId, anchor: &Anchor) -> Result<(), KeychainError> {
        let account = item::anchor_account(install);
        self.call(async { self.open().await?.write(&account, item::anchor_text(anchor).as_bytes()).await })
            .await
    }

    async fn unlock(&self) -> Result<(), KeychainError> {
        match self.status().await {
            Err(KeychainError::Locked) => {}
            other => return other,
        }
        let prompting = self.within(self.settings.limits.prompt, &self.prompts, async {
            let bus = Bus::connect(self.settings.bus.as_deref()).await?;
            let collection = bus.lasting_collection().await?;
            let service = bus.secret_service().await?;
            let collection =
                service.get_collection_by_path(collection).await.map_err(|err| fault::of(&err))?;
            collection.unlock().await.map_err(|err| fault::of(&err))
        });
        // Dismissed, too late or answered: what counts is how it is now.
        let _ = prompting.await;
        self.status().await
    }
}

/// An unlocked keychain, for one operation.
struct Vault {
    service: secret_service::SecretService<'static>,
    collection: zbus::zvariant::OwnedObjectPath,
}

impl Vault {
    /// The secrets of all items of one account. A search unlocks nothing.
    async fn read(&self, account: &str) -> Result<Vec<Zeroizing<Vec<u8>>>, KeychainError> {
        let found = self.service.search_items(attributes(account)).await.map_err(|err| fault::of(&err))?;
        if found.unlocked.is_empty() && !found.locked.is_empty() {
            return Err(KeychainError::Locked);
        }
        let mut secrets = Vec::new();
        for item in &found.unlocked {
            secrets.push(Zeroizing::new(item.get_secret().await.map_err(|err| fault::of(&err))?));
        }
        Ok(secrets)
    }

    /// Some services (KeePassXC) hand out a prompt for every new item and then show none; it is run within the limit.
    async fn write(&self, account: &str, secret: &[u8]) -> Result<(), KeychainError> {
        let path = self.collection.clone();
        let collection = self.service.get_collection_by_path(path).await.map_err(|err| fault::of(&err))?;
        let label = format!("Countersign: {account}");
        let created = collection.create_item(&label, attributes(account), secret, true, "text/plain").await;
        created.map(drop).map_err(|err| fault::of(&err))
    }

    async fn delete(&self, account: &str) -> Result<(), KeychainError> {
        let found = self.service.search_items(attributes(account)).await.map_err(|err| fault::of(&err))?;
        for item in &found.unlocked {
            item.delete().await.map_err(|err| fault::of(&err))?;
        }
        Ok(())
    }
}

/// The attributes that the keyring project's stores use, so that its tools find the item too.
fn attributes(account: &str) -> HashMap<&str, &str> {
    HashMap::from([("service", item::SERVICE), ("username", account)])
}
