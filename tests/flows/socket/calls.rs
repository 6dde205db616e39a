//! `broker_calls.jsonl`: calls under a lease, each with one thing that the lease or the API does not have; what the
//! task said and what the call does; and that a call goes nowhere but to the grant's bank.

use contract::ui::ApprovalAnswer;
use serde::Deserialize;
use serde_json::{Value, json};
use support::counter::{Ask, Counter, pay};
use support::fake_provider::Seen;

use super::{ALL, is_refusal};

const ROWS: &str = include_str!("../../tables/broker_calls.jsonl");
const PAYMENT: &str = r#"{"fromAccountId":"a1","toPayeeId":"p1","amount":12.5,"currency":"EUR"}"#;
/// What the leases of the table are for.
const MARCH: &str = r#"[{"type":"account_information","actions":["list_accounts","get_balance"]},
    {"type":"account_information","actions":["list_transactions"],"identifier":["a1"],
     "dateFrom":"2026-03-01","dateTo":"2026-03-31"}]"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "ids")]
    _ids: Vec<String>,
    name: String,
    #[serde(default = "get")]
    method: String,
    /// Below the grant's address.
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    body: String,
    /// Under a lease for a payment.
    #[serde(default)]
    pays: bool,
    status: u16,
    error: Option<String>,
    /// What the bank is asked, where it is asked.
    reaches: Option<String>,
}

fn get() -> String {
    "GET".to_owned()
}

async fn lease_to_pay(counter: &Counter) -> String {
    counter.app.clock.pass(std::time::Duration::from_secs(61));
    let claims = counter.claims(&pay(), 1);
    let (given, _) = tokio::join!(counter.present(&claims), counter.answer(ApprovalAnswer::AllowOnce {}));
    given.lease()
}

/// What of the agent's request the bank saw; nothing but what the API has.
fn bank_saw(counter: &Counter) -> Vec<String> {
    let mut seen = counter.bank.all_seen();
    // The host's own business: an access token that has run out.
    seen.retain(|seen| seen.path.starts_with("/fdx/"));
    counter.bank.forget_seen();
    for seen in &seen {
        assert!(seen.authorization.as_deref().is_some_and(|token| token.starts_with("Bearer access-1")));
        assert!(seen.authorization.as_deref().is_some_and(|token| !token.contains("evil")));
        for name in ["x-evil", "cookie", "forwarded", "x-forwarded-host", "dpop", "upgrade", "via", "referer"]
        {
            assert_eq!(seen.header(name), None, "{seen:?}");
        }
        if seen.method == "POST" {
            let paid: Value = serde_json::from_str(&seen.body).expect("JSON");
            assert!(paid["amount"] == 12.5 || paid["amount"] == "12.50", "{paid}");
            assert_eq!((&paid["toPayeeId"], &paid["fromAccountId"]), (&json!("p1"), &json!("a1")));
        }
        assert_eq!(seen.header("host"), counter.bank.issuer.strip_prefix("http://"));
    }
    let target = |seen: &Seen| match seen.query.as_str() {
        "" => seen.path.clone(),
        query => format!("{}?{query}", seen.path),
    };
    seen.iter().map(|seen| format!("{} {}", seen.method, target(seen))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_the_leases_or_goes_nowhere() {
    let counter = Counter::open(ALL).await;
    let march: Value = serde_json::from_str(MARCH).unwrap();
    let mut look = counter.lease(&march, 100).await;
    let mut pay = lease_to_pay(&counter).await;
    let mut wrong = Vec::new();
    for (n, line) in ROWS.lines().enumerate() {
        let row: Row = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if n % 50 == 49 {
            look = counter.lease(&march, 100).await;
            counter.app.clock.pass(std::time::Duration::from_secs(1));
        }
        let lease = if row.pays { &pay } else { &look };
        let path = format!("/call/{}{}", counter.grant, row.path);
        let path = if row.path.starts_with("http") { row.path.clone() } else { path };
        let mut ask = counter.proven(&counter.agent, Ask::new(&row.method, &path), Some(lease));
        ask.headers.extend(row.headers.clone());
        let answer = counter.ask(&ask.body(row.body.clone())).await;
        let saw = bank_saw(&counter);
        let reached: Vec<String> = row.reaches.iter().cloned().collect();
        if (answer.status, answer.error(), &saw) != (row.status, row.error.clone(), &reached) {
            wrong.push(format!("{}: {} {} {saw:?}", row.name, answer.status, answer.body));
        } else if let Some(error) = &row.error {
            is_refusal(&answer, row.status, error);
        }
        if row.pays && !saw.is_empty() {
            pay = lease_to_pay(&counter).await;
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), ROWS.lines().count());
}

/// What is tried under every task: method, path and body.
const CALLS: [(&str, &str, &str); 20] = [
    ("GET", "/accounts", ""),
    ("GET", "/accounts?limit=5", ""),
    ("GET", "/accounts/a1", ""),
    ("GET", "/accounts/a2", ""),
    ("GET", "/accounts/a1/transactions", ""),
    ("GET", "/accounts/a2/transactions", ""),
    ("GET", "/accounts/a1/transactions?startTime=2026-03-01&endTime=2026-03-31", ""),
    ("GET", "/accounts/a1/transactions?startTime=2026-02-01&endTime=2026-03-31", ""),
    ("GET", "/accounts/a1/transactions?startTime=2026-03-05&endTime=2026-04-01", ""),
    ("GET", "/accounts/a1/transactions?limit=1", ""),
    ("GET", "/customers/current", ""),
    ("GET", "/payees", ""),
    ("POST", "/payments", PAYMENT),
    ("POST", "/payments", r#"{"fromAccountId":"a1","toPayeeId":"p1","amount":125,"currency":"EUR"}"#),
    ("POST", "/payments", r#"{"fromAccountId":"a1","toPayeeId":"p2","amount":12.5,"currency":"EUR"}"#),
    ("POST", "/payments", r#"{"fromAccountId":"a2","toPayeeId":"p1","amount":12.5,"currency":"EUR"}"#),
    ("POST", "/payments", r#"{"fromAccountId":"a1","toPayeeId":"p1","amount":12.5,"currency":"USD"}"#),
    ("POST", "/payments", r#"{"fromAccountId":"a1","toPayeeId":"p1","amount":12.5}"#),
    ("DELETE", "/accounts/a1", ""),
    ("POST", "/accounts/a1", "{}"),
];

/// Tasks, and which of the calls each of them is for.
fn tasks() -> Vec<(Value, Vec<usize>)> {
    let entry = |actions: &[&str]| json!({"type": "account_information", "actions": actions});
    let at = |actions: &[&str], account: &str| {
        let mut entry = entry(actions);
        entry["identifier"] = json!([account]);
        entry
    };
    let march = |mut entry: Value| {
        entry["dateFrom"] = json!("2026-03-01");
        entry["dateTo"] = json!("2026-03-31");
        entry
    };
    vec![
        (json!([entry(&["list_accounts"])]), vec![0, 1]),
        (json!([entry(&["get_balance"])]), vec![2, 3]),
        (json!([at(&["get_balance"], "a1")]), vec![2]),
        (json!([at(&["get_balance"], "a2")]), vec![3]),
        (json!([entry(&["list_transactions"])]), vec![4, 5, 6, 7, 8, 9]),
        (json!([at(&["list_transactions"], "a1")]), vec![4, 6, 7, 8, 9]),
        (json!([at(&["list_transactions"], "a2")]), vec![5]),
        (json!([march(entry(&["list_transactions"]))]), vec![4, 5, 6, 9]),
        (json!([march(at(&["list_transactions"], "a1"))]), vec![4, 6, 9]),
        (json!([march(at(&["list_transactions"], "a2"))]), vec![5]),
        (json!([entry(&["list_accounts", "get_balance"])]), vec![0, 1, 2, 3]),
        (json!([at(&["list_accounts", "get_balance"], "a1")]), vec![0, 1, 2]),
        (json!([at(&["get_balance"], "a1"), at(&["list_transactions"], "a2")]), vec![2, 5]),
        (json!([at(&["get_balance"], "a2"), march(at(&["list_transactions"], "a1"))]), vec![3, 4, 6, 9]),
        (json!([entry(&["get_balance", "list_transactions"])]), vec![2, 3, 4, 5, 6, 7, 8, 9]),
        (json!([entry(&["list_accounts"]), at(&["list_transactions"], "a2")]), vec![0, 1, 5]),
        (json!([entry(&["get_customer"])]), vec![10]),
        (pay(), vec![12]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_pairs_a_call_goes_through_under_the_tasks_that_said_it() {
    let counter = Counter::open(ALL).await;
    for (task, fits) in &tasks() {
        for (n, (method, path, body)) in CALLS.iter().enumerate() {
            // A minute later, an agent may ask the person again.
            counter.app.clock.pass(std::time::Duration::from_secs(21));
            let silent = !task.to_string().contains("get_customer") && !task.to_string().contains("payment");
            let claims = counter.claims(task, 1);
            let lease = if silent {
                counter.present(&claims).await.lease()
            } else {
                let yes = counter.answer(ApprovalAnswer::AllowOnce {});
                tokio::join!(counter.present(&claims), yes).0.lease()
            };
            let answer = counter.call(&counter.agent, &lease, method, path, body).await;
            let reached = !bank_saw(&counter).is_empty();
            assert_eq!(reached, fits.contains(&n), "{task}: {method} {path} {body}: {answer:?}");
            let again = counter.call(&counter.agent, &lease, method, path, body).await;
            assert_eq!(bank_saw(&counter), Vec::<String>::new(), "one use is one use: {again:?}");
        }
    }
}
