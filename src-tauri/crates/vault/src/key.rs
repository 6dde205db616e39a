//! Tells whether a key is the one that sealed everything else.

use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;

use crate::envelope::{Fresh, SealError, open, seal};
use crate::label::{Kind, Label};

/// The text inside a key check. Part of the format.
const CHECK_TEXT: &[u8] = b"countersign key check 1";

/// Seals a known text under a key, to tell later whether a key is the one that sealed everything else.
///
/// # Errors
/// As [`seal`].
pub fn key_check(
    install: &InstallId,
    kek: &KeyEncryptionKey,
    kek_id: KekId,
    fresh: Fresh,
) -> Result<Vec<u8>, SealError> {
    seal(CHECK_TEXT, &check_label(install), kek, kek_id, fresh)
}

/// True when the check was made by this installation under this key and id.
#[must_use]
pub fn is_key(blob: &[u8], install: &InstallId, kek: &KeyEncryptionKey, kek_id: KekId) -> bool {
    open(blob, &check_label(install), kek, kek_id).is_ok_and(|text| text.expose_bytes() == CHECK_TEXT)
}

fn check_label(install: &InstallId) -> Label {
    Label {
        schema: 1,
        install: install.clone(),
        grant: None,
        issuer: String::new(),
        kind: Kind::KeyCheck,
        generation: 1,
    }
}
