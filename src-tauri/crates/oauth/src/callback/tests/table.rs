//! The table of queries, one fault each.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sha2::Digest as _;

use super::{IssParameter, bank, out, verdict};

/// One query per line.  `query` is a text or a list of texts and `{"repeat": [text, times]}`; in texts `{S}` is the
/// state of the request that is out, `{O}` that of another, `{I}` the issuer, form-encoded, and `{S_…}` what
/// [`states`] says.  `iss` is `absent` where the bank does not promise the parameter.  `expect` is `ok` (the code taken
/// is `code`, or C1), `not_mine`, `unexpected_server`, a [`ProviderRule`](crate::refusal::ProviderRule) or
/// `refused: ` and an [`OAuthCode`](crate::refusal::OAuthCode).
const TABLE: &str = include_str!("../../../../../../tests/tables/callback_queries.jsonl");

/// States that are almost ours.
fn states(state: &str, other: &str) -> Vec<(&'static str, String)> {
    let flip = |c: char| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let encode = |percent: &str| state.bytes().map(|byte| format!("{percent}{byte:02x}")).collect::<String>();
    let letters: Vec<char> = state.chars().collect();
    let with = |at: usize, change: &dyn Fn(char) -> char| {
        letters.iter().enumerate().map(|(i, c)| if i == at { change(*c) } else { *c }).collect::<String>()
    };
    let next = |c: char| if c == 'A' { 'B' } else { 'A' };
    let letter = letters.iter().position(char::is_ascii_alphabetic).unwrap();
    let text = |letters: &[char]| letters.iter().collect::<String>();
    let half = letters.len() / 2;
    vec![
        ("{S_ENCODED}", encode("%")),
        ("{S_TWICE}", encode("%25")),
        ("{S_FLIPPED}", with(letter, &flip)),
        ("{S_LOWER}", state.to_ascii_lowercase()),
        ("{S_UPPER}", state.to_ascii_uppercase()),
        ("{S_TAIL}", text(&letters[1..])),
        ("{S_HEAD}", text(&letters[..letters.len() - 1])),
        ("{S_BACKWARDS}", letters.iter().rev().collect()),
        ("{S_LAST}", with(letters.len() - 1, &next)),
        ("{S_FIRST}", with(0, &next)),
        ("{S_HASH}", URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(state))),
        ("{S_HALF}", text(&letters[..half]) + &other.chars().skip(half).collect::<String>()),
    ]
}

/// A row, filled in for the request that is out.
fn check(row: &Value) -> Result<(), String> {
    let promised = row["iss"].as_str() != Some("absent");
    let iss = if promised { IssParameter::Advertised } else { IssParameter::Absent };
    let bank = bank("bank.example", iss);
    let ((asked, expect), (other, _)) = (out(&bank, 1), out(&bank, 2));
    let fill = |text: &str| {
        let mut text = text.replace("{S}", &asked["state"]).replace("{O}", &other["state"]);
        for (name, value) in states(&asked["state"], &other["state"]) {
            text = text.replace(name, &value);
        }
        text.replace("{I}", "https%3A%2F%2Fauth.bank.example")
    };
    let part = |part: &Value| match part.as_str() {
        Some(text) => fill(text),
        None => fill(part["repeat"][0].as_str().unwrap())
            .repeat(usize::try_from(part["repeat"][1].as_u64().unwrap()).unwrap()),
    };
    let whole = |value: &Value| {
        value.as_array().map_or_else(|| part(value), |parts| parts.iter().map(part).collect())
    };
    let expected = row["expect"].as_str().unwrap().to_owned();
    let code = if row["code"].is_null() { "C1".to_owned() } else { whole(&row["code"]) };
    let code = (expected == "ok").then_some(code);
    let query = whole(&row["query"]);
    #[expect(clippy::disallowed_methods, reason = "it is the time itself that is measured")]
    let begun = std::time::Instant::now();
    let judged = verdict(expect, &query);
    if begun.elapsed().as_secs() > 0 {
        return Err(format!("took {:?}", begun.elapsed()));
    }
    if judged == (expected, code) { Ok(()) } else { Err(format!("{judged:?}")) }
}

#[test]
fn each_row_of_the_table_is_judged_by_its_own_rule() {
    let (mut wrong, mut names, mut valid) = (Vec::new(), Vec::new(), 0);
    for line in TABLE.lines() {
        let row: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"));
        assert!(row["ids"].as_array().is_some_and(|ids| !ids.is_empty()), "{line}");
        if let Err(what) = check(&row) {
            wrong.push(format!("{what}: {line}"));
        }
        valid += usize::from(row["expect"] == "ok");
        names.push(row["name"].to_string());
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(valid > 0 && names.len() > 500, "{} rows, {valid} valid", names.len());
    let rows = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows, "each row has a name of its own");
}
