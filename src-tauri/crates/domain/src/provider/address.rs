//! Addresses in provider files: what they may be, and which machines they may lead to.

use std::net::IpAddr;

use thiserror::Error;
use url::Url;

/// No address of a bank is longer; the request's own parameters come on top.
const MAX_TEXT: usize = 1024;

/// A rule for addresses in provider files and metadata.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UrlRule {
    /// Fragments never reach a server (RFC 6749 §3.1).
    #[error("has a fragment")]
    Fragment,
    /// Not a host name as registries give them: empty labels, a dot at the end, underscores (RFC 1123 §2.1).
    #[error("has an odd host name")]
    HostName,
    /// Not https (RFC 6749 §3.1.2.1, OAuth 2.1 §1.5).
    #[error("is not https")]
    NotHttps,
    /// The text is not what the address means once parsed: tabs, backslashes, dot segments, odd spellings.
    #[error("is not written plainly")]
    NotPlain,
    /// Not an address at all.
    #[error("is not an address")]
    NotUrl,
    /// A port that belongs to another service, where an answer could be made to look like one of ours.
    #[error("has a port of another service")]
    Port,
    /// An address of this computer or of a private network.
    #[error("is not a public address")]
    Private,
    /// A query where none may be (RFC 8414 §2).
    #[error("has a query")]
    Query,
    /// Longer than any real one.
    #[error("is too long")]
    TooLong,
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
        Ok(Self(parse_plain(text, addresses)?, text.to_owned()))
    }

    /// Parses an address that other text is put behind, or that names a thing: no query (RFC 8707 §2).
    ///
    /// # Errors
    /// The [`UrlRule`] it breaks.
    pub fn parse_without_query(text: &str, addresses: AddressRule) -> Result<Self, UrlRule> {
        let endpoint = Self::parse(text, addresses)?;
        if endpoint.0.query().is_some() { Err(UrlRule::Query) } else { Ok(endpoint) }
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
        Endpoint::parse_without_query(text, addresses).map(|endpoint| Self(endpoint.1))
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

    /// True when the two differ by a slash at the end at most: different issuers to the standard, one to a person.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self.0.trim_end_matches('/') == other.0.trim_end_matches('/')
    }
}

fn parse_plain(text: &str, addresses: AddressRule) -> Result<Url, UrlRule> {
    if text.len() > MAX_TEXT {
        return Err(UrlRule::TooLong);
    }
    let url = Url::parse(text).map_err(|_| UrlRule::NotUrl)?;
    check_url(&url, text, addresses)?;
    Ok(url)
}

/// Checks an address that was built here or came from elsewhere already parsed.
///
/// # Errors
/// The [`UrlRule`] it breaks.
pub fn check_address(url: &Url, addresses: AddressRule) -> Result<(), UrlRule> {
    check_url(url, url.as_str(), addresses)
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
    if url.domain().is_some_and(|name| !is_host_name(name)) {
        return Err(UrlRule::HostName);
    }
    // Below 1024 live services that would read a request as commands of their own (ALPACA, RFC 7605 §7).
    if url.port().is_some_and(|port| port < 1024) {
        return Err(UrlRule::Port);
    }
    if !loopback && !is_public_host(url) {
        return Err(UrlRule::Private);
    }
    Ok(())
}

/// Letters, digits and hyphens, as RFC 1123 §2.1 has it; the parser has turned other scripts into ASCII.
fn is_host_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(_)) | None => false,
    }
}

/// Names that no public registry gives out (RFC 6761, 6762, 7686, 8375): they mean something at home, if anything.
const LOCAL: [&str; 12] = [
    "corp",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
];

fn is_public_host(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(url::Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        Some(url::Host::Domain(name)) => {
            name.contains('.') && !LOCAL.iter().any(|l| name == *l || name.ends_with(&format!(".{l}")))
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
            // Only global unicast, less protocol assignments (Teredo, benchmarks), documentation and 6to4, which
            // carries IPv4 addresses inside (RFC 6890, RFC 9637).
            (None, [a, b, ..]) => {
                let assigned = a == 0x2001 && b < 0x200;
                let documentation = (a == 0x2001 && b == 0xdb8) || (a == 0x3fff && b < 0x1000);
                (0x2000..0x4000).contains(&a) && a != 0x2002 && !assigned && !documentation
            }
        },
    }
}

#[cfg(test)]
mod tests;
