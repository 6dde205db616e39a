//! A DPoP proof (RFC 9449): made anew for each request, by the agent's key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::agent::{LeaseText, PROOF_TYPE, Proof, ProofHeader};
use sha2::{Digest as _, Sha256};

use crate::key::{ALGORITHM, AgentKey};

/// What a proof is for.
pub(crate) struct Proven<'a> {
    pub(crate) method: &'a str,
    /// The issuer and the path, without query.
    pub(crate) address: &'a str,
    pub(crate) lease: Option<&'a LeaseText>,
}

/// Makes a proof.
pub(crate) fn sign(
    key: &AgentKey,
    proven: &Proven<'_>,
    now: i64,
    jti: String,
) -> Result<String, serde_json::Error> {
    let header =
        ProofHeader { typ: PROOF_TYPE.to_owned(), alg: ALGORITHM.to_owned(), jwk: key.public().clone() };
    let proof = Proof {
        jti,
        htm: proven.method.to_owned(),
        htu: proven.address.to_owned(),
        iat: now,
        ath: proven.lease.map(|lease| URL_SAFE_NO_PAD.encode(Sha256::digest(lease.as_str().as_bytes()))),
    };
    key.sign(&header, &proof)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use serde_json::{Value, json};

    use super::*;

    /// Verifies by a library that is not ours.
    fn verified(key: &AgentKey, jws: &str) -> (Value, Value) {
        let jwk: Jwk = serde_json::from_value(serde_json::to_value(key.public()).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Value>(jws, &DecodingKey::from_jwk(&jwk).unwrap(), &validation);
        let header = URL_SAFE_NO_PAD.decode(jws.split('.').next().unwrap()).unwrap();
        (serde_json::from_slice(&header).unwrap(), claims.unwrap().claims)
    }

    #[test]
    fn a_proof_says_what_it_is_for_and_verifies() {
        let key = AgentKey::make().unwrap();
        let proven = Proven { method: "POST", address: "http://x/token", lease: None };
        let (header, claims) = verified(&key, &sign(&key, &proven, 7, "j".into()).unwrap());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": key.public().x});
        assert_eq!(header, json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk}));
        assert_eq!(claims, json!({"jti": "j", "htm": "POST", "htu": "http://x/token", "iat": 7}));
    }

    #[test]
    fn a_proof_beside_a_lease_holds_its_hash() {
        let key = AgentKey::make().unwrap();
        // RFC 9449 §7.1, the example's access token and its hash.
        let lease = LeaseText::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".into());
        let proven = Proven { method: "GET", address: "http://x/call/g/a", lease: Some(&lease) };
        let (_, claims) = verified(&key, &sign(&key, &proven, 7, "j".into()).unwrap());
        assert_eq!(claims["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }
}
