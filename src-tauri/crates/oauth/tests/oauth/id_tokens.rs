//! The id_token of a code and of a refresh.
//!
//! A row starts from a good token: claims changed by `set`, `without`, `beside` and `before`, or written out as
//! `payload`; `header` written out; signed with `key` and `alg`, `signature` naming how it is spoilt; `form` says how the parts
//! `{h}`, `{p}` and `{s}` are put together. `keys` is the bank's key set: a key's name with what is changed in it, or
//! anything else as it stands; `jwks_…` is the reply that brings it, `{ed-a}` standing for that key. `registered` is the algorithm in the
//! provider file. `known` makes it the answer to a refresh.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::provider::{Par, Provider};
use domain::secret::Nonce;
use domain::time::Timestamp;
use oauth::id_token::KnownIdentity;
use oauth::message::Reply;
use oauth::refresh::{Granted, RefreshError, RefreshRequest};
use oauth::token::TokenError;
use serde_json::{Map, Value, json};

use crate::bank::{bank, exchange};
use crate::keys::{jwk, signature, usual_alg};
use crate::table::{Row, check, members, rows, text};

const TABLE: &str = include_str!("../../../../../tests/tables/id_tokens.jsonl");
const NOW: i64 = 1_800_000_000;

fn provider(row: &Row) -> Provider {
    let mut provider = bank(|file| match row.get("registered") {
        None => file,
        Some(alg) => file.replace(
            "# id_token_signed_response_alg = \"ES256\"",
            &format!("id_token_signed_response_alg = {alg}"),
        ),
    });
    assert_eq!(provider.id_token_alg.is_some(), row.contains_key("registered"));
    provider.always_scopes.clear();
    provider.behaviour.par = Par::Absent;
    provider
}

/// The token as the row wants it, for the request with this nonce.
fn token(row: &Row, nonce: &str) -> String {
    let key = row.get("key").map_or("ed-a", |key| key.as_str().unwrap());
    let alg = row.get("alg").map_or(usual_alg(key), |alg| alg.as_str().unwrap());
    let header = row.get("header").map_or_else(
        || json!({"alg": alg, "kid": key}).to_string(),
        |header| header.as_str().unwrap().to_owned(),
    );
    let claims = [
        ("iss", json!("https://auth.bank.example")),
        ("aud", json!("countersign")),
        ("sub", json!("u1")),
        ("nonce", json!(nonce)),
        ("exp", json!(NOW + 300)),
        ("iat", json!(NOW)),
        ("name", json!("Ada Quist")),
    ];
    let claims = row
        .get("payload")
        .map_or_else(|| members(row, &claims), |payload| payload.as_str().unwrap().to_owned());
    let (header, claims) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let how = row.get("signature").map(|how| how.as_str().unwrap());
    let honest = signature(key, alg, &format!("{header}.{claims}"), how);
    let form = row.get("form").map_or("{h}.{p}.{s}", |form| form.as_str().unwrap());
    let fill = |form: &str| form.replace("{h}", &header).replace("{p}", &claims).replace("{s}", &honest);
    // Whatever stands before the last part is what is signed.
    match form.strip_suffix(".{s}").map(fill) {
        Some(message) if message.contains('.') => {
            format!("{message}.{}", signature(key, alg, &message, how))
        }
        Some(_) | None => fill(form),
    }
}

/// One key of the set: by name and with changes, or as it stands.
fn published(key: &Value) -> Value {
    let Some(name) = key.as_array().and_then(|key| key.first()).and_then(Value::as_str) else {
        return key.clone();
    };
    let mut jwk = jwk(name);
    for (member, value) in key.get(1).and_then(Value::as_object).into_iter().flatten() {
        match (member.strip_suffix("_append"), value.is_null()) {
            (Some(member), _) => {
                jwk[member] = json!(format!("{}{}", jwk[member].as_str().unwrap(), value.as_str().unwrap()));
            }
            (None, true) => drop(jwk.remove(member)),
            (None, false) => drop(jwk.insert(member.clone(), value.clone())),
        }
    }
    Value::Object(jwk)
}

fn jwks(row: &Row) -> Reply {
    let keys = row.get("keys").map_or_else(
        || json!([jwk("ed-a")]),
        |keys| keys.as_array().unwrap().iter().map(published).collect(),
    );
    let body = row.get("jwks_body").map_or_else(
        || json!({ "keys": keys }).to_string(),
        |body| body.as_str().unwrap().replace("{ed-a}", &Value::Object(jwk("ed-a")).to_string()),
    );
    let content_type = row.get("jwks_content_type").map_or_else(
        || Some("application/jwk-set+json".to_owned()),
        |content_type| content_type.as_str().map(str::to_owned),
    );
    let status = row.get("jwks_status").map_or(200, |status| status.as_u64().unwrap());
    let status = u16::try_from(status).unwrap();
    Reply { status, content_type, retry_after: None, body: body.into_bytes(), ..Reply::default() }
}

fn reply(token: &str) -> Reply {
    let body = json!({"access_token": "AT", "token_type": "Bearer", "id_token": token}).to_string();
    Reply {
        status: 200,
        content_type: Some("application/json".into()),
        retry_after: None,
        body: body.into_bytes(),
        ..Reply::default()
    }
}

/// What comes of it as the answer to a code.
fn first(row: &Row) -> String {
    let exchange = exchange(&provider(row), &["openid".into()]);
    let issued = match exchange.expect.accept(&reply(&token(row, &exchange.asked["nonce"]))) {
        Ok(issued) => issued,
        Err(TokenError::Misbehaved(rule)) => return rule.to_string(),
        Err(other) => return other.to_string(),
    };
    let (token, expect) = issued.identity.expect("an id_token");
    match expect.accept(&token, &jwks(row), Timestamp::from_secs(NOW), "name") {
        Ok(identity) => {
            let same = |member: &str, found: Option<&str>| {
                row.get(member).is_none_or(|expected| expected.as_str() == found)
            };
            let nonce = identity.nonce.same_as(&exchange.asked["nonce"]);
            match (same("subject", Some(&identity.subject)), same("holder", identity.name.as_deref()), nonce)
            {
                (true, true, true) => "ok".into(),
                (..) => format!("another subject, name or nonce: {:?}", identity.name),
            }
        }
        Err(rule) => rule.to_string(),
    }
}

/// What comes of it as the answer to a refresh of a grant whose first id_token is known.
fn again(row: &Row, known: &Map<String, Value>) -> String {
    let provider = provider(row);
    let nonce = exchange(&provider, &["openid".into()]).asked["nonce"].clone();
    let known = KnownIdentity {
        subject: known["subject"].as_str().unwrap().to_owned(),
        nonce: known.get("nonce").map(|n| Nonce::parse(n.as_str().unwrap().to_owned()).unwrap()),
    };
    let granted = Granted { scopes: vec!["openid".into()], identity: Some(known) };
    let (_, expect) = RefreshRequest::new(&provider, granted);
    match expect.accept(&reply(&token(row, &nonce))) {
        Ok(refreshed) => {
            let (token, expect) = refreshed.identity.expect("an id_token");
            expect
                .accept(&token, &jwks(row), Timestamp::from_secs(NOW))
                .map_or_else(|rule| rule.to_string(), |()| "ok".into())
        }
        Err(RefreshError::Misbehaved(rule)) => rule.to_string(),
        Err(other) => other.to_string(),
    }
}

#[test]
fn every_id_token_is_taken_or_refused_by_its_rule() {
    // Making RSA keys is no part of judging a row.
    assert_eq!(jwk("rsa-a")["kty"], "RSA");
    check(
        &rows(TABLE, 700),
        |row| text(row, "expect").to_owned(),
        |row| {
            row.get("known").and_then(Value::as_object).map_or_else(|| first(row), |known| again(row, known))
        },
    );
}

#[test]
fn the_nonce_is_short_enough_for_every_bank() {
    let asked = exchange(&provider(&Row::new()), &["openid".into()]).asked;
    assert!(asked["nonce"].len() <= 64, "FAPI 2.0 §5.3.3.2 (7)");
}
