//! Several files at once: what is refused, what it hurts, and who comes first.

use super::*;

const FDX: &str = include_str!("../../../oauth/providers/profiles/fdx-v6.toml");
const EXAMPLE: &str = include_str!("../../../oauth/providers/example.toml");
const TABLE: &str = include_str!("../../../../../tests/tables/provider_files.jsonl");

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

/// A row of the table that is about several files.
#[derive(Deserialize)]
struct Row {
    name: String,
    files: Vec<Edited>,
    /// The banks that are left.
    providers: Vec<String>,
    /// The one problem, or "ok".
    expect: String,
}

/// A file: the valid one with something else in one place.
#[derive(Deserialize)]
struct Edited {
    name: String,
    kind: String,
    edit: Vec<(String, String)>,
}

fn source(edited: &Edited) -> SourceFile {
    let valid = if edited.kind == "profile" { FDX } else { EXAMPLE };
    let text = edited.edit.iter().fold(valid.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from.as_str()).count(), 1, "{}: {from:?}", edited.name);
        text.replacen(from, to, 1)
    });
    file(&edited.name, &text)
}

#[test]
fn files_that_do_not_go_together_are_named() {
    let rows: Vec<Row> = TABLE
        .lines()
        .filter(|line| line.contains("\"file\":\"catalogue\""))
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let of_kind =
            |kind: &str| row.files.iter().filter(|f| f.kind == kind).map(source).collect::<Vec<_>>();
        // The built-in profile comes last, as the host reads it.
        let profiles = [of_kind("profile"), vec![file("fdx-v6.toml", FDX)]].concat();
        let sources = Sources { providers: of_kind("provider"), profiles, ..Sources::default() };
        let catalogue = Catalogue::parse(&sources, AddressRule::Public);
        let problems: Vec<_> = catalogue
            .problems
            .iter()
            .map(|p| format!("{}: {}", p.file, p.rule.split(" at byte ").next().unwrap()))
            .collect();
        let ids: Vec<_> = catalogue.providers().iter().map(|p| p.id.as_str()).collect();
        let found = if problems.is_empty() { "ok".to_owned() } else { problems.join(", ") };
        if found != row.expect || ids != row.providers {
            wrong.push(format!("{}: {found:?} {ids:?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert!(rows.len() >= 15, "{}", rows.len());
}

#[test]
fn a_refused_file_is_named_and_hurts_no_other() {
    let same_issuer = EXAMPLE.replacen("example-bank", "twin", 1).replacen("Example Bank", "Twin Bank", 1);
    let other = same_issuer.replace("auth.bank.example\"", "auth.other.example\"");
    let sources = Sources {
        providers: vec![
            file("a.toml", EXAMPLE),
            file("b.toml", EXAMPLE),
            file("c.toml", &same_issuer),
            file("d.toml", "id = "),
            file("e.toml", &other),
            file("f.toml", &EXAMPLE.replace("fdx-v6\"", "berlin\"")),
        ],
        profiles: vec![file("fdx-v6.toml", FDX), file("bad.toml", "id = 7")],
        agents: vec![file("x.toml", "name = \"X\"")],
        unreadable: vec![Problem { file: "g.toml".into(), rule: "not UTF-8".into() }],
    };
    let catalogue = Catalogue::parse(&sources, AddressRule::Public);
    let ids: Vec<_> = catalogue.providers().iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["example-bank", "twin"]);
    let problems: Vec<_> = catalogue.problems.iter().map(|p| (p.file.as_str(), p.rule.as_str())).collect();
    assert_eq!(
        problems,
        [
            ("g.toml", "not UTF-8"),
            ("bad.toml", "not a profile file: invalid type at byte 5"),
            ("b.toml", "another file has this id"),
            ("c.toml", "another file has this issuer"),
            ("d.toml", "not a provider file: syntax at byte 5"),
            ("f.toml", "profile berlin is not there"),
            ("x.toml", "not an agent file"),
        ]
    );
}

#[test]
fn the_first_of_two_profiles_is_the_one_that_counts() {
    let narrow = FDX.replacen(
        "can_do = \"pay your saved payees, after you allow each payment\"",
        "can_do = \"pay\"",
        1,
    );
    let sources = Sources {
        providers: vec![file("a.toml", EXAMPLE)],
        profiles: vec![file("own.toml", &narrow), file("fdx-v6.toml", FDX)],
        ..Sources::default()
    };
    let catalogue = Catalogue::parse(&sources, AddressRule::Public);
    let payments = catalogue.providers()[0].profile.permissions.iter().find(|p| p.id.as_str() == "payments");
    assert_eq!(payments.unwrap().can_do.as_deref(), Some("pay"));
}
