//! Project Wycheproof's vectors for AES-GCM (`tests/fixtures/wycheproof`).
//!
//! Those of the one parameter set that the format has (a key of 256 bits, a nonce of 96, a tag of 128) go through our own
//! two functions. The others go through the same cipher of the same library with their own sizes.

use std::collections::BTreeSet;

use aes_gcm::aead::consts::{U1, U2, U4, U6, U8, U10, U12, U15, U16, U20, U32, U64, U128, U257};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, KeyInit as _};
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../../../tests/fixtures/wycheproof/aes_gcm_test.json");
const LEFT_OUT: &str = include_str!("../../../../../tests/fixtures/wycheproof/left-out.json");

struct Vector {
    key: Vec<u8>,
    nonce: Vec<u8>,
    context: Vec<u8>,
    plain: Vec<u8>,
    sealed: Vec<u8>,
    tag: Vec<u8>,
}

fn bytes(test: &Value, name: &str) -> Vec<u8> {
    let hex = test[name].as_str().unwrap().as_bytes();
    hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

impl Vector {
    fn read(test: &Value) -> Self {
        Self {
            key: bytes(test, "key"),
            nonce: bytes(test, "iv"),
            context: bytes(test, "aad"),
            plain: bytes(test, "msg"),
            sealed: bytes(test, "ct"),
            tag: bytes(test, "tag"),
        }
    }

    /// Through the functions that sealed records go through: whether it opens, and whether sealing gives the same.
    fn ours(&self) -> (bool, bool) {
        let key = self.key.as_slice().try_into().unwrap();
        let nonce = self.nonce.as_slice().try_into().unwrap();
        let tag = self.tag.as_slice().try_into().unwrap();
        let mut text = self.sealed.clone();
        let opened = decrypt(key, nonce, &self.context, &mut text, tag).is_ok();
        let expected = if opened { self.plain.clone() } else { vec![0; text.len()] };
        assert_eq!(text, expected, "what opens is right, and what does not is wiped");
        let mut text = self.plain.clone();
        let made = encrypt(key, nonce, &self.context, &mut text).unwrap();
        (opened, (text, made.as_slice()) == (self.sealed.clone(), self.tag.as_slice()))
    }

    /// The same with another size of key or nonce; none where the library has no such cipher.
    fn others(&self) -> Option<(bool, bool)> {
        macro_rules! by_size {
            ($($nonce:ident)*) => {
                match (self.key.len(), self.nonce.len()) {
                    $((16, n) if n == <$nonce as aes_gcm::aead::array::typenum::Unsigned>::USIZE => Some(self.through(&AesGcm::<Aes128, $nonce>::new_from_slice(&self.key).unwrap())),
                    (24, n) if n == <$nonce as aes_gcm::aead::array::typenum::Unsigned>::USIZE => Some(self.through(&AesGcm::<Aes192, $nonce>::new_from_slice(&self.key).unwrap())),
                    (32, n) if n == <$nonce as aes_gcm::aead::array::typenum::Unsigned>::USIZE => Some(self.through(&AesGcm::<Aes256, $nonce>::new_from_slice(&self.key).unwrap())),)*
                    _ => None,
                }
            };
        }
        by_size!(U1 U2 U4 U6 U8 U10 U12 U15 U16 U20 U32 U64 U128 U257)
    }

    fn through(&self, cipher: &impl aes_gcm::AeadInOut) -> (bool, bool) {
        let nonce = self.nonce.as_slice().try_into().unwrap();
        let tag = self.tag.as_slice().try_into().unwrap();
        let mut text = self.sealed.clone();
        let opened =
            cipher.decrypt_inout_detached(nonce, &self.context, InOutBuf::from(text.as_mut_slice()), tag);
        let opened = opened.is_ok();
        assert!(!opened || text == self.plain);
        let mut text = self.plain.clone();
        let made =
            cipher.encrypt_inout_detached(nonce, &self.context, InOutBuf::from(text.as_mut_slice())).unwrap();
        (opened, (text, made.as_slice()) == (self.sealed.clone(), self.tag.as_slice()))
    }
}

#[test]
fn every_verdict_on_aes_gcm_is_ours() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let left_out: Value = serde_json::from_str(LEFT_OUT).unwrap();
    let left_out = &left_out["aes_gcm_test.json"];
    let (mut through_ours, mut through_others, mut wrong) = (0, 0, Vec::new());
    let mut named: BTreeSet<String> = BTreeSet::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let size = |name: &str| group[name].as_u64().unwrap();
        assert_eq!(size("tagSize"), 128);
        for test in group["tests"].as_array().unwrap() {
            let (id, vector) = (test["tcId"].to_string(), Vector::read(test));
            let judged = if (size("keySize"), size("ivSize")) == (256, 96) {
                through_ours += 1;
                Some(vector.ours())
            } else {
                vector.others().inspect(|_| through_others += 1)
            };
            let valid = test["result"] == "valid";
            match judged {
                // A wrong tag is never made; with a right one, what is made is the vector.
                Some((opens, made)) if opens == valid && made == valid => {}
                Some(judged) => wrong.push(format!("{id}: {} {judged:?}", test["result"])),
                None if left_out[&id].is_string() => drop(named.insert(id)),
                None => wrong.push(format!("{id}: not run, and not left out")),
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!((through_ours, through_others, named.len()), (66, 244, 6));
    let all: BTreeSet<String> = left_out.as_object().unwrap().keys().cloned().collect();
    assert_eq!(all, named, "nothing is left out without need");
}
