//! Metadata against the pins of the provider file.
//!
//! A row changes a good document by `set`, `without`, `beside` and `before`, or brings a body of its own; `file` lists
//! what is replaced in the provider file.

use domain::provider::{AddressRule, Discovery, Issuer, Provider};
use oauth::message::Reply;
use oauth::metadata::{Endpoints, MetadataError, request};
use serde_json::{Value, json};

use crate::bank::bank;
use crate::table::{Row, check, list, members, reply, rows, text};

const TABLE: &str = include_str!("../../../../../tests/tables/metadata.jsonl");

fn provider(row: &Row) -> Provider {
    let changes = row.get("file").and_then(Value::as_array).cloned().unwrap_or_default();
    bank(|file| {
        changes.iter().map(list).fold(file, |file, change| {
            assert!(file.contains(&change[0]), "{}", change[0]);
            file.replacen(&change[0], &change[1], 1)
        })
    })
}

fn answer(row: &Row) -> Reply {
    if row.keys().any(|member| member.starts_with("body")) {
        return reply(row);
    }
    let at = |path: &str| json!(format!("https://auth.bank.example{path}"));
    let document = [
        ("issuer", at("")),
        ("authorization_endpoint", at("/authorize")),
        ("token_endpoint", at("/token")),
        ("revocation_endpoint", at("/revoke")),
        ("jwks_uri", at("/jwks")),
        ("pushed_authorization_request_endpoint", at("/par")),
        ("userinfo_endpoint", at("/userinfo")),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
    ];
    let mut row = row.clone();
    row.insert("body".into(), members(&row, &document).into());
    reply(&row)
}

/// Every address is the file's own, and what the row says of the rest holds.
fn against(endpoints: &Endpoints, provider: &Provider, row: &Row) -> String {
    let server = &provider.server;
    let pinned = endpoints.authorization == server.authorization_endpoint
        && endpoints.token == server.token_endpoint
        && endpoints.revocation == server.revocation_endpoint
        && endpoints.jwks == server.jwks_uri
        && endpoints.userinfo == server.userinfo_endpoint
        && endpoints
            .par
            .as_ref()
            .is_none_or(|par| Some(par) == server.pushed_authorization_request_endpoint.as_ref());
    let same = |member: &str, found: bool| row.get(member).is_none_or(|expected| *expected == json!(found));
    if !pinned {
        "an address that is not pinned".into()
    } else if !same("iss_required", endpoints.iss_required) || !same("par", endpoints.par.is_some()) {
        "otherwise than the row says".into()
    } else {
        "ok".into()
    }
}

#[test]
fn every_document_is_taken_or_refused_by_its_rule() {
    check(
        &rows(TABLE, 1000),
        |row| text(row, "expect").to_owned(),
        |row| {
            let provider = provider(row);
            match Endpoints::accept(&provider, &answer(row)) {
                Ok(endpoints) => against(&endpoints, &provider, row),
                Err(MetadataError::Misbehaved(rule)) => rule.to_string(),
                Err(MetadataError::Unavailable) => "unavailable".into(),
                Err(changed @ MetadataError::AddressChanged(_)) => changed.to_string(),
            }
        },
    );
}

/// The provider file names the form of the document's address, so one is asked and no other is tried.
#[test]
fn the_document_is_asked_for_where_its_standard_puts_it() {
    let asked = |issuer: &str, discovery| {
        let mut provider = bank(|file| file);
        provider.server.issuer = Issuer::parse(issuer, AddressRule::Public).unwrap();
        provider.server.discovery = discovery;
        let request = request(&provider)?;
        assert_eq!(request.method(), "GET");
        assert!(request.body().is_empty() && request.headers().get("authorization").is_none());
        Some(request.uri().to_string())
    };
    for (issuer, rfc8414, oidc) in [
        (
            "https://as-a.example",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ),
        (
            "https://as-a.example/",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        ),
        (
            "https://as-a.example/t1",
            "/.well-known/oauth-authorization-server/t1",
            "/t1/.well-known/openid-configuration",
        ),
        (
            "https://as-a.example/t1/",
            "/.well-known/oauth-authorization-server/t1",
            "/t1/.well-known/openid-configuration",
        ),
        (
            "https://as-a.example/t/1",
            "/.well-known/oauth-authorization-server/t/1",
            "/t/1/.well-known/openid-configuration",
        ),
        (
            "https://as-a.example/T%C3%A9",
            "/.well-known/oauth-authorization-server/T%C3%A9",
            "/T%C3%A9/.well-known/openid-configuration",
        ),
    ] {
        let at = |path: &str| Some(format!("https://as-a.example{path}"));
        assert_eq!(asked(issuer, Discovery::Rfc8414), at(rfc8414), "{issuer}");
        assert_eq!(asked(issuer, Discovery::Oidc), at(oidc), "{issuer}");
        assert_eq!(asked(issuer, Discovery::None), None, "{issuer}");
    }
    let port = asked("https://as-a.example:8443/t1", Discovery::Rfc8414);
    assert_eq!(port.as_deref(), Some("https://as-a.example:8443/.well-known/oauth-authorization-server/t1"));
}
