//! Version 1 of a wrapped key-encryption key, byte by byte. Permanent: a later version is added beside it.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | algorithm, 1: Argon2id (version 0x13), HKDF-SHA256, AES-256-GCM |
//! | 2 | 1 | what it takes: 1, the passphrase alone; 2, the passphrase and a key from the keychain |
//! | 3 | 4 | Argon2id's memory in KiB |
//! | 7 | 4 | its passes |
//! | 11 | 4 | its lanes |
//! | 15 | 8 | id of the key-encryption key |
//! | 23 | 16 | salt of Argon2id |
//! | 39 | 12 | nonce |
//! | 51 | 32 + 16 | key-encryption key, encrypted under the wrapping key, and its tag |
//!
//! Numbers are big-endian. The context is [`CONTEXT`], the first 39 bytes, and the installation's id as text after its
//! length in eight bytes. The wrapping key is HKDF-SHA256 (RFC 5869) of 32 bytes of Argon2id, which the key from the
//! keychain follows where it takes part; no salt, the context as info, 32 bytes. The context is the encryption's
//! associated data too.

use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;

use super::UnwrapError;
use super::cost::Cost;
use crate::label::put_text;
pub(super) use crate::v1::{KEY, NONCE, TAG};

/// The first byte.
const VERSION: u8 = 1;
/// The second byte.
const ALGORITHM: u8 = 1;
/// Keeps this use of a key apart from any other.
const CONTEXT: &[u8] = b"countersign-passphrase\0";

/// Bytes of a salt.
pub(super) const SALT: usize = 16;

/// What it takes to unwrap a key. The numbers are part of the format and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factors {
    /// The passphrase alone.
    Passphrase = 1,
    /// The passphrase and a key from the keychain.
    PassphraseAndKeychain = 2,
}

impl Factors {
    /// What there is to wrap with.
    pub(super) fn of(keychain_key: Option<&KeyEncryptionKey>) -> Self {
        if keychain_key.is_some() { Self::PassphraseAndKeychain } else { Self::Passphrase }
    }

    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Passphrase),
            2 => Some(Self::PassphraseAndKeychain),
            _ => None,
        }
    }
}

/// The first 39 bytes: all that is known of a wrapped key without the passphrase.
#[derive(Debug)]
pub(super) struct Header {
    /// What it takes.
    pub(super) factors: Factors,
    /// How much work.
    pub(super) cost: Cost,
    /// Which key is in it.
    pub(super) kek_id: KekId,
    /// The salt.
    pub(super) salt: [u8; SALT],
}

impl Header {
    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, ALGORITHM, self.factors as u8];
        for number in self.cost.numbers() {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.kek_id.bytes());
        bytes.extend_from_slice(&self.salt);
        bytes
    }

    /// What key and encryption are bound to.
    pub(super) fn context(&self, install: &InstallId) -> Vec<u8> {
        let mut bytes = [CONTEXT, &self.encode()].concat();
        put_text(&mut bytes, install.as_str());
        bytes
    }
}

/// A wrapped key taken apart. Nothing in it is trusted yet.
#[derive(Debug)]
pub(super) struct Parts<'b> {
    /// What is known without the passphrase.
    pub(super) header: Header,
    /// The nonce.
    pub(super) nonce: &'b [u8; NONCE],
    /// The encrypted key.
    pub(super) wrapped: &'b [u8; KEY],
    /// Its tag.
    pub(super) tag: &'b [u8; TAG],
}

/// Takes a wrapped key apart.
///
/// Only the one pair of version and algorithm that exists is taken, and no cost outside of its bounds, so no header can
/// ask for something weaker.
pub(super) fn parse(blob: &[u8]) -> Result<Parts<'_>, UnwrapError> {
    let short = || UnwrapError::Truncated;
    let ([version, algorithm], rest) = blob.split_first_chunk().ok_or_else(short)?;
    if (*version, *algorithm) != (VERSION, ALGORITHM) {
        return Err(UnwrapError::UnknownFormat);
    }
    let ([factors], rest) = rest.split_first_chunk().ok_or_else(short)?;
    let factors = Factors::from_number(*factors).ok_or(UnwrapError::UnknownFormat)?;
    let (memory, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (passes, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (lanes, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (kek_id, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (salt, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (nonce, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (wrapped, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (tag, rest) = rest.split_first_chunk().ok_or_else(short)?;
    let number = |bytes: &[u8; 4]| u32::from_be_bytes(*bytes);
    let cost = Cost::new(number(memory), number(passes), number(lanes))?;
    if !rest.is_empty() {
        return Err(UnwrapError::DoesNotOpen);
    }
    let header = Header { factors, cost, kek_id: KekId::make_from(*kek_id), salt: *salt };
    Ok(Parts { header, nonce, wrapped, tag })
}
