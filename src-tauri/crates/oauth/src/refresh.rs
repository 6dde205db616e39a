//! The refresh request and the judgement of its answer (RFC 6749 §6).

use domain::provider::{NarrowedRefresh, Provider};
use domain::secret::{AccessToken, IdToken, RefreshToken};
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, Scope, TokenUrl};
use std::time::Duration;
use thiserror::Error;
use url::Url;

use crate::id_token::{ExpectSameIdentity, KnownIdentity, Sides};
use crate::message::{Reply, Request};
use crate::refusal::{OAuthCode, ProviderRule};
use crate::token::{Leftover, TokenError, take};
use crate::token_reply::TokenReply;

/// What a grant has, which its refresh must know.
pub struct Granted {
    /// The scopes the bank granted.
    pub scopes: Vec<String>,
    /// Whom its first id_token named, if it came with one.
    pub identity: Option<KnownIdentity>,
}

/// A refresh at the pinned token endpoint of the grant's own bank: everything of it but the token.
pub struct RefreshRequest {
    endpoint: Url,
    client_id: String,
    resource: Option<String>,
    /// None asks for all that the grant has.
    scopes: Vec<String>,
}

/// Why no narrower token is asked for. Nothing has been sent.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NarrowingRefused {
    /// No scope would mean all of them.
    #[error("no scope is asked for")]
    Nothing,
    /// A scope that the grant does not have (RFC 6749 §6).
    #[error("a scope is asked for that was not granted")]
    NotGranted,
    /// This bank is not known to keep the full grant: asking once could shrink it for good.
    #[error("the bank is not known to keep the full grant")]
    NotKept,
}

impl RefreshRequest {
    /// A refresh for all that the grant has. It names no scope: several servers shrink a grant for good to what a
    /// refresh names.
    #[must_use]
    pub fn new(provider: &Provider, granted: Granted) -> (Self, ExpectRefreshed) {
        let request = Self {
            endpoint: provider.server.token_endpoint.url().clone(),
            client_id: provider.client_id.clone(),
            resource: provider.resource.clone(),
            scopes: Vec::new(),
        };
        let sides = Sides::of(provider);
        let identity = granted.identity.map(|known| ExpectSameIdentity { known, sides });
        (request, ExpectRefreshed { asked: granted.scopes, identity })
    }

    /// A refresh for some of the grant's scopes, where the provider file says that the bank keeps the full grant.
    ///
    /// # Errors
    /// See [`NarrowingRefused`].
    pub fn narrowed(
        provider: &Provider,
        granted: Granted,
        scopes: &[String],
    ) -> Result<(Self, ExpectRefreshed), NarrowingRefused> {
        if provider.behaviour.narrowed_refresh != NarrowedRefresh::Keeps {
            return Err(NarrowingRefused::NotKept);
        }
        if scopes.is_empty() {
            return Err(NarrowingRefused::Nothing);
        }
        if !scopes.iter().all(|scope| granted.scopes.contains(scope)) {
            return Err(NarrowingRefused::NotGranted);
        }
        let (request, expect) = Self::new(provider, granted);
        Ok((
            Self { scopes: scopes.to_vec(), ..request },
            ExpectRefreshed { asked: scopes.to_vec(), ..expect },
        ))
    }

    /// Builds the request. Sent once: the answer may be lost after the bank has rotated the token.
    #[must_use]
    pub fn build(self, token: &RefreshToken) -> Option<Request> {
        let client = BasicClient::new(ClientId::new(self.client_id))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(self.endpoint));
        let token = oauth2::RefreshToken::new(token.expose_secret().to_owned());
        let mut request =
            client.exchange_refresh_token(&token).add_scopes(self.scopes.into_iter().map(Scope::new));
        if let Some(resource) = &self.resource {
            request = request.add_extra_param("resource", resource);
        }
        take(|client| drop(request.request(&client)))
    }
}

/// Waits for the answer to a refresh.
pub struct ExpectRefreshed {
    asked: Vec<String>,
    identity: Option<ExpectSameIdentity>,
}

/// What the bank gave for the old refresh token; nothing of it may be used before the id_token has been checked,
/// where there is one, and before a new refresh token is stored.
pub struct Refreshed {
    /// For the bank's API.
    pub access: AccessToken,
    /// The new refresh token, which puts an end to the old one. None: the old one is still the one (RFC 6749 §6).
    pub refresh: Option<RefreshToken>,
    /// The scopes of the access token: as stated, or as asked where nothing is stated.
    pub scopes: Vec<String>,
    /// How long the access token lives, if stated.
    pub lifetime: Option<Duration>,
    /// The check still to be made. A refresh need not bring an id_token (OpenID Connect Core §12.2).
    pub identity: Option<(IdToken, ExpectSameIdentity)>,
}

impl std::fmt::Debug for Refreshed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refreshed")
    }
}

impl From<Refreshed> for Leftover {
    fn from(refreshed: Refreshed) -> Self {
        Self { access: Some(refreshed.access), refresh: refreshed.refresh }
    }
}

/// Why there are no new tokens. Only [`RefreshError::Ended`] says anything about the grant; with every other one the
/// old refresh token is kept.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum RefreshError {
    /// The bank says that the refresh token is no more: a well-formed 400 `invalid_grant`, and nothing else.
    #[error("the bank has ended the grant")]
    Ended,
    /// The bank's answer broke a rule of the protocol.
    #[error("refresh response: {0}")]
    Misbehaved(ProviderRule),
    /// The bank refused, in its own registered word.
    #[error("refresh refused: {0}")]
    Refused(OAuthCode),
    /// 429, 5xx, or an error code that says so: it may work later.
    #[error("not available now")]
    Transient {
        /// Not sooner than this many seconds, if the bank said so.
        retry_after: Option<u32>,
    },
}

impl RefreshError {
    fn of(err: TokenError, reply: &Reply) -> Self {
        let transient = Self::Transient { retry_after: reply.retry_after };
        match err {
            TokenError::Misbehaved(rule) => Self::Misbehaved(rule),
            TokenError::Refused(OAuthCode::InvalidGrant) if reply.status == 400 => Self::Ended,
            TokenError::Refused(code) if code.is_transient() => transient,
            TokenError::Refused(code) => Self::Refused(code),
            TokenError::Unavailable => transient,
        }
    }
}

impl ExpectRefreshed {
    /// Judges the answer by the same rules as the answer to a code.
    ///
    /// # Errors
    /// See [`RefreshError`].
    pub fn accept(self, reply: &Reply) -> Result<Refreshed, RefreshError> {
        let read =
            TokenReply::read(reply, self.identity.is_some()).map_err(|err| RefreshError::of(err, reply))?;
        let TokenReply { access, refresh, scopes, lifetime, id_token } = read;
        let identity = id_token.zip(self.identity);
        Ok(Refreshed { access, refresh, scopes: scopes.unwrap_or(self.asked), lifetime, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tests::provider;
    use domain::secret::Nonce;
    use serde_json::{Value, json};

    fn granted(scopes: &[&str]) -> Granted {
        let nonce = Some(Nonce::parse("N1".into()).unwrap());
        let identity = Some(KnownIdentity { subject: "u1".into(), nonce });
        Granted { scopes: scopes.iter().map(|s| (*s).to_owned()).collect(), identity }
    }

    fn form(request: RefreshRequest) -> Vec<(String, String)> {
        let request = request.build(&RefreshToken::parse("R/1+=&x".into()).unwrap()).unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "https://auth.bank.example/token");
        assert!(request.headers().get("authorization").is_none());
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        let mut form: Vec<_> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        form.sort();
        form
    }

    fn judge(status: u16, retry_after: Option<u32>, body: &Value) -> Result<Refreshed, RefreshError> {
        let (_, expect) = RefreshRequest::new(&provider(), granted(&["openid", "read", "pay"]));
        expect.accept(&Reply {
            status,
            content_type: Some("application/json".into()),
            retry_after,
            body: body.to_string().into_bytes(),
            ..Reply::default()
        })
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()
    }

    #[test]
    fn the_request_is_a_form_without_scope_or_secret() {
        let (request, _) = RefreshRequest::new(&provider(), granted(&["read"]));
        let expected = [
            ("client_id", "countersign"),
            ("grant_type", "refresh_token"),
            ("refresh_token", "R/1+=&x"),
            ("resource", "https://api.bank.example/fdx/v6"),
        ];
        assert_eq!(form(request), pairs(expected));
        let mut plain = provider();
        plain.resource = None;
        let (request, _) = RefreshRequest::new(&plain, granted(&["read"]));
        assert_eq!(form(request).len(), 3, "no resource where the bank has none");
    }

    #[test]
    fn a_scope_is_named_only_where_the_bank_keeps_the_full_grant() {
        let narrow = |habit, scopes: &[&str]| {
            let mut provider = provider();
            provider.behaviour.narrowed_refresh = habit;
            let scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
            RefreshRequest::narrowed(&provider, granted(&["read", "pay"]), &scopes)
        };
        use NarrowedRefresh::{Ignores, Keeps, Refuses, Shrinks, Unsafe};
        for habit in [Ignores, Refuses, Shrinks, Unsafe] {
            assert_eq!(narrow(habit, &["read"]).err(), Some(NarrowingRefused::NotKept), "{habit:?}");
        }
        assert_eq!(narrow(Keeps, &[]).err(), Some(NarrowingRefused::Nothing));
        assert_eq!(narrow(Keeps, &["read", "admin"]).err(), Some(NarrowingRefused::NotGranted));
        assert_eq!(narrow(Keeps, &["READ"]).err(), Some(NarrowingRefused::NotGranted));
        let (request, expect) = narrow(Keeps, &["read"]).unwrap();
        assert!(form(request).contains(&("scope".into(), "read".into())));
        let reply = Reply {
            status: 200,
            content_type: Some("application/json".into()),
            retry_after: None,
            body: br#"{"access_token":"A2","token_type":"Bearer"}"#.to_vec(),
            ..Reply::default()
        };
        assert_eq!(expect.accept(&reply).unwrap().scopes, ["read"], "nothing stated means as asked");
    }

    #[test]
    fn a_new_refresh_token_is_handed_on_and_none_keeps_the_old_one() {
        let both = judge(
            200,
            None,
            &json!({"access_token": "A2", "refresh_token": "R2", "token_type": "Bearer", "expires_in": 600}),
        );
        let both = both.unwrap();
        assert!(both.access.same_as("A2") && both.refresh.unwrap().same_as("R2"));
        assert_eq!(both.lifetime, Some(Duration::from_secs(600)));
        assert_eq!(both.scopes, ["openid", "read", "pay"]);
        let one = judge(200, None, &json!({"access_token": "A2", "token_type": "bearer", "scope": "read"}));
        let one = one.unwrap();
        assert!(one.refresh.is_none() && one.identity.is_none());
        assert_eq!(one.scopes, ["read"]);
    }

    #[test]
    fn only_a_well_formed_400_invalid_grant_ends_the_grant() {
        let code = |status, code: &str| judge(status, Some(9), &json!({"error": code})).unwrap_err();
        let transient = RefreshError::Transient { retry_after: Some(9) };
        assert_eq!(code(400, "invalid_grant"), RefreshError::Ended);
        for status in [401, 403, 404, 407, 418] {
            assert_eq!(code(status, "invalid_grant"), RefreshError::Refused(OAuthCode::InvalidGrant));
        }
        for status in [429, 500, 502, 503, 504, 511] {
            assert_eq!(code(status, "invalid_grant"), transient, "{status}");
        }
        for transient_code in ["temporarily_unavailable", "server_error"] {
            assert_eq!(code(400, transient_code), transient, "{transient_code}");
        }
        for near in ["Invalid_Grant", "invalid_grant ", "invalid grant", "expired_token", ""] {
            assert_eq!(code(400, near), RefreshError::Refused(OAuthCode::Unregistered), "{near:?}");
        }
        for (status, rule) in [
            (200, ProviderRule::TokenMalformed),
            (204, ProviderRule::StatusUnexpected),
            (302, ProviderRule::RedirectUnexpected),
        ] {
            assert_eq!(code(status, "invalid_grant"), RefreshError::Misbehaved(rule), "{status}");
        }
    }

    #[test]
    fn a_lost_page_or_a_portal_does_not_end_the_grant() {
        let html = |status, content_type: &str, body: &str| {
            let (_, expect) = RefreshRequest::new(&provider(), granted(&["read"]));
            let reply = Reply {
                status,
                content_type: Some(content_type.into()),
                retry_after: None,
                body: body.as_bytes().to_vec(),
                ..Reply::default()
            };
            expect.accept(&reply).unwrap_err()
        };
        let misbehaved = RefreshError::Misbehaved;
        let invalid_grant = r#"{"error":"invalid_grant"}"#;
        assert_eq!(html(200, "text/html", "<html>"), misbehaved(ProviderRule::ContentTypeUnexpected));
        assert_eq!(html(400, "text/html", invalid_grant), misbehaved(ProviderRule::ContentTypeUnexpected));
        for body in [
            "<html>",
            r#"{"error":"invalid_grant""#,
            r#"{"error":"invalid_grant","error":"invalid_grant"}"#,
            "{}",
        ] {
            assert_eq!(
                html(400, "application/json", body),
                misbehaved(ProviderRule::BodyMalformed),
                "{body}"
            );
        }
        assert_eq!(html(502, "text/html", "<html>"), RefreshError::Transient { retry_after: None });
    }
}
