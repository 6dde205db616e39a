//! What our items are called and what they hold.

use app::port::{Anchor, KeychainError};
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

/// The account of the anchor.
pub(crate) fn anchor_account(install: &InstallId) -> String {
    format!("{install}/anchor")
}

/// An anchor as it is stored.
pub(crate) fn anchor_text(anchor: &Anchor) -> String {
    format!("{VERSION}{}.{}", anchor.seq, domain::id::hex(&anchor.hash))
}

/// The anchors among the secrets of one account.
///
/// # Errors
/// There are secrets, and none of them is an anchor.
pub(crate) fn anchors(secrets: &[Zeroizing<Vec<u8>>]) -> Result<Vec<Anchor>, KeychainError> {
    let anchors: Vec<Anchor> = secrets.iter().filter_map(|secret| parse_anchor(secret)).collect();
    if anchors.is_empty() && !secrets.is_empty() { Err(KeychainError::Malformed) } else { Ok(anchors) }
}

fn parse_anchor(text: &[u8]) -> Option<Anchor> {
    let (seq, hash) = std::str::from_utf8(text).ok()?.strip_prefix(VERSION)?.split_once('.')?;
    if hash.len() != 64 || !seq.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut bytes = [0; 32];
    let (pairs, _) = hash.as_bytes().as_chunks::<2>();
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Anchor { seq: seq.parse().ok()?, hash: bytes })
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
            let key = KeyEncryptionKey::copy_of(&bytes);
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
    fn an_anchor_reads_back_and_nothing_else_does() {
        let anchor = Anchor { seq: 4711, hash: std::array::from_fn(|i| i as u8) };
        let stored = |text: &str| vec![Zeroizing::new(text.as_bytes().to_vec())];
        let text = anchor_text(&anchor);
        assert_eq!(anchors(&stored(&text)), Ok(vec![anchor]));
        assert_eq!(anchors(&[]), Ok(vec![]));
        let bad = [
            text.replace("v1.", "v2."),
            text.replace("4711", "-1"),
            text.replace("4711", "+1"),
            text.replace("4711", ""),
            text.replace("4711", "99999999999999999999"),
            format!("{text}0"),
            text.replace("0001", "000g"),
            String::new(),
        ];
        for bad in bad {
            assert_eq!(anchors(&stored(&bad)), Err(KeychainError::Malformed), "{bad:?}");
        }
        let both = [stored("else"), stored(&text)].concat();
        assert_eq!(anchors(&both), Ok(vec![anchor]), "another program's item decides nothing");
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
