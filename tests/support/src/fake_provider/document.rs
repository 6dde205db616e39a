//! What is known of the provider beforehand: its metadata, and the file that the catalogue has of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub(super) fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "pushed_authorization_request_endpoint": format!("{issuer}/par"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["none"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// The provider file, with changes by dotted key.
pub(super) fn file(issuer: &str, id: &str, changes: &BTreeMap<String, Value>) -> String {
    let mut file: toml::Table = toml::from_str(&honest_file(issuer, id)).expect("our own file");
    for (key, value) in changes {
        let (section, name) = key.split_once('.').map_or((None, key.as_str()), |(s, n)| (Some(s), n));
        let table = match section {
            None => &mut file,
            Some(section) => {
                let table = file.entry(section).or_insert_with(|| toml::Table::new().into());
                table.as_table_mut().expect("a section")
            }
        };
        if value.is_null() {
            table.remove(name);
        } else {
            table.insert(name.to_owned(), toml::Value::try_from(value).expect("a value for TOML"));
        }
    }
    toml::to_string(&file).expect("TOML")
}

fn honest_file(issuer: &str, id: &str) -> String {
    let i = issuer;
    format!(
        r##"id = "{id}"
name = "Fake Bank {id}"
monogram = "FB"
colour = "#0b5d6b"
help = "{i}/help"
[authorization_server]
issuer = "{i}"
authorization_endpoint = "{i}/authorize"
token_endpoint = "{i}/token"
revocation_endpoint = "{i}/revoke"
jwks_uri = "{i}/jwks"
userinfo_endpoint = "{i}/userinfo"
pushed_authorization_request_endpoint = "{i}/par"
discovery = "rfc8414"
[client]
client_id = "countersign"
token_endpoint_auth_method = "none"
redirect_uri_in_token_request = true
loopback_port = "any"
[authorization_request]
always_scopes = ["openid", "offline_access"]
[behaviour]
pkce = "advertised"
iss = "advertised"
par = "absent"
dpop = "absent"
consents = "independent"
rotation = "always"
narrowed_refresh = "unsafe"
revocation = "cascades"
consent_days = 90
[holder]
source = "userinfo"
name_claim = "name"
[api]
profile = "fdx-v6"
base = "{i}/fdx/v6"
"##
    )
}
