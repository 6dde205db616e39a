//! A key under a passphrase: what gives it back, and what does not.

use domain::id::{InstallId, KekId};
use domain::secret::{KeyEncryptionKey, Passphrase};
use vault::passphrase::{Cost, CostError, FRESH, Fresh, UnwrapError, WrapError, unwrap, wrap};

use crate::support::{install, kek, kek_id, random};

const PHRASE: &str = "correct horse battery staple";

fn phrase(text: &str) -> Passphrase {
    Passphrase::parse(text.to_owned()).unwrap()
}

fn keychain_key() -> KeyEncryptionKey {
    KeyEncryptionKey::from_random([0x5c; 32])
}

fn fresh(number: u64) -> Fresh {
    Fresh::from_random(*random(number).first_chunk::<FRESH>().unwrap())
}

fn wrapped(with_keychain: bool, number: u64) -> Vec<u8> {
    let keychain_key = with_keychain.then(keychain_key);
    let (kek, install, phrase) = (kek(), install(), phrase(PHRASE));
    wrap(&kek, kek_id(), &install, &phrase, keychain_key.as_ref(), Cost::FLOOR, fresh(number)).unwrap()
}

/// Why the blob does not give the key back; none where it does.
fn refusal(blob: &[u8], text: &str, keychain_key: Option<&KeyEncryptionKey>) -> Option<UnwrapError> {
    match unwrap(blob, &install(), kek_id(), &phrase(text), keychain_key) {
        Ok(key) => {
            assert!(key.same_as(&kek()), "what opens is the key that was wrapped");
            None
        }
        Err(error) => Some(error),
    }
}

#[test]
fn the_passphrase_gives_the_key_back_and_no_other_does() {
    let blob = wrapped(false, 1);
    assert_eq!(refusal(&blob, PHRASE, None), None);
    for other in [
        "correct horse battery stapl",
        "correct horse battery staple ",
        "Correct horse battery staple",
        "correct  horse battery staple",
        "correct horse battery staple\0",
        "\0\0\0\0\0\0\0\0",
    ] {
        assert_eq!(refusal(&blob, other, None), Some(UnwrapError::DoesNotOpen), "{other:?}");
    }
}

/// Attack 46: neither the keychain's item nor the passphrase is enough where both are asked for.
#[test]
fn with_a_key_from_the_keychain_it_takes_both() {
    let blob = wrapped(true, 2);
    let (right, wrong) = (keychain_key(), KeyEncryptionKey::from_random([0x5d; 32]));
    assert_eq!(refusal(&blob, PHRASE, Some(&right)), None);
    assert_eq!(refusal(&blob, "another passphrase", Some(&right)), Some(UnwrapError::DoesNotOpen));
    assert_eq!(refusal(&blob, PHRASE, Some(&wrong)), Some(UnwrapError::DoesNotOpen));
    assert_eq!(refusal(&blob, PHRASE, None), Some(UnwrapError::OtherFactors));
    assert_eq!(refusal(&wrapped(false, 2), PHRASE, Some(&right)), Some(UnwrapError::OtherFactors));

    let mut renamed = blob;
    renamed[2] = 1;
    assert_eq!(refusal(&renamed, PHRASE, None), Some(UnwrapError::DoesNotOpen), "says it takes one");
    let mut renamed = wrapped(false, 2);
    renamed[2] = 2;
    assert_eq!(refusal(&renamed, PHRASE, Some(&right)), Some(UnwrapError::DoesNotOpen), "says it takes both");
}

#[test]
fn it_opens_in_its_own_installation_and_under_its_own_id_only() {
    let blob = wrapped(false, 3);
    let other = InstallId::make_from([0x1e; 8]);
    let opened = unwrap(&blob, &other, kek_id(), &phrase(PHRASE), None);
    assert_eq!(opened.err(), Some(UnwrapError::DoesNotOpen));

    let other = KekId::make_from(*b"kek id 2");
    let opened = unwrap(&blob, &install(), other, &phrase(PHRASE), None);
    assert_eq!(opened.err(), Some(UnwrapError::OtherKey));
    let mut renamed = blob;
    renamed[15..23].copy_from_slice(&other.bytes());
    let opened = unwrap(&renamed, &install(), other, &phrase(PHRASE), None);
    assert_eq!(opened.err(), Some(UnwrapError::DoesNotOpen), "renamed");
}

/// Attack 55.
#[test]
fn only_one_version_and_algorithm_and_two_ways_are_taken() {
    let mut blob = wrapped(false, 4);
    for version in 0..=255 {
        for algorithm in 0..=255 {
            blob[0] = version;
            blob[1] = algorithm;
            if (version, algorithm) != (1, 1) {
                assert_eq!(
                    refusal(&blob, PHRASE, None),
                    Some(UnwrapError::UnknownFormat),
                    "{version} {algorithm}"
                );
            }
        }
    }
    [blob[0], blob[1]] = [1, 1];
    for way in 0..=255 {
        blob[2] = way;
        let expected = match way {
            1 => None,
            2 => Some(UnwrapError::OtherFactors),
            _ => Some(UnwrapError::UnknownFormat),
        };
        assert_eq!(refusal(&blob, PHRASE, None), expected, "{way}");
    }
}

/// Attack 55: whoever can write the header cannot make a guess cheap, nor keep the machine busy.
#[test]
fn a_cost_below_the_floor_or_without_end_is_refused_before_any_work() {
    let blob = wrapped(false, 5);
    let check = |numbers: [u32; 3], refused: CostError| {
        let mut changed = blob.clone();
        for (place, number) in changed[3..15].as_chunks_mut::<4>().0.iter_mut().zip(numbers) {
            *place = number.to_be_bytes();
        }
        assert_eq!(refusal(&changed, PHRASE, None), Some(UnwrapError::Cost(refused)), "{numbers:?}");
    };
    for weak in
        [[0, 0, 0], [1, 1, 1], [8, 2, 1], [19_455, 2, 1], [19_456, 1, 1], [19_456, 2, 0], [65_536, 1, 1]]
    {
        check(weak, CostError::TooWeak);
    }
    let most = u32::MAX;
    for costly in
        [[most; 3], [most, 2, 1], [19_456, most, 1], [19_456, 2, most], [1 << 20, 5, 1], [1 << 21, 2, 1]]
    {
        check(costly, CostError::TooCostly);
    }
}

/// Attack 54, by samples: each of these costs a stretching. All bits, without it: the crate's own tests.
#[test]
fn a_changed_bit_in_any_field_is_noticed() {
    let blob = wrapped(false, 6);
    // Of the cost, the last bits alone: memory, passes.
    for at in [
        (6, 0),
        (6, 4),
        (5, 1),
        (10, 0),
        (23, 7),
        (38, 0),
        (39, 0),
        (50, 7),
        (51, 0),
        (82, 7),
        (83, 0),
        (98, 7),
    ] {
        let mut changed = blob.clone();
        changed[at.0] ^= 1 << at.1;
        assert_eq!(refusal(&changed, PHRASE, None), Some(UnwrapError::DoesNotOpen), "{at:?}");
    }
}

#[test]
fn every_cut_and_every_growth_is_noticed() {
    let blob = wrapped(false, 7);
    for length in 0..blob.len() {
        let expected = Some(UnwrapError::Truncated);
        assert_eq!(refusal(&blob[..length], PHRASE, None), expected, "first {length}");
        assert!(refusal(&blob[blob.len() - length..], PHRASE, None).is_some(), "last {length}");
    }
    for more in 1..=64 {
        let grown = [blob.as_slice(), &vec![0; more]].concat();
        assert_eq!(refusal(&grown, PHRASE, None), Some(UnwrapError::DoesNotOpen));
    }
    assert!(refusal(&vec![1; 1 << 20], PHRASE, None).is_some());
}

#[test]
fn no_two_wraps_are_alike() {
    let (one, other) = (wrapped(false, 8), wrapped(false, 9));
    assert_ne!(one[23..39], other[23..39], "the salt");
    assert_ne!(one[39..51], other[39..51], "the nonce");
    assert_ne!(one[51..], other[51..], "the key");
    for cut in [39, 51, 83] {
        let mixed = [&one[..cut], &other[cut..]].concat();
        assert_eq!(refusal(&mixed, PHRASE, None), Some(UnwrapError::DoesNotOpen), "cut at {cut}");
    }
}

#[test]
fn weak_randomness_wraps_nothing() {
    for weak in [[0; FRESH], [0x41; FRESH]] {
        let made = wrap(
            &kek(),
            kek_id(),
            &install(),
            &phrase(PHRASE),
            None,
            Cost::RECOMMENDED,
            Fresh::from_random(weak),
        );
        assert_eq!(made, Err(WrapError::WeakRandomness));
    }
}
