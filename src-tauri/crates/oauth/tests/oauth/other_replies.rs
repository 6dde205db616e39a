//! The shorter tables: pushed requests, revocations and UserInfo.

use oauth::connect::{Authorization, Draft};
use oauth::metadata::Endpoints;
use oauth::pushed::PushError;
use oauth::revoke::{self, Revoked};
use oauth::userinfo;
use serde_json::json;
use url::Url;

use crate::bank::{bank, fresh, redirect};
use crate::table::{check, reply, rows, text};

const PUSHED: &str = include_str!("../../../../../tests/tables/par_replies.jsonl");
const REVOKED: &str = include_str!("../../../../../tests/tables/revocation_replies.jsonl");
const USERINFO: &str = include_str!("../../../../../tests/tables/userinfo.jsonl");

/// The two parameters that the browser is sent with, and nothing beside the endpoint's own (PAR-02).
fn opened(url: &Url, request_uri: Option<&str>) -> String {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let two = [("client_id", "countersign"), ("request_uri", request_uri.unwrap_or("urn:example:r1"))];
    let at_the_bank = url.as_str().starts_with("https://auth.bank.example/authorize?");
    if at_the_bank && pairs == two.map(|(name, value)| (name.to_owned(), value.to_owned())) {
        "ok".into()
    } else {
        format!("opens {url}")
    }
}

#[test]
fn every_answer_to_a_pushed_request_is_taken_or_refused_by_its_rule() {
    let bank = bank(|file| file);
    let draft = Draft::new(&bank, Endpoints::pinned(&bank), &[]).unwrap();
    check(
        &rows(PUSHED, 150),
        |row| text(row, "expect").to_owned(),
        |row| {
            let (authorization, _) = draft.prepare(fresh(1), &redirect()).unwrap();
            let Authorization::Push(_, expect) = authorization else { panic!("not pushed") };
            match expect.accept(&reply(row)) {
                Ok(url) => opened(&url, row.get("request_uri").map(|uri| uri.as_str().unwrap())),
                Err(PushError::Misbehaved(rule)) => rule.to_string(),
                Err(PushError::Refused(code)) => format!("refused: {code}"),
                Err(PushError::Unavailable) => "unavailable".into(),
            }
        },
    );
}

#[test]
fn only_a_200_says_that_a_token_is_revoked() {
    check(
        &rows(REVOKED, 100),
        |row| text(row, "expect").to_owned(),
        |row| match revoke::judge(&reply(row)) {
            Revoked::Done => "ok".into(),
            Revoked::Refused(code) => format!("refused: {code}"),
            Revoked::Later { retry_after } if json!(retry_after) == row["retry_after"] => "later".into(),
            Revoked::Later { retry_after } => format!("later, after {retry_after:?}"),
        },
    );
}

#[test]
fn every_answer_of_userinfo_is_about_the_same_person_or_not_used() {
    check(
        &rows(USERINFO, 100),
        |row| text(row, "expect").to_owned(),
        |row| {
            let claim = row.get("claim").map_or("name", |claim| claim.as_str().unwrap());
            match userinfo::holder_name(&reply(row), "u1", claim) {
                Ok(name) if row.get("holder").is_none_or(|holder| *holder == json!(name)) => "ok".into(),
                Ok(name) => format!("names {name:?}"),
                Err(rule) => rule.to_string(),
            }
        },
    );
}
