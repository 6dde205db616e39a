//! Receipts: what the person keeps, and what is written out for them.

use contract::error_code::ErrorCode;
use contract::ui::{BankTold, ReceiptKind};
use domain::id::{GrantId, ReceiptId};
use serde_json::{Value, json};
use support::fake_provider::{Answer, FakeProvider};
use support::fakes::TestApp;

const READS: &[&str] = &["accounts", "balances"];

async fn newest(app: &TestApp, grant: GrantId) -> ReceiptId {
    let view = app.app.show_grant(grant).await.unwrap();
    ReceiptId::parse(&view.receipts[0].id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_who_may_do_what_until_when() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect("bank-1", READS).await;
    let receipt = app.app.show_receipt(newest(&app, grant).await).await.unwrap();
    assert_eq!(receipt.what, ReceiptKind::Connected);
    assert_eq!((receipt.bank.as_str(), receipt.agent.as_str()), ("Fake Bank bank-1", "Budget Buddy"));
    assert_eq!(receipt.issuer, bank.issuer);
    assert_eq!(receipt.holder.as_deref(), Some("Fay Kester"));
    assert_eq!(receipt.thumbprint, app.app.list_agents().await.unwrap().agents[0].thumbprint);
    assert_eq!(receipt.permissions[1], "your balances: what is in each account now");
    let accounts: Vec<_> = receipt.accounts.iter().map(|a| (a.name.as_str(), a.number.as_str())).collect();
    assert_eq!(accounts, [("Main", "••••3000"), ("Side", "••••4821")]);
    assert!(receipt.until.is_some() && receipt.facts.is_none());
    let json: Value = serde_json::from_str(&receipt.json).unwrap();
    assert_eq!((&json["what"], &json["permissions"]), (&json!("connected"), &json!(READS)));
    assert!(json["until"].as_str().unwrap().ends_with('Z'));
    assert!(!receipt.json.contains("DE8937"), "no full number");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_facts_of_an_end_are_those_of_now() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.answers("revoke", Answer::json(503, &json!({})));
    let grant = app.connect("bank-1", READS).await;
    app.app.revoke_grant(grant).await.unwrap();
    let id = newest(&app, grant).await;
    let facts = async || app.app.show_receipt(id).await.unwrap().facts.unwrap().bank;
    assert!(matches!(facts().await, BankTold::NotYet { .. }));
    bank.answers_honestly("revoke");
    app.clock.pass(std::time::Duration::from_secs(60));
    for _ in 0..500 {
        if matches!(facts().await, BankTold::Confirmed { .. }) {
            let receipt = app.app.show_receipt(id).await.unwrap();
            assert!(receipt.permissions.is_empty() && receipt.until.is_none());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the receipt does not show that the bank confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_written_as_a_page_and_for_programs() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.answers(
        "userinfo",
        Answer::json(200, &json!({"sub": "u1", "name": "Fay <script>alert(1)</script>"})),
    );
    let grant = app.connect("bank-1", READS).await;
    let saved = app.app.save_receipt(newest(&app, grant).await).await.unwrap();
    let [(name, documents)] = &app.files.written()[..] else { panic!("not once") };
    let reference = app.app.show_grant(grant).await.unwrap().reference.unwrap();
    assert!(
        name.starts_with("Countersign receipt 2")
            && name.ends_with(&format!("Fake Bank bank-1 ({reference})"))
    );
    assert!(saved.path.ends_with(".html"));
    let [page, json] = &documents[..] else { panic!("not two") };
    assert_eq!((page.ending, json.ending), ("html", "json"));
    assert!(page.text.contains("Fay &lt;script&gt;alert(1)") && !page.text.contains("<script"));
    assert!(page.text.contains("••••3000") && page.text.contains(&reference));
    let json: Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!(json["reference"], json!(reference));

    app.files.fill();
    let refused = app.app.save_receipt(newest(&app, grant).await).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotWritten);
    let nothing = ReceiptId::parse("019ab000-0000-7000-8000-000000000000").unwrap();
    assert_eq!(app.app.show_receipt(nothing).await.unwrap_err().code(), ErrorCode::ReceiptUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_revoked_and_twice_is_once() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let mut grants = Vec::new();
    for _ in 0..3 {
        grants.push(app.connect("bank-1", READS).await);
    }
    app.app.pause_grant(grants[1]).await.unwrap();
    app.app.revoke_grant(grants[0]).await.unwrap();
    let list = app.app.revoke_all().await.unwrap();
    assert!(list.current.is_empty());
    assert_eq!(list.history.len(), 3);
    let revoked = app.audit().iter().filter(|body| body.contains("\"event\":\"grant_revoked\"")).count();
    assert_eq!(revoked, 3, "each once");
    assert!(app.app.revoke_all().await.unwrap().current.is_empty(), "twice is once");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_revoked_keeps_no_other() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let mut grants = Vec::new();
    for _ in 0..3 {
        grants.push(app.connect("bank-1", READS).await);
    }
    // The list is newest first: what fails is neither the first nor the last.
    app.execute(&format!(
        "CREATE TRIGGER stuck BEFORE UPDATE ON grants WHEN OLD.id = '{}' \
         BEGIN SELECT RAISE(ABORT, 'stuck'); END",
        grants[1]
    ));
    assert!(app.app.revoke_all().await.is_err(), "it is said that one was not");
    let left: Vec<String> =
        app.app.list_grants().await.unwrap().current.into_iter().map(|row| row.id).collect();
    assert_eq!(left, [grants[1].to_string()]);
}
