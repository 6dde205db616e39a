//! The token response, for a code and for a refresh: the same table, judged twice (REF-10).

use std::time::Duration;

use domain::secret::{AccessToken, IdToken, Nonce, RefreshToken};
use oauth::id_token::KnownIdentity;
use oauth::refresh::{Granted, RefreshError, RefreshRequest};
use oauth::token::TokenError;

use crate::bank::{exchange, plain_bank};
use crate::table::{Row, check, list, reply, rows, text};

const TABLE: &str = include_str!("../../../../../tests/tables/token_replies.jsonl");

fn asked(row: &Row) -> Vec<String> {
    row.get("asked").map_or_else(|| vec!["read".into(), "pay".into()], list)
}

/// What was read, against what the row says that it holds.
struct Read<'r> {
    access: &'r AccessToken,
    refresh: Option<&'r RefreshToken>,
    scopes: &'r [String],
    lifetime: Option<Duration>,
    id_token: Option<&'r IdToken>,
}

impl Read<'_> {
    fn against(&self, row: &Row) -> String {
        let differs = |member: &str, same: &dyn Fn(&serde_json::Value) -> bool| {
            row.get(member).is_some_and(|value| !same(value)).then(|| member.to_owned())
        };
        let lifetime = self.lifetime.map(|l| l.as_secs());
        [
            differs("access", &|v| self.access.same_as(v.as_str().unwrap())),
            differs("refresh", &|v| match (v.as_str(), self.refresh) {
                (Some(text), Some(token)) => token.same_as(text),
                (text, token) => text.is_none() && token.is_none(),
            }),
            differs("scopes", &|v| list(v) == self.scopes),
            differs("lifetime", &|v| v.as_u64() == lifetime),
            differs("id_token", &|v| v.as_bool() == Some(self.id_token.is_some())),
        ]
        .into_iter()
        .flatten()
        .next()
        .map_or_else(|| "ok".into(), |member| format!("another {member}"))
    }
}

#[test]
fn every_answer_to_a_code_is_taken_or_refused_by_its_rule() {
    let bank = plain_bank();
    check(
        &rows(TABLE, 900),
        |row| text(row, "expect").to_owned(),
        |row| {
            let exchange = exchange(&bank, &asked(row));
            match exchange.expect.accept(&reply(row)) {
                Ok(issued) => Read {
                    access: &issued.access,
                    refresh: issued.refresh.as_ref(),
                    scopes: &issued.scopes,
                    lifetime: issued.lifetime,
                    id_token: issued.identity.as_ref().map(|(token, _)| token),
                }
                .against(row),
                Err(TokenError::Misbehaved(rule)) => rule.to_string(),
                Err(TokenError::Refused(code)) => format!("refused: {code}"),
                Err(TokenError::Unavailable) => "unavailable".into(),
            }
        },
    );
}

/// As for a code, but what may pass is called transient; where a row says something else for a refresh, that.
fn expected_of_refresh(row: &Row) -> String {
    match (row.get("expect_refresh"), text(row, "expect")) {
        (Some(expected), _) => expected.as_str().unwrap().to_owned(),
        (None, "unavailable") => "transient".into(),
        (None, expected) => expected.to_owned(),
    }
}

#[test]
fn every_answer_to_a_refresh_is_taken_or_refused_by_the_same_rule() {
    let bank = plain_bank();
    check(&rows(TABLE, 900), expected_of_refresh, |row| {
        let scopes = asked(row);
        let openid = scopes.iter().any(|scope| scope == "openid");
        let nonce = Some(Nonce::parse("N1".into()).unwrap());
        let identity = openid.then(|| KnownIdentity { subject: "u1".into(), nonce });
        let (_, expect) = RefreshRequest::new(&bank, Granted { scopes, identity });
        match expect.accept(&reply(row)) {
            Ok(refreshed) => Read {
                access: &refreshed.access,
                refresh: refreshed.refresh.as_ref(),
                scopes: &refreshed.scopes,
                lifetime: refreshed.lifetime,
                id_token: refreshed.identity.as_ref().map(|(token, _)| token),
            }
            .against(row),
            Err(RefreshError::Ended) => "ended".into(),
            Err(RefreshError::Misbehaved(rule)) => rule.to_string(),
            Err(RefreshError::Refused(code)) => format!("refused: {code}"),
            Err(RefreshError::Transient { .. }) => "transient".into(),
        }
    });
}
