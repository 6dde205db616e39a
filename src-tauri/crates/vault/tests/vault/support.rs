//! Labels, keys and randomness that are the same in every run.

use domain::id::{GrantId, InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use domain::time::Timestamp;
use vault::Fresh;
use vault::label::{Kind, Label};

pub(crate) const SECRETS: [Kind; 4] =
    [Kind::RefreshToken, Kind::AccessToken, Kind::Subject, Kind::AccountNumbers];

pub(crate) fn kek() -> KeyEncryptionKey {
    KeyEncryptionKey::from_random([0x4b; 32])
}

pub(crate) fn kek_id() -> KekId {
    KekId::make_from(*b"kek id 1")
}

pub(crate) fn install() -> InstallId {
    InstallId::make_from([0x1d; 8])
}

pub(crate) fn grant(number: u8) -> GrantId {
    GrantId::make_from(Timestamp::from_millis(1_700_000_000_000), [number; 10])
}

pub(crate) fn label(number: u8, kind: Kind) -> Label {
    Label {
        schema: 1,
        install: install(),
        grant: Some(grant(number)),
        issuer: "https://bank.example/oauth".to_owned(),
        kind,
        generation: 1,
    }
}

/// Random bytes by number (splitmix64): no two numbers give the same.
pub(crate) fn random(number: u64) -> [u8; 56] {
    let mut bytes = [0; 56];
    for (block, place) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(1u64..) {
        let mut z = number.wrapping_mul(7).wrapping_add(place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *block = (z ^ (z >> 31)).to_be_bytes();
    }
    bytes
}

pub(crate) fn fresh(number: u64) -> Fresh {
    Fresh::from_random(random(number))
}

pub(crate) fn seal(secret: &[u8], label: &Label, number: u64) -> Vec<u8> {
    vault::seal(secret, label, &kek(), kek_id(), fresh(number)).unwrap()
}
