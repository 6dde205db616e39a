//! No key and nonce come together twice, whatever is sealed how often: read back from what was sealed with the system's
//! own randomness.

use std::collections::HashSet;

use domain::id::{GrantId, InstallId};
use domain::time::Timestamp;

use super::*;
use crate::label::Kind;

/// What one record was sealed with: both nonces, and the data key unwrapped.
struct Used {
    wrap_nonce: [u8; v1::NONCE],
    wrapped: [u8; v1::KEY],
    body_nonce: [u8; v1::NONCE],
    data_key: [u8; v1::KEY],
}

fn label(grant: u8) -> Label {
    Label {
        schema: 1,
        install: InstallId::make_from([0x1d; 8]),
        grant: Some(GrantId::make_from(Timestamp::from_millis(1_700_000_000_000), [grant; 10])),
        issuer: "https://bank.example".to_owned(),
        kind: Kind::RefreshToken,
        generation: 1,
    }
}

#[expect(clippy::disallowed_methods, reason = "the system's own randomness is what is looked at")]
fn drawn() -> [u8; FRESH] {
    let mut random = [0; FRESH];
    getrandom::fill(&mut random).unwrap();
    random
}

fn seal_once(label: &Label, kek: &KeyEncryptionKey) -> Used {
    let random = drawn();
    let kek_id = KekId::make_from([7; 8]);
    let blob = seal(b"the same refresh token", label, kek, kek_id, Fresh::from_random(random)).unwrap();
    let parts = v1::parse(&blob).unwrap();
    let mut data_key = *parts.wrapped;
    let context = v1::associated_data(kek_id, label);
    decrypt(kek.expose_bytes(), parts.wrap_nonce, &context, &mut data_key, parts.wrap_tag).unwrap();
    assert_eq!(data_key, random[..v1::KEY], "the key is the one handed in");
    Used { wrap_nonce: *parts.wrap_nonce, wrapped: *parts.wrapped, body_nonce: *parts.body_nonce, data_key }
}

#[test]
fn ten_thousand_rewrites_of_one_grant_share_no_nonce_and_no_key() {
    let (label, kek) = (label(1), KeyEncryptionKey::from_random([9; 32]));
    let (mut nonces, mut keys, mut wrapped) = (HashSet::new(), HashSet::new(), HashSet::new());
    for _ in 0..10_000 {
        let used = seal_once(&label, &kek);
        assert!(nonces.insert(used.wrap_nonce) && nonces.insert(used.body_nonce));
        assert!(keys.insert(used.data_key));
        assert!(wrapped.insert(used.wrapped));
    }
    assert_eq!((nonces.len(), keys.len(), wrapped.len()), (20_000, 10_000, 10_000));
}

#[test]
fn the_same_token_of_two_grants_has_two_keys() {
    let kek = KeyEncryptionKey::from_random([9; 32]);
    let (one, other) = (seal_once(&label(1), &kek), seal_once(&label(2), &kek));
    assert_ne!(one.wrapped, other.wrapped);
    assert_ne!(one.data_key, other.data_key);
}

/// A sample of the ten million of attack 52. What the cipher is used with are (key-encryption key, nonce of the data key)
/// and (data key, nonce of the body): the first needs nonces of its own, the second keys of its own.
#[test]
fn two_hundred_thousand_draws_share_no_nonce_and_no_key() {
    let (mut wraps, mut keys) = (Vec::new(), Vec::new());
    for _ in 0..200_000 {
        let fresh = Fresh::from_random(drawn());
        let (data_key, wrap_nonce, _) = fresh.usable().unwrap();
        wraps.push(u128::from_be_bytes(*[wrap_nonce.as_slice(), &[0; 4]].concat().first_chunk().unwrap()));
        keys.push(u128::from_be_bytes(*data_key.expose_bytes().first_chunk().unwrap()));
    }
    for mut sorted in [wraps, keys] {
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
