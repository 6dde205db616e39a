//! Moves a sealed record from one key-encryption key to another.

use domain::id::KekId;
use domain::secret::KeyEncryptionKey;
use thiserror::Error;

use crate::envelope::{Fresh, OpenError, SealError, open, seal};
use crate::label::Label;

/// Why a record was not moved. The old one stays as it is.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RewrapError {
    /// It does not open under the old key.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new key goes by the old one's id: the header could not tell which of them opens the record.
    #[error("the new key has the old key's id")]
    SameId,
    /// It could not be sealed under the new key.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Opens a record under the old key and seals it under the new one, as what its label says, with a data key of its own.
///
/// The body is encrypted anew too: the key's id is part of what both encryptions authenticate, and whoever kept the old
/// data key must not read what comes after. What was opened is wiped before this returns.
///
/// # Errors
/// See [`RewrapError`].
pub fn rewrap(
    blob: &[u8],
    label: &Label,
    (old, old_id): (&KeyEncryptionKey, KekId),
    (new, new_id): (&KeyEncryptionKey, KekId),
    fresh: Fresh,
) -> Result<Vec<u8>, RewrapError> {
    if old_id == new_id {
        return Err(RewrapError::SameId);
    }
    let opened = open(blob, label, old, old_id)?;
    Ok(seal(opened.expose_bytes(), label, new, new_id, fresh)?)
}
