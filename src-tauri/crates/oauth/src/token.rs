//! The token request and the judgement of its answer.

use domain::secret::{AccessToken, AuthorizationCode, CodeVerifier, IdToken, RefreshToken};
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl, TokenUrl};
use std::cell::RefCell;
use std::time::Duration;
use thiserror::Error;
use url::Url;

use crate::id_token::ExpectIdToken;
use crate::json;
use crate::message::{Reply, Request};
use crate::refusal::{OAuthCode, ProviderRule};
use crate::token_reply::TokenReply;

/// Everything of the token request but the code. Only a callback that was judged can make one.
pub struct TokenRequest {
    pub(crate) endpoint: Url,
    pub(crate) client_id: String,
    pub(crate) verifier: CodeVerifier,
    pub(crate) redirect_uri: Option<Url>,
    pub(crate) resource: Option<String>,
}

/// The `oauth2` crate drives its HTTP client itself; ours only takes the request and stops there.
#[derive(Debug, Error)]
#[error("taken")]
pub(crate) struct Taken;

/// Takes the request that the `oauth2` crate would send. No reply is ever handed to the crate's own parser, whose
/// errors keep bodies.
pub(crate) fn take(
    send: impl FnOnce(&dyn Fn(HttpRequest) -> Result<HttpResponse, Taken>),
) -> Option<Request> {
    let taken: RefCell<Option<HttpRequest>> = RefCell::new(None);
    send(&|request| {
        taken.replace(Some(request));
        Err(Taken)
    });
    taken.into_inner()
}

impl TokenRequest {
    /// Builds the request. Sent at most once: a client may not use a code a second time (RFC 6749 §4.1.2).
    #[must_use]
    pub fn build(self, code: &AuthorizationCode) -> Option<Request> {
        let mut client = BasicClient::new(ClientId::new(self.client_id))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.endpoint));
        if let Some(redirect_uri) = self.redirect_uri {
            client = client.set_redirect_uri(RedirectUrl::from_url(redirect_uri));
        }
        let mut request = client
            .exchange_code(oauth2::AuthorizationCode::new(code.expose_secret().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(self.verifier.expose_secret().to_owned()));
        if let Some(resource) = &self.resource {
            request = request.add_extra_param("resource", resource);
        }
        take(|client| drop(request.request(&client)))
    }
}

/// Waits for the token response.
pub struct ExpectTokens {
    pub(crate) asked: Vec<String>,
    pub(crate) identity: ExpectIdToken,
}

/// What the bank issued; nothing of it may be used before the id_token has been checked, where there is one.
pub struct Issued {
    /// For the bank's API.
    pub access: AccessToken,
    /// For later access tokens.
    pub refresh: Option<RefreshToken>,
    /// The scopes granted: as stated, or as asked where nothing is stated (RFC 6749 §5.1).
    pub scopes: Vec<String>,
    /// How long the access token lives, if stated.
    pub lifetime: Option<Duration>,
    /// The check still to be made.
    pub identity: Option<(IdToken, ExpectIdToken)>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issued")
    }
}

/// Tokens that will not be kept: to be revoked at the bank, and for nothing else.
pub struct Leftover {
    /// The access token, if one could be read.
    pub access: Option<AccessToken>,
    /// The refresh token, if one could be read.
    pub refresh: Option<RefreshToken>,
}

impl Leftover {
    /// What a refused token response still holds: the bank believes it has issued that.
    #[must_use]
    pub fn of_reply(reply: &Reply) -> Option<Self> {
        let members = json::object(&reply.body).ok().filter(|_| reply.status == 200)?;
        let text = |name| json::text(&members, name).ok().flatten().map(str::to_owned);
        let access = text("access_token").and_then(|token| AccessToken::parse(token).ok());
        let refresh = text("refresh_token").and_then(|token| RefreshToken::parse(token).ok());
        (access.is_some() || refresh.is_some()).then_some(Self { access, refresh })
    }
}

impl From<Issued> for Leftover {
    fn from(issued: Issued) -> Self {
        Self { access: Some(issued.access), refresh: issued.refresh }
    }
}

/// Why there are no tokens.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenError {
    /// The provider's answer broke a rule of the protocol. Nothing the person did can fix it.
    #[error("token response: {0}")]
    Misbehaved(ProviderRule),
    /// The provider refused, in its own registered word.
    #[error("token request refused: {0}")]
    Refused(OAuthCode),
    /// 5xx or 429: it may work later.
    #[error("not available now")]
    Unavailable,
}

impl ExpectTokens {
    /// Judges the answer: the status line first, then the content type, then the body.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn accept(self, reply: &Reply) -> Result<Issued, TokenError> {
        let openid = self.asked.iter().any(|scope| scope == "openid");
        let TokenReply { access, refresh, scopes, lifetime, id_token } = TokenReply::read(reply, openid)?;
        if openid && id_token.is_none() {
            return Err(TokenError::Misbehaved(ProviderRule::IdTokenMissing));
        }
        let expect = self.identity;
        let identity = id_token.map(|token| (token, expect));
        Ok(Issued { access, refresh, scopes: scopes.unwrap_or(self.asked), lifetime, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tests::fresh;
    use serde_json::{Value, json};

    fn expect(asked: &[&str]) -> ExpectTokens {
        let provider = crate::connect::tests::provider();
        let mut provider = provider;
        provider.always_scopes.clear();
        provider.behaviour.par = domain::provider::Par::Absent;
        let asked: Vec<String> = asked.iter().map(|s| (*s).to_owned()).collect();
        let endpoints = crate::metadata::Endpoints::pinned(&provider);
        let draft = crate::connect::Draft::new(&provider, endpoints, &asked).unwrap();
        let redirect = Url::parse("http://127.0.0.1:1/callback/example-bank").unwrap();
        let (crate::connect::Authorization::Open(url), expect) = draft.prepare(fresh(1), &redirect).unwrap()
        else {
            panic!()
        };
        let state = url.query_pairs().find(|(k, _)| k == "state").unwrap().1.into_owned();
        let query = format!("code=C1&state={state}&iss=https%3A%2F%2Fauth.bank.example");
        let Ok(crate::connect::Callback::Mine(_, _, expect)) =
            expect.accept(&crate::callback::CallbackQuery::parse(&query))
        else {
            panic!()
        };
        expect
    }

    fn judge(status: u16, content_type: Option<&str>, body: &str) -> Result<Issued, TokenError> {
        let reply = Reply {
            status,
            content_type: content_type.map(Into::into),
            retry_after: None,
            body: body.as_bytes().to_vec(),
            ..Reply::default()
        };
        expect(&["read", "pay"]).accept(&reply)
    }

    fn with(member: &str, value: Value) -> Result<Issued, TokenError> {
        let mut body = json!({"access_token": "AT", "token_type": "Bearer", "expires_in": 600});
        if value == json!("<absent>") {
            body.as_object_mut().unwrap().remove(member);
        } else {
            body[member] = value;
        }
        judge(200, Some("application/json"), &body.to_string())
    }

    #[test]
    fn an_honest_answer_is_taken() {
        let issued = with("refresh_token", json!("RT")).unwrap();
        assert!(issued.access.same_as("AT") && issued.refresh.unwrap().same_as("RT"));
        assert_eq!(issued.scopes, ["read", "pay"], "as asked where nothing is stated");
        assert_eq!(issued.lifetime, Some(Duration::from_secs(600)));
        assert_eq!(with("scope", json!("pay read")).unwrap().scopes, ["pay", "read"]);
        assert_eq!(with("scope", json!("READ")).unwrap().scopes, ["READ"]);
        assert_eq!(with("expires_in", json!("<absent>")).unwrap().lifetime, None);
        assert_eq!(
            with("expires_in", json!(u64::MAX)).unwrap().lifetime,
            Some(Duration::from_secs(366 * 86_400))
        );
        for kind in ["bearer", "BEARER"] {
            assert!(with("token_type", json!(kind)).is_ok());
        }
        assert!(with("access_token", json!("a".repeat(16 * 1024))).is_ok());
    }

    #[test]
    fn each_malformed_member_breaks_its_rule() {
        let check = |member: &str, value: Value, rule: ProviderRule| {
            assert_eq!(
                with(member, value.clone()).unwrap_err(),
                TokenError::Misbehaved(rule),
                "{member}: {value}"
            );
        };
        for value in [
            json!("<absent>"),
            json!(""),
            json!(7),
            json!([]),
            json!(null),
            json!("a b"),
            json!("a\r\nX: 1"),
            json!("\u{2028}"),
        ] {
            check("access_token", value, ProviderRule::TokenMalformed);
        }
        for value in [json!(""), json!(7), json!(null), json!("a\n")] {
            check("refresh_token", value, ProviderRule::TokenMalformed);
        }
        for value in [
            json!("<absent>"),
            json!("mac"),
            json!("N_A"),
            json!("pop"),
            json!("Bearer x"),
            json!(""),
            json!(1),
            json!("DPoP"),
        ] {
            check("token_type", value, ProviderRule::TokenTypeUnknown);
        }
        for value in [json!("3600"), json!(-1), json!(0), json!(1e30), json!(1.5), json!(null), json!([])] {
            check("expires_in", value, ProviderRule::LifetimeMalformed);
        }
        for value in [json!("a\"b"), json!(["read"]), json!("a\nb")] {
            check("scope", value, ProviderRule::ScopeMalformed);
        }
    }

    #[test]
    fn the_status_line_comes_before_the_body() {
        let good = r#"{"access_token":"AT","token_type":"Bearer"}"#;
        let json = Some("application/json");
        let check = |status, content_type, body: &str, expected: TokenError| {
            assert_eq!(judge(status, content_type, body).unwrap_err(), expected, "{status} {body:.30}");
        };
        use ProviderRule as R;
        use TokenError::{Misbehaved, Refused, Unavailable};
        check(200, json, r#"{"error":"invalid_grant"}"#, Misbehaved(R::TokenMalformed));
        check(400, json, good, Misbehaved(R::BodyMalformed));
        check(204, json, "", Misbehaved(R::StatusUnexpected));
        check(201, json, good, Misbehaved(R::StatusUnexpected));
        for status in [301, 302, 303, 307, 308] {
            check(status, json, good, Misbehaved(R::RedirectUnexpected));
        }
        for status in [429, 500, 502, 503] {
            check(status, json, r#"{"error":"invalid_grant"}"#, Unavailable);
        }
        check(200, Some("text/html"), good, Misbehaved(R::ContentTypeUnexpected));
        check(
            200,
            Some("application/x-www-form-urlencoded"),
            "access_token=AT",
            Misbehaved(R::ContentTypeUnexpected),
        );
        check(200, None, good, Misbehaved(R::ContentTypeUnexpected));
        check(400, Some("text/html"), "<html>", Misbehaved(R::ContentTypeUnexpected));
        check(
            200,
            json,
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
            Misbehaved(R::BodyMalformed),
        );
        check(200, json, &format!("{good}x"), Misbehaved(R::BodyMalformed));
        for (text, code) in [
            ("invalid_request", OAuthCode::InvalidRequest),
            ("invalid_client", OAuthCode::InvalidClient),
            ("invalid_grant", OAuthCode::InvalidGrant),
            ("unauthorized_client", OAuthCode::UnauthorizedClient),
            ("unsupported_grant_type", OAuthCode::UnsupportedGrantType),
            ("invalid_scope", OAuthCode::InvalidScope),
            ("invalid_target", OAuthCode::InvalidTarget),
            ("zz", OAuthCode::Unregistered),
        ] {
            check(
                400,
                json,
                &format!(r#"{{"error":"{text}","error_description":"call 555"}}"#),
                Refused(code),
            );
            check(401, json, &format!(r#"{{"error":"{text}"}}"#), Refused(code));
        }
    }

    #[test]
    fn an_id_token_is_due_where_openid_was_asked() {
        let reply = |body: &str| Reply {
            status: 200,
            content_type: Some("application/json".into()),
            retry_after: None,
            body: body.as_bytes().to_vec(),
            ..Reply::default()
        };
        let body = r#"{"access_token":"AT","token_type":"Bearer"}"#;
        let err = expect(&["openid"]).accept(&reply(body)).unwrap_err();
        assert_eq!(err, TokenError::Misbehaved(ProviderRule::IdTokenMissing));
        let body = r#"{"access_token":"AT","token_type":"Bearer","id_token":"x.y.z"}"#;
        assert!(expect(&["openid"]).accept(&reply(body)).unwrap().identity.is_some());
        assert!(expect(&["read"]).accept(&reply(body)).unwrap().identity.is_none());
    }

    #[test]
    fn the_request_is_a_form_with_the_verifier_and_no_secret() {
        let request = TokenRequest {
            endpoint: Url::parse("https://auth.bank.example/token?tenant=9").unwrap(),
            client_id: "countersign".into(),
            verifier: CodeVerifier::parse("V".repeat(43)).unwrap(),
            redirect_uri: Some(Url::parse("http://127.0.0.1:1/callback/x").unwrap()),
            resource: Some("https://api.bank.example/fdx/v6".into()),
        };
        let request = request.build(&AuthorizationCode::parse("C/1+=".into()).unwrap()).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().query(), Some("tenant=9"));
        assert!(request.headers().get("authorization").is_none());
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        let mut body: Vec<(String, String)> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        body.sort();
        let verifier = "V".repeat(43);
        let expected = [
            ("client_id", "countersign"),
            ("code", "C/1+="),
            ("code_verifier", verifier.as_str()),
            ("grant_type", "authorization_code"),
            ("redirect_uri", "http://127.0.0.1:1/callback/x"),
            ("resource", "https://api.bank.example/fdx/v6"),
        ];
        assert_eq!(body, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
