//! Every kind of request that goes to a bank, built as the flow builds it.

use domain::profile::Profile;
use domain::provider::{AddressRule, Provider};
use domain::secret::AccessToken;
use oauth::callback::CallbackQuery;
use oauth::connect::{Authorization, Callback, Draft};
use oauth::fresh::Fresh;
use oauth::message::Request;
use oauth::metadata::{self, Endpoints};
use oauth::revoke::{self, TokenKind};
use oauth::{id_token, userinfo};
use url::Url;

const EXAMPLE: &str = include_str!("../../../../oauth/providers/example.toml");
const FDX: &str = include_str!("../../../../oauth/providers/profiles/fdx-v6.toml");

/// What stands in the requests and may reach nobody but the bank.
pub(super) const SECRETS: [&str; 3] = ["secret-code", "secret-access-token", "secret-refresh-token"];

/// The provider file's example, at another place.
fn provider(base: &str) -> Provider {
    let file = ["https://auth.bank.example", "https://api.bank.example"]
        .iter()
        .fold(EXAMPLE.to_owned(), |file, host| file.replace(host, base));
    Provider::parse(&file, Profile::parse(FDX).unwrap(), AddressRule::DangerLoopback).unwrap()
}

/// Name and request: metadata, PAR, token, jwks, userinfo, the API, and both revocations.
pub(super) fn kinds(base: &str) -> Vec<(&'static str, Request)> {
    let provider = provider(base);
    let redirect = Url::parse("http://127.0.0.1:50000/callback/example-bank").unwrap();
    let fresh = || Fresh::from_random(std::array::from_fn(|n| u8::try_from(n + 1).unwrap())).unwrap();
    let draft = |endpoints| Draft::new(&provider, endpoints, &[]).unwrap();
    let pushing = Endpoints::pinned(&provider);
    let (Authorization::Push(pushed, _), _) = draft(pushing.clone()).prepare(fresh(), &redirect).unwrap()
    else {
        panic!("not pushed")
    };
    let endpoints = Endpoints { par: None, ..pushing.clone() };
    let (Authorization::Open(opened), expect) = draft(endpoints).prepare(fresh(), &redirect).unwrap() else {
        panic!("pushed")
    };
    let state = opened.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let iss: String =
        url::form_urlencoded::byte_serialize(provider.server.issuer.as_str().as_bytes()).collect();
    let answer = CallbackQuery::parse(&format!("code=secret-code&state={state}&iss={iss}"));
    let Ok(Callback::Mine(token, code, _)) = expect.accept(&answer) else { panic!("not ours") };
    let access = AccessToken::parse("secret-access-token".into()).unwrap();
    let revocation = pushing.revocation.unwrap();
    let revoke = |kind, token| revoke::request(revocation.url(), &provider.client_id, kind, token).unwrap();
    let accounts = Url::parse(&provider.operation_url("/accounts")).unwrap();
    vec![
        ("metadata", metadata::request(&provider).unwrap()),
        ("pushed request", *pushed),
        ("token", token.build(&code).unwrap()),
        ("keys", id_token::jwks_request(pushing.jwks.unwrap().url()).unwrap()),
        ("userinfo", userinfo::bearer_get(pushing.userinfo.unwrap().url(), &access).unwrap()),
        ("accounts", userinfo::bearer_get(&accounts, &access).unwrap()),
        ("revocation of access", revoke(TokenKind::Access, "secret-access-token")),
        ("revocation of refresh", revoke(TokenKind::Refresh, "secret-refresh-token")),
    ]
}
