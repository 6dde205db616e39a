//! What was sealed opens, and every seal is fresh.

use proptest::prelude::*;
use std::collections::HashSet;
use vault::envelope::MAX_SECRET;
use vault::label::{Kind, Label};
use vault::{SealError, is_key, kek_id_of, key_check, open};

use crate::support::{SECRETS, fresh, grant, install, kek, kek_id, label, random, seal};
use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;

fn any_label() -> impl Strategy<Value = Label> {
    let kind = prop::sample::select(SECRETS.to_vec());
    (any::<u32>(), any::<[u8; 8]>(), prop::option::of(any::<u8>()), ".{0,40}", kind, any::<u32>()).prop_map(
        |(schema, install, number, issuer, kind, generation)| Label {
            schema,
            install: InstallId::make_from(install),
            grant: number.map(grant),
            issuer,
            kind,
            generation,
        },
    )
}

proptest! {
    #[test]
    fn what_was_sealed_opens(
        secret in prop::collection::vec(any::<u8>(), 0..2000),
        label in any_label(),
        key in any::<[u8; 32]>(),
        id in any::<[u8; 8]>(),
        number in any::<u64>(),
    ) {
        let (kek, id) = (KeyEncryptionKey::from_random(key), KekId::make_from(id));
        let blob = vault::seal(&secret, &label, &kek, id, fresh(number)).unwrap();
        prop_assert_eq!(kek_id_of(&blob), Ok(id));
        prop_assert_eq!(blob.len(), secret.len() + 98);
        let opened = open(&blob, &label, &kek, id).unwrap();
        prop_assert_eq!(opened.expose_bytes(), secret.as_slice());
    }

    #[test]
    fn a_record_opens_under_its_own_label_only(one in any_label(), other in any_label()) {
        let blob = seal(b"secret", &one, 1);
        prop_assert_eq!(open(&blob, &other, &kek(), kek_id()).is_ok(), one == other);
    }
}

#[test]
fn a_secret_of_any_allowed_length_is_sealed() {
    let label = label(1, Kind::RefreshToken);
    for length in [0, 1, 15, 16, 17, 4096, MAX_SECRET] {
        let secret = vec![0xa5; length];
        let blob = seal(&secret, &label, length as u64);
        assert_eq!(open(&blob, &label, &kek(), kek_id()).unwrap().expose_bytes(), secret);
    }
    let long = vec![0; MAX_SECRET + 1];
    assert_eq!(vault::seal(&long, &label, &kek(), kek_id(), fresh(1)), Err(SealError::TooLong));
}

#[test]
fn weak_randomness_seals_nothing() {
    let label = label(1, Kind::RefreshToken);
    let mut zero_key = random(1);
    zero_key[..32].fill(0);
    let mut one_nonce = random(1);
    one_nonce.copy_within(32..44, 44);
    for weak in [[0; 56], [0x41; 56], zero_key, one_nonce] {
        let sealed = vault::seal(b"secret", &label, &kek(), kek_id(), vault::Fresh::from_random(weak));
        assert_eq!(sealed, Err(SealError::WeakRandomness));
    }
}

#[test]
fn ten_thousand_seals_share_no_key_and_no_nonce() {
    let label = label(1, Kind::RefreshToken);
    let (mut wraps, mut keys, mut bodies) = (HashSet::new(), HashSet::new(), HashSet::new());
    for number in 0..10_000 {
        let blob = seal(b"the same secret", &label, number);
        assert_eq!(blob[10..22], random(number)[32..44], "the nonce is the one handed in");
        assert_eq!(blob[70..82], random(number)[44..56], "the nonce is the one handed in");
        assert!(wraps.insert(blob[10..22].to_vec()));
        assert!(keys.insert(blob[22..70].to_vec()));
        assert!(bodies.insert(blob[70..].to_vec()));
    }
}

#[test]
fn the_key_check_knows_its_key() {
    let blob = key_check(&install(), &kek(), kek_id(), fresh(1)).unwrap();
    assert!(is_key(&blob, &install(), &kek(), kek_id()));

    assert!(!is_key(&blob, &install(), &KeyEncryptionKey::from_random([0x4c; 32]), kek_id()), "another key");
    assert!(!is_key(&blob, &install(), &kek(), KekId::make_from([0; 8])), "another id");
    assert!(!is_key(&blob, &InstallId::make_from([0; 8]), &kek(), kek_id()), "another installation");
    assert!(!is_key(&blob[..97], &install(), &kek(), kek_id()), "cut off");
    assert!(!is_key(&[], &install(), &kek(), kek_id()), "nothing");

    let check = Label { grant: None, issuer: String::new(), ..label(1, Kind::KeyCheck) };
    let forged = seal(b"another text", &check, 2);
    assert!(open(&forged, &check, &kek(), kek_id()).is_ok());
    assert!(!is_key(&forged, &install(), &kek(), kek_id()), "another text under the right key");
    let token = seal(b"countersign key check 1", &label(1, Kind::RefreshToken), 3);
    assert!(!is_key(&token, &install(), &kek(), kek_id()), "the right text as something else");
}
