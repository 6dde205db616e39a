//! Provider files and API profiles, one fault each.

use serde::Deserialize;

use super::*;

const FDX: &str = include_str!("../../../oauth/providers/profiles/fdx-v6.toml");
const EXAMPLE: &str = include_str!("../../../oauth/providers/example.toml");
const TABLE: &str = include_str!("../../../../../tests/tables/provider_files.jsonl");

/// A row of the table; rows about several files at once are read where the catalogue is.
#[derive(Deserialize)]
struct Row {
    name: String,
    file: String,
    /// The whole text, for the valid files that the others differ from.
    text: Option<String>,
    /// What stands in the valid file exactly once, and what stands there instead.
    #[serde(default)]
    edit: Vec<(String, To)>,
    #[serde(default)]
    sandbox: bool,
    expect: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum To {
    Text(String),
    Repeated { before: String, repeat: (String, usize), after: String },
}

impl To {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Repeated { before, repeat: (part, times), after } => {
                format!("{before}{}{after}", part.repeat(*times))
            }
        }
    }
}

fn rows() -> Vec<Row> {
    let about_one = |line: &&str| !line.contains("\"file\":\"catalogue\"");
    TABLE.lines().filter(about_one).map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The file a row describes.
fn text_of(row: &Row, rows: &[Row]) -> String {
    if let Some(text) = &row.text {
        return text.clone();
    }
    let valid =
        rows.iter().find(|other| other.file == row.file && other.text.is_some()).expect("a valid file");
    row.edit.iter().fold(valid.text.clone().unwrap(), |text, (from, to)| {
        assert_eq!(text.matches(from.as_str()).count(), 1, "{}: {from:?}", row.name);
        text.replacen(from, &to.text(), 1)
    })
}

/// What the file is found to be, without the place where an error stands.
fn judged(row: &Row, text: &str, fdx: &Profile) -> String {
    let rule = if row.sandbox { AddressRule::DangerLoopback } else { AddressRule::Public };
    let said = if row.file == "profile" {
        Profile::parse(text).err().map(|err| err.to_string())
    } else {
        Provider::parse(text, fdx.clone(), rule).err().map(|err| err.to_string())
    };
    let said = said.unwrap_or_else(|| "ok".into());
    said.split_once(" at byte ").map_or(said.clone(), |(rule, _)| rule.to_owned())
}

#[test]
fn every_row_of_the_table_is_refused_for_its_reason() {
    let (rows, fdx) = (rows(), Profile::parse(FDX).unwrap());
    let mut wrong = Vec::new();
    for row in &rows {
        let text = text_of(row, &rows);
        #[expect(clippy::disallowed_methods, reason = "a parser that takes long is a fault of its own")]
        let begin = std::time::Instant::now();
        let found = judged(row, &text, &fdx);
        if found != row.expect {
            wrong.push(format!("{}: {found:?}, not {:?}", row.name, row.expect));
        }
        if begin.elapsed().as_millis() > 1000 {
            wrong.push(format!("{}: took {:?}", row.name, begin.elapsed()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 300, "{}", rows.len());
}

#[test]
fn the_commented_example_is_sound() {
    let provider = Provider::parse(EXAMPLE, Profile::parse(FDX).unwrap(), AddressRule::Public).unwrap();
    assert_eq!(provider.callback_path(), "/callback/example-bank");
    assert_eq!(provider.server.issuer.host(), "auth.bank.example");
    assert_eq!(wanted_profile(EXAMPLE).unwrap(), provider.profile.id);
    assert_eq!(provider.operation_url("/accounts"), "https://api.bank.example/fdx/v6/accounts");
}

#[test]
fn an_error_names_the_place_and_never_the_text() {
    let text = EXAMPLE.replacen("name = \"Example Bank\"", "nome = \"s3cret\"", 1);
    let err =
        Provider::parse(&text, Profile::parse(FDX).unwrap(), AddressRule::Public).unwrap_err().to_string();
    assert!(err.starts_with("not a provider file: unknown field nome at byte "), "{err}");
    assert!(!err.contains("s3cret"), "{err}");
}

#[test]
fn what_is_shown_of_an_issuer_is_what_is_asked() {
    for (text, shown) in [
        ("https://auth.bank.example", "auth.bank.example"),
        ("https://auth.bank.example:8443/t1", "auth.bank.example:8443"),
        ("https://xn--bnk-6cd.example", "xn--bnk-6cd.example"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ] {
        assert_eq!(Issuer::parse(text, AddressRule::Public).unwrap().host(), shown);
    }
    // A name that is not ASCII is refused where it is written, so nothing is drawn that could be mistaken.
    assert_eq!(Issuer::parse("https://b\u{430}nk.example", AddressRule::Public), Err(UrlRule::NotPlain));
}
