//! Project Wycheproof's vectors for signatures (`tests/fixtures/wycheproof`): compact JWS and keys through the verifier
//! of id_tokens; bare signatures, whose texts are no JWS, through the one call that the verifier makes, with the key read
//! from a JWK as the verifier reads it; those on Ed25519 once more through the verifier of what agents sign.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::agent::AgentKey;
use domain::secret::IdToken;
use ed25519_dalek::Signature;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Value, json};

use crate::agent_jws::signed_by;
use crate::message::Reply;
use crate::refusal::ProviderRule;
use crate::signature::verified_claims;

/// One file's vectors, and those of which our verdict differs or which are not run, each with its reason.
struct Set {
    vectors: Value,
    left_out: Value,
}

macro_rules! set {
    ($file:literal) => {{
        let left_out = include_str!("../../../../tests/fixtures/wycheproof/left-out.json");
        let vectors = include_str!(concat!("../../../../tests/fixtures/wycheproof/", $file));
        let left_out: Value = serde_json::from_str(left_out).unwrap();
        Set { vectors: serde_json::from_str(vectors).unwrap(), left_out: left_out[$file].clone() }
    }};
}

impl Set {
    /// Judges every vector by its group: true where the signature holds. Gives how many were judged.
    fn check(&self, judge: impl Fn(&Value, &Value) -> bool) -> usize {
        let (mut wrong, mut differs, mut judged) = (Vec::new(), BTreeSet::new(), 0);
        for group in self.vectors["testGroups"].as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                let id = test["tcId"].to_string();
                // What is merely acceptable is refused.
                let expected = test["result"] == "valid";
                if judge(group, test) != expected {
                    if self.left_out[&id].is_string() {
                        differs.insert(id);
                    } else {
                        wrong.push(format!("{id} {}: should be {}", test["comment"], test["result"]));
                    }
                }
                judged += 1;
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
        let named: BTreeSet<String> =
            self.left_out.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
        assert_eq!(differs, named, "nothing is left out without need");
        assert_eq!(self.vectors["numberOfTests"], judged);
        judged
    }
}

fn jwks(keys: &Value) -> Reply {
    Reply {
        status: 200,
        content_type: Some("application/json".into()),
        retry_after: None,
        body: json!({ "keys": keys }).to_string().into_bytes(),
        ..Reply::default()
    }
}

/// Whether the verifier of id_tokens takes the signature. Few of the vectors' texts are claims; that they are none is said
/// after the signature has held, and with any other signature it is the signature that is refused.
fn holds(jws: &str, keys: &Value) -> bool {
    match refusal(jws, keys) {
        Ok(()) => true,
        Err(ProviderRule::IdTokenMalformed) => with_another_signature(jws)
            .is_some_and(|other| refusal(&other, keys) == Err(ProviderRule::IdTokenSignature)),
        Err(_) => false,
    }
}

fn refusal(jws: &str, keys: &Value) -> Result<(), ProviderRule> {
    let token = IdToken::parse(jws.to_owned()).map_err(|_| ProviderRule::IdTokenMalformed)?;
    verified_claims(&token, &jwks(keys), None).map(drop)
}

fn with_another_signature(jws: &str) -> Option<String> {
    let (message, signature) = jws.rsplit_once('.')?;
    let mut signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    *signature.first_mut()? ^= 1;
    Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[test]
fn every_verdict_on_a_jws_is_ours() {
    let judged = set!("json_web_signature_test.json").check(|group, test| {
        // What a bank publishes; a shared secret has nothing but its private form.
        let key = group.get("public").unwrap_or(&group["private"]);
        test["jws"].as_str().is_some_and(|jws| holds(jws, &json!([key])))
    });
    assert_eq!(judged, 401);
}

#[test]
fn every_verdict_on_a_jwk_is_ours() {
    let judged = set!("json_web_key_test.json").check(|group, test| {
        let set = group.get("public").unwrap_or(&group["private"]);
        holds(test["jws"].as_str().unwrap(), &set["keys"])
    });
    assert_eq!(judged, 26);
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap().as_bytes();
    hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A group's key as a JWK; a few groups of ECDSA have the bare point only.
fn jwk(group: &Value) -> Value {
    if let Some(jwk) = group.get("publicKeyJwk").or_else(|| group.get("keyJwk")) {
        return jwk.clone();
    }
    let point = bytes(&group["publicKey"]["uncompressed"]);
    let (x, y) = point[1..].split_at(point.len() / 2);
    let curve = if x.len() == 32 { "P-256" } else { "P-384" };
    json!({"kty": "EC", "crv": curve, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)})
}

/// The call that the verifier makes, on a text that is no JWS.
fn bare(algorithm: Algorithm) -> impl Fn(&Value, &Value) -> bool {
    move |group, test| {
        let mut jwk = jwk(group);
        // Some sets give the name of an algorithm that no JWK has; the verifier looks at the name before, not here.
        jwk.as_object_mut().unwrap().remove("alg");
        let Ok(jwk) = serde_json::from_value::<Jwk>(jwk) else { return false };
        let Ok(key) = DecodingKey::from_jwk(&jwk) else { return false };
        let signature = URL_SAFE_NO_PAD.encode(bytes(&test["sig"]));
        crypto::verify(&signature, &bytes(&test["msg"]), &key, algorithm) == Ok(true)
    }
}

#[test]
fn every_verdict_on_ed25519_is_ours() {
    assert_eq!(set!("ed25519_test.json").check(bare(Algorithm::EdDSA)), 151);
}

/// The call that is made for what agents sign.
fn by_an_agent(group: &Value, test: &Value) -> bool {
    let Ok(key) = AgentKey::parse(jwk(group)["x"].as_str().unwrap()) else { return false };
    let signature = <[u8; 64]>::try_from(bytes(&test["sig"]));
    signature.is_ok_and(|signature| {
        signed_by(&key, &bytes(&test["msg"]), &Signature::from_bytes(&signature)).is_ok()
    })
}

#[test]
fn every_verdict_on_what_an_agent_signs_is_ours() {
    assert_eq!(set!("ed25519_test.json").check(by_an_agent), 151);
}

#[test]
fn every_verdict_on_ecdsa_is_ours() {
    assert_eq!(set!("ecdsa_secp256r1_sha256_p1363_test.json").check(bare(Algorithm::ES256)), 262);
    assert_eq!(set!("ecdsa_secp384r1_sha384_p1363_test.json").check(bare(Algorithm::ES384)), 280);
}

#[test]
fn every_verdict_on_rsa_pkcs1_is_ours() {
    assert_eq!(set!("rsa_signature_2048_sha256_test.json").check(bare(Algorithm::RS256)), 259);
    assert_eq!(set!("rsa_signature_3072_sha384_test.json").check(bare(Algorithm::RS384)), 259);
    assert_eq!(set!("rsa_signature_4096_sha512_test.json").check(bare(Algorithm::RS512)), 259);
}

#[test]
fn every_verdict_on_rsa_pss_is_ours() {
    assert_eq!(set!("rsa_pss_2048_sha256_mgf1_32_test.json").check(bare(Algorithm::PS256)), 108);
    assert_eq!(set!("rsa_pss_2048_sha384_mgf1_48_test.json").check(bare(Algorithm::PS384)), 141);
    assert_eq!(set!("rsa_pss_4096_sha512_mgf1_64_test.json").check(bare(Algorithm::PS512)), 179);
}
