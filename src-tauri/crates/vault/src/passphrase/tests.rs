//! The header is bound to key and encryption even where the wrapping key is the right one, and nothing is stretched for
//! a header that is refused.

use std::collections::BTreeSet;

use super::*;

const PHRASE: &str = "correct horse battery staple";

fn kek_id() -> KekId {
    KekId::make_from(*b"kek id 1")
}

fn install() -> InstallId {
    InstallId::make_from([0x1d; 8])
}

fn phrase() -> Passphrase {
    Passphrase::parse(PHRASE.to_owned()).unwrap()
}

fn fresh() -> Fresh {
    Fresh::from_random(std::array::from_fn(|at| u8::try_from(at).unwrap() + 1))
}

fn wrapped(keychain_key: Option<&KeyEncryptionKey>) -> Vec<u8> {
    let kek = KeyEncryptionKey::from_random([0x4b; 32]);
    wrap(&kek, kek_id(), &install(), &phrase(), keychain_key, Cost::FLOOR, fresh()).unwrap()
}

/// Every bit of a wrapped key, opened with the wrapping key that the unchanged one has: all that stretching does is left
/// out, and yet nothing changed opens.
#[test]
fn every_changed_bit_is_noticed_even_with_the_right_wrapping_key() {
    let blob = wrapped(None);
    let parts = v1::parse(&blob).unwrap();
    let key = derive_wrapping_key(&phrase(), None, &parts.header, &parts.header.context(&install())).unwrap();
    let opened = |blob: &[u8]| {
        let parts = v1::parse(blob)?;
        open(&parts, &key, &parts.header.context(&install()))
    };
    assert!(opened(&blob).unwrap().same_as(&KeyEncryptionKey::from_random([0x4b; 32])), "the control");
    let mut refused = BTreeSet::new();
    for bit in 0..blob.len() * 8 {
        let mut changed = blob.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let error = opened(&changed).unwrap_err();
        let expected: &[UnwrapError] = match bit / 8 {
            // No one bit makes the other way of the third byte.
            0..3 => &[UnwrapError::UnknownFormat],
            3..15 => &[
                UnwrapError::Cost(CostError::TooCostly),
                UnwrapError::Cost(CostError::TooWeak),
                UnwrapError::DoesNotOpen,
            ],
            _ => &[UnwrapError::DoesNotOpen],
        };
        assert!(expected.contains(&error), "bit {bit}: {error:?}");
        refused.insert(format!("{error:?}"));
    }
    assert_eq!(refused.len(), 4, "{refused:?}");
}

/// Whatever a changed header asks for, it is one of the costs between the two bounds, or nothing is done.
#[test]
fn every_changed_bit_of_the_cost_is_refused_or_within_bounds() {
    let blob = wrapped(None);
    let (mut within, mut refused) = (0, 0);
    for bit in 3 * 8..15 * 8 {
        let mut changed = blob.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match v1::parse(&changed) {
            Ok(parts) => {
                let [memory, passes, lanes] = parts.header.cost.numbers();
                assert!((19_456..=1 << 20).contains(&memory) && (2..=16).contains(&passes));
                assert!((1..=4).contains(&lanes));
                within += 1;
            }
            Err(error) => {
                assert!(matches!(error, UnwrapError::Cost(_)), "{error:?}");
                refused += 1;
            }
        }
    }
    assert_eq!((within, refused), (21, 75));
}

#[test]
fn the_keychains_key_makes_another_wrapping_key() {
    let header = v1::parse(&wrapped(None)).unwrap().header;
    let context = header.context(&install());
    let keys = [None, Some([0x5c; 32]), Some([0x5d; 32]), Some([0; 32])].map(|key| {
        let key = key.map(KeyEncryptionKey::from_random);
        derive_wrapping_key(&phrase(), key.as_ref(), &header, &context).unwrap().to_vec()
    });
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn randomness_that_repeats_itself_wraps_nothing() {
    let sound: [u8; FRESH] = std::array::from_fn(|at| u8::try_from(at).unwrap() + 1);
    assert!(Fresh(sound).usable().is_ok());
    let mut looping = sound;
    looping.copy_within(0..8, 8);
    for weak in [[0; FRESH], [0xff; FRESH], looping] {
        assert_eq!(Fresh(weak).usable().err(), Some(WrapError::WeakRandomness));
    }
}

#[test]
fn the_bytes_stand_where_the_table_says() {
    let key = KeyEncryptionKey::from_random([0x5c; 32]);
    for (blob, way) in [(wrapped(None), 1), (wrapped(Some(&key)), 2)] {
        assert_eq!(blob.len(), 99);
        assert_eq!(blob[..3], [1, 1, way]);
        assert_eq!(blob[3..15], [0, 0, 0x4c, 0, 0, 0, 0, 2, 0, 0, 0, 1]);
        assert_eq!(blob[15..23], *b"kek id 1");
        let fresh: Vec<u8> = (1..=28).collect();
        assert_eq!(blob[23..51], fresh);
    }
    assert_eq!(format!("{:?}", fresh()), "Fresh");
}
