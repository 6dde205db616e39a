use serde_json::json;

use super::*;

fn read(words: &[&str]) -> Result<Arguments, Misuse> {
    parse(std::iter::once("countersign-agent").chain(words.iter().copied()).map(OsString::from))
}

fn verb_of(words: &[&str]) -> Verb {
    read(words).unwrap_or_else(|misuse| panic!("{words:?}: {misuse}")).verb
}

#[test]
fn verbs_are_read() {
    assert_eq!(verb_of(&[]), Verb::Help);
    assert_eq!(verb_of(&["token", "--help"]), Verb::Help);
    assert_eq!(verb_of(&["-V"]), Verb::Version);
    assert_eq!(verb_of(&["connections"]), Verb::Connections);
    assert_eq!(verb_of(&["key"]), Verb::Key);
    assert_eq!(verb_of(&["enrol", "Budget Buddy"]), Verb::Enrol("Budget Buddy".into()));
    let proof = |with_lease| Verb::Proof { method: "GET".into(), path: "/grants".into(), with_lease };
    assert_eq!(verb_of(&["proof", "get", "/grants"]), proof(false));
    assert_eq!(verb_of(&["proof", "GET", "/grants", "--lease"]), proof(true));
    let connect = Connect {
        provider: "bank".into(),
        permissions: Some(vec!["accounts".into(), "balances".into()]),
        days: Some(90),
        purpose: None,
    };
    let words = ["connect", "bank", "--permissions", "accounts, balances", "--days=90"];
    assert_eq!(verb_of(&words), Verb::Connect(connect));
}

#[test]
fn which_agent_and_how_it_is_written_is_read_beside() {
    let read = read(&["--json", "key", "--agent", "Buddy", "--key-file", "/k"]).unwrap();
    assert_eq!((read.json, read.agent.as_deref()), (true, Some("Buddy")));
    assert_eq!(read.key_file, Some("/k".into()));
}

#[test]
fn a_lease_and_a_call_are_read_whole() {
    let token = Token {
        grant: "g".into(),
        purpose: "Sum up".into(),
        class: Some(PurposeClass::Budgeting),
        actions: vec!["a".into(), "b".into()],
        accounts: Some(vec!["x".into()]),
        days: Some(("2026-01-01".into(), "2026-01-31".into())),
        uses: Some(5),
        lifetime: Some(60),
    };
    let words = [
        "token",
        "--grant",
        "g",
        "--purpose",
        "Sum up",
        "--class",
        "budgeting",
        "--actions",
        "a,b",
        "--accounts",
        "x",
        "--from",
        "2026-01-01",
        "--to",
        "2026-01-31",
        "--uses",
        "5",
        "--lifetime",
        "60",
    ];
    assert_eq!(verb_of(&words), Verb::Token(token));
    let payment = r#"{"amount":"1.00","currency":"USD","from":"a","to":"p","payee":"Water Works"}"#;
    let words = [
        "call",
        "--grant",
        "g",
        "--purpose",
        "Pay",
        "post",
        "/payments",
        "--query",
        "a=b=c",
        "--query",
        "d=",
        "--body",
        r#"{"amount":1}"#,
        "--payment",
        payment,
    ];
    let Verb::Call(call) = verb_of(&words) else { panic!("a call") };
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/payments"));
    assert_eq!(call.query, [("a".into(), "b=c".into()), ("d".into(), String::new())]);
    assert_eq!(call.body, Some(json!({"amount": 1})));
    assert_eq!(call.payment.unwrap().payee, "Water Works");
}

#[test]
fn what_is_not_understood_is_refused() {
    for words in [
        &["nonsense"][..],
        &["key", "more"],
        &["connections", "--grant", "g"],
        &["enrol"],
        &["enrol", "a", "b"],
        &["connect"],
        &["connect", "b", "--days", "many"],
        &["token", "--grant", "g", "--purpose", "p"],
        &["token", "--grant", "g", "--actions", "a"],
        &["token", "--purpose", "p", "--actions", "a"],
        &["token", "--grant", "g", "--purpose", "p", "--actions", "a", "--from", "2026-01-01"],
        &["token", "--grant", "g", "--purpose", "p", "--actions", "a", "--uses", "-1"],
        &["token", "--grant", "g", "--purpose", "p", "--actions", "a", "--class", "fun"],
        &["call", "--grant", "g", "--purpose", "p", "GET"],
        &["call", "--grant", "g", "--purpose", "p", "GET", "/a", "--query", "q"],
        &["call", "--grant", "g", "--purpose", "p", "GET", "/a", "--body", "{"],
        &["call", "--grant", "g", "--purpose", "p", "GET", "/a", "--payment", "{}"],
        &["call", "--grant", "g", "--purpose", "p", "GET", "/a", "--uses", "2"],
        &["proof", "GET"],
        &["key", "--lease"],
        &["--nonsense"],
        &["key", "-x"],
        &["key", "--agent"],
    ] {
        assert!(read(words).is_err(), "{words:?}");
    }
}
