use super::*;
use crate::call::Call;
use crate::money::Money;
use crate::profile::Profile;
use serde_json::json;

const FDX: &str = include_str!("../../../oauth/providers/profiles/fdx-v6.toml");

fn id(text: &str) -> OperationId {
    OperationId::parse(text).unwrap()
}

fn look(actions: &[&str], accounts: &[&str], days: Option<(&str, &str)>) -> Terms {
    Terms::Look(vec![Scope {
        actions: actions.iter().map(|a| id(a)).collect(),
        accounts: accounts.iter().map(|a| (*a).to_owned()).collect(),
        from: days.map(|(from, _)| Day::parse(from).unwrap()),
        to: days.map(|(_, to)| Day::parse(to).unwrap()),
    }])
}

fn pay() -> Terms {
    let amount = Money { amount: Amount::parse("12.50").unwrap(), currency: Currency::parse("USD").unwrap() };
    let payment = Payment {
        action: id("make_payment"),
        amount,
        creditor: "p1".to_owned(),
        creditor_name: None,
        debtor: Some("a1".to_owned()),
        reference: None,
    };
    Terms::Pay { payment, debtor: Some("a1".to_owned()) }
}

/// Whether a call fits, and the query that goes out.
fn fit(terms: &Terms, method: &str, path: &str, query: &str, body: Option<Value>) -> Result<String, Beyond> {
    let profile = Profile::parse(FDX).unwrap();
    let body = body.map(|body| body.as_object().unwrap().clone());
    let (operation, mut call) = Call::read(&profile, method, path, Some(query), body).unwrap();
    terms.fit(operation, &mut call)?;
    Ok(call.parameters().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

#[test]
fn a_call_does_what_the_task_said_and_nothing_else() {
    let terms = look(&["get_balance", "list_accounts"], &["a1"], None);
    assert!(fit(&terms, "GET", "/accounts/a1", "", None).is_ok());
    assert!(fit(&terms, "GET", "/accounts", "", None).is_ok());
    assert_eq!(fit(&terms, "GET", "/accounts/a2", "", None), Err(Beyond::Account));
    assert_eq!(fit(&terms, "GET", "/accounts/a1/transactions", "", None), Err(Beyond::Operation));
    let body = json!({"fromAccountId": "a1", "toPayeeId": "p1", "amount": 12.5, "currency": "USD"});
    assert_eq!(fit(&terms, "POST", "/payments", "", Some(body.clone())), Err(Beyond::Operation));
    assert_eq!(fit(&pay(), "GET", "/accounts/a1", "", None), Err(Beyond::Operation));
    assert!(fit(&pay(), "POST", "/payments", "", Some(body)).is_ok());
}

#[test]
fn entries_do_not_lend_each_other_their_accounts() {
    let (Terms::Look(one), Terms::Look(two)) =
        (look(&["get_balance"], &["a1"], None), look(&["list_transactions"], &["a2"], None))
    else {
        panic!()
    };
    let terms = Terms::Look(one.into_iter().chain(two).collect());
    assert!(fit(&terms, "GET", "/accounts/a1", "", None).is_ok());
    assert!(fit(&terms, "GET", "/accounts/a2/transactions", "", None).is_ok());
    assert_eq!(fit(&terms, "GET", "/accounts/a2", "", None), Err(Beyond::Account));
    assert_eq!(fit(&terms, "GET", "/accounts/a1/transactions", "", None), Err(Beyond::Account));
}

#[test]
fn days_are_held_to_the_task_and_filled_in_where_left_open() {
    let terms = look(&["list_transactions"], &["a1"], Some(("2026-01-10", "2026-01-20")));
    let check = |query: &str| fit(&terms, "GET", "/accounts/a1/transactions", query, None);
    assert_eq!(check("").as_deref(), Ok("endTime=2026-01-20&startTime=2026-01-10"));
    assert_eq!(
        check("limit=5&startTime=2026-01-12").as_deref(),
        Ok("endTime=2026-01-20&limit=5&startTime=2026-01-12")
    );
    assert!(check("startTime=2026-01-10T00:00:00Z&endTime=2026-01-20T23:59:59.9Z").is_ok());
    for query in [
        "startTime=2026-01-09",
        "endTime=2026-01-21",
        "startTime=2026-01-10T00:00:00%2B14:00",
        "startTime=0",
        "startTime=2026-01-10T",
        "startTime=yesterday",
        "endTime=2026-01-20TxZ",
        "startTime=2025-12-31T23:59:59Z",
    ] {
        // An empty time is a day; only what could be another day is refused.
        assert_eq!(check(query), Err(Beyond::Days), "{query}");
    }
}

#[test]
fn a_payment_is_the_one_that_was_allowed_to_the_digit() {
    let good = json!({"fromAccountId": "a1", "toPayeeId": "p1", "amount": "12.50", "currency": "USD"});
    let check = |body: Value| fit(&pay(), "POST", "/payments", "", Some(body));
    assert!(check(good.clone()).is_ok());
    for (name, value) in [
        ("amount", json!("12.51")),
        ("amount", json!(125)),
        ("amount", json!(12.500_000_1)),
        ("amount", json!(null)),
        ("amount", json!("12,50")),
        ("amount", json!([12.5])),
        ("amount", json!(-12.5)),
        ("currency", json!("EUR")),
        ("currency", json!("usd")),
        ("currency", json!(null)),
        ("toPayeeId", json!("p2")),
        ("toPayeeId", json!(1)),
        ("fromAccountId", json!("a2")),
        ("fromAccountId", json!(null)),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        assert_eq!(check(body), Err(Beyond::Payment), "{name}: {value}");
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(check(body), Err(Beyond::Payment), "no {name}");
    }
}
