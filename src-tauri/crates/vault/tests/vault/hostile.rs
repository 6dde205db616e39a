//! What was changed, cut, grown, moved or made up does not open.

use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use vault::label::{Kind, Label};
use vault::{OpenError, kek_id_of, open};

use crate::support::{SECRETS, grant, kek, kek_id, label, seal};

fn refusal(blob: &[u8], label: &Label) -> Option<OpenError> {
    open(blob, label, &kek(), kek_id()).err()
}

#[test]
fn every_changed_bit_is_noticed() {
    let label = label(1, Kind::RefreshToken);
    let sealed = seal(b"a refresh token of a bank", &label, 1);
    assert!(refusal(&sealed, &label).is_none());
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut blob = sealed.clone();
            blob[at] ^= 1 << bit;
            let expected = match at {
                0 | 1 => OpenError::UnknownFormat,
                2..=9 => OpenError::OtherKey,
                _ => OpenError::DoesNotOpen,
            };
            assert_eq!(refusal(&blob, &label), Some(expected), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn every_changed_byte_is_noticed_whatever_it_becomes() {
    let label = label(1, Kind::RefreshToken);
    let sealed = seal(b"t", &label, 1);
    for at in 0..sealed.len() {
        for change in 1..=255 {
            let mut blob = sealed.clone();
            blob[at] ^= change;
            assert!(refusal(&blob, &label).is_some(), "byte {at} by {change}");
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let label = label(1, Kind::RefreshToken);
    let sealed = seal(b"a refresh token of a bank", &label, 1);
    for length in 0..sealed.len() {
        let expected = if length < 98 { OpenError::Truncated } else { OpenError::DoesNotOpen };
        assert_eq!(refusal(&sealed[..length], &label), Some(expected), "first {length}");
        assert!(refusal(&sealed[sealed.len() - length..], &label).is_some(), "last {length}");
    }
}

#[test]
fn every_growth_is_noticed() {
    let label = label(1, Kind::RefreshToken);
    let sealed = seal(b"a refresh token of a bank", &label, 1);
    for more in 1..=64 {
        for byte in [0, 1, 0x10, 0xff] {
            let tail = vec![byte; more];
            assert_eq!(refusal(&[&sealed, tail.as_slice()].concat(), &label), Some(OpenError::DoesNotOpen));
            assert!(refusal(&[tail.as_slice(), &sealed].concat(), &label).is_some());
        }
    }
    assert!(refusal(&[sealed.as_slice(), &sealed].concat(), &label).is_some());
    let huge = [sealed.as_slice(), &vec![0; 1 << 20]].concat();
    assert_eq!(refusal(&huge, &label), Some(OpenError::DoesNotOpen));
}

#[test]
fn every_field_of_the_label_counts() {
    let own = label(1, Kind::RefreshToken);
    let sealed = seal(b"secret", &own, 1);
    assert!(refusal(&sealed, &own).is_none());
    let issuer = |issuer: &str| Label { issuer: issuer.to_owned(), ..own.clone() };
    let others = [
        Label { schema: 2, ..own.clone() },
        Label { schema: 0, ..own.clone() },
        Label { install: InstallId::make_from([0x1e; 8]), ..own.clone() },
        Label { grant: Some(grant(2)), ..own.clone() },
        Label { grant: None, ..own.clone() },
        issuer(""),
        issuer("https://bank.example/oauth/"),
        issuer("https://bank.example/oaut"),
        issuer("https://BANK.example/oauth"),
        Label { kind: Kind::AccessToken, ..own.clone() },
        Label { kind: Kind::KeyCheck, ..own.clone() },
        Label { generation: 0, ..own.clone() },
        Label { generation: 2, ..own.clone() },
        Label { generation: 257, ..own.clone() },
    ];
    for other in others {
        assert_eq!(refusal(&sealed, &other), Some(OpenError::DoesNotOpen), "{other:?}");
    }
}

#[test]
fn no_record_opens_in_the_place_of_another() {
    let places: Vec<Label> = (1..=20).flat_map(|number| SECRETS.map(|kind| label(number, kind))).collect();
    let records: Vec<Vec<u8>> =
        places.iter().zip(1..).map(|(place, number)| seal(b"secret", place, number)).collect();
    let mut opened = 0;
    for (at, record) in records.iter().enumerate() {
        for (there, place) in places.iter().enumerate() {
            match refusal(record, place) {
                None => {
                    assert_eq!(at, there);
                    opened += 1;
                }
                Some(error) => assert_eq!(error, OpenError::DoesNotOpen),
            }
        }
    }
    assert_eq!((records.len(), opened), (80, 80));
}

#[test]
fn the_halves_of_two_records_make_no_third() {
    let label = label(1, Kind::RefreshToken);
    let (one, other) = (seal(b"secret", &label, 1), seal(b"secret", &label, 2));
    for cut in [10, 22, 54, 70, 82] {
        let mixed = [&one[..cut], &other[cut..]].concat();
        let expected = if cut == 10 { None } else { Some(OpenError::DoesNotOpen) };
        assert_eq!(refusal(&mixed, &label), expected, "cut at {cut}");
    }
}

#[test]
fn only_one_version_and_algorithm_is_taken() {
    let label = label(1, Kind::RefreshToken);
    let mut blob = seal(b"secret", &label, 1);
    let mut taken = 0;
    for version in 0..=255 {
        for algorithm in 0..=255 {
            blob[0] = version;
            blob[1] = algorithm;
            let expected = if (version, algorithm) == (1, 1) { None } else { Some(OpenError::UnknownFormat) };
            assert_eq!(refusal(&blob, &label), expected, "{version} {algorithm}");
            assert_eq!(kek_id_of(&blob).err(), expected);
            taken += u32::from(expected.is_none());
        }
    }
    assert_eq!(taken, 1);
}

#[test]
fn another_key_opens_nothing() {
    let label = label(1, Kind::RefreshToken);
    let sealed = seal(b"secret", &label, 1);
    let other = KeyEncryptionKey::from_random([0x4c; 32]);
    assert_eq!(open(&sealed, &label, &other, kek_id()).err(), Some(OpenError::DoesNotOpen), "same id");
    let other_id = KekId::make_from(*b"kek id 2");
    assert_eq!(open(&sealed, &label, &kek(), other_id).err(), Some(OpenError::OtherKey), "same key");
    let mut renamed = sealed.clone();
    renamed[2..10].copy_from_slice(&other_id.bytes());
    assert_eq!(open(&renamed, &label, &kek(), other_id).err(), Some(OpenError::DoesNotOpen), "renamed");
}

#[test]
fn what_nobody_sealed_does_not_open() {
    let label = label(1, Kind::RefreshToken);
    for length in [0, 1, 2, 10, 97, 98, 99, 500] {
        for byte in 0..=255 {
            assert!(refusal(&vec![byte; length], &label).is_some());
        }
    }
}
