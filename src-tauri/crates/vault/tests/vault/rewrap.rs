//! A record that moved to another key: opens under that one alone, as what it was.

use domain::id::{InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use vault::label::{Kind, Label};
use vault::{Fresh, OpenError, RewrapError, SealError, kek_id_of, open, rewrap};

use crate::support::{SECRETS, fresh, grant, kek, kek_id, label, seal};

fn new() -> KeyEncryptionKey {
    KeyEncryptionKey::from_random([0x4e; 32])
}

fn new_id() -> KekId {
    KekId::make_from(*b"kek id 2")
}

fn moved(blob: &[u8], label: &Label, number: u64) -> Result<Vec<u8>, RewrapError> {
    rewrap(blob, label, (&kek(), kek_id()), (&new(), new_id()), fresh(number))
}

/// Which of the two keys opens a record: what it says, and why the other does not.
fn openers(blob: &[u8], label: &Label) -> [Result<Vec<u8>, OpenError>; 2] {
    [(kek(), kek_id()), (new(), new_id())]
        .map(|(kek, id)| open(blob, label, &kek, id).map(|opened| opened.expose_bytes().to_vec()))
}

#[test]
fn every_record_opens_under_exactly_one_key() {
    let mut records = 0;
    for number in 1..=20 {
        for kind in SECRETS {
            let (label, secret) =
                (label(number, kind), format!("the {number}th secret, {kind:?}").into_bytes());
            let old = seal(&secret, &label, records);
            assert_eq!(openers(&old, &label), [Ok(secret.clone()), Err(OpenError::OtherKey)]);
            let new = moved(&old, &label, 1000 + records).unwrap();
            assert_eq!(openers(&new, &label), [Err(OpenError::OtherKey), Ok(secret)]);
            assert_eq!(kek_id_of(&new), Ok(new_id()));
            assert_eq!(new.len(), old.len());
            // Past the header, neither nonce, wrapped key nor body is what it was.
            for (from, to) in [(10, 22), (22, 70), (70, 82), (82, old.len())] {
                assert_ne!(old[from..to], new[from..to]);
            }
            assert_eq!(moved(&new, &label, 1), Err(RewrapError::Open(OpenError::OtherKey)), "twice");
            records += 1;
        }
    }
    assert_eq!(records, 80);
}

#[test]
fn a_record_under_the_new_key_with_the_old_ones_name_does_not_open() {
    let label = label(1, Kind::RefreshToken);
    let mut renamed = moved(&seal(b"secret", &label, 1), &label, 2).unwrap();
    renamed[2..10].copy_from_slice(&kek_id().bytes());
    let does_not = Err(OpenError::DoesNotOpen);
    assert_eq!(openers(&renamed, &label), [does_not, Err(OpenError::OtherKey)]);
}

#[test]
fn what_was_changed_is_not_moved_and_what_was_moved_may_not_be_changed() {
    let label = label(1, Kind::RefreshToken);
    let old = seal(b"a refresh token of a bank", &label, 1);
    let new = moved(&old, &label, 2).unwrap();
    for bit in 0..old.len() * 8 {
        let mut changed = old.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(moved(&changed, &label, 3), Err(RewrapError::Open(_))), "bit {bit}");
        let mut changed = new.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(openers(&changed, &label).iter().all(Result::is_err), "bit {bit}");
    }
}

#[test]
fn a_record_is_moved_as_what_it_is_and_stays_it() {
    let own = label(1, Kind::RefreshToken);
    let old = seal(b"secret", &own, 1);
    let new = moved(&old, &own, 2).unwrap();
    for other in [
        Label { schema: 2, ..own.clone() },
        Label { install: InstallId::make_from([0x1e; 8]), ..own.clone() },
        Label { grant: Some(grant(2)), ..own.clone() },
        Label { issuer: "https://bank.example/oaut".to_owned(), ..own.clone() },
        Label { kind: Kind::AccessToken, ..own.clone() },
        Label { generation: 2, ..own.clone() },
    ] {
        assert_eq!(moved(&old, &other, 3), Err(RewrapError::Open(OpenError::DoesNotOpen)), "{other:?}");
        assert_eq!(openers(&new, &other)[1], Err(OpenError::DoesNotOpen), "{other:?}");
    }
}

#[test]
fn a_record_is_not_moved_to_a_key_of_the_same_id_or_with_weak_randomness() {
    let label = label(1, Kind::RefreshToken);
    let old = seal(b"secret", &label, 1);
    let same = rewrap(&old, &label, (&kek(), kek_id()), (&new(), kek_id()), fresh(2));
    assert_eq!(same, Err(RewrapError::SameId));
    let weak = rewrap(&old, &label, (&kek(), kek_id()), (&new(), new_id()), Fresh::from_random([7; 56]));
    assert_eq!(weak, Err(RewrapError::Seal(SealError::WeakRandomness)));
}
