//! The shape of a provider file; an unknown key is an error.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::ProviderError;
use super::behaviour::{Behaviour, Discovery, IdTokenAlg};
use crate::id::{OperationId, ProfileId, ProviderId};
use crate::profile::toml_place;

/// Reads the shape; what the values may be is checked after.
pub(super) fn read(text: &str) -> Result<File, ProviderError> {
    toml::from_str(text).map_err(|err| ProviderError::Shape(toml_place(&err)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: ProviderId,
    pub(super) name: String,
    pub(super) monogram: String,
    pub(super) colour: String,
    pub(super) help: Option<String>,
    #[serde(default)]
    pub(super) unverified: bool,
    pub(super) authorization_server: ServerFile,
    pub(super) client: ClientFile,
    #[serde(default)]
    pub(super) authorization_request: RequestFile,
    pub(super) behaviour: Behaviour,
    pub(super) holder: HolderFile,
    pub(super) api: ApiFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerFile {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) revocation_endpoint: Option<String>,
    pub(super) jwks_uri: Option<String>,
    pub(super) pushed_authorization_request_endpoint: Option<String>,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) discovery: Discovery,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientFile {
    pub(super) client_id: String,
    pub(super) token_endpoint_auth_method: String,
    pub(super) redirect_uri_in_token_request: bool,
    pub(super) loopback_port: PortFile,
    pub(super) id_token_signed_response_alg: Option<IdTokenAlg>,
}

/// A number or a word; which numbers and words is said by the parser, so that a wrong one has a name.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum PortFile {
    Number(i64),
    Word(String),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFile {
    #[serde(default)]
    pub(super) extra: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) always_scopes: Vec<String>,
    pub(super) resource: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HolderFile {
    pub(super) source: String,
    pub(super) name_claim: String,
    pub(super) operation: Option<OperationId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiFile {
    pub(super) profile: ProfileId,
    pub(super) base: String,
}
