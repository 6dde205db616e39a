//! What our items are called and what they hold.

use app::port::KeychainError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use zeroize::{Zeroize, Zeroizing};

/// The service of every item (design.md section 10).
pub(crate) const SERVICE: &str = "app.countersign.desktop";

/// What every key starts with, so that a later format can be told apart.
const VERSION: &str = "v1.";

/// The account of a key-encryption key.
pub(crate) fn kek_account(install: &InstallId, kek: KekId) -> String {
    format!("{install}/kek/{kek}")
}

/// The account of the throw-away item of a probe.
#[cfg_attr(
    not(any(target_os = "linux", target_os = "macos", windows)),
    expect(dead_code, reason = "no native store")
)]
pub(crate) fn probe_account(install: &InstallId) -> String {
    format!("{install}/probe")
}

/// A key as it is stored: text, so that the system's own tools can show that it is there.
pub(crate) fn text(key: &KeyEncryptionKey) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(VERSION.len() + 43));
    let mut encoded = Zeroizing::new([0; 43]);
    text.extend_from_slice(VERSION.as_bytes());
    // 32 bytes are 43 characters; were they ever not, reading back would fail.
    if URL_SAFE_NO_PAD.encode_slice(key.expose_bytes(), encoded.as_mut_slice()).is_ok() {
        text.extend_from_slice(encoded.as_slice());
    }
    text
}

/// Reads a stored key.
pub(crate) fn parse(text: &[u8]) -> Result<KeyEncryptionKey, KeychainError> {
    let encoded = text.strip_prefix(VERSION.as_bytes()).ok_or(KeychainError::Malformed)?;
    let mut bytes = Zeroizing::new([0; 32]);
    match URL_SAFE_NO_PAD.decode_slice(encoded, bytes.as_mut_slice()) {
        Ok(32) => {
            let key = KeyEncryptionKey::from_random(*bytes);
            bytes.zeroize();
            Ok(key)
        }
        _ => Err(KeychainError::Malformed),
    }
}

/// The keys among the secrets of one account. Another program's item beside ours decides nothing.
///
/// # Errors
/// There are secrets, and none of them is a key.
pub(crate) fn keys(secrets: &[Zeroizing<Vec<u8>>]) -> Result<Vec<KeyEncryptionKey>, KeychainError> {
    let mut keys: Vec<KeyEncryptionKey> = Vec::new();
    for key in secrets.iter().filter_map(|secret| parse(secret).ok()) {
        if !keys.iter().any(|other| other.same_as(&key)) {
            keys.push(key);
        }
    }
    if keys.is_empty() && !secrets.is_empty() { Err(KeychainError::Malformed) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_reads_back() {
        for bytes in [[0; 32], [255; 32], std::array::from_fn(|i| i as u8)] {
            let key = KeyEncryptionKey::from_random(bytes);
            let text = text(&key);
            assert_eq!(text.len(), 46);
            assert!(text.is_ascii());
            assert!(parse(&text).unwrap().same_as(&key));
        }
    }

    #[test]
    fn anything_else_is_malformed() {
        let good = String::from_utf8(text(&KeyEncryptionKey::from_random([7; 32])).to_vec()).unwrap();
        let bare = good.strip_prefix("v1.").unwrap();
        let (short, _) = bare.split_at(42);
        for bad in [
            String::new(),
            "v1.".into(),
            "v2.".to_owned() + bare,
            bare.to_owned(),
            format!(" {good}"),
            format!("{good}\n"),
            format!("{good}="),
            format!("{good}A"),
            format!("v1.{short}"),
            format!("v1.{short}!"),
            // The last character carries bits beyond the 32nd byte.
            format!("v1.{short}_"),
            "hunter2".into(),
        ] {
            assert_eq!(parse(bad.as_bytes()).err(), Some(KeychainError::Malformed), "{bad:?}");
        }
        assert_eq!(parse(&[7; 32]).err(), Some(KeychainError::Malformed));
        assert_eq!(parse(&[0xff; 46]).err(), Some(KeychainError::Malformed));
    }
}
