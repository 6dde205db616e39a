//! Names that pretend to be others: refused as names, made plain as quotations.

use serde::Deserialize;

use super::*;

const TABLE: &str = include_str!("../../../../../tests/tables/names.jsonl");

#[derive(Deserialize)]
struct Row {
    name: String,
    text: Text,
    /// What is drawn of it where it is quoted, cut at 60 characters.
    shown: String,
    /// Whether a bank may be called so.
    expect: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Literal(String),
    Repeated { repeat: (String, usize) },
}

#[test]
fn every_name_of_the_table_is_drawn_as_its_row_says() {
    let mut wrong = Vec::new();
    let rows: Vec<Row> = TABLE.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for row in &rows {
        let text = match &row.text {
            Text::Literal(text) => text.clone(),
            Text::Repeated { repeat: (part, times) } => part.repeat(*times),
        };
        let found = if is_bank_name(&text, 60) { "ok" } else { "name cannot be shown" };
        if found != row.expect {
            wrong.push(format!("{}: {found:?}", row.name));
        }
        let shown = quoted(&text, 60);
        if shown != row.shown {
            wrong.push(format!("{}: drawn as {:?}", row.name, shown));
        }
        // What is drawn once is drawn the same again, and holds nothing that moves or hides other text.
        if quoted(&shown, 61) != shown || shown.chars().any(|c| c.is_control() || is_deceptive(c)) {
            wrong.push(format!("{}: not at rest", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 300, "{}", rows.len());
}

#[test]
fn what_others_wrote_is_cleaned() {
    let check = |input: &str, expected: &str| assert_eq!(quoted(input, 12), expected, "{input:?}");
    check("Main account", "Main account");
    check("a\r\nb\tc", "a b c");
    check("\u{202e}drowssap\u{202c}", "drowssap");
    check("\u{200b}\u{feff}", "");
    check("0123456789abcdef", "0123456789ab…");
    check("\u{1b}[31mred", "[31mred");
}

#[test]
fn imitation_by_script_is_noticed() {
    assert!(mixes_scripts("S\u{430}ndbox Bank"), "the first a is Cyrillic");
    assert!(!mixes_scripts("Сбербанк"));
    assert!(!mixes_scripts("Crédit Général"));
    assert!(!mixes_scripts("三井住友 SMBC カード"));
    assert!(mixes_scripts("Bank \u{5d0}"));
}

#[test]
fn two_names_that_read_alike_have_one_likeness() {
    for (one, other) in [
        ("Sandbox Bank", "sandbox-bank"),
        ("Sandbox Bank", "SANDB0X BANK"),
        ("First National", "F1rst Nationai"),
        ("Modern", "Modem"),
        ("Wells", "VVells"),
    ] {
        assert_eq!(likeness(one), likeness(other), "{one} {other}");
    }
    assert_ne!(likeness("Sandbox Bank"), likeness("Sandbox Bank 2"));
}
