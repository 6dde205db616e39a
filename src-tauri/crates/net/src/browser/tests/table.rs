//! From a provider file and a bank's answer to the argument of the launcher, row by row.

use domain::profile::Profile;
use domain::provider::{AddressRule, Provider};
use oauth::connect::{Authorization, Draft};
use oauth::fresh::Fresh;
use oauth::message::Reply;
use oauth::metadata::Endpoints;
use serde_json::{Value, json};
use url::Url;

use super::{RECORD, Stub, run};
use crate::browser::SystemOpener;
use app::port::{OpenError, Opener as _};

const TABLE: &str = include_str!("../../../../../../tests/tables/opener_urls.jsonl");
const EXAMPLE: &str = include_str!("../../../../oauth/providers/example.toml");
const FDX: &str = include_str!("../../../../oauth/providers/profiles/fdx-v6.toml");
const ENDPOINT: &str = "https://auth.bank.example/authorize";

/// What the flow puts behind the bank's own address; all random values are fixed here.
const REQUEST: &str = "response_type=code&client_id=countersign&state=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA&\
code_challenge=JnSy69vWx39NR1sAlhhcEWu4E8C_xWAAJQwOO7VvGVQ&code_challenge_method=S256&\
redirect_uri=http%3A%2F%2F127.0.0.1%3A50000%2Fcallback%2Fexample-bank&scope=openid+offline_access+fdx%3Apayees%3Aread&\
nonce=ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A&prompt=consent&resource=https%3A%2F%2Fapi.bank.example%2Ffdx%2Fv6";

/// The text of a row's field: as it stands, or repeated.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().map(text).collect(),
        Value::Object(generator) => {
            let part = generator["repeat"][0].as_str()?;
            Some(part.repeat(usize::try_from(generator["repeat"][1].as_u64()?).ok()?))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn provider(endpoint: &str) -> Result<Provider, String> {
    // JSON's escapes are a subset of TOML's; what TOML has no escape-free form for is escaped too.
    let quoted: String = json!(endpoint)
        .to_string()
        .chars()
        .map(|c| if c == '\u{7f}' { "\\u007f".to_owned() } else { c.to_string() })
        .collect();
    let file = EXAMPLE.replacen(&format!("\"{ENDPOINT}\""), &quoted, 1);
    assert!(EXAMPLE.contains(ENDPOINT));
    let profile = Profile::parse(FDX).unwrap();
    Provider::parse(&file, profile, AddressRule::Public).map_err(|err| err.to_string())
}

fn draft(provider: &Provider, push: bool) -> Result<Authorization, String> {
    let mut endpoints = Endpoints::pinned(provider);
    endpoints.par = endpoints.par.filter(|_| push);
    let scopes = ["fdx:payees:read".to_owned()];
    let draft = Draft::new(provider, endpoints, &scopes).map_err(|rule| rule.to_string())?;
    let fresh = Fresh::from_random(std::array::from_fn(|n| u8::try_from(n + 1).unwrap())).unwrap();
    let redirect = Url::parse("http://127.0.0.1:50000/callback/example-bank").unwrap();
    Ok(draft.prepare(fresh, &redirect).ok_or("not prepared")?.0)
}

/// The address that a row leads to, before the opener has judged it.
fn address(row: &Value) -> Result<Url, String> {
    if let Some(url) = text(&row["url"]) {
        return Url::parse(&url).map_err(|_| "NotUrl".into());
    }
    if let Some(request_uri) = text(&row["request_uri"]) {
        let Authorization::Push(_, expect) = draft(&provider(ENDPOINT)?, true)? else { panic!("not pushed") };
        let reply = Reply {
            status: 201,
            content_type: Some("application/json".into()),
            retry_after: None,
            body: json!({"request_uri": request_uri, "expires_in": 60}).to_string().into_bytes(),
            ..Reply::default()
        };
        return expect.accept(&reply).map_err(|err| err.to_string());
    }
    let endpoint = text(&row["endpoint"]).expect("an endpoint");
    match draft(&provider(&endpoint)?, false)? {
        Authorization::Open(url) => Ok(url),
        Authorization::Push(..) => panic!("pushed"),
    }
}

#[test]
fn every_row_of_the_table_opens_its_one_argument_or_nothing() {
    let rows: Vec<Value> = TABLE.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let stub = Stub::new("xdg-open", RECORD);
    let opener = SystemOpener::new(stub.settings());
    let (mut wrong, mut opened) = (Vec::new(), 0);
    run(async {
        for row in &rows {
            let name = row["name"].as_str().unwrap();
            let _ = std::fs::remove_file(stub.path().join("argv"));
            let (found, argv) = match address(row) {
                Err(error) => (error, None),
                Ok(url) => match opener.open(&url).await {
                    Ok(()) => ("ok".to_owned(), Some(format!("1\0{url}\0"))),
                    Err(OpenError::Unfit) => ("Unfit".to_owned(), None),
                    Err(other) => (format!("{other:?}"), None),
                },
            };
            if row["expect"] != found.as_str() {
                wrong.push(format!("{name}: {found:?}, not {}", row["expect"]));
            }
            // What the launcher was given is looked at itself; where nothing may open, it must not have run.
            let given = stub.read("argv");
            let expected = text(&row["argument"])
                .map(|argument| format!("1\0{}\0", argument.replace("{request}", REQUEST)));
            if given != argv || given != expected {
                wrong.push(format!("{name}: the launcher was given {given:?}"));
            }
            opened += usize::from(given.is_some());
            if given.is_some_and(|given| !given.starts_with("1\0https://")) {
                wrong.push(format!("{name}: not an address of the web"));
            }
        }
    });
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(stub.read("runs").unwrap().lines().count(), opened, "one run for one address");
    assert!(rows.len() >= 300 && opened >= 60, "{} rows, {opened} opened", rows.len());
}
