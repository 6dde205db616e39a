//! The id_token: checked before any token that came with it is used (OpenID Connect Core §3.1.3.7).

use domain::secret::{IdToken, Nonce};
use domain::text::quoted;
use domain::time::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

use crate::json;
use crate::message::Reply;
use crate::refusal::ProviderRule;

/// How far clocks may differ.
const SKEW_MS: i64 = 60_000;
/// An id_token is made for the exchange that brings it.
const MAX_AGE_MS: i64 = 10 * 60_000;

/// What an id_token must match. Made by the token response that brought it.
pub struct ExpectIdToken {
    pub(crate) nonce: Nonce,
    pub(crate) client_id: String,
    pub(crate) issuer: String,
}

/// Who signed in, as the bank's signature says.
pub struct Identity {
    /// The bank's name for the person; sealed at rest.
    pub subject: String,
    /// The claim that names them, if asked for and there.
    pub name: Option<String>,
}

impl ExpectIdToken {
    /// Checks the signature with the issuer's keys, then every claim.
    ///
    /// # Errors
    /// The [`ProviderRule`] it breaks; no token of that response may then be used.
    pub fn accept(
        self,
        token: &IdToken,
        jwks: &Reply,
        now: Timestamp,
        name_claim: &str,
    ) -> Result<Identity, ProviderRule> {
        let header =
            jsonwebtoken::decode_header(token.expose_secret()).map_err(|_| ProviderRule::IdTokenAlgorithm)?;
        check_header(&header)?;
        let keys = keys(jwks)?;
        let claims = verify(token, &header, &keys)?;
        self.check_claims(&claims, now)?;
        let subject = json::text(&claims, "sub").map_err(|_| ProviderRule::IdTokenMalformed)?;
        let subject =
            subject.filter(|s| !s.is_empty() && s.len() <= 255).ok_or(ProviderRule::IdTokenMalformed)?;
        let name =
            claims.get(name_claim).and_then(Value::as_str).map(|n| quoted(n, 80)).filter(|n| !n.is_empty());
        Ok(Identity { subject: subject.to_owned(), name })
    }

    fn check_claims(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), ProviderRule> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err(ProviderRule::IssuerMismatch);
        }
        let ours = |value: &Value| value.as_str() == Some(self.client_id.as_str());
        let audience = match claims.get("aud") {
            Some(Value::Array(all)) => !all.is_empty() && all.iter().all(ours),
            Some(one) => ours(one),
            None => false,
        };
        if !audience {
            return Err(ProviderRule::AudienceMismatch);
        }
        if claims.get("azp").is_some_and(|azp| !ours(azp)) {
            return Err(ProviderRule::AuthorizedPartyMismatch);
        }
        let seconds =
            |name: &str| claims.get(name).and_then(Value::as_f64).filter(|s| s.is_finite() && s.abs() < 1e12);
        let expires = seconds("exp").ok_or(ProviderRule::IdTokenMalformed)? * 1000.0;
        let issued = seconds("iat").ok_or(ProviderRule::IdTokenMalformed)? * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact in 53 bits")]
        let (now, skew, age) = (now.millis() as f64, SKEW_MS as f64, MAX_AGE_MS as f64);
        if expires + skew <= now {
            return Err(ProviderRule::IdTokenExpired);
        }
        if issued > now + skew || issued + age + skew < now {
            return Err(ProviderRule::IdTokenIssuedAt);
        }
        match claims.get("nonce").and_then(Value::as_str) {
            Some(nonce) if self.nonce.same_as(nonce) => Ok(()),
            Some(_) | None => Err(ProviderRule::NonceMismatch),
        }
    }
}

/// The request for the issuer's keys.
#[must_use]
pub fn jwks_request(jwks_uri: &url::Url) -> Option<crate::message::Request> {
    http::Request::get(jwks_uri.as_str()).header("accept", "application/json").body(Vec::new()).ok()
}

/// RFC 8725 §3.1, §3.11: algorithms by allow-list, no other kind of token, no key that the token brings itself.
fn check_header(header: &Header) -> Result<(), ProviderRule> {
    let asymmetric = [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];
    if !asymmetric.contains(&header.alg) {
        return Err(ProviderRule::IdTokenAlgorithm);
    }
    if header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(ProviderRule::IdTokenMalformed);
    }
    let brings_key =
        header.jwk.is_some() || header.jku.is_some() || header.x5u.is_some() || header.x5c.is_some();
    if brings_key || header.crit.is_some() { Err(ProviderRule::IdTokenMalformed) } else { Ok(()) }
}

/// The keys of a JWK set; members and keys we do not know are passed over (RFC 7517 §5).
fn keys(reply: &Reply) -> Result<Vec<Jwk>, ProviderRule> {
    if reply.status != 200 {
        return Err(ProviderRule::StatusUnexpected);
    }
    let essence =
        reply.content_type.as_deref().and_then(|t| t.split(';').next()).map(str::trim).unwrap_or_default();
    if !essence.eq_ignore_ascii_case("application/json")
        && !essence.eq_ignore_ascii_case("application/jwk-set+json")
    {
        return Err(ProviderRule::ContentTypeUnexpected);
    }
    let members = json::object(&reply.body)?;
    let keys = members.get("keys").and_then(Value::as_array).ok_or(ProviderRule::BodyMalformed)?;
    let set =
        JwkSet { keys: keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect() };
    Ok(set.keys)
}

/// The claims, once a key of the issuer that fits the header has verified them.
fn verify(token: &IdToken, header: &Header, keys: &[Jwk]) -> Result<Map<String, Value>, ProviderRule> {
    let fits = |key: &&Jwk| {
        let kid = header.kid.is_none() || key.common.key_id == header.kid;
        let named = key.common.key_algorithm.is_none_or(|alg| alg.to_string() == format!("{:?}", header.alg));
        kid && named && is_kind(key, header.alg)
    };
    // Claims are checked by our own rules with the time that is handed in.
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    for key in keys.iter().filter(fits).take(8) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        let verified = jsonwebtoken::decode::<Value>(token.expose_secret(), &key, &validation);
        if let Ok(verified) = verified {
            // Read again, strictly: a claim that stands twice could mean one thing here and another elsewhere.
            drop(verified);
            return strict_claims(token);
        }
    }
    Err(ProviderRule::IdTokenSignature)
}

fn strict_claims(token: &IdToken) -> Result<Map<String, Value>, ProviderRule> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.expose_secret().split('.').nth(1).ok_or(ProviderRule::IdTokenMalformed)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| ProviderRule::IdTokenMalformed)?;
    json::object(&payload).map_err(|_| ProviderRule::IdTokenMalformed)
}

fn is_kind(key: &Jwk, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let rsa = matches!(key.algorithm, AlgorithmParameters::RSA(_));
    let curve = matches!(key.algorithm, AlgorithmParameters::EllipticCurve(_));
    let edwards = matches!(key.algorithm, AlgorithmParameters::OctetKeyPair(_));
    (rsa && matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512))
        || (curve && matches!(algorithm, ES256 | ES384))
        || (edwards && algorithm == EdDSA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use ed25519_dalek::{Signer as _, SigningKey};
    use serde_json::json;

    const NOW: i64 = 1_800_000_000;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn jwk(seed: u8, kid: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode(key(seed).verifying_key().as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig"})
    }

    fn jwks(keys: &[Value]) -> Reply {
        Reply {
            status: 200,
            content_type: Some("application/jwk-set+json; charset=utf-8".into()),
            retry_after: None,
            body: json!({ "keys": keys }).to_string().into_bytes(),
        }
    }

    fn sign(header: &str, payload: &str, seed: u8) -> IdToken {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(key(seed).sign(input.as_bytes()).to_bytes());
        IdToken::parse(format!("{input}.{signature}")).unwrap()
    }

    fn claims() -> Value {
        json!({"iss": "https://auth.bank.example", "aud": "countersign", "sub": "u1", "nonce": "N1", "exp": NOW + 300,
               "iat": NOW, "name": "Ada Quist"})
    }

    fn judge(token: &IdToken, keys: &Reply) -> Result<Identity, ProviderRule> {
        let expect = ExpectIdToken {
            nonce: Nonce::parse("N1".into()).unwrap(),
            client_id: "countersign".into(),
            issuer: "https://auth.bank.example".into(),
        };
        expect.accept(token, keys, Timestamp::from_secs(NOW), "name")
    }

    fn with(member: &str, value: Value) -> Result<Identity, ProviderRule> {
        let mut claims = claims();
        if value == json!("<absent>") {
            claims.as_object_mut().unwrap().remove(member);
        } else {
            claims[member] = value;
        }
        judge(&sign(r#"{"alg":"EdDSA","kid":"a"}"#, &claims.to_string(), 1), &jwks(&[jwk(1, "a")]))
    }

    #[test]
    fn an_honest_id_token_names_the_person() {
        let identity = with("extra", json!(1)).unwrap();
        assert_eq!((identity.subject.as_str(), identity.name.as_deref()), ("u1", Some("Ada Quist")));
        assert!(with("aud", json!(["countersign"])).is_ok());
        assert!(with("azp", json!("countersign")).is_ok());
        assert!(with("exp", json!(NOW - 30)).is_ok(), "within the skew");
    }

    #[test]
    fn each_wrong_claim_breaks_its_rule() {
        let check = |member: &str, value: Value, rule: ProviderRule| {
            assert_eq!(with(member, value.clone()).err(), Some(rule), "{member}: {value}");
        };
        for iss in
            [json!("https://auth.bank.example/"), json!("https://evil.example"), json!("<absent>"), json!(7)]
        {
            check("iss", iss, ProviderRule::IssuerMismatch);
        }
        for aud in [json!("other"), json!("<absent>"), json!(["countersign", "evil"]), json!([]), json!(7)] {
            check("aud", aud, ProviderRule::AudienceMismatch);
        }
        check("azp", json!("other"), ProviderRule::AuthorizedPartyMismatch);
        check("exp", json!(NOW - 3600), ProviderRule::IdTokenExpired);
        for bad in [json!("<absent>"), json!("never"), json!(null), json!(1e99), json!([])] {
            check("exp", bad.clone(), ProviderRule::IdTokenMalformed);
            check("iat", bad, ProviderRule::IdTokenMalformed);
        }
        check("iat", json!(NOW - 7 * 86_400), ProviderRule::IdTokenIssuedAt);
        check("iat", json!(NOW + 3600), ProviderRule::IdTokenIssuedAt);
        for nonce in [json!("<absent>"), json!("N2"), json!(""), json!(7)] {
            check("nonce", nonce, ProviderRule::NonceMismatch);
        }
        for sub in [json!("<absent>"), json!(""), json!(7), json!("x".repeat(256))] {
            check("sub", sub, ProviderRule::IdTokenMalformed);
        }
    }

    #[test]
    fn only_the_issuers_keys_and_our_algorithms_count() {
        let payload = claims().to_string();
        let check = |header: &str, seed: u8, keys: &[Value], expected: Option<ProviderRule>| {
            assert_eq!(judge(&sign(header, &payload, seed), &jwks(keys)).err(), expected, "{header}");
        };
        let (good, plain) = (r#"{"alg":"EdDSA","kid":"a"}"#, r#"{"alg":"EdDSA"}"#);
        check(good, 1, &[jwk(2, "b"), jwk(1, "a")], None);
        check(plain, 1, &[jwk(1, "a")], None);
        check(plain, 1, &[jwk(2, "b"), jwk(1, "a")], None);
        check(good, 2, &[jwk(1, "a")], Some(ProviderRule::IdTokenSignature));
        check(good, 1, &[jwk(1, "b")], Some(ProviderRule::IdTokenSignature));
        check(good, 1, &[], Some(ProviderRule::IdTokenSignature));
        check(
            good,
            1,
            &[json!({"kty": "oct", "k": "AAAA", "kid": "a"}), json!({"kty": "??"})],
            Some(ProviderRule::IdTokenSignature),
        );
        for alg in ["none", "None", "HS256", "HS512", "XX", ""] {
            check(
                &format!(r#"{{"alg":"{alg}","kid":"a"}}"#),
                1,
                &[jwk(1, "a")],
                Some(ProviderRule::IdTokenAlgorithm),
            );
        }
        check(r#"{"alg":"RS256","kid":"a"}"#, 1, &[jwk(1, "a")], Some(ProviderRule::IdTokenSignature));
        for typ in ["at+jwt", "secevent+jwt", "JOSE"] {
            check(
                &format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"a"}}"#),
                1,
                &[jwk(1, "a")],
                Some(ProviderRule::IdTokenMalformed),
            );
        }
        let brings = format!(r#"{{"alg":"EdDSA","jwk":{}}}"#, jwk(3, "x"));
        check(&brings, 3, &[jwk(1, "a")], Some(ProviderRule::IdTokenMalformed));
        check(
            r#"{"alg":"EdDSA","jku":"https://evil.example"}"#,
            1,
            &[jwk(1, "a")],
            Some(ProviderRule::IdTokenMalformed),
        );
        check(
            r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#,
            1,
            &[jwk(1, "a")],
            Some(ProviderRule::IdTokenMalformed),
        );
    }

    #[test]
    fn what_is_no_jws_or_says_things_twice_is_refused() {
        let keys = jwks(&[jwk(1, "a")]);
        let header = r#"{"alg":"EdDSA","kid":"a"}"#;
        let twice = claims().to_string().replacen('{', r#"{"name":"Eve","#, 1);
        assert_eq!(judge(&sign(header, &twice, 1), &keys).err(), Some(ProviderRule::IdTokenMalformed));
        assert!(judge(&sign(header, "[]", 1), &keys).is_err());
        for text in ["x", "a.b", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(judge(&IdToken::parse(text.into()).unwrap(), &keys).is_err(), "{text}");
        }
        let mut html = jwks(&[jwk(1, "a")]);
        html.content_type = Some("text/html".into());
        let err = judge(&sign(header, &claims().to_string(), 1), &html).err();
        assert_eq!(err, Some(ProviderRule::ContentTypeUnexpected));
    }
}
