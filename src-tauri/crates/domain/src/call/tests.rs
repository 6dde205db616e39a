use super::*;
use serde_json::json;

const FDX: &str = include_str!("../../../oauth/providers/profiles/fdx-v6.toml");

fn read(method: &str, path: &str, query: &str, body: Option<Value>) -> Result<String, CallError> {
    let profile = Profile::parse(FDX).unwrap();
    let body = body.map(|body| body.as_object().unwrap().clone());
    let (operation, call) = Call::read(&profile, method, path, Some(query), body)?;
    Ok(format!("{} {}", operation.id, call.path(operation)))
}

#[test]
fn a_call_is_one_operation_written_anew() {
    let check = |method, path, query, expected: &str| {
        assert_eq!(read(method, path, query, None).as_deref(), Ok(expected), "{path}?{query}");
    };
    check("GET", "/accounts", "", "list_accounts /accounts");
    check("GET", "/accounts", "limit=10&offset=0", "list_accounts /accounts");
    check("GET", "/accounts/abc-1", "", "get_balance /accounts/abc-1");
    check("GET", "/accounts/%61bc%2D1", "", "get_balance /accounts/abc-1");
    check("GET", "/accounts/a%20b%C3%A9", "", "get_balance /accounts/a%20b%C3%A9");
    check("GET", "/accounts/a%40b:c", "", "get_balance /accounts/a%40b%3Ac");
    check(
        "GET",
        "/accounts/x/transactions",
        "startTime=2026-01-01",
        "list_transactions /accounts/x/transactions",
    );
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for path in [
        "",
        "accounts",
        "//evil.test/x",
        "/accounts/",
        "/accounts//transactions",
        "/accounts/..",
        "/accounts/.",
        "/accounts/...",
        "/accounts/%2e%2e",
        "/accounts/..%2f..",
        "/accounts/a%2fb",
        "/accounts/a%5cb",
        "/accounts/a\\b",
        "/accounts/%",
        "/accounts/%4",
        "/accounts/%zz",
        "/accounts/%00",
        "/accounts/a%0d%0ab",
        "/accounts/%252e%252e",
        "/accounts/a%3bb",
        "/accounts/a;b",
        "/accounts/a#b",
        "/accounts/a b",
        "/accounts/é",
        "/accounts/%ff",
        "/accounts/a?x=1",
        "https://evil.test/accounts",
        "/https:%2f%2fevil.test",
    ] {
        assert_eq!(read("GET", path, "", None), Err(CallError::Path), "{path}");
    }
    let long = format!("/accounts/{}", "a".repeat(257));
    assert_eq!(read("GET", &long, "", None), Err(CallError::Path));
}

#[test]
fn only_operations_of_the_profile_are_called() {
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/payments"),
        ("DELETE", "/accounts"),
        ("get", "/accounts"),
        ("HEAD", "/accounts"),
        ("OPTIONS", "/accounts"),
        ("CONNECT", "/accounts"),
        ("GET", "/Accounts"),
        ("GET", "/accounts/a/b/c"),
        ("GET", "/accounts/a/Transactions"),
        ("PATCH", "/payments"),
        ("GET", "/@evil.test"),
    ] {
        let refused = read(method, path, "", None);
        assert!(
            matches!(refused, Err(CallError::Operation | CallError::Path)),
            "{method} {path}: {refused:?}"
        );
    }
}

#[test]
fn only_known_parameters_go_along_each_once() {
    for query in [
        "x=1",
        "limit",
        "limit=",
        "limit=1&limit=2",
        "limit=1&&offset=2",
        "limit=%zz",
        "limit=1&Limit=2",
        "=1",
        "&",
        "limit=a%0ab",
        "limit=1#x",
        "limit=a b",
        "%6cimit=1",
        "access_token=x",
    ] {
        assert_eq!(read("GET", "/accounts", query, None), Err(CallError::Query), "{query}");
    }
    assert_eq!(read("GET", "/accounts", &format!("limit={}", "1".repeat(257)), None), Err(CallError::Query));
}

#[test]
fn a_body_is_there_where_it_belongs_and_holds_what_is_known() {
    let good = json!({"fromAccountId": "a", "toPayeeId": "p", "amount": 12.5, "currency": "USD"});
    assert!(read("POST", "/payments", "", Some(good.clone())).is_ok());
    assert_eq!(read("POST", "/payments", "", None), Err(CallError::Body));
    assert_eq!(read("GET", "/accounts", "", Some(json!({}))), Err(CallError::Body));
    for extra in ["schedule", "repeat", "memo", "amountt", "Amount", "__proto__", ""] {
        let mut body = good.clone();
        body[extra] = json!(1);
        assert_eq!(read("POST", "/payments", "", Some(body)), Err(CallError::Body), "{extra}");
    }
}
