//! Providers as data: one file per bank, parsed into what the flow may rely on.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::id::{OperationId, ProfileId, ProviderId};
use crate::profile::Profile;

mod address;
mod behaviour;
mod check;
mod file;
#[cfg(test)]
mod tests;

pub use address::{AddressRule, Endpoint, Issuer, UrlRule, check_address, is_public};
pub use behaviour::{
    Behaviour, ConsentWithdrawal, Consents, Discovery, Dpop, IdTokenAlg, IssParameter, LoopbackPort,
    NarrowedRefresh, Par, PkceKnown, RevocationHabit, Rotation,
};

/// Why a provider file is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProviderError {
    /// A scope that would be asked of everybody, though it stands for something that a person chooses.
    #[error("the scope {0} belongs to a permission and may not be asked always")]
    AlwaysAsked(String),
    /// An address with a parameter that the flow sets itself, or the same one twice (OAuth 2.1 §3.1).
    #[error("{key}: the query may not set {name}")]
    EndpointParameter {
        /// Which key.
        key: &'static str,
        /// The parameter, cleaned.
        name: String,
    },
    /// An extra parameter the flow sets itself, or one of another flow than this.
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
    /// A scope that could break the request, or the same one twice.
    #[error("{0:?} is not a scope")]
    Scope(String),
    /// Not TOML of this shape; the position, never the text.
    #[error("not a provider file: {0}")]
    Shape(String),
    /// A text that is empty, too long, or holds characters that a request cannot carry.
    #[error("{0} is empty, too long or holds characters that it may not")]
    Text(&'static str),
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

impl AuthorizationServer {
    /// Its pinned addresses by the names that metadata gives them (RFC 8414 §2): what a check of one must be held to.
    #[must_use]
    pub fn endpoints(&self) -> [(&'static str, Option<&Endpoint>); 6] {
        [
            ("authorization_endpoint", Some(&self.authorization_endpoint)),
            ("token_endpoint", Some(&self.token_endpoint)),
            ("revocation_endpoint", self.revocation_endpoint.as_ref()),
            ("jwks_uri", self.jwks_uri.as_ref()),
            ("pushed_authorization_request_endpoint", self.pushed_authorization_request_endpoint.as_ref()),
            ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
        ]
    }
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
    /// The one algorithm its id_tokens for us are signed with, if it registered one (Core §3.1.3.7 (7)).
    pub id_token_alg: Option<IdTokenAlg>,
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

/// The profile a provider file asks for, so that the caller can load it first.
///
/// # Errors
/// The file is not TOML of the right shape.
pub fn wanted_profile(text: &str) -> Result<ProfileId, ProviderError> {
    Ok(file::read(text)?.api.profile)
}

impl Provider {
    /// Parses a provider file, with the profile it asks for.
    ///
    /// # Errors
    /// Each rule a file can break is a [`ProviderError`].
    pub fn parse(text: &str, profile: Profile, addresses: AddressRule) -> Result<Self, ProviderError> {
        let file = file::read(text)?;
        let server = check::server(file.authorization_server, addresses)?;
        check::look(&file.name, &file.monogram, &file.colour)?;
        check::request(&file.authorization_request, &profile)?;
        check::queries(&server, &file.authorization_request.extra)?;
        check::behaviour(&file.behaviour, &server, &file.authorization_request.always_scopes)?;
        let holder =
            check::holder(&file.holder, &profile, &server, &file.authorization_request.always_scopes)?;
        check::client(&file.client)?;
        let resource = file.authorization_request.resource;
        if let Some(resource) = &resource {
            // RFC 8707 §2: an absolute URI without fragment, and sent as it stands here.
            check::plain("resource", resource, addresses)?;
        }
        Ok(Self {
            id: file.id,
            name: file.name,
            monogram: file.monogram,
            colour: file.colour,
            help: file.help.map(|help| check::endpoint("help", &help, addresses)).transpose()?,
            unverified: file.unverified,
            server,
            client_id: file.client.client_id,
            redirect_uri_in_token_request: file.client.redirect_uri_in_token_request,
            loopback_port: check::port(&file.client.loopback_port)?,
            id_token_alg: file.client.id_token_signed_response_alg,
            extra: file.authorization_request.extra,
            always_scopes: file.authorization_request.always_scopes,
            resource,
            behaviour: file.behaviour,
            holder,
            holder_claim: file.holder.name_claim,
            profile,
            // Paths are put behind it, so it may have no query.
            api_base: check::plain("base", &file.api.base, addresses)?,
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
