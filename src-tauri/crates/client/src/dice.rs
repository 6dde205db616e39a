//! Randomness, from the system alone and in one place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

/// The system gave no randomness.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the system gave no randomness")]
pub struct NoRandomness;

/// Fills it with random bytes.
#[expect(clippy::disallowed_methods, reason = "the one place where this library takes randomness")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    getrandom::fill(bytes).map_err(|_| NoRandomness)
}

/// A `jti`: 128 random bits as 22 characters.
pub(crate) fn make_jti() -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
