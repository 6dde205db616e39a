//! Providers as data: one file per bank, parsed into what the flow may rely on.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use thiserror::Error;
use url::Url;

use crate::id::{OperationId, ProfileId, ProviderId};
use crate::profile::{Profile, is_scope_token, toml_place};
use crate::text;

/// Why a provider file is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// An extra parameter the flow sets itself.
    #[error("the extra parameter {0} is one that the flow sets itself")]
    ExtraParameter(String),
    /// A key that must be there for what the file says of this bank.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A name or mark that could imitate another, or is too long.
    #[error("{0} cannot be shown")]
    Name(&'static str),
    /// The profile has no such operation.
    #[error("operation {0} is not in the profile")]
    Operation(OperationId),
    /// A scope that could break the request.
    #[error("{0:?} is not a scope")]
    Scope(String),
    /// Not TOML of this shape; the position, never the text.
    #[error("not a provider file: {0}")]
    Shape(String),
    /// A value this version cannot work with.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// An address that breaks a rule.
    #[error("{key}: {rule}")]
    Url {
        /// Which key.
        key: &'static str,
        /// Which rule.
        rule: UrlRule,
    },
}

/// A rule for addresses in provider files and metadata.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UrlRule {
    /// Fragments never reach a server (RFC 6749 §3.1).
    #[error("has a fragment")]
    Fragment,
    /// Not https (RFC 6749 §3.1.2.1, OAuth 2.1 §1.5).
    #[error("is not https")]
    NotHttps,
    /// The text is not what the address means once parsed: tabs, backslashes, dot segments, odd spellings.
    #[error("is not written plainly")]
    NotPlain,
    /// Not an address at all.
    #[error("is not an address")]
    NotUrl,
    /// An address of this computer or of a private network.
    #[error("is not a public address")]
    Private,
    /// A query where none may be (RFC 8414 §2).
    #[error("has a query")]
    Query,
    /// A user name or password in the address.
    #[error("has a user name")]
    UserInfo,
}

/// Which addresses are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressRule {
    /// https to public hosts only.
    Public,
    /// Demo and tests: also http and https to this computer's loopback addresses.
    DangerLoopback,
}

/// An address of a server, checked; compared as the exact text it was given as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url, String);

impl Endpoint {
    /// Parses an endpoint; a query is allowed (RFC 6749 §3.1).
    ///
    /// # Errors
    /// The [`UrlRule`] it breaks.
    pub fn parse(text: &str, addresses: AddressRule) -> Result<Self, UrlRule> {
        let url = Url::parse(text).map_err(|_| UrlRule::NotUrl)?;
        check_url(&url, text, addresses)?;
        Ok(Self(url, text.to_owned()))
    }

    /// The parsed address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.1
    }
}

/// An issuer identifier: the exact string, compared code point by code point (RFC 8414 §3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(String);

impl Issuer {
    /// Parses an issuer: https, no query, no fragment (RFC 8414 §2).
    ///
    /// # Errors
    /// The [`UrlRule`] it breaks.
    pub fn parse(text: &str, addresses: AddressRule) -> Result<Self, UrlRule> {
        let url = Url::parse(text).map_err(|_| UrlRule::NotUrl)?;
        check_url(&url, text, addresses)?;
        if url.query().is_some() {
            return Err(UrlRule::Query);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, in ASCII, as a person is shown it.
    #[must_use]
    pub fn host(&self) -> String {
        Url::parse(&self.0).ok().map_or_else(String::new, |url| {
            let host = url.host_str().unwrap_or_default().to_owned();
            url.port().map_or(host.clone(), |port| format!("{host}:{port}"))
        })
    }
}

fn check_url(url: &Url, text: &str, addresses: AddressRule) -> Result<(), UrlRule> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRule::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlRule::Fragment);
    }
    let loopback = addresses == AddressRule::DangerLoopback && is_loopback(url);
    if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
        return Err(UrlRule::NotHttps);
    }
    // What is drawn, compared and opened must be one and the same text.
    let plain = url.as_str() == text || url.as_str().strip_suffix('/') == Some(text);
    if !plain {
        return Err(UrlRule::NotPlain);
    }
    if !loopback && !is_public_host(url) {
        return Err(UrlRule::Private);
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(_)) | None => false,
    }
}

fn is_public_host(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(url::Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let local = ["localhost", "local", "internal", "home.arpa", "lan"];
            name.contains('.') && !local.iter().any(|l| name == *l || name.ends_with(&format!(".{l}")))
        }
        None => false,
    }
}

/// True for addresses that are not of this computer, a private network, or set aside for special use.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(a == 0
                || a >= 224
                || ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && (c == 0 || c == 2))
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19 || (b == 51 && c == 100)))
                || (a == 203 && b == 0 && c == 113))
        }
        IpAddr::V6(ip) => match (ip.to_ipv4_mapped(), ip.segments()) {
            (Some(v4), _) => is_public(IpAddr::V4(v4)),
            // Only global unicast, less documentation, Teredo and 6to4, which carry IPv4 addresses inside.
            (None, [a, b, ..]) => {
                (0x2000..0x4000).contains(&a) && a != 0x2002 && !(a == 0x2001 && (b == 0 || b == 0xdb8))
            }
        },
    }
}

/// How metadata is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discovery {
    /// No document: the pins are all there is.
    None,
    /// OpenID Connect Discovery.
    Oidc,
    /// RFC 8414.
    Rfc8414,
}

/// Whether metadata says so, or the provider file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PkceKnown {
    /// `code_challenge_methods_supported` must hold S256.
    Advertised,
    /// Not in the metadata, known to work with S256.
    Stated,
}

/// Whether responses carry `iss` (RFC 9207).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssParameter {
    /// Not sent.
    Absent,
    /// Always sent; a response without it is refused.
    Advertised,
}

/// Whether requests are pushed first (RFC 9126).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Par {
    /// Not there.
    Absent,
    /// Used, because it is offered.
    Offered,
    /// Refused without.
    Required,
}

/// Whether tokens are bound to a key (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dpop {
    /// Bearer tokens.
    Absent,
    /// Supported by the bank.
    Offered,
    /// Demanded by the bank.
    Required,
}

/// Whether revoking one agent's consent ends another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consents {
    /// It does not.
    Independent,
    /// It does; the person is warned.
    Shared,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rotation {
    /// A new one each time.
    Always,
    /// The same one.
    Never,
    /// Either.
    Sometimes,
}

/// What a refresh with fewer scopes does to the grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NarrowedRefresh {
    /// Ignores the scope asked.
    Ignores,
    /// Keeps the full grant.
    Keeps,
    /// Refuses.
    Refuses,
    /// Shrinks the grant for good.
    Shrinks,
    /// Not known: never try.
    Unsafe,
}

/// What revoking the refresh token does (RFC 7009).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationHabit {
    /// There is no endpoint.
    Absent,
    /// Ends every access token too.
    Cascades,
    /// Refused to public clients.
    Refused,
    /// Ends that token alone.
    TokenOnly,
}

/// Which local ports the bank accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackPort {
    /// Any (RFC 8252 §7.3).
    Any,
    /// Only this one.
    Fixed(u16),
}

/// How to learn whose accounts these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HolderSource {
    /// A claim of the id_token.
    IdToken,
    /// A field in the answer of an operation.
    Operation(OperationId),
    /// A claim of the UserInfo answer.
    UserInfo,
}

/// The authorization server and its pins.
#[derive(Clone, Debug)]
pub struct AuthorizationServer {
    /// Who it is.
    pub issuer: Issuer,
    /// Where the person signs in.
    pub authorization_endpoint: Endpoint,
    /// Where codes are exchanged.
    pub token_endpoint: Endpoint,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<Endpoint>,
    /// Where its signing keys are.
    pub jwks_uri: Option<Endpoint>,
    /// Where requests are pushed.
    pub pushed_authorization_request_endpoint: Option<Endpoint>,
    /// Where UserInfo is read.
    pub userinfo_endpoint: Option<Endpoint>,
    /// How metadata is found.
    pub discovery: Discovery,
}

/// What this issuer was seen to do.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// How PKCE support is known.
    pub pkce: PkceKnown,
    /// Whether `iss` is sent.
    pub iss: IssParameter,
    /// Whether requests are pushed.
    pub par: Par,
    /// Whether tokens are bound to a key.
    pub dpop: Dpop,
    /// Whether consents are independent.
    pub consents: Consents,
    /// Rotation of refresh tokens.
    pub rotation: Rotation,
    /// Narrowing at refresh.
    pub narrowed_refresh: NarrowedRefresh,
    /// What revocation does.
    pub revocation: RevocationHabit,
    /// The bank's own limit in days.
    pub consent_days: u16,
}

/// One bank.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its id, also the loopback path.
    pub id: ProviderId,
    /// Its name.
    pub name: String,
    /// Two letters for its tile.
    pub monogram: String,
    /// The tile's colour, `#rrggbb`.
    pub colour: String,
    /// Where a customer withdraws consent at the bank.
    pub help: Option<Endpoint>,
    /// Added by address, not from the catalogue.
    pub unverified: bool,
    /// The authorization server.
    pub server: AuthorizationServer,
    /// Our client id there.
    pub client_id: String,
    /// Whether the token request repeats the redirect URI (RFC 6749 §4.1.3; OAuth 2.1 dropped it).
    pub redirect_uri_in_token_request: bool,
    /// Which local ports the bank accepts.
    pub loopback_port: LoopbackPort,
    /// Parameters this bank wants besides.
    pub extra: BTreeMap<String, String>,
    /// Scopes that are always asked.
    pub always_scopes: Vec<String>,
    /// Resource indicator (RFC 8707).
    pub resource: Option<String>,
    /// What it was seen to do.
    pub behaviour: Behaviour,
    /// How to learn whose accounts these are.
    pub holder: HolderSource,
    /// The claim or field with the name.
    pub holder_claim: String,
    /// Its API.
    pub profile: Profile,
    /// Where the API is.
    pub api_base: Endpoint,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: ProviderId,
    name: String,
    monogram: String,
    colour: String,
    help: Option<String>,
    #[serde(default)]
    unverified: bool,
    authorization_server: ServerFile,
    client: ClientFile,
    #[serde(default)]
    authorization_request: RequestFile,
    behaviour: Behaviour,
    holder: HolderFile,
    api: ApiFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerFile {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    jwks_uri: Option<String>,
    pushed_authorization_request_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    discovery: Discovery,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientFile {
    client_id: String,
    token_endpoint_auth_method: String,
    redirect_uri_in_token_request: bool,
    loopback_port: PortFile,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PortFile {
    Number(u16),
    Word(String),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    #[serde(default)]
    extra: BTreeMap<String, String>,
    #[serde(default)]
    always_scopes: Vec<String>,
    resource: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderFile {
    source: String,
    name_claim: String,
    operation: Option<OperationId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiFile {
    profile: ProfileId,
    base: String,
}

/// The profile a provider file asks for, so that the caller can load it first.
///
/// # Errors
/// The file is not TOML of the right shape.
pub fn wanted_profile(text: &str) -> Result<ProfileId, ProviderError> {
    Ok(read(text)?.api.profile)
}

fn read(text: &str) -> Result<File, ProviderError> {
    toml::from_str(text).map_err(|err| ProviderError::Shape(toml_place(&err)))
}

impl Provider {
    /// Parses a provider file, with the profile it asks for.
    ///
    /// # Errors
    /// Each rule a file can break is a [`ProviderError`].
    pub fn parse(text: &str, profile: Profile, addresses: AddressRule) -> Result<Self, ProviderError> {
        let file = read(text)?;
        let server = parse_server(file.authorization_server, addresses)?;
        check_look(&file.name, &file.monogram, &file.colour)?;
        check_request(&file.authorization_request)?;
        check_behaviour(&file.behaviour, &server, &file.authorization_request.always_scopes)?;
        let holder = parse_holder(&file.holder, &profile, &server)?;
        if file.client.token_endpoint_auth_method != "none" {
            return Err(ProviderError::Unsupported("token_endpoint_auth_method"));
        }
        if file.client.client_id.is_empty()
            || !file.client.client_id.bytes().all(|b| (0x20..=0x7e).contains(&b))
        {
            return Err(ProviderError::Missing("client_id"));
        }
        Ok(Self {
            id: file.id,
            name: file.name,
            monogram: file.monogram,
            colour: file.colour,
            help: endpoint("help", file.help, addresses)?,
            unverified: file.unverified,
            server,
            client_id: file.client.client_id,
            redirect_uri_in_token_request: file.client.redirect_uri_in_token_request,
            loopback_port: parse_port(&file.client.loopback_port)?,
            extra: file.authorization_request.extra,
            always_scopes: file.authorization_request.always_scopes,
            resource: file.authorization_request.resource,
            behaviour: file.behaviour,
            holder,
            holder_claim: file.holder.name_claim,
            profile,
            api_base: required("base", &file.api.base, addresses)?,
        })
    }

    /// The path of the loopback redirect, its own per provider (RFC 8252 §8.10).
    #[must_use]
    pub fn callback_path(&self) -> String {
        format!("/callback/{}", self.id)
    }

    /// The address of one operation of its API.
    #[must_use]
    pub fn operation_url(&self, path: &str) -> String {
        format!("{}{path}", self.api_base.as_str().trim_end_matches('/'))
    }
}

fn required(key: &'static str, text: &str, addresses: AddressRule) -> Result<Endpoint, ProviderError> {
    Endpoint::parse(text, addresses).map_err(|rule| ProviderError::Url { key, rule })
}

fn endpoint(
    key: &'static str,
    text: Option<String>,
    addresses: AddressRule,
) -> Result<Option<Endpoint>, ProviderError> {
    text.map(|text| required(key, &text, addresses)).transpose()
}

fn parse_server(file: ServerFile, addresses: AddressRule) -> Result<AuthorizationServer, ProviderError> {
    Ok(AuthorizationServer {
        issuer: Issuer::parse(&file.issuer, addresses)
            .map_err(|rule| ProviderError::Url { key: "issuer", rule })?,
        authorization_endpoint: required("authorization_endpoint", &file.authorization_endpoint, addresses)?,
        token_endpoint: required("token_endpoint", &file.token_endpoint, addresses)?,
        revocation_endpoint: endpoint("revocation_endpoint", file.revocation_endpoint, addresses)?,
        jwks_uri: endpoint("jwks_uri", file.jwks_uri, addresses)?,
        pushed_authorization_request_endpoint: endpoint(
            "pushed_authorization_request_endpoint",
            file.pushed_authorization_request_endpoint,
            addresses,
        )?,
        userinfo_endpoint: endpoint("userinfo_endpoint", file.userinfo_endpoint, addresses)?,
        discovery: file.discovery,
    })
}

fn check_look(name: &str, monogram: &str, colour: &str) -> Result<(), ProviderError> {
    let shown = |s: &str, max: usize| {
        !s.trim().is_empty()
            && s.chars().count() <= max
            && !s.chars().any(|c| c.is_control() || text::is_deceptive(c))
    };
    if !shown(name, 60) || text::mixes_scripts(name) {
        return Err(ProviderError::Name("name"));
    }
    if !shown(monogram, 3) {
        return Err(ProviderError::Name("monogram"));
    }
    let hex =
        colour.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    hex.map(|_| ()).ok_or(ProviderError::Name("colour"))
}

fn check_request(file: &RequestFile) -> Result<(), ProviderError> {
    const OURS: [&str; 11] = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "request",
        "request_uri",
        "resource",
    ];
    if let Some(name) = file.extra.keys().find(|name| OURS.contains(&name.as_str()) || !is_scope_token(name))
    {
        return Err(ProviderError::ExtraParameter(text::quoted(name, 40)));
    }
    if let Some(scope) = file.always_scopes.iter().find(|scope| !is_scope_token(scope)) {
        return Err(ProviderError::Scope(text::quoted(scope, 40)));
    }
    // RFC 8707 §2: an absolute URI without fragment.
    let bad =
        file.resource.as_deref().is_some_and(|r| Url::parse(r).map_or(true, |url| url.fragment().is_some()));
    if bad { Err(ProviderError::Url { key: "resource", rule: UrlRule::NotUrl }) } else { Ok(()) }
}

fn check_behaviour(
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

fn parse_holder(
    file: &HolderFile,
    profile: &Profile,
    server: &AuthorizationServer,
) -> Result<HolderSource, ProviderError> {
    match file.source.as_str() {
        "id_token" => Ok(HolderSource::IdToken),
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

fn parse_port(file: &PortFile) -> Result<LoopbackPort, ProviderError> {
    match file {
        PortFile::Number(port) if *port >= 1024 => Ok(LoopbackPort::Fixed(*port)),
        PortFile::Word(word) if word == "any" => Ok(LoopbackPort::Any),
        PortFile::Number(_) | PortFile::Word(_) => Err(ProviderError::Unsupported("loopback_port")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FDX: &str = include_str!("../../oauth/providers/profiles/fdx-v6.toml");
    const EXAMPLE: &str = include_str!("../../oauth/providers/example.toml");

    fn parse(text: &str, addresses: AddressRule) -> Result<Provider, ProviderError> {
        Provider::parse(text, Profile::parse(FDX).unwrap(), addresses)
    }

    #[test]
    fn the_commented_example_is_sound() {
        let provider = parse(EXAMPLE, AddressRule::Public).unwrap();
        assert_eq!(provider.callback_path(), "/callback/example-bank");
        assert_eq!(provider.server.issuer.host(), "auth.bank.example");
        assert_eq!(wanted_profile(EXAMPLE).unwrap(), provider.profile.id);
    }

    #[test]
    fn each_broken_rule_has_its_error() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(EXAMPLE.contains(from), "{from}");
            let err = parse(&EXAMPLE.replacen(from, to, 1), AddressRule::Public).unwrap_err();
            assert!(err.to_string().contains(expected), "{from} -> {to}: {err}");
        };
        check("name = \"Example Bank\"", "nome = \"Example Bank\"", "unknown field nome");
        check("name = \"Example Bank\"", "name = \"Exаmple Bank\"", "name cannot be shown");
        check("name = \"Example Bank\"", "name = \"Example\\u202eBank\"", "name cannot be shown");
        check("colour = \"#0b5d6b\"", "colour = \"red;}\"", "colour cannot be shown");
        check("id = \"example-bank\"", "id = \"../x\"", "not a provider file");
        check(
            "token_endpoint = \"https://auth",
            "token_endpoint = \"http://auth",
            "token_endpoint: is not https",
        );
        check(
            "token_endpoint = \"https://auth.bank.example/",
            "token_endpoint = \"https://u:p@auth.bank.example/",
            "has a user name",
        );
        check(
            "issuer = \"https://auth.bank.example\"",
            "issuer = \"https://auth.bank.example/?x=1\"",
            "issuer: has a query",
        );
        check(
            "issuer = \"https://auth.bank.example\"",
            "issuer = \"https://auth.bank.example/#f\"",
            "issuer: has a fragment",
        );
        check(
            "issuer = \"https://auth.bank.example\"",
            "issuer = \"https://auth.bank.example/a/../b\"",
            "not written plainly",
        );
        check(
            "authorization_endpoint = \"https://auth.bank.example",
            "authorization_endpoint = \"https://10.0.0.1",
            "not a public address",
        );
        check("prompt = \"consent\"", "state = \"x\"", "the flow sets itself");
        check("\"offline_access\"", "\"a b\"", "is not a scope");
        check(
            "token_endpoint_auth_method = \"none\"",
            "token_endpoint_auth_method = \"client_secret_post\"",
            "not supported",
        );
        check("discovery = \"oidc\"", "discovery = \"none\"", "is missing");
        check("loopback_port = \"any\"", "loopback_port = 80", "loopback_port is not supported");
        check(
            "pushed_authorization_request_endpoint",
            "#pushed",
            "pushed_authorization_request_endpoint is missing",
        );
        check("revocation_endpoint =", "#", "revocation_endpoint is missing");
        check("jwks_uri =", "#", "jwks_uri is missing");
        check("userinfo_endpoint =", "#", "userinfo_endpoint is missing");
        check("profile = \"fdx-v6\"", "profile = 7", "invalid type");
    }

    #[test]
    fn addresses_of_this_computer_are_for_the_sandbox_only() {
        for text in ["http://127.0.0.1:4000/token", "http://[::1]:4000/token", "https://127.0.0.1/token"] {
            assert!(Endpoint::parse(text, AddressRule::DangerLoopback).is_ok(), "{text}");
            assert!(Endpoint::parse(text, AddressRule::Public).is_err(), "{text}");
        }
        for text in [
            "http://localhost:4000/",
            "http://10.0.0.1/",
            "http://bank.example/",
            "http://127.0.0.1.evil.test/",
        ] {
            assert!(Endpoint::parse(text, AddressRule::DangerLoopback).is_err(), "{text}");
        }
    }

    #[test]
    fn odd_spellings_of_addresses_are_refused() {
        for text in [
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://2130706433/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://169.254.169.254/",
            "https://printer.local/",
            "https://intranet/",
            "https:\\\\evil.example",
            " https://bank.example/",
            "https://bank.example/\t",
            "https://bank.example\\@evil.example/",
            "javascript:1",
            "file:///etc/passwd",
            "https://BANK.example/",
            "https://bank.example:443/",
            "https://bücher.example/",
            "https://",
            "https://[2002:7f00:1::]/",
            "https://198.51.100.7/",
        ] {
            assert!(Endpoint::parse(text, AddressRule::Public).is_err(), "{text}");
        }
        for text in [
            "https://xn--bcher-kva.example/",
            "https://bank.example/authorize?tenant=9",
            "https://93.184.216.34/",
        ] {
            assert!(Endpoint::parse(text, AddressRule::Public).is_ok(), "{text}");
        }
    }
}
