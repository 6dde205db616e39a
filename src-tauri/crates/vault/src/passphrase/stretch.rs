//! From a passphrase, and perhaps a key from the keychain, to the key that wraps another.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use domain::secret::{KeyEncryptionKey, Passphrase};
use hkdf::Hkdf;
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use super::cost::Cost;
use super::v1::{Header, KEY};

/// Why there is no wrapping key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum StretchError {
    /// The system does not give the memory.
    #[error("no memory")]
    NoMemory,
    /// A library refused; its own limits are beyond ours.
    #[error("refused")]
    Refused,
}

/// The key that wraps another: Argon2id of the passphrase and, where it takes part, the keychain's key after it, through
/// HKDF-SHA256 with the context.
///
/// Both inputs have 32 bytes, so where one ends and the other begins is not to be shifted; and who knows one of them
/// knows nothing of what comes out (NIST SP 800-56C rev. 2 §2 puts a second shared secret after the first in this way).
pub(super) fn derive_wrapping_key(
    passphrase: &Passphrase,
    keychain_key: Option<&KeyEncryptionKey>,
    header: &Header,
    context: &[u8],
) -> Result<Zeroizing<[u8; KEY]>, StretchError> {
    let mut secrets = Zeroizing::new(Vec::with_capacity(2 * KEY));
    let mut stretched = Zeroizing::new([0; KEY]);
    argon2id(passphrase.expose_secret().as_bytes(), &header.salt, header.cost, stretched.as_mut_slice())?;
    secrets.extend_from_slice(stretched.as_slice());
    if let Some(key) = keychain_key {
        secrets.extend_from_slice(key.expose_bytes());
    }
    let mut wrapping_key = Zeroizing::new([0; KEY]);
    hkdf_sha256(&[], &secrets, context, wrapping_key.as_mut_slice())?;
    Ok(wrapping_key)
}

/// Argon2id, version 0x13 (RFC 9106), in memory of its own.
fn argon2id(secret: &[u8], salt: &[u8], cost: Cost, out: &mut [u8]) -> Result<(), StretchError> {
    let [memory, passes, lanes] = cost.numbers();
    let params = Params::new(memory, passes, lanes, Some(out.len())).map_err(|_| StretchError::Refused)?;
    let count = params.block_count();
    // Not asked of an allocator that ends the process: a machine without this much to spare says so.
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(count).map_err(|_| StretchError::NoMemory)?;
    blocks.resize(count, Block::new());
    argon2id_in(&mut blocks, params, secret, salt, out)
}

/// The same in this memory, which is wiped: whoever finds it may guess without doing the work.
fn argon2id_in(
    blocks: &mut [Block],
    params: Params,
    secret: &[u8],
    salt: &[u8],
    out: &mut [u8],
) -> Result<(), StretchError> {
    let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(secret, salt, out, &mut *blocks)
        .map_err(|_| StretchError::Refused);
    blocks.iter_mut().zeroize();
    made
}

/// HKDF-SHA256 (RFC 5869).
fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), StretchError> {
    Hkdf::<Sha256>::new(Some(salt), secret).expand(info, out).map_err(|_| StretchError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::hex;
    use serde_json::Value;

    fn bytes(test: &Value, name: &str) -> Vec<u8> {
        let hex = test[name].as_str().unwrap().as_bytes();
        hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    /// Project Wycheproof's vectors (`tests/fixtures/wycheproof`).
    #[test]
    fn every_verdict_on_hkdf_sha256_is_ours() {
        let vectors = include_str!("../../../../../tests/fixtures/wycheproof/hkdf_sha256_test.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let (mut valid, mut invalid) = (0, 0);
        for group in vectors["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                let mut out = vec![0; test["size"].as_u64().unwrap().try_into().unwrap()];
                let made = hkdf_sha256(
                    &bytes(test, "salt"),
                    &bytes(test, "ikm"),
                    &bytes(test, "info"),
                    out.as_mut_slice(),
                );
                if test["result"] == "valid" {
                    assert_eq!((made, out), (Ok(()), bytes(test, "okm")), "{test}");
                    valid += 1;
                } else {
                    assert_eq!((&test["result"], made), (&"invalid".into(), Err(StretchError::Refused)));
                    invalid += 1;
                }
            }
        }
        assert_eq!((valid, invalid), (83, 3));
    }

    /// Answers of the reference implementation, from its own `src/test.c`; both are within our bounds.
    #[test]
    fn argon2id_gives_the_known_answers() {
        let check = |passes, memory, lanes, secret: &[u8], salt: &[u8], answer: &str| {
            let mut out = [0; 32];
            argon2id(secret, salt, Cost::new(memory, passes, lanes).unwrap(), &mut out).unwrap();
            assert_eq!(hex(&out), answer);
        };
        let at_64_mib = "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7";
        check(2, 1 << 16, 1, b"password", b"somesalt", at_64_mib);
        let four_passes = "9025d48e68ef7395cca9079da4c4ec3affb3c8911fe4f86d1a2520856f63172c";
        check(4, 1 << 16, 1, b"password", b"somesalt", four_passes);
        let other_password = "0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde";
        check(2, 1 << 16, 1, b"differentpassword", b"somesalt", other_password);
        let other_salt = "bdf32b05ccc42eb15d58fd19b1f856b113da1e9a5874fdcc544308565aa8141c";
        check(2, 1 << 16, 1, b"password", b"diffsalt", other_salt);
    }

    #[test]
    fn the_memory_of_a_stretching_is_wiped() {
        let [memory, passes, lanes] = Cost::FLOOR.numbers();
        let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
        let mut blocks = vec![Block::new(); params.block_count()];
        let mut out = [0; 32];
        argon2id_in(&mut blocks, params, b"password", b"somesalt", &mut out).unwrap();
        assert_ne!(out, [0; 32]);
        assert!(blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }
}
