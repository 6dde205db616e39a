//! `countersign-agent`, as a script uses it.

use std::process::Stdio;
use std::time::Instant;

use contract::support::{ANSWER_APPROVAL, APPROVALS, START};
use serde_json::{Value, json};
use support::process::programs;

use crate::life::{Life, PATIENCE, Ran};

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sees_calls_and_gets_no_more_than_it_may() {
    let life = Life::connected("accounts,transactions").await;
    let said = life.agent(&["connections"]);
    assert!(
        said.done().contains("Sandbox Bank  active") && said.out.contains("list_transactions"),
        "{said:?}"
    );
    let grants = life.agent(&["connections", "--json"]).json();
    let grant = &grants["grants"][0];
    assert_eq!(grant["id"], life.grant());
    let account = grant["accounts"][0]["id"].as_str().unwrap();

    let call = |path: &str, more: &[&str]| {
        let begin = ["call", "--grant", "sandbox-bank", "--purpose", "See what there is", "GET", path];
        life.agent(&[&begin[..], more].concat())
    };
    let accounts = call("/accounts", &[]).json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), grant["accounts"].as_array().unwrap().len());
    let some = call(&format!("/accounts/{account}/transactions"), &["--query", "limit=2"]).json();
    assert_eq!(some["transactions"].as_array().unwrap().len(), 2);
    // The operation is not among those of the grant: nothing is asked.
    let other = call("/payees", &[]);
    assert_eq!(other.exit, 1, "{other:?}");

    let lease = |grant: &str, actions: &str| {
        life.agent(&[
            "token",
            "--grant",
            grant,
            "--purpose",
            "Look",
            "--actions",
            actions,
            "--uses",
            "2",
            "--json",
        ])
    };
    let got = lease("sandbox-bank", "list_accounts").json();
    assert_eq!((&got["token_type"], &got["scope"]), (&json!("DPoP"), &json!("list_accounts")));
    let refusal = |ran: Ran| -> Value {
        assert_ne!(ran.exit, 0, "{ran:?}");
        serde_json::from_str::<Value>(&ran.out).unwrap()["refused"]["error"].clone()
    };
    let stranger = "0190aaaa-0000-7000-8000-000000000001";
    assert_eq!(refusal(lease(stranger, "list_accounts")), "invalid_target");
    assert_eq!(refusal(lease("sandbox-bank", "list_payees")), "invalid_scope");

    life.cli(&["kill"]).done();
    let stopped = call("/accounts", &["--json"]);
    assert_eq!(stopped.exit, 6, "{stopped:?}");
    life.cli(&["resume", "--agents", "--yes"]).done();
    call("/accounts", &[]).done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_added_gets_nothing() {
    let life = Life::connected("accounts").await;
    let file = life.endpoint().socket + ".jwk";
    let stranger = client::key::AgentKey::make().unwrap();
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.write(true).create_new(true).open(&file).unwrap();
    std::io::Write::write_all(&mut written, stranger.expose_jwk().as_bytes()).unwrap();
    let ran = life.agent(&["connections", "--json", "--key-file", &file]);
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.out.contains("invalid_client"), "{ran:?}");
}

/// The question that waits, once it does.
async fn question(life: &Life) -> Value {
    let begin = Instant::now();
    loop {
        assert!(begin.elapsed() < PATIENCE, "nothing is asked");
        let asked = life.support(APPROVALS, &json!({})).await;
        if let Some(question) = asked.as_array().and_then(|list| list.first()) {
            return question.clone();
        }
        tokio::task::yield_now().await;
    }
}

/// Says yes to the question that waits, and gives what was drawn of it.
async fn say_yes(life: &Life) -> Value {
    let asked = question(life).await;
    let wanted = json!({"kind": "approve", "id": asked["id"], "drawn": asked["drawn"], "days": null});
    life.support(START, &json!({"wanted": wanted, "unasked": true})).await;
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_made_after_a_yes_and_not_after_a_no() {
    let life = Life::connected("accounts,payees,payments").await;
    let begin = ["call", "--grant", "sandbox-bank", "--purpose", "Pay the water", "--class", "payments"];
    let mut payees = life.command(programs().join("countersign-agent"));
    payees.args(begin).args(["GET", "/payees"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let payees = payees.spawn().unwrap();
    // About the person: asked the first time.
    say_yes(&life).await;
    let payees = Ran::of(&payees.wait_with_output().unwrap()).json();
    let (payee, name) = (&payees["payees"][0]["payeeId"], &payees["payees"][0]["name"]);
    let grants = life.agent(&["connections", "--json"]).json();
    let account = grants["grants"][0]["accounts"][0]["id"].clone();
    let body = json!({"fromAccountId": account, "toPayeeId": payee, "amount": 12.5, "currency": "USD"});
    let payment = json!({"amount": "12.50", "currency": "USD", "from": account, "to": payee, "payee": name});
    let pay = |payment: &Value| {
        let mut command = life.command(programs().join("countersign-agent"));
        command.args(begin).args(["POST", "/payments", "--body", &body.to_string(), "--json"]);
        if !payment.is_null() {
            command.args(["--payment", &payment.to_string()]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };

    let silent = Ran::of(&pay(&Value::Null).wait_with_output().unwrap());
    assert_eq!(silent.exit, 2, "{silent:?}");

    let allowed = pay(&payment);
    let asked = say_yes(&life).await;
    assert!(asked.to_string().contains("12.50"), "{asked}");
    let paid = Ran::of(&allowed.wait_with_output().unwrap()).json();
    assert_eq!((&paid["amount"], &paid["toPayeeId"]), (&json!(12.5), payee), "{paid}");

    let refused = pay(&payment);
    let asked = question(&life).await;
    life.support(ANSWER_APPROVAL, &json!({"id": asked["id"]})).await;
    let refused = Ran::of(&refused.wait_with_output().unwrap());
    assert_eq!(refused.exit, 1, "{refused:?}");
    assert!(refused.out.contains("access_denied"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_withdrawn_when_the_script_is_killed() {
    let life = Life::connected("accounts,payees,payments").await;
    let grants = life.agent(&["connections", "--json"]).json();
    let account = grants["grants"][0]["accounts"][0]["id"].clone();
    let payment =
        json!({"amount": "1.00", "currency": "USD", "from": account, "to": "p", "payee": "Somebody"});
    let mut command = life.command(programs().join("countersign-agent"));
    command.args(["call", "--grant", "sandbox-bank", "--purpose", "Pay", "POST", "/payments"]);
    command.args(["--body", "{}", "--payment", &payment.to_string()]);
    let mut asking = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    question(&life).await;
    asking.kill().unwrap();
    asking.wait().unwrap();
    // Ten seconds: whoever takes it up again within them goes on.
    let begin = Instant::now();
    while life.support(APPROVALS, &json!({})).await != json!([]) {
        assert!(begin.elapsed() < PATIENCE, "it still waits");
        tokio::task::yield_now().await;
    }
}
