//! What the values of a provider file may be.

use std::collections::{BTreeMap, BTreeSet};

use super::address::{AddressRule, Endpoint, Issuer};
use super::behaviour::{Behaviour, Discovery, Dpop, LoopbackPort, Par, PkceKnown, RevocationHabit};
use super::file::{ClientFile, HolderFile, PortFile, RequestFile, ServerFile};
use super::{AuthorizationServer, HolderSource, ProviderError};
use crate::profile::{Profile, is_scope_token};
use crate::text;

/// Parameters that the flow sets itself, and those of flows that this client does not speak: implicit, password,
/// client secrets (OAuth 2.1 §10). A file may put them neither in an address nor beside the request.
const OURS: [&str; 27] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "id_token",
    "id_token_hint",
    "iss",
    "nonce",
    "password",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "username",
];

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours))
}

pub(super) fn endpoint(
    key: &'static str,
    text: &str,
    addresses: AddressRule,
) -> Result<Endpoint, ProviderError> {
    Endpoint::parse(text, addresses).map_err(|rule| ProviderError::Url { key, rule })
}

/// An address without a query.
pub(super) fn plain(
    key: &'static str,
    text: &str,
    addresses: AddressRule,
) -> Result<Endpoint, ProviderError> {
    Endpoint::parse_without_query(text, addresses).map_err(|rule| ProviderError::Url { key, rule })
}

pub(super) fn server(file: ServerFile, addresses: AddressRule) -> Result<AuthorizationServer, ProviderError> {
    let required = |key, text: String| endpoint(key, &text, addresses);
    let optional = |key, text: Option<String>| text.map(|text| endpoint(key, &text, addresses)).transpose();
    Ok(AuthorizationServer {
        issuer: Issuer::parse(&file.issuer, addresses)
            .map_err(|rule| ProviderError::Url { key: "issuer", rule })?,
        authorization_endpoint: required("authorization_endpoint", file.authorization_endpoint)?,
        token_endpoint: required("token_endpoint", file.token_endpoint)?,
        revocation_endpoint: optional("revocation_endpoint", file.revocation_endpoint)?,
        jwks_uri: optional("jwks_uri", file.jwks_uri)?,
        pushed_authorization_request_endpoint: optional(
            "pushed_authorization_request_endpoint",
            file.pushed_authorization_request_endpoint,
        )?,
        userinfo_endpoint: optional("userinfo_endpoint", file.userinfo_endpoint)?,
        discovery: file.discovery,
    })
}

/// No address sets a parameter of the flow, none sets one twice (OAuth 2.1 §3.1).
pub(super) fn queries(
    server: &AuthorizationServer,
    extra: &BTreeMap<String, String>,
) -> Result<(), ProviderError> {
    for (key, endpoint) in server.endpoints() {
        let Some(endpoint) = endpoint else { continue };
        let mut seen = BTreeSet::new();
        for (name, _) in endpoint.url().query_pairs() {
            let twice = extra.contains_key(name.as_ref()) || !seen.insert(name.clone());
            if is_ours(&name) || twice {
                return Err(ProviderError::EndpointParameter { key, name: text::quoted(&name, 40) });
            }
        }
    }
    Ok(())
}

pub(super) fn look(name: &str, monogram: &str, colour: &str) -> Result<(), ProviderError> {
    if !text::is_bank_name(name, 60) {
        return Err(ProviderError::Name("name"));
    }
    // Letters and digits only: a tick or a shield would say something about the bank.
    if !text::is_bank_name(monogram, 3) || !monogram.chars().all(char::is_alphanumeric) {
        return Err(ProviderError::Name("monogram"));
    }
    let hex =
        colour.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    hex.map(|_| ()).ok_or(ProviderError::Name("colour"))
}

pub(super) fn request(file: &RequestFile, profile: &Profile) -> Result<(), ProviderError> {
    if let Some(name) = file.extra.keys().find(|name| is_ours(name) || !is_scope_token(name)) {
        return Err(ProviderError::ExtraParameter(text::quoted(name, 40)));
    }
    if !file.extra.values().all(|value| is_visible(value, 500)) {
        return Err(ProviderError::Text("extra"));
    }
    let mut seen = BTreeSet::new();
    if let Some(scope) =
        file.always_scopes.iter().find(|scope| !is_scope_token(scope) || !seen.insert(*scope))
    {
        return Err(ProviderError::Scope(text::quoted(scope, 40)));
    }
    // What stands for a permission is asked when a person chose it (OAuth 2.1 §7.3.2).
    let chosen = |scope: &&String| profile.permissions.iter().any(|p| p.scope == **scope);
    match file.always_scopes.iter().find(chosen) {
        Some(scope) => Err(ProviderError::AlwaysAsked(text::quoted(scope, 40))),
        None => Ok(()),
    }
}

pub(super) fn client(file: &ClientFile) -> Result<(), ProviderError> {
    if file.token_endpoint_auth_method != "none" {
        return Err(ProviderError::Unsupported("token_endpoint_auth_method"));
    }
    // RFC 6749 appendix A.1: visible ASCII.
    if file.client_id.is_ascii() && is_visible(&file.client_id, 500) {
        Ok(())
    } else {
        Err(ProviderError::Text("client_id"))
    }
}

/// Something to be read in it, nothing that a header or a log would read as its own.
fn is_visible(text: &str, max: usize) -> bool {
    !text.trim().is_empty()
        && text.len() <= max
        && !text.chars().any(|c| c.is_control() || text::is_deceptive(c))
}

pub(super) fn behaviour(
    behaviour: &Behaviour,
    server: &AuthorizationServer,
    always: &[String],
) -> Result<(), ProviderError> {
    if behaviour.par != Par::Absent && server.pushed_authorization_request_endpoint.is_none() {
        return Err(ProviderError::Missing("pushed_authorization_request_endpoint"));
    }
    let revokes = !matches!(behaviour.revocation, RevocationHabit::Absent | RevocationHabit::Refused);
    if revokes && server.revocation_endpoint.is_none() {
        return Err(ProviderError::Missing("revocation_endpoint"));
    }
    if always.iter().any(|scope| scope == "openid") && server.jwks_uri.is_none() {
        return Err(ProviderError::Missing("jwks_uri"));
    }
    // Without a document nothing advertises S256: the file has to state it.
    if server.discovery == Discovery::None && behaviour.pkce == PkceKnown::Advertised {
        return Err(ProviderError::Missing("pkce = \"stated\""));
    }
    if behaviour.dpop == Dpop::Required {
        return Err(ProviderError::Unsupported("dpop"));
    }
    if behaviour.consent_days == 0 || behaviour.consent_days > 3660 {
        return Err(ProviderError::Unsupported("consent_days"));
    }
    Ok(())
}

pub(super) fn holder(
    file: &HolderFile,
    profile: &Profile,
    server: &AuthorizationServer,
    always: &[String],
) -> Result<HolderSource, ProviderError> {
    if !is_visible(&file.name_claim, 100) {
        return Err(ProviderError::Text("holder.name_claim"));
    }
    if file.source != "operation" && file.operation.is_some() {
        return Err(ProviderError::Unsupported("holder.operation"));
    }
    match file.source.as_str() {
        // Without this scope there is no id_token (OpenID Connect Core §3.1.2.1).
        "id_token" if always.iter().any(|scope| scope == "openid") => Ok(HolderSource::IdToken),
        "id_token" => Err(ProviderError::Missing("the scope openid")),
        "userinfo" if server.userinfo_endpoint.is_some() => Ok(HolderSource::UserInfo),
        "userinfo" => Err(ProviderError::Missing("userinfo_endpoint")),
        "operation" => {
            let id = file.operation.clone().ok_or(ProviderError::Missing("holder.operation"))?;
            match profile.operation(&id) {
                Some(operation) if operation.method == "GET" && !operation.path.contains('{') => {
                    Ok(HolderSource::Operation(id))
                }
                Some(_) | None => Err(ProviderError::Operation(id)),
            }
        }
        _ => Err(ProviderError::Unsupported("holder.source")),
    }
}

pub(super) fn port(file: &PortFile) -> Result<LoopbackPort, ProviderError> {
    let number = match file {
        PortFile::Word(word) if word == "any" => return Ok(LoopbackPort::Any),
        PortFile::Number(number) => u16::try_from(*number).ok().filter(|port| *port >= 1024),
        PortFile::Word(_) => None,
    };
    number.map(LoopbackPort::Fixed).ok_or(ProviderError::Unsupported("loopback_port"))
}
