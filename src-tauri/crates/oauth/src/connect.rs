//! The authorization request, and the wait for its answer.

use domain::provider::Provider;
use domain::secret::{AuthorizationCode, StateValue};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use thiserror::Error;
use url::Url;

use crate::callback::CallbackQuery;
use crate::fresh::Fresh;
use crate::id_token::{ExpectIdToken, Sides};
use crate::message::Request;
use crate::metadata::Endpoints;
use crate::pushed::{ExpectPushed, push};
use crate::refusal::{OAuthCode, ProviderRule};
use crate::token::{ExpectTokens, TokenRequest};

/// What will be asked, before there are random values and a redirect address.
pub struct Draft {
    client_id: String,
    sides: Sides,
    endpoints: Endpoints,
    scopes: Vec<String>,
    extra: Vec<(String, String)>,
    resource: Option<String>,
    redirect_uri_in_token_request: bool,
}

/// How the request reaches the bank.
pub enum Authorization {
    /// Open this address in the system browser.
    Open(Url),
    /// Push this first (RFC 9126); the reply gives the address to open.
    Push(Box<Request>, ExpectPushed),
}

impl Draft {
    /// Drafts a request for some scopes, besides those that are always asked at this bank.
    ///
    /// # Errors
    /// [`ProviderRule::AuthorizationEndpointUnfit`] if the endpoint's own query names one of our parameters.
    pub fn new(provider: &Provider, endpoints: Endpoints, scopes: &[String]) -> Result<Self, ProviderRule> {
        let taken = endpoints.authorization.url().query_pairs().any(|(name, _)| {
            PARAMETERS.contains(&name.as_ref()) || provider.extra.contains_key(name.as_ref())
        });
        if taken {
            return Err(ProviderRule::AuthorizationEndpointUnfit);
        }
        let mut all = provider.always_scopes.clone();
        all.extend(scopes.iter().filter(|s| !provider.always_scopes.contains(s)).cloned());
        Ok(Self {
            client_id: provider.client_id.clone(),
            sides: Sides::of(provider),
            endpoints,
            scopes: all,
            extra: provider.extra.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            resource: provider.resource.clone(),
            redirect_uri_in_token_request: provider.redirect_uri_in_token_request,
        })
    }

    /// Makes the request and what waits for its answer; `None` if no such request can be built. A request that is to
    /// be pushed never turns into one that is not (RFC 9126 §5).
    #[must_use]
    pub fn prepare(&self, fresh: Fresh, redirect_uri: &Url) -> Option<(Authorization, ExpectCallback)> {
        let full = self.authorization_url(&fresh, redirect_uri);
        let authorization = match &self.endpoints.par {
            None => Authorization::Open(full),
            Some(par) => {
                let (request, expect) =
                    push(par.as_str(), self.endpoints.authorization.url(), &full, &self.client_id)?;
                Authorization::Push(Box::new(request), expect)
            }
        };
        let expect = ExpectCallback {
            state: fresh.state,
            issuer: self.sides.issuer.clone(),
            iss_required: self.endpoints.iss_required,
            token_request: TokenRequest {
                endpoint: self.endpoints.token.url().clone(),
                client_id: self.client_id.clone(),
                verifier: fresh.verifier,
                redirect_uri: self.redirect_uri_in_token_request.then(|| redirect_uri.clone()),
                resource: self.resource.clone(),
            },
            expect_tokens: ExpectTokens {
                asked: self.scopes.clone(),
                identity: ExpectIdToken { nonce: fresh.nonce, sides: self.sides.clone() },
            },
        };
        Some((authorization, expect))
    }

    fn authorization_url(&self, fresh: &Fresh, redirect_uri: &Url) -> Url {
        let verifier = PkceCodeVerifier::new(fresh.verifier.expose_secret().to_owned());
        let client = BasicClient::new(ClientId::new(self.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(self.endpoints.authorization.url().clone()))
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let state = fresh.state.expose_secret().to_owned();
        let mut request = client
            .authorize_url(|| CsrfToken::new(state))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(self.scopes.iter().cloned().map(Scope::new));
        if self.scopes.iter().any(|scope| scope == "openid") {
            request = request.add_extra_param("nonce", fresh.nonce.expose_secret());
        }
        for (name, value) in &self.extra {
            request = request.add_extra_param(name, value);
        }
        if let Some(resource) = &self.resource {
            request = request.add_extra_param("resource", resource);
        }
        request.url().0
    }
}

/// Parameters of ours, which may stand in no endpoint's own query (OAuth 2.1 §3.1: no parameter twice).
const PARAMETERS: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "request",
    "request_uri",
];

/// Waits for the callback of one authorization request.
pub struct ExpectCallback {
    state: StateValue,
    issuer: String,
    iss_required: bool,
    token_request: TokenRequest,
    expect_tokens: ExpectTokens,
}

/// What a callback turned out to be.
pub enum Callback {
    /// Not an answer to this request; it goes on waiting.
    NotMine(ExpectCallback),
    /// The answer: exchange the code, once.
    Mine(TokenRequest, AuthorizationCode, ExpectTokens),
}

/// How an answer that is ours ends the attempt.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CallbackError {
    /// It broke a rule.
    #[error("callback: {0}")]
    Misbehaved(ProviderRule),
    /// The bank refused, or the person did.
    #[error("refused: {0}")]
    Refused(OAuthCode),
    /// It names another issuer, or none where one is due; its other contents are not believed (RFC 9207 §2.4).
    #[error("the answer did not come from the bank we asked")]
    UnexpectedServer,
}

impl ExpectCallback {
    /// Judges a callback, in this order: state, then iss, then error, then code.
    ///
    /// # Errors
    /// See [`CallbackError`]; the request is used up.
    pub fn accept(self, query: &CallbackQuery) -> Result<Callback, CallbackError> {
        // Every value is compared, so that the time taken does not tell which one fits.
        let mine = query.state.iter().fold(false, |found, state| self.state.same_as(state) | found);
        if !mine {
            return Ok(Callback::NotMine(self));
        }
        if query.repeats() {
            return Err(CallbackError::Misbehaved(ProviderRule::CallbackRepeatsParameter));
        }
        match query.iss.first() {
            Some(iss) if *iss != self.issuer => return Err(CallbackError::UnexpectedServer),
            None if self.iss_required => return Err(CallbackError::UnexpectedServer),
            Some(_) | None => {}
        }
        match (query.error.first(), query.code.first()) {
            (Some(error), None) if !error.is_empty() && !query.token => {
                Err(CallbackError::Refused(OAuthCode::parse(error)))
            }
            (None, Some(code)) if !query.token => {
                let code = AuthorizationCode::parse(code.clone());
                let code = code.map_err(|_| CallbackError::Misbehaved(ProviderRule::CodeMalformed))?;
                Ok(Callback::Mine(self.token_request, code, self.expect_tokens))
            }
            (Some(_) | None, Some(_) | None) => {
                Err(CallbackError::Misbehaved(ProviderRule::CallbackContradicts))
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use domain::profile::Profile;
    use domain::provider::AddressRule;
    use std::collections::BTreeMap;

    pub(crate) fn provider() -> Provider {
        let profile = Profile::parse(include_str!("../providers/profiles/fdx-v6.toml")).unwrap();
        Provider::parse(include_str!("../providers/example.toml"), profile, AddressRule::Public).unwrap()
    }

    pub(crate) fn fresh(seed: u8) -> Fresh {
        let mut random = [0; 96];
        random.iter_mut().zip(0u8..).for_each(|(byte, i)| *byte = i.wrapping_mul(7).wrapping_add(seed));
        Fresh::from_random(random).unwrap()
    }

    pub(crate) fn redirect() -> Url {
        Url::parse("http://127.0.0.1:4321/callback/example-bank").unwrap()
    }

    pub(crate) fn draft(provider: &Provider) -> Draft {
        Draft::new(provider, Endpoints::pinned(provider), &["fdx:transactions:read".into()]).unwrap()
    }

    fn without_par() -> Provider {
        let mut provider = provider();
        provider.behaviour.par = domain::provider::Par::Absent;
        provider
    }

    fn opened(provider: &Provider) -> (BTreeMap<String, String>, ExpectCallback) {
        let (authorization, expect) = draft(provider).prepare(fresh(1), &redirect()).unwrap();
        let Authorization::Open(url) = authorization else { panic!("pushed") };
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(map.len(), pairs.len(), "no parameter stands twice");
        (map, expect)
    }

    #[test]
    fn the_request_asks_for_a_code_with_s256_and_nothing_secret() {
        let (query, _) = opened(&without_par());
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], "countersign");
        assert_eq!(query["redirect_uri"], "http://127.0.0.1:4321/callback/example-bank");
        assert_eq!(query["scope"], "openid offline_access fdx:transactions:read");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["prompt"], "consent");
        assert_eq!(query["resource"], "https://api.bank.example/fdx/v6");
        assert!(!query.contains_key("client_secret") && !query.contains_key("code_verifier"));
        assert_eq!(URL_SAFE_NO_PAD.decode(&query["state"]).unwrap().len(), 32);
        assert!(query["nonce"].len() <= 64, "FAPI 2.0 §5.3.3.2 (7)");
    }

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636() {
        let verifier = PkceCodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        assert_eq!(challenge.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn an_endpoint_keeps_its_own_query_and_may_not_hold_ours() {
        let mut provider = without_par();
        let endpoint = |text: &str| domain::provider::Endpoint::parse(text, AddressRule::Public).unwrap();
        provider.server.authorization_endpoint = endpoint("https://auth.bank.example/authorize?tenant=9");
        assert_eq!(opened(&provider).0["tenant"], "9");
        for taken in ["client_id=x", "state=", "prompt=none", "request_uri=urn:x"] {
            provider.server.authorization_endpoint =
                endpoint(&format!("https://auth.bank.example/authorize?{taken}"));
            let result = Draft::new(&provider, Endpoints::pinned(&provider), &[]).err();
            assert_eq!(result, Some(ProviderRule::AuthorizationEndpointUnfit), "{taken}");
        }
    }

    const STATE_OK: &str = "code=C1&state={S}&iss=https%3A%2F%2Fauth.bank.example";

    fn outcome(query: &str) -> Result<&'static str, CallbackError> {
        let (asked, expect) = opened(&without_par());
        let query = CallbackQuery::parse(&query.replace("{S}", &asked["state"]));
        expect.accept(&query).map(|callback| match callback {
            Callback::NotMine(_) => "not mine",
            Callback::Mine(_, code, _) if code.same_as("C1") => "mine",
            Callback::Mine(..) => "mine with another code",
        })
    }

    #[test]
    fn only_an_answer_with_our_state_is_ours() {
        assert_eq!(outcome(STATE_OK), Ok("mine"));
        for query in [
            "",
            "code=C1",
            "code=C1&state=",
            "code=C1&state=x&iss=https%3A%2F%2Fauth.bank.example",
            "error=access_denied",
            "error=access_denied&state=bad",
            "code=C1&state={S}%20",
            "code=C1&State={S}",
            "code=C1&state[]={S}",
            "code=C1&state=%20{S}",
        ] {
            assert_eq!(outcome(query), Ok("not mine"), "{query}");
        }
    }

    #[test]
    fn an_answer_that_is_ours_is_judged_strictly() {
        use CallbackError::{Misbehaved, Refused, UnexpectedServer};
        let iss = "iss=https%3A%2F%2Fauth.bank.example";
        let check =
            |query: &str, expected: CallbackError| assert_eq!(outcome(query), Err(expected), "{query}");
        check("code=C1&state={S}", UnexpectedServer);
        for wrong in [
            "https://evil.example",
            "https://auth.bank.example/",
            "https://AUTH.bank.example",
            "https://auth.bank.example:443",
            "",
        ] {
            check(&format!("code=C1&state={{S}}&iss={wrong}"), UnexpectedServer);
            check(
                &format!("error=access_denied&error_description=call+555&state={{S}}&iss={wrong}"),
                UnexpectedServer,
            );
        }
        let repeats = Misbehaved(ProviderRule::CallbackRepeatsParameter);
        for twice in
            ["code=B", "state={S}", "state=x", "iss=https%3A%2F%2Fauth.bank.example", "error=a&error=b"]
        {
            check(&format!("{STATE_OK}&{twice}"), repeats);
        }
        let contradicts = Misbehaved(ProviderRule::CallbackContradicts);
        check(&format!("code=C1&error=server_error&state={{S}}&{iss}"), contradicts);
        check(&format!("state={{S}}&{iss}"), contradicts);
        check(&format!("error=&state={{S}}&{iss}"), contradicts);
        check(&format!("access_token=T&token_type=Bearer&state={{S}}&{iss}"), contradicts);
        check(&format!("{STATE_OK}&access_token=T"), contradicts);
        check(&format!("code=&state={{S}}&{iss}"), Misbehaved(ProviderRule::CodeMalformed));
        check(&format!("code=a%0d%0ab&state={{S}}&{iss}"), Misbehaved(ProviderRule::CodeMalformed));
        for (text, code) in [
            ("access_denied", OAuthCode::AccessDenied),
            ("invalid_request", OAuthCode::InvalidRequest),
            ("unauthorized_client", OAuthCode::UnauthorizedClient),
            ("unsupported_response_type", OAuthCode::UnsupportedResponseType),
            ("invalid_scope", OAuthCode::InvalidScope),
            ("server_error", OAuthCode::ServerError),
            ("temporarily_unavailable", OAuthCode::TemporarilyUnavailable),
            ("x_unknown", OAuthCode::Unregistered),
            ("Access_Denied", OAuthCode::Unregistered),
        ] {
            check(&format!("error={text}&state={{S}}&{iss}"), Refused(code));
        }
    }

    #[test]
    fn unknown_parameters_and_long_codes_pass() {
        let long = "c".repeat(4096);
        let (asked, expect) = opened(&without_par());
        let state = &asked["state"];
        let query =
            format!("code={long}&state={state}&iss=https%3A%2F%2Fauth.bank.example&session_state=1&x=y&x=z");
        let Ok(Callback::Mine(_, code, _)) = expect.accept(&CallbackQuery::parse(&query)) else {
            panic!("refused")
        };
        assert!(code.same_as(&long));
    }
}
