//! The key-encryption key: made once, kept in the keychain, never replaced while sealed records exist.

use contract::ui::KeychainState;
use domain::audit::AuditEvent;
use domain::id::KekId;
use domain::lock::Protection;
use domain::secret::KeyEncryptionKey;
use thiserror::Error;
use vault::envelope::Fresh;

use crate::port::{
    Clock as _, Dice as _, DiceError, KekRow, Keychain as _, KeychainError, Ports, Store as _, StoreError,
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
    /// The keychain has no such item although one was made.
    #[error("the key is gone")]
    Missing,
    /// The keychain's item is not the key that sealed the records.
    #[error("the key is another one")]
    Replaced,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The key and its id, for one use.
pub(crate) type Key = (KeyEncryptionKey, KekId);

impl<P: Ports> Inner<P> {
    /// The key; made on first use, after the keychain has shown that it keeps what it is given.
    pub(crate) async fn ensure_key(&self) -> Result<Key, KeyError> {
        // One at a time: two first connections must not make two keys.
        let _one = self.key_making.lock().await;
        match self.ports.store().read(|tx| tx.kek()).await? {
            Some(row) => self.open_key(row).await,
            None => self.make_key().await,
        }
    }

    /// The key that was made; `Missing` if none was.
    pub(crate) async fn existing_key(&self) -> Result<Key, KeyError> {
        let row = self.ports.store().read(|tx| tx.kek()).await?;
        self.open_key(row.ok_or(KeyError::Missing)?).await
    }

    async fn open_key(&self, row: KekRow) -> Result<Key, KeyError> {
        self.ports.keychain().status().await?;
        let keys = self.ports.keychain().read_keks(&self.install, row.id).await?;
        if keys.is_empty() {
            return Err(KeyError::Missing);
        }
        // Whatever else stands under its id, the key is the one that opens the check.
        let is_ours = |key: &KeyEncryptionKey| vault::key::is_key(&row.check, &self.install, key, row.id);
        keys.into_iter().find(is_ours).map(|key| (key, row.id)).ok_or(KeyError::Replaced)
    }

    async fn make_key(&self) -> Result<Key, KeyError> {
        self.ports.keychain().status().await?;
        self.ports.keychain().probe(&self.install).await?;
        let id = KekId::make_from(self.random()?);
        let key = KeyEncryptionKey::from_random(self.random()?);
        let fresh = Fresh::from_random(self.random()?);
        let check = vault::key::key_check(&self.install, &key, id, fresh).map_err(|_| DiceError)?;
        // Keychain first: a key without a row is litter, a row without a key would lock the person out.
        self.ports.keychain().write_kek(&self.install, id, &key).await?;
        let now = self.ports.clock().now();
        let row = KekRow { id, check, protection: Protection::Keychain, wrapped: None };
        self.ports
            .store()
            .write(move |tx| {
                tx.insert_kek(&row)?;
                tx.append_audit(now, &AuditEvent::KeyMade { kek: row.id.to_string() })
            })
            .await?;
        Ok((key, id))
    }

    /// How the keychain is, for the window; never prompts.
    pub(crate) async fn keychain_state(&self) -> Result<KeychainState, StoreError> {
        let state = match self.ports.store().read(|tx| tx.kek()).await? {
            Some(row) => self.open_key(row).await.map(drop),
            None => self.ports.keychain().status().await.map_err(KeyError::from),
        };
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
            Err(KeyError::Dice(DiceError)) => Ok(KeychainState::Ready),
        }
    }

    /// Random bytes, as many as the caller's type asks for.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], DiceError> {
        let mut bytes = [0; N];
        self.ports.dice().fill(&mut bytes)?;
        Ok(bytes)
    }
}
