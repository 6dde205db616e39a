//! The OS keychain.

use std::future::Future;

use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use thiserror::Error;

/// The OS keychain. It holds key-encryption keys, the anchor of the store, and nothing else.
pub trait Keychain: Send + Sync + 'static {
    /// How it is now; never prompts and never unlocks.
    fn status(&self) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Writes, reads and deletes a throw-away item, and makes sure the store is one that lasts.
    fn probe(&self, install: &InstallId) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Reads every key that stands under this id; none if there is no such item. Other programs of the person can put
    /// items beside ours: which of the keys it is, the caller finds out.
    fn read_keks(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> impl Future<Output = Result<Vec<KeyEncryptionKey>, KeychainError>> + Send;
    /// Writes a key and reads it back.
    fn write_kek(
        &self,
        install: &InstallId,
        kek: KekId,
        key: &KeyEncryptionKey,
    ) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Deletes a key; done is done, also if there was none.
    fn delete_kek(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Reads every anchor that stands there; none if there is no such item. Which of them counts, the caller decides.
    fn read_anchors(
        &self,
        install: &InstallId,
    ) -> impl Future<Output = Result<Vec<Anchor>, KeychainError>> + Send;
    /// Writes the anchor in place of the one before.
    fn write_anchor(
        &self,
        install: &InstallId,
        anchor: &Anchor,
    ) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Asks the person to unlock it, through the system's own prompt.
    fn unlock(&self) -> impl Future<Output = Result<(), KeychainError>> + Send;
}

/// The newest record of the audit log, kept outside of the store: an older copy of the store does not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The record's number.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// What is the matter with the keychain.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeychainError {
    /// There is none, or no collection that lasts.
    #[error("no keychain")]
    Absent,
    /// It does not answer in time.
    #[error("the keychain does not answer")]
    Blocked,
    /// There are items, and none is one of ours.
    #[error("the keychain item is malformed")]
    Malformed,
    /// It is locked.
    #[error("the keychain is locked")]
    Locked,
    /// What was written could not be read back, or would not survive a restart.
    #[error("the keychain does not keep what it is given")]
    NotLasting,
}
