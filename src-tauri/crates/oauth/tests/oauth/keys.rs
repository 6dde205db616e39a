//! Keys that a bank could sign with, made anew for each run, and what can be done to a signature.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
};
use aws_lc_rs::{hmac, signature::RsaEncoding};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Map, Value, json};

enum Key {
    Ec(EcdsaKeyPair),
    Ed(SigningKey),
    Rsa(RsaKeyPair),
}

struct Keys {
    p256: Key,
    p384: Key,
    rsa: Key,
    eds: [Key; 3],
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    p256: Key::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
    p384: Key::Ec(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
    rsa: Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
    eds: [1, 2, 3].map(|seed| Key::Ed(SigningKey::from_bytes(&[seed; 32]))),
});

fn key(name: &str) -> &'static Key {
    match name {
        "ed-a" => &KEYS.eds[0],
        "ed-b" => &KEYS.eds[1],
        "ed-c" => &KEYS.eds[2],
        "es256-a" => &KEYS.p256,
        "es384-a" => &KEYS.p384,
        "rsa-a" => &KEYS.rsa,
        other => panic!("no key {other}"),
    }
}

/// The algorithm that a key is mostly used with.
pub(crate) fn usual_alg(name: &str) -> &'static str {
    match name {
        "es256-a" => "ES256",
        "es384-a" => "ES384",
        "rsa-a" => "RS256",
        _ => "EdDSA",
    }
}

/// The public half as a bank publishes it.
pub(crate) fn jwk(name: &str) -> Map<String, Value> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = match key(name) {
        Key::Ed(key) => {
            json!({"kty": "OKP", "crv": "Ed25519", "x": text(key.verifying_key().as_bytes()), "kid": name})
        }
        Key::Ec(key) => {
            let point = &key.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            let curve = if point.len() == 64 { "P-256" } else { "P-384" };
            json!({"kty": "EC", "crv": curve, "x": text(x), "y": text(y), "kid": name})
        }
        Key::Rsa(key) => {
            let parts = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
            json!({"kty": "RSA", "n": text(&parts.n), "e": text(&parts.e), "kid": name})
        }
    };
    jwk.as_object().unwrap().clone()
}

/// Signs honestly, with the algorithm named where the key has several.
pub(crate) fn sign(name: &str, alg: &str, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    match key(name) {
        Key::Ed(key) => key.sign(message).to_bytes().to_vec(),
        Key::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
        Key::Rsa(key) => {
            let encoding: &dyn RsaEncoding = match alg {
                "PS256" => &RSA_PSS_SHA256,
                "PS384" => &RSA_PSS_SHA384,
                "PS512" => &RSA_PSS_SHA512,
                "RS384" => &RSA_PKCS1_SHA384,
                "RS512" => &RSA_PKCS1_SHA512,
                _ => &RSA_PKCS1_SHA256,
            };
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(encoding, &random, message, &mut signature).unwrap();
            signature
        }
    }
}

/// The last part of a JWS: honest, or spoilt in the way that is named.
pub(crate) fn signature(name: &str, alg: &str, message: &str, how: Option<&str>) -> String {
    let honest = sign(name, alg, message.as_bytes());
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let (head, claims) = message.split_once('.').unwrap();
    match how {
        None => text(&honest),
        Some("empty") => String::new(),
        Some("cut") => text(&honest[..honest.len() - 1]),
        Some("half") => text(&honest[..honest.len() / 2]),
        Some("longer") => text(&[honest.as_slice(), &[0]].concat()),
        Some("doubled") => text(&[honest.as_slice(), &honest].concat()),
        Some("flip_first") => text(&flipped(honest, |_| 0)),
        Some("flip_last") => text(&flipped(honest, |length| length - 1)),
        Some("zero") => text(&vec![0; honest.len()]),
        Some("ones") => text(&vec![0xff; honest.len()]),
        Some("padded") => format!("{}==", text(&honest)),
        Some("stray_bits") => stray_bits(&text(&honest)),
        Some("of_claims") => text(&sign(name, alg, claims.as_bytes())),
        Some("of_others") => text(&sign(name, alg, format!("{head}.e30").as_bytes())),
        Some("base64") => format!("{}+/", text(&honest[..honest.len() - 2])),
        Some("hex") => honest.iter().map(|byte| format!("{byte:02x}")).collect(),
        Some("der") => text(&der(&honest)),
        Some("swapped") => text(&[&honest[honest.len() / 2..], &honest[..honest.len() / 2]].concat()),
        Some(hmac) if hmac.starts_with("hs") => text(&shared(hmac, name, message)),
        Some(other) => text(&sign(other, alg, message.as_bytes())),
    }
}

fn flipped(mut bytes: Vec<u8>, at: impl Fn(usize) -> usize) -> Vec<u8> {
    let at = at(bytes.len());
    bytes[at] ^= 1;
    bytes
}

/// 64 bytes leave four bits of the last character unused; here one of them is set.
fn stray_bits(text: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let at = LETTERS.find(last).unwrap();
    format!("{rest}{}", LETTERS.chars().nth(at + 1).unwrap())
}

/// r and s as ASN.1, as most libraries but not JWS have them.
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        let sign: &[u8] = if bytes.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
        let length = u8::try_from(sign.len() + bytes.len()).unwrap();
        [&[0x02, length], sign, &bytes].concat()
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}

/// A MAC keyed with the public key, which everybody has.
fn shared(hash: &str, name: &str, message: &str) -> Vec<u8> {
    let algorithm = match hash {
        "hs384" => hmac::HMAC_SHA384,
        "hs512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    let public = match key(name) {
        Key::Ed(key) => key.verifying_key().as_bytes().to_vec(),
        Key::Ec(key) => key.public_key().as_ref().to_vec(),
        Key::Rsa(key) => key.public_key().as_ref().to_vec(),
    };
    hmac::sign(&hmac::Key::new(algorithm, &public), message.as_bytes()).as_ref().to_vec()
}
