//! The id_token: checked before any token that came with it is used (OpenID Connect Core §3.1.3.7, §12.2).

use domain::provider::{IdTokenAlg, Provider};
use domain::secret::{IdToken, Nonce};
use domain::text::quoted;
use domain::time::Timestamp;
use serde_json::{Map, Value};

use crate::json;
use crate::message::{Reply, Request};
use crate::refusal::ProviderRule;
use crate::signature::verified_claims;

/// How far clocks may differ.
const SKEW_MS: i64 = 60_000;
/// An id_token is made for the exchange that brings it.
const MAX_AGE_MS: i64 = 10 * 60_000;

/// The two sides of every id_token of a grant and how it is signed, which no refresh may change.
#[derive(Clone)]
pub(crate) struct Sides {
    pub(crate) client_id: String,
    pub(crate) issuer: String,
    pub(crate) algorithm: Option<IdTokenAlg>,
}

/// What an id_token must match. Made by the token response that brought it.
pub struct ExpectIdToken {
    pub(crate) nonce: Nonce,
    pub(crate) sides: Sides,
}

/// Who signed in, as the bank's signature says.
pub struct Identity {
    /// The bank's name for the person; sealed at rest.
    pub subject: String,
    /// The claim that names them, if asked for and there.
    pub name: Option<String>,
    /// What a later id_token must repeat, if it has a nonce at all.
    pub nonce: Nonce,
}

/// What is known of a grant's first id_token when a refresh brings another.
pub struct KnownIdentity {
    /// Its subject.
    pub subject: String,
    /// Its nonce. Where it was not kept, a later id_token with one cannot be shown to be the same person's.
    pub nonce: Option<Nonce>,
}

/// What the id_token of a refresh must match. Made by the refresh response that brought it.
pub struct ExpectSameIdentity {
    pub(crate) known: KnownIdentity,
    pub(crate) sides: Sides,
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
        let claims = verified_claims(token, jwks, self.sides.algorithm)?;
        self.sides.check(&claims, now)?;
        match claims.get("nonce").and_then(Value::as_str) {
            Some(nonce) if self.nonce.same_as(nonce) => {}
            Some(_) | None => return Err(ProviderRule::NonceMismatch),
        }
        let subject = subject(&claims)?.to_owned();
        let name = json::name(&claims, name_claim).ok().flatten().map(|n| quoted(&n, 80));
        let name = name.filter(|n| !n.is_empty());
        Ok(Identity { subject, name, nonce: self.nonce })
    }
}

impl ExpectSameIdentity {
    /// Checks the signature with the issuer's keys, and that it is about the same person as the first id_token
    /// (Core §12.2): same issuer, subject and audience, and the same nonce if it has one.
    ///
    /// # Errors
    /// The [`ProviderRule`] it breaks; no token of that response may then be used.
    pub fn accept(self, token: &IdToken, jwks: &Reply, now: Timestamp) -> Result<(), ProviderRule> {
        let claims = verified_claims(token, jwks, self.sides.algorithm)?;
        self.sides.check(&claims, now)?;
        let same = |nonce: &Value| {
            let known = self.known.nonce.as_ref();
            nonce.as_str().is_some_and(|nonce| known.is_some_and(|known| known.same_as(nonce)))
        };
        if claims.get("nonce").is_some_and(|nonce| !same(nonce)) {
            return Err(ProviderRule::NonceMismatch);
        }
        if subject(&claims)? == self.known.subject { Ok(()) } else { Err(ProviderRule::SubjectMismatch) }
    }
}

impl Sides {
    /// As the provider file has them.
    pub(crate) fn of(provider: &Provider) -> Self {
        Self {
            client_id: provider.client_id.clone(),
            issuer: provider.server.issuer.as_str().to_owned(),
            algorithm: provider.id_token_alg,
        }
    }

    /// Who made it, for whom, and when.
    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), ProviderRule> {
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
        check_times(claims, now)
    }
}

fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<(), ProviderRule> {
    let malformed = ProviderRule::IdTokenMalformed;
    let millis = |claim: &Value| {
        claim.as_f64().filter(|s| s.is_finite() && s.abs() < 1e12).map(|s| s * 1000.0).ok_or(malformed)
    };
    let expires = millis(claims.get("exp").ok_or(malformed)?)?;
    let issued = millis(claims.get("iat").ok_or(malformed)?)?;
    let valid_from = claims.get("nbf").map(millis).transpose()?;
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact in 53 bits")]
    let (now, skew, age) = (now.millis() as f64, SKEW_MS as f64, MAX_AGE_MS as f64);
    if expires + skew <= now {
        return Err(ProviderRule::IdTokenExpired);
    }
    if issued > now + skew || issued + age + skew < now || valid_from.is_some_and(|from| from > now + skew) {
        return Err(ProviderRule::IdTokenIssuedAt);
    }
    Ok(())
}

/// The subject: at most 255 ASCII characters (Core §2), and none that could break a line or a header.
fn subject(claims: &Map<String, Value>) -> Result<&str, ProviderRule> {
    let subject = claims.get("sub").and_then(Value::as_str);
    let fit = |s: &&str| (1..=255).contains(&s.len()) && s.bytes().all(|b| (0x20..=0x7e).contains(&b));
    subject.filter(fit).ok_or(ProviderRule::IdTokenMalformed)
}

/// The request for the issuer's keys.
#[must_use]
pub fn jwks_request(jwks_uri: &url::Url) -> Option<Request> {
    http::Request::get(jwks_uri.as_str()).header("accept", "application/json").body(Vec::new()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tests::provider;
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
            ..Reply::default()
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
        let expect =
            ExpectIdToken { nonce: Nonce::parse("N1".into()).unwrap(), sides: Sides::of(&provider()) };
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
    fn the_id_token_of_a_refresh_is_about_the_same_person() {
        let judge = |known: Option<&str>, member: &str, value: Value| {
            let mut claims = claims();
            claims[member] = value;
            if claims["nonce"] == json!("<absent>") {
                claims.as_object_mut().unwrap().remove("nonce");
            }
            let token = sign(r#"{"alg":"EdDSA","kid":"a"}"#, &claims.to_string(), 1);
            let nonce = known.map(|n| Nonce::parse(n.into()).unwrap());
            let expect = ExpectSameIdentity {
                known: KnownIdentity { subject: "u1".into(), nonce },
                sides: Sides::of(&provider()),
            };
            expect.accept(&token, &jwks(&[jwk(1, "a")]), Timestamp::from_secs(NOW))
        };
        let absent = json!("<absent>");
        assert_eq!(judge(Some("N1"), "extra", json!(1)), Ok(()));
        assert_eq!(judge(Some("N1"), "nonce", absent.clone()), Ok(()), "a refresh need not repeat it");
        assert_eq!(judge(None, "nonce", absent), Ok(()));
        let different = Err(ProviderRule::NonceMismatch);
        assert_eq!(judge(Some("N1"), "nonce", json!("N2")), different);
        assert_eq!(judge(Some("N1"), "nonce", json!(null)), different);
        assert_eq!(judge(None, "nonce", json!("N1")), different, "the first had none");
        assert_eq!(judge(Some("N1"), "sub", json!("u2")), Err(ProviderRule::SubjectMismatch));
        assert_eq!(judge(Some("N1"), "sub", json!(7)), Err(ProviderRule::IdTokenMalformed));
        assert_eq!(judge(Some("N1"), "aud", json!("other")), Err(ProviderRule::AudienceMismatch));
        assert_eq!(judge(Some("N1"), "azp", json!("other")), Err(ProviderRule::AuthorizedPartyMismatch));
        assert_eq!(
            judge(Some("N1"), "iss", json!("https://evil.example")),
            Err(ProviderRule::IssuerMismatch)
        );
        assert_eq!(judge(Some("N1"), "iat", json!(NOW - 7 * 86_400)), Err(ProviderRule::IdTokenIssuedAt));
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
