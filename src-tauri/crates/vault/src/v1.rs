//! Version 1 of a sealed record, byte by byte. Permanent: a later version is added beside it.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | algorithm, 1: AES-256-GCM for the body and for the data key |
//! | 2 | 8 | id of the key-encryption key |
//! | 10 | 12 | nonce of the data key |
//! | 22 | 48 | data key, encrypted under the key-encryption key, and its tag |
//! | 70 | 12 | nonce of the body |
//! | 82 | n + 16 | secret, encrypted under the data key, and its tag |
//!
//! Associated data of both encryptions: [`CONTEXT`], the first ten bytes, the encoded label.

use domain::id::KekId;

use crate::envelope::OpenError;
use crate::label::Label;

/// The first byte of a record.
const VERSION: u8 = 1;
/// The second byte of a record.
const ALGORITHM: u8 = 1;
/// Keeps this use of a key apart from any other.
const CONTEXT: &[u8] = b"countersign-sealed\0";

/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;
/// Bytes of a tag.
pub(crate) const TAG: usize = 16;
/// Bytes of a data key.
pub(crate) const KEY: usize = 32;
/// Bytes of the header.
const HEADER: usize = 10;
/// Bytes of a record around its secret.
pub(crate) const AROUND: usize = HEADER + NONCE + KEY + TAG + NONCE + TAG;

/// The header of a record under this key.
pub(crate) fn header(kek_id: KekId) -> [u8; HEADER] {
    let [a, b, c, d, e, f, g, h] = kek_id.bytes();
    [VERSION, ALGORITHM, a, b, c, d, e, f, g, h]
}

/// What both encryptions authenticate besides their own text.
pub(crate) fn associated_data(kek_id: KekId, label: &Label) -> Vec<u8> {
    [CONTEXT, &header(kek_id), &label.encode()].concat()
}

/// A record taken apart. Nothing in it is trusted yet.
pub(crate) struct Parts<'b> {
    /// Under which key, as the header says.
    pub(crate) kek_id: KekId,
    /// Nonce of the data key.
    pub(crate) wrap_nonce: &'b [u8; NONCE],
    /// The encrypted data key.
    pub(crate) wrapped: &'b [u8; KEY],
    /// Its tag.
    pub(crate) wrap_tag: &'b [u8; TAG],
    /// Nonce of the body.
    pub(crate) body_nonce: &'b [u8; NONCE],
    /// The encrypted secret.
    pub(crate) body: &'b [u8],
    /// Its tag.
    pub(crate) body_tag: &'b [u8; TAG],
}

/// Takes a record apart.
///
/// Only the one pair of version and algorithm that exists is taken, so no header can ask for something weaker.
pub(crate) fn parse(blob: &[u8]) -> Result<Parts<'_>, OpenError> {
    let short = || OpenError::Truncated;
    let ([version, algorithm], rest) = blob.split_first_chunk().ok_or_else(short)?;
    if (*version, *algorithm) != (VERSION, ALGORITHM) {
        return Err(OpenError::UnknownFormat);
    }
    let (kek_id, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (wrap_nonce, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (wrapped, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (wrap_tag, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (body_nonce, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (body, body_tag) = rest.split_last_chunk().ok_or_else(short)?;
    Ok(Parts { kek_id: KekId::make_from(*kek_id), wrap_nonce, wrapped, wrap_tag, body_nonce, body, body_tag })
}
