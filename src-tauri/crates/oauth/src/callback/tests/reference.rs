//! The judge against a second one, written another way: queries put together at random, and others of noise alone.

use super::{CallbackQuery, IssParameter, Noise, bank, out, verdict};
use crate::connect::Callback;

/// Decodes one part of a form, by hand.
fn decode(text: &str) -> String {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::new(), 0);
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap());
                at += 2;
            }
            (b'+', ..) => decoded.push(b' '),
            (byte, ..) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// What the rules say, one after the other.
fn reference(query: &str, state: &str, issuer: &str, promised: bool) -> (String, Option<String>) {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    let all = |wanted: &str| -> Vec<&str> {
        pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect()
    };
    let says = |word: &str| (word.to_owned(), None);
    if !all("state").contains(&state) {
        return says("not_mine");
    }
    if ["state", "iss", "error", "code"].iter().any(|name| all(name).len() > 1) {
        return says("callback_repeats_parameter");
    }
    if all("iss").first().is_some_and(|iss| *iss != issuer) || (promised && all("iss").is_empty()) {
        return says("unexpected_server");
    }
    let tokens = ["access_token", "id_token", "refresh_token", "token_type"];
    let (error, code) = (all("error").first().copied(), all("code").first().copied());
    if tokens.iter().any(|name| !all(name).is_empty()) || error.is_some() == code.is_some() {
        return says("callback_contradicts");
    }
    match (error, code) {
        (Some(""), _) => says("callback_contradicts"),
        (Some("access_denied"), _) => says("refused: access_denied"),
        (Some("server_error"), _) => says("refused: server_error"),
        (Some(_), _) => says("refused: unregistered_code"),
        (None, code) => {
            let code = code.unwrap_or_default();
            let fit = !code.is_empty() && code.bytes().all(|byte| byte > b' ' && byte < 0x7f);
            if fit { ("ok".to_owned(), Some(code.to_owned())) } else { says("code_malformed") }
        }
    }
}

const NAMES: &[&str] = &[
    "code",
    "state",
    "iss",
    "error",
    "code",
    "state",
    "iss",
    "error",
    "c%6fde",
    "Code",
    "code[]",
    "st%61te",
    "state[]",
    "error_description",
    "access_token",
    "id_token",
    "refresh_token",
    "token_type",
    "x",
    "",
    "code%00",
    "+state",
    "session_state",
    "expires_in",
    "%69ss",
    "e%72ror",
];
const VALUES: &[&str] = &[
    "C1",
    "EVIL",
    "",
    "{S}",
    "{S}",
    "{S}x",
    "{O}",
    "https%3A%2F%2Fauth.bank.example",
    "https://auth.bank.example",
    "https://auth.bank.example/",
    "https://evil.example",
    "access_denied",
    "server_error",
    "x_unknown",
    "a%20b",
    "a+b",
    "%ff",
    "%00",
    "%",
    "%zz",
    "%e2%82%ac",
    "\u{e9}",
    "a=b",
    "<script>",
];
const BETWEEN: &[&str] = &["&", "&", "&", "&", "&", "&&", ";", "%26"];

/// Half of them begin with a valid answer or refusal, so that the later rules are met too.
const BEGINNINGS: &[&str] = &[
    "",
    "",
    "",
    "code=C1&state={S}&iss=https%3A%2F%2Fauth.bank.example&",
    "state={S}&iss=https%3A%2F%2Fauth.bank.example&",
    "error=access_denied&state={S}&iss=https%3A%2F%2Fauth.bank.example&",
    "error=server_error&state={S}&iss=https%3A%2F%2Fauth.bank.example&",
    "code=C1&state={S}&",
];

#[test]
fn thousands_of_queries_are_judged_as_the_reference_judges_them() {
    let banks = [IssParameter::Advertised, IssParameter::Absent].map(|iss| bank("bank.example", iss));
    let mut noise = Noise(18);
    let mut seen = std::collections::BTreeMap::new();
    for round in 0..15_000 {
        let promised = noise.below(3) > 0;
        let (asked, expect) = out(&banks[usize::from(!promised)], 1);
        let mut query = noise.pick(BEGINNINGS).to_owned();
        for _ in 0..noise.below(5) {
            query.push_str(noise.pick(NAMES));
            query.push_str(noise.pick(&["=", "=", "=", "=", "", "==", "%3D"]));
            query.push_str(noise.pick(VALUES));
            query.push_str(noise.pick(BETWEEN));
        }
        let query = query.replace("{S}", &asked["state"]).replace("{O}", "other");
        let expected = reference(&query, &asked["state"], "https://auth.bank.example", promised);
        assert_eq!(verdict(expect, &query), expected, "{round}: {query}");
        *seen.entry(expected.0).or_insert(0) += 1;
    }
    assert!(seen.len() >= 9 && seen.values().all(|count| *count > 20), "every verdict was met: {seen:?}");
}

#[test]
fn noise_is_nobodys_answer() {
    let bank = bank("bank.example", IssParameter::Absent);
    let (asked, mut expect) = out(&bank, 1);
    let mut noise = Noise(9);
    for _ in 0..20_000 {
        let length = noise.below(80);
        let bytes: Vec<u8> = (0..length).map(|_| noise.next().to_le_bytes()[3]).collect();
        let query = String::from_utf8_lossy(&bytes);
        expect = match expect.accept(&CallbackQuery::parse(&query)) {
            Ok(Callback::NotMine(still)) => still,
            Ok(Callback::Mine(..)) | Err(_) => panic!("taken: {query}"),
        };
    }
    let query = format!("code=C1&state={}", asked["state"]);
    assert_eq!(verdict(expect, &query).0, "ok", "it still waits for its own");
}
