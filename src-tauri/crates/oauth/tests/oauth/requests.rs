//! What is asked of a bank: the authorization request and the token request, byte by byte.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::message::Request;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::bank::{Exchange, bank, exchange, exchange_with, fresh, plain_bank, random, redirect};

/// A form, sorted; no name in it twice.
fn form(request: &Request) -> Vec<(String, String)> {
    let mut form: Vec<_> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    form.sort();
    let names: BTreeSet<&String> = form.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), form.len(), "a name stands twice");
    form
}

fn value(form: &[(String, String)], name: &str) -> Option<String> {
    form.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
}

fn token_request(exchange: Exchange) -> Request {
    exchange.request.build(&exchange.code).unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn ten_thousand_requests_share_nothing() {
    let provider = plain_bank();
    let mut seen = BTreeSet::new();
    for seed in 0..10_000 {
        let exchange = exchange_with(&provider, &texts(&["openid"]), fresh(seed), &redirect());
        let asked = exchange.asked.clone();
        let verifier = value(&form(&token_request(exchange)), "code_verifier").unwrap();
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
        assert!((43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved), "{verifier}");
        assert_eq!(asked["code_challenge"], URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)));
        assert_eq!(asked["code_challenge_method"], "S256");
        // Random bytes and nothing else: no id, name, path or account has a place in them.
        let drawn = random(seed);
        assert_eq!(URL_SAFE_NO_PAD.decode(&asked["state"]).unwrap(), drawn[..32]);
        assert_eq!(URL_SAFE_NO_PAD.decode(&asked["nonce"]).unwrap(), drawn[32..64]);
        assert_eq!(URL_SAFE_NO_PAD.decode(&verifier).unwrap(), drawn[64..]);
        for text in [&asked["state"], &asked["nonce"], &verifier] {
            assert!(seen.insert(text.clone()), "{seed}");
        }
    }
    assert_eq!(seen.len(), 30_000);
}

#[test]
fn what_is_empty_is_left_out_and_the_rest_arrives_as_it_is() {
    let mut provider = plain_bank();
    provider.resource = None;
    provider.extra.clear();
    let bare = exchange(&provider, &[]).asked;
    let names: Vec<&str> = bare.keys().map(String::as_str).collect();
    let expected =
        ["client_id", "code_challenge", "code_challenge_method", "redirect_uri", "response_type", "state"];
    assert_eq!(names, expected, "neither scope nor nonce");
    assert!(bare.values().all(|value| !value.is_empty()));

    let redirect = Url::parse("http://127.0.0.1:4321/callback/a%2Fb").unwrap();
    let odd = exchange_with(&provider, &texts(&["a+b", "c&d", "e=f", "g%20h", "#"]), fresh(2), &redirect);
    assert_eq!(odd.asked["scope"], "a+b c&d e=f g%20h #");
    assert_eq!(odd.asked["redirect_uri"], "http://127.0.0.1:4321/callback/a%2Fb");
    let form = form(&token_request(odd));
    assert_eq!(value(&form, "redirect_uri").unwrap(), "http://127.0.0.1:4321/callback/a%2Fb");
}

#[test]
fn the_token_request_is_a_form_and_names_nobody_but_the_client() {
    let mut provider = plain_bank();
    let request = token_request(exchange(&provider, &texts(&["read"])));
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://auth.bank.example/token");
    assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    let names: BTreeSet<&str> = request.headers().keys().map(http::HeaderName::as_str).collect();
    assert_eq!(names, BTreeSet::from(["accept", "content-type"]), "no credential of any kind");
    let sent = form(&request);
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["client_id", "code", "code_verifier", "grant_type", "redirect_uri", "resource"];
    assert_eq!(names, expected);
    assert_eq!(value(&sent, "grant_type").unwrap(), "authorization_code");
    assert_eq!(value(&sent, "code").unwrap(), "C1");
    assert_eq!(value(&sent, "redirect_uri").unwrap(), redirect().as_str());

    provider.redirect_uri_in_token_request = false;
    let strict = form(&token_request(exchange(&provider, &texts(&["read"]))));
    assert_eq!(value(&strict, "redirect_uri"), None, "OAuth 2.1 dropped it");

    let tenant = bank(|file| file.replace("bank.example/token\"", "bank.example/token?tenant=9\""));
    let mut tenant = tenant;
    tenant.behaviour.par = domain::provider::Par::Absent;
    let request = token_request(exchange(&tenant, &[]));
    assert_eq!(request.uri().query(), Some("tenant=9"), "the endpoint's own query and nothing else");
}

/// A code that arrives with the state of one request is exchanged with the verifier of that request.
#[test]
fn each_code_goes_with_the_verifier_of_its_own_request() {
    let provider = plain_bank();
    let verifiers: Vec<Option<String>> = (1..=3)
        .map(|seed| {
            let exchange = exchange_with(&provider, &[], fresh(seed), &redirect());
            value(&form(&token_request(exchange)), "code_verifier")
        })
        .collect();
    let expected: Vec<Option<String>> =
        (1..=3).map(|seed| Some(URL_SAFE_NO_PAD.encode(&random(seed)[64..]))).collect();
    assert_eq!(verifiers, expected);
}
