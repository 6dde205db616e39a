//! The signature of a compact JWS of the bank: which key, which algorithm, and nothing the token brings itself.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::provider::IdTokenAlg;
use domain::secret::IdToken;
use ed25519_dalek::VerifyingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use crate::json;
use crate::message::Reply;
use crate::refusal::ProviderRule;

/// Keys that fit are few; a set of thousands must not make us try thousands of signatures.
const MAX_TRIES: usize = 8;

/// The algorithms we take, by allow-list (RFC 8725 §3.1): no `none`, no shared secrets.
const ALGORITHMS: [(&str, Algorithm, IdTokenAlg); 9] = [
    ("ES256", Algorithm::ES256, IdTokenAlg::Es256),
    ("ES384", Algorithm::ES384, IdTokenAlg::Es384),
    ("EdDSA", Algorithm::EdDSA, IdTokenAlg::EdDsa),
    ("PS256", Algorithm::PS256, IdTokenAlg::Ps256),
    ("PS384", Algorithm::PS384, IdTokenAlg::Ps384),
    ("PS512", Algorithm::PS512, IdTokenAlg::Ps512),
    ("RS256", Algorithm::RS256, IdTokenAlg::Rs256),
    ("RS384", Algorithm::RS384, IdTokenAlg::Rs384),
    ("RS512", Algorithm::RS512, IdTokenAlg::Rs512),
];

/// The claims of an id_token, once a key of the issuer has verified its signature.
///
/// `registered` is the one algorithm that the provider file names, if it names one (OpenID Connect Core §3.1.3.7 (7)).
pub(crate) fn verified_claims(
    token: &IdToken,
    jwks: &Reply,
    registered: Option<IdTokenAlg>,
) -> Result<Map<String, Value>, ProviderRule> {
    let malformed = ProviderRule::IdTokenMalformed;
    let (message, signature) = token.expose_secret().rsplit_once('.').ok_or(malformed)?;
    let (header, payload) = message.split_once('.').ok_or(malformed)?;
    if payload.contains('.') {
        return Err(malformed);
    }
    let header = Header::parse(&part(header)?, registered)?;
    let fitting: Vec<Jwk> = keys(jwks)?.into_iter().filter(|key| header.fits(key)).take(MAX_TRIES).collect();
    let mut usable = fitting.iter().filter_map(|key| DecodingKey::from_jwk(key).ok());
    let signed = |key| crypto::verify(signature, message.as_bytes(), &key, header.algorithm) == Ok(true);
    if usable.any(signed) { part(payload) } else { Err(ProviderRule::IdTokenSignature) }
}

/// One part of a compact JWS as a JSON object in which every member stands once.
fn part(encoded: &str) -> Result<Map<String, Value>, ProviderRule> {
    let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| ProviderRule::IdTokenMalformed)?;
    json::object(&bytes).map_err(|_| ProviderRule::IdTokenMalformed)
}

struct Header {
    algorithm: Algorithm,
    name: &'static str,
    kid: Option<String>,
}

impl Header {
    /// RFC 8725 §3.1, §3.11: algorithms by allow-list, no other kind of token, no key that the token brings itself,
    /// nothing that changes how it is to be read.
    fn parse(members: &Map<String, Value>, registered: Option<IdTokenAlg>) -> Result<Self, ProviderRule> {
        let alg = members.get("alg").and_then(Value::as_str);
        let known = ALGORITHMS.iter().find(|(name, ..)| Some(*name) == alg);
        let (name, algorithm, kind) = *known.ok_or(ProviderRule::IdTokenAlgorithm)?;
        if registered.is_some_and(|registered| registered != kind) {
            return Err(ProviderRule::IdTokenAlgorithm);
        }
        let malformed = ProviderRule::IdTokenMalformed;
        let typ = json::text(members, "typ").map_err(|_| malformed)?;
        let changes = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"];
        if typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
            || changes.iter().any(|name| members.contains_key(*name))
        {
            return Err(malformed);
        }
        let kid = json::text(members, "kid").map_err(|_| malformed)?.map(str::to_owned);
        Ok(Self { algorithm, name, kid })
    }

    /// True for a key of this kind, for this use, of this name where one is named (RFC 7517 §4).
    fn fits(&self, key: &Jwk) -> bool {
        let common = &key.common;
        let kid = self.kid.is_none() || common.key_id == self.kid;
        let alg = common.key_algorithm.is_none_or(|alg| alg.to_string() == self.name);
        let signs = common.public_key_use.as_ref().is_none_or(|u| *u == PublicKeyUse::Signature)
            && common.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
        kid && alg && signs && self.is_kind(key)
    }

    fn is_kind(&self, key: &Jwk) -> bool {
        use AlgorithmParameters::{EllipticCurve as Ec, OctetKeyPair as Okp, RSA};
        match self.name {
            "ES256" => matches!(&key.algorithm, Ec(params) if params.curve == EllipticCurve::P256),
            "ES384" => matches!(&key.algorithm, Ec(params) if params.curve == EllipticCurve::P384),
            "EdDSA" => {
                matches!(&key.algorithm, Okp(params) if params.curve == EllipticCurve::Ed25519 && is_sound(&params.x))
            }
            _ => matches!(&key.algorithm, RSA(_)),
        }
    }
}

/// True for an Ed25519 key that is no point of small order: for such a one anybody can make signatures.
fn is_sound(x: &str) -> bool {
    let bytes: Option<[u8; 32]> = URL_SAFE_NO_PAD.decode(x).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok()).is_some_and(|key| !key.is_weak())
}

/// The keys of a JWK set; members and keys we do not know are passed over (RFC 7517 §5).
fn keys(reply: &Reply) -> Result<Vec<Jwk>, ProviderRule> {
    if reply.status != 200 {
        return Err(ProviderRule::StatusUnexpected);
    }
    let is_set = |essence: &str| {
        essence.eq_ignore_ascii_case("application/json")
            || essence.eq_ignore_ascii_case("application/jwk-set+json")
    };
    if !json::essence(reply).is_some_and(is_set) {
        return Err(ProviderRule::ContentTypeUnexpected);
    }
    let members = json::object(&reply.body)?;
    let keys = members.get("keys").and_then(Value::as_array).ok_or(ProviderRule::BodyMalformed)?;
    Ok(keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect())
}
