//! Every byte that could break a header, a line protocol or a log, at three places of every text that is stored or
//! sent on (attack 21): raw, and as an escape.

use domain::provider::Provider;
use oauth::message::Reply;
use oauth::token::TokenError;

use crate::bank::{exchange, plain_bank};

const FIELDS: [(&str, &str); 5] = [
    ("access_token", "token_malformed"),
    ("refresh_token", "token_malformed"),
    ("token_type", "token_type_unknown"),
    ("scope", "scope_malformed"),
    ("id_token", "id_token_malformed"),
];

fn judge(bank: &Provider, body: Vec<u8>) -> String {
    let exchange = exchange(bank, &["openid".into(), "read".into()]);
    let content_type = Some("application/json".into());
    match exchange.expect.accept(&Reply {
        status: 200,
        content_type,
        retry_after: None,
        body,
        ..Reply::default()
    }) {
        Ok(_) => "ok".into(),
        Err(TokenError::Misbehaved(rule)) => rule.to_string(),
        Err(other) => format!("{other:?}"),
    }
}

/// A good answer in which one field holds these bytes.
fn answer(field: &str, value: &[u8]) -> Vec<u8> {
    let good: [(&str, &[u8]); 5] = [
        ("access_token", b"AT"),
        ("refresh_token", b"RT"),
        ("token_type", b"Bearer"),
        ("scope", b"openid"),
        ("id_token", b"a.b.c"),
    ];
    let mut body = b"{".to_vec();
    for (at, (name, plain)) in good.into_iter().enumerate() {
        let value = if name == field { value } else { plain };
        let comma = if at == 0 { "" } else { "," };
        body.extend([format!("{comma}\"{name}\":\"").as_bytes(), value, b"\""].concat());
    }
    body.push(b'}');
    body
}

/// The odd part before, inside and behind the plain text.
fn places(plain: &str, odd: &[u8]) -> [Vec<u8>; 3] {
    let (start, end) = plain.as_bytes().split_at(1);
    [[odd, plain.as_bytes()].concat(), [start, odd, end].concat(), [plain.as_bytes(), odd].concat()]
}

fn bytes() -> impl Iterator<Item = u8> {
    (0x00..=0x20).chain(0x7f..=0xff)
}

/// A space separates scopes, so there it stands for itself.
fn refused(field: &str, byte: u8, rule: &str) -> &'static str {
    match (field, byte, rule) {
        ("scope", 0x20, _) => "ok",
        (_, _, "token_malformed") => "token_malformed",
        (_, _, "token_type_unknown") => "token_type_unknown",
        (_, _, "scope_malformed") => "scope_malformed",
        _ => "id_token_malformed",
    }
}

#[test]
fn no_odd_byte_gets_into_a_text_that_is_kept() {
    let (bank, mut cases) = (plain_bank(), 0);
    for (field, rule) in FIELDS {
        let plain = if field == "token_type" { "Bearer" } else { "a.b.c" };
        for byte in bytes() {
            // Raw, a control character is no JSON and a lone high byte no UTF-8.
            let raw = match byte {
                0x20 | 0x7f => refused(field, byte, rule),
                _ => "body_malformed",
            };
            for value in places(plain, &[byte]) {
                assert_eq!(judge(&bank, answer(field, &value)), raw, "{byte:#04x} raw in {field}");
                cases += 1;
            }
            let escape = format!("\\u{byte:04x}");
            for value in places(plain, escape.as_bytes()) {
                let found = judge(&bank, answer(field, &value));
                assert_eq!(found, refused(field, byte, rule), "{byte:#04x} escaped in {field}");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 5 * 162 * 3 * 2);
    assert_eq!(judge(&bank, answer("scope", b"openid read")), "ok", "the answer without an odd byte");
}
