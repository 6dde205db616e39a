//! Wraps the key-encryption key under a passphrase, alone or together with a key from the keychain; unwraps it again.
//!
//! Each of both takes as long as the cost says, a good part of a second, and as much memory: never on a thread that
//! others wait for.

use domain::id::{InstallId, KekId};
use domain::secret::{KeyEncryptionKey, Passphrase};
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

pub use self::cost::{Cost, CostError};
use self::stretch::{StretchError, derive_wrapping_key};
use self::v1::{Factors, Header};
use crate::envelope::{OpenError, SealError, decrypt, encrypt, repeats};

mod cost;
mod stretch;
mod v1;

/// How many random bytes one wrap takes.
pub const FRESH: usize = v1::SALT + v1::NONCE;

/// The randomness of one wrap: a salt and a nonce, both in the open later. A wrap consumes it, so none is used twice.
pub struct Fresh([u8; FRESH]);

impl Fresh {
    /// Takes random bytes. Whether they look random at all is judged by the wrap.
    #[must_use]
    pub fn from_random(bytes: [u8; FRESH]) -> Self {
        Self(bytes)
    }

    fn usable(&self) -> Result<(&[u8; v1::SALT], &[u8; v1::NONCE]), WrapError> {
        match self.0.split_first_chunk().map(|(salt, rest)| (salt, rest.first_chunk())) {
            Some((salt, Some(nonce))) if !repeats(&self.0) => Ok((salt, nonce)),
            _ => Err(WrapError::WeakRandomness),
        }
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh")
    }
}

/// Why nothing was wrapped.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WrapError {
    /// The cipher refused; its own limits are far beyond ours.
    #[error("the cipher refused")]
    Cipher,
    /// The system has no memory for the stretching.
    #[error("not enough memory to stretch the passphrase")]
    NoMemory,
    /// The random bytes are not random: all zero, or they repeat themselves.
    #[error("the source of randomness repeats itself")]
    WeakRandomness,
}

/// Why a key does not unwrap.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UnwrapError {
    /// The cipher refused; its own limits are far beyond ours.
    #[error("the cipher refused")]
    Cipher,
    /// Its header asks for less work than any passphrase gets, or for more than any machine should do. Nothing was done.
    #[error(transparent)]
    Cost(#[from] CostError),
    /// Another passphrase, another keychain's key, or changed. Which of these, nobody is told.
    #[error("the passphrase does not open the key")]
    DoesNotOpen,
    /// The system has no memory for the stretching.
    #[error("not enough memory to stretch the passphrase")]
    NoMemory,
    /// It was wrapped with a keychain's key and none was given, or the other way round.
    #[error("the key is wrapped in another way than the caller thinks")]
    OtherFactors,
    /// Its header names another key-encryption key.
    #[error("the wrapped key is another one")]
    OtherKey,
    /// Shorter than any wrapped key.
    #[error("the wrapped key is cut off")]
    Truncated,
    /// A version, an algorithm or a way of wrapping that is not on the list.
    #[error("the wrapped key has a format of another version")]
    UnknownFormat,
}

/// Wraps a key-encryption key, so that only this passphrase gives it back, in this installation and under this id; with
/// a key from the keychain, only both together do.
///
/// # Errors
/// See [`WrapError`].
#[expect(
    clippy::needless_pass_by_value,
    reason = "a wrap consumes its randomness, so that none is used twice"
)]
pub fn wrap(
    kek: &KeyEncryptionKey,
    kek_id: KekId,
    install: &InstallId,
    passphrase: &Passphrase,
    keychain_key: Option<&KeyEncryptionKey>,
    cost: Cost,
    fresh: Fresh,
) -> Result<Vec<u8>, WrapError> {
    let (salt, nonce) = fresh.usable()?;
    let header = Header { factors: Factors::of(keychain_key), cost, kek_id, salt: *salt };
    let context = header.context(install);
    let key = derive_wrapping_key(passphrase, keychain_key, &header, &context)?;
    let mut wrapped = Zeroizing::new(*kek.expose_bytes());
    let tag = encrypt(&key, nonce, &context, wrapped.as_mut_slice())?;
    Ok([header.encode().as_slice(), nonce, wrapped.as_slice(), &tag].concat())
}

/// Gives the key back that was wrapped under this passphrase, and under this key from the keychain where one took part.
///
/// # Errors
/// See [`UnwrapError`]. Only [`UnwrapError::DoesNotOpen`] and [`UnwrapError::NoMemory`] cost the work of a stretching.
pub fn unwrap(
    blob: &[u8],
    install: &InstallId,
    kek_id: KekId,
    passphrase: &Passphrase,
    keychain_key: Option<&KeyEncryptionKey>,
) -> Result<KeyEncryptionKey, UnwrapError> {
    let parts = v1::parse(blob)?;
    if parts.header.kek_id != kek_id {
        return Err(UnwrapError::OtherKey);
    }
    if parts.header.factors != Factors::of(keychain_key) {
        return Err(UnwrapError::OtherFactors);
    }
    let context = parts.header.context(install);
    let key = derive_wrapping_key(passphrase, keychain_key, &parts.header, &context)?;
    open(&parts, &key, &context)
}

fn open(parts: &v1::Parts<'_>, key: &[u8; v1::KEY], context: &[u8]) -> Result<KeyEncryptionKey, UnwrapError> {
    let mut kek = Zeroizing::new(*parts.wrapped);
    decrypt(key, parts.nonce, context, kek.as_mut_slice(), parts.tag)?;
    Ok(KeyEncryptionKey::copy_of(&kek))
}

impl From<SealError> for WrapError {
    fn from(err: SealError) -> Self {
        match err {
            SealError::Cipher | SealError::TooLong => Self::Cipher,
            SealError::WeakRandomness => Self::WeakRandomness,
        }
    }
}

impl From<OpenError> for UnwrapError {
    fn from(err: OpenError) -> Self {
        match err {
            OpenError::DoesNotOpen => Self::DoesNotOpen,
            OpenError::OtherKey => Self::OtherKey,
            OpenError::Truncated => Self::Truncated,
            OpenError::UnknownFormat => Self::UnknownFormat,
        }
    }
}

impl From<StretchError> for WrapError {
    fn from(err: StretchError) -> Self {
        match err {
            StretchError::NoMemory => Self::NoMemory,
            StretchError::Refused => Self::Cipher,
        }
    }
}

impl From<StretchError> for UnwrapError {
    fn from(err: StretchError) -> Self {
        match err {
            StretchError::NoMemory => Self::NoMemory,
            StretchError::Refused => Self::Cipher,
        }
    }
}

#[cfg(test)]
mod tests;
