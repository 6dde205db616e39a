//! Authorization server metadata (RFC 8414, OpenID Connect Discovery), judged against the provider file's pins.

use domain::provider::{Discovery, Endpoint, IssParameter, Par, PkceKnown, Provider};
use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use crate::json;
use crate::message::{Reply, Request};
use crate::refusal::ProviderRule;

/// The endpoint set of one flow, frozen before the browser is opened (RFC 9700 §4.4.2).
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Where the person signs in.
    pub authorization: Endpoint,
    /// Where the code is exchanged.
    pub token: Endpoint,
    /// Where tokens are revoked.
    pub revocation: Option<Endpoint>,
    /// Where the request is pushed, if it is.
    pub par: Option<Endpoint>,
    /// Where UserInfo is read.
    pub userinfo: Option<Endpoint>,
    /// Where the signing keys are.
    pub jwks: Option<Endpoint>,
    /// A response without `iss` is refused (RFC 9207 §2.4).
    pub iss_required: bool,
}

/// Why metadata is refused. Nothing has been sent to the bank by then but the question for it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MetadataError {
    /// A pinned address is another one in the document.
    #[error("{0} is not the address we know")]
    AddressChanged(&'static str),
    /// The document breaks a rule.
    #[error("metadata: {0}")]
    Misbehaved(ProviderRule),
    /// The server answered 5xx or 429.
    #[error("metadata is not available now")]
    Unavailable,
}

impl Endpoints {
    /// The pins alone, for a provider without discovery.
    #[must_use]
    pub fn pinned(provider: &Provider) -> Self {
        let server = &provider.server;
        Self {
            authorization: server.authorization_endpoint.clone(),
            token: server.token_endpoint.clone(),
            revocation: server.revocation_endpoint.clone(),
            par: server
                .pushed_authorization_request_endpoint
                .clone()
                .filter(|_| provider.behaviour.par != Par::Absent),
            userinfo: server.userinfo_endpoint.clone(),
            jwks: server.jwks_uri.clone(),
            iss_required: provider.behaviour.iss == IssParameter::Advertised,
        }
    }

    /// Judges a metadata document; endpoints come from the pins, the document can only confirm them.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn accept(provider: &Provider, reply: &Reply) -> Result<Self, MetadataError> {
        match reply.status {
            200 => {}
            429 | 500..=599 => return Err(MetadataError::Unavailable),
            300..=399 => return Err(MetadataError::Misbehaved(ProviderRule::RedirectUnexpected)),
            _ => return Err(MetadataError::Misbehaved(ProviderRule::StatusUnexpected)),
        }
        let document = json::object_of(reply).map_err(MetadataError::Misbehaved)?;
        check_issuer(provider, &document).map_err(MetadataError::Misbehaved)?;
        check_pins(provider, &document)?;
        check_pkce(provider, &document).map_err(MetadataError::Misbehaved)?;
        let mut endpoints = Self::pinned(provider);
        endpoints.iss_required |= flag(&document, "authorization_response_iss_parameter_supported")?;
        if flag(&document, "require_pushed_authorization_requests")? && endpoints.par.is_none() {
            return Err(MetadataError::Misbehaved(ProviderRule::PushedRequestsRequired));
        }
        Ok(endpoints)
    }
}

/// The request for a provider's metadata; `None` where there is no document.
///
/// RFC 8414 §3.1 puts the well-known segment between host and path, OpenID Connect Discovery §4 after the path.
#[must_use]
pub fn request(provider: &Provider) -> Option<Request> {
    let issuer = Url::parse(provider.server.issuer.as_str()).ok()?;
    let path = issuer.path().trim_end_matches('/');
    let well_known = match provider.server.discovery {
        Discovery::None => return None,
        Discovery::Oidc => format!("{path}/.well-known/openid-configuration"),
        Discovery::Rfc8414 => format!("/.well-known/oauth-authorization-server{path}"),
    };
    let mut url = issuer.clone();
    url.set_path(&well_known);
    http::Request::get(url.as_str()).header("accept", "application/json").body(Vec::new()).ok()
}

/// RFC 8414 §3.3: the issuer is identical, code point by code point.
fn check_issuer(provider: &Provider, document: &Map<String, Value>) -> Result<(), ProviderRule> {
    match json::text(document, "issuer")? {
        Some(issuer) if issuer == provider.server.issuer.as_str() => Ok(()),
        Some(_) | None => Err(ProviderRule::IssuerMismatch),
    }
}

fn check_pins(provider: &Provider, document: &Map<String, Value>) -> Result<(), MetadataError> {
    let server = &provider.server;
    for (member, pin) in server.endpoints() {
        let Some(pin) = pin else { continue };
        let stated = json::text(document, member).map_err(MetadataError::Misbehaved)?;
        let silent = stated.is_none() && may_be_silent(server.discovery, member);
        if !silent && stated != Some(pin.as_str()) {
            return Err(MetadataError::AddressChanged(member));
        }
    }
    Ok(())
}

/// Whether this kind of document may leave this address out, in which case the pin stands. OpenID Connect Discovery
/// defines no revocation endpoint and RFC 8414 no UserInfo endpoint; django-oauth-toolkit is one that lists neither
/// where its standard does not. Every other pin has to be confirmed.
fn may_be_silent(discovery: Discovery, member: &str) -> bool {
    matches!(
        (discovery, member),
        (Discovery::Oidc, "revocation_endpoint") | (Discovery::Rfc8414, "userinfo_endpoint")
    )
}

/// RFC 9700 §2.1.1: never without S256, and never by guessing.
fn check_pkce(provider: &Provider, document: &Map<String, Value>) -> Result<(), ProviderRule> {
    let methods = match document.get("code_challenge_methods_supported") {
        None if provider.behaviour.pkce == PkceKnown::Stated => return Ok(()),
        None => return Err(ProviderRule::PkceNotOffered),
        Some(methods) => methods.as_array().ok_or(ProviderRule::BodyMalformed)?,
    };
    if !methods.iter().all(Value::is_string) {
        return Err(ProviderRule::BodyMalformed);
    }
    if methods.iter().any(|m| m == "S256") { Ok(()) } else { Err(ProviderRule::PkceNotOffered) }
}

fn flag(document: &Map<String, Value>, member: &str) -> Result<bool, MetadataError> {
    match document.get(member) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or(MetadataError::Misbehaved(ProviderRule::BodyMalformed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::tests::provider;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "issuer": "https://auth.bank.example",
            "authorization_endpoint": "https://auth.bank.example/authorize",
            "token_endpoint": "https://auth.bank.example/token",
            "revocation_endpoint": "https://auth.bank.example/revoke",
            "jwks_uri": "https://auth.bank.example/jwks",
            "pushed_authorization_request_endpoint": "https://auth.bank.example/par",
            "userinfo_endpoint": "https://auth.bank.example/userinfo",
            "code_challenge_methods_supported": ["plain", "S256"],
            "authorization_response_iss_parameter_supported": true,
            "unknown": [1, 2],
        })
    }

    fn judge(document: &Value) -> Result<Endpoints, MetadataError> {
        let reply = Reply {
            status: 200,
            content_type: Some("application/json; charset=utf-8".into()),
            retry_after: None,
            body: document.to_string().into_bytes(),
            ..Reply::default()
        };
        Endpoints::accept(&provider(), &reply)
    }

    #[test]
    fn an_honest_document_confirms_the_pins() {
        let endpoints = judge(&document()).unwrap();
        assert!(endpoints.iss_required);
        assert_eq!(endpoints.token.as_str(), "https://auth.bank.example/token");
    }

    #[test]
    fn each_difference_is_named() {
        let check = |member: &str, value: Value, expected: MetadataError| {
            let mut changed = document();
            changed[member] = value;
            assert_eq!(judge(&changed).unwrap_err(), expected, "{member}");
        };
        use MetadataError::{AddressChanged, Misbehaved};
        for near_miss in [
            "https://auth.bank.example/",
            "https://AUTH.bank.example",
            "https://auth.bank.example:443",
            "https://auth.bank.example ",
            "http://auth.bank.example",
            "https://auth.bank.exampl\u{435}",
            "",
            "https://auth.bank.example%2F",
        ] {
            check("issuer", json!(near_miss), Misbehaved(ProviderRule::IssuerMismatch));
        }
        check("issuer", json!(7), Misbehaved(ProviderRule::BodyMalformed));
        for member in [
            "authorization_endpoint",
            "token_endpoint",
            "revocation_endpoint",
            "jwks_uri",
            "pushed_authorization_request_endpoint",
            "userinfo_endpoint",
        ] {
            check(member, json!("https://evil.example/x"), AddressChanged(member));
            check(member, json!(7), Misbehaved(ProviderRule::BodyMalformed));
            let mut without = document();
            without.as_object_mut().unwrap().remove(member);
            // The example's document is one of OpenID Connect Discovery.
            let gone = judge(&without).map(drop);
            let expected = if member == "revocation_endpoint" { Ok(()) } else { Err(AddressChanged(member)) };
            assert_eq!(gone, expected, "{member} gone");
        }
        check("code_challenge_methods_supported", json!(["plain"]), Misbehaved(ProviderRule::PkceNotOffered));
        check("code_challenge_methods_supported", json!([]), Misbehaved(ProviderRule::PkceNotOffered));
        check("code_challenge_methods_supported", json!(["s256"]), Misbehaved(ProviderRule::PkceNotOffered));
        check("code_challenge_methods_supported", json!("S256"), Misbehaved(ProviderRule::BodyMalformed));
        check("code_challenge_methods_supported", Value::Null, Misbehaved(ProviderRule::BodyMalformed));
        check(
            "authorization_response_iss_parameter_supported",
            json!("true"),
            Misbehaved(ProviderRule::BodyMalformed),
        );
    }

    #[test]
    fn a_document_may_be_silent_on_what_its_own_standard_does_not_define() {
        let gone = |discovery, member: &str| {
            let mut provider = provider();
            provider.server.discovery = discovery;
            let mut without = document();
            without.as_object_mut().unwrap().remove(member);
            let reply = Reply {
                status: 200,
                content_type: Some("application/json".into()),
                retry_after: None,
                body: without.to_string().into_bytes(),
                ..Reply::default()
            };
            Endpoints::accept(&provider, &reply)
        };
        let endpoints = gone(Discovery::Oidc, "revocation_endpoint").unwrap();
        assert_eq!(
            endpoints.revocation.unwrap().as_str(),
            "https://auth.bank.example/revoke",
            "the pin stands"
        );
        let endpoints = gone(Discovery::Rfc8414, "userinfo_endpoint").unwrap();
        assert_eq!(endpoints.userinfo.unwrap().as_str(), "https://auth.bank.example/userinfo");
        for (discovery, member) in [
            (Discovery::Oidc, "userinfo_endpoint"),
            (Discovery::Rfc8414, "revocation_endpoint"),
            (Discovery::Oidc, "pushed_authorization_request_endpoint"),
            (Discovery::Rfc8414, "pushed_authorization_request_endpoint"),
            (Discovery::Rfc8414, "jwks_uri"),
            (Discovery::Rfc8414, "token_endpoint"),
        ] {
            let err = gone(discovery, member).unwrap_err();
            assert!(matches!(err, MetadataError::AddressChanged(m) if m == member), "{member}: {err}");
        }
    }

    #[test]
    fn status_and_content_type_come_first() {
        let check = |status: u16, content_type: Option<&str>, expected: MetadataError| {
            let reply = Reply {
                status,
                content_type: content_type.map(Into::into),
                retry_after: None,
                body: document().to_string().into_bytes(),
                ..Reply::default()
            };
            assert_eq!(Endpoints::accept(&provider(), &reply).unwrap_err(), expected);
        };
        use MetadataError::{Misbehaved, Unavailable};
        check(503, Some("application/json"), Unavailable);
        check(429, Some("application/json"), Unavailable);
        check(302, Some("application/json"), Misbehaved(ProviderRule::RedirectUnexpected));
        check(404, Some("application/json"), Misbehaved(ProviderRule::StatusUnexpected));
        check(200, Some("text/html"), Misbehaved(ProviderRule::ContentTypeUnexpected));
        check(200, None, Misbehaved(ProviderRule::ContentTypeUnexpected));
    }

    #[test]
    fn the_well_known_segment_stands_where_each_standard_puts_it() {
        let url = |issuer: &str, discovery| {
            let mut provider = provider();
            provider.server.issuer =
                domain::provider::Issuer::parse(issuer, domain::provider::AddressRule::Public).unwrap();
            provider.server.discovery = discovery;
            request(&provider).map(|r| r.uri().to_string())
        };
        let oidc = "https://a.example/t1/.well-known/openid-configuration";
        assert_eq!(url("https://a.example/t1", Discovery::Oidc).as_deref(), Some(oidc));
        let rfc = "https://a.example/.well-known/oauth-authorization-server/t1";
        assert_eq!(url("https://a.example/t1/", Discovery::Rfc8414).as_deref(), Some(rfc));
        let root = "https://a.example/.well-known/oauth-authorization-server";
        assert_eq!(url("https://a.example", Discovery::Rfc8414).as_deref(), Some(root));
        assert_eq!(url("https://a.example", Discovery::None), None);
    }
}
