//! Banks that break rules: each ends the attempt by the rule's name, stores nothing, and gets its tokens back.

use contract::ui::EndingView;
use serde_json::{Value, json};
use support::fake_provider::{Answer, FakeProvider};
use support::fakes::{TestApp, come_back, get, parameter};

use crate::connect::seen;

const READS: &[&str] = &["accounts", "transactions"];

/// One attempt against a bank prepared like this, with the honest browser.
async fn ending(prepare: impl FnOnce(&FakeProvider)) -> (EndingView, FakeProvider, TestApp) {
    let bank = FakeProvider::start().await;
    prepare(&bank);
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let opened = tokio::select! {
        url = app.opened() => Some(url),
        () = tokio::time::sleep(std::time::Duration::from_secs(1)) => None,
    };
    if let Some(url) = opened {
        come_back(&bank, &url).await;
    }
    let ending = app.ended(&attempt).await.ending.unwrap();
    assert_eq!(app.grants().await, 0);
    (ending, bank, app)
}

async fn misbehaves(rule: &str, prepare: impl FnOnce(&FakeProvider)) -> FakeProvider {
    let (ending, bank, _app) = ending(prepare).await;
    assert_eq!(ending, EndingView::BankMisbehaved { rule: rule.into() });
    bank
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_breaks_a_rule_opens_nothing() {
    let change = |member: &'static str, value: Value| move |bank: &FakeProvider| bank.metadata(member, value);
    let bank = misbehaves("issuer_mismatch", change("issuer", json!("https://evil.example"))).await;
    assert!(bank.seen("/authorize").is_empty() && bank.seen("/token").is_empty());
    misbehaves("pkce_not_offered", change("code_challenge_methods_supported", json!(["plain"]))).await;
    misbehaves("pkce_not_offered", change("code_challenge_methods_supported", Value::Null)).await;
    misbehaves("pushed_requests_required", change("require_pushed_authorization_requests", json!(true)))
        .await;
    let (ending, ..) = ending(change("token_endpoint", json!("https://evil.example/token"))).await;
    assert_eq!(ending, EndingView::AddressesChanged { member: "token_endpoint".into() });
}

#[tokio::test(flavor = "multi_thread")]
async fn token_answers_that_break_a_rule_store_nothing() {
    let answer = |status: u16, content_type: &'static str, body: &str| {
        let answer = Answer { status, content_type, body: body.to_owned(), delay_ms: 0 };
        move |bank: &FakeProvider| bank.answers("/token", answer)
    };
    let good = r#"{"access_token":"AT","token_type":"Bearer"}"#;
    for (rule, status, content_type, body) in [
        ("id_token_missing", 200, "application/json", good),
        ("content_type_unexpected", 200, "text/html", good),
        ("body_malformed", 200, "application/json", "{"),
        (
            "body_malformed",
            200,
            "application/json",
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
        ),
        ("token_malformed", 200, "application/json", "{}"),
        ("token_type_unknown", 200, "application/json", r#"{"access_token":"AT","token_type":"mac"}"#),
        ("redirect_unexpected", 307, "application/json", good),
        ("status_unexpected", 204, "application/json", ""),
    ] {
        let bank = misbehaves(rule, answer(status, content_type, body)).await;
        assert_eq!(bank.seen("/token").len(), 1, "{rule}: a code is sent once");
        if body.contains("\"AT\"") && status == 200 {
            seen(&bank, "/revoke").await;
            assert_eq!(
                bank.seen("/revoke")[0].form["token"],
                "AT",
                "{rule}: what the bank believes it issued is given back"
            );
        }
    }
    let refused =
        answer(400, "application/json", r#"{"error":"invalid_grant","error_description":"call 555"}"#);
    let (ended, ..) = ending(refused).await;
    assert_eq!(ended, EndingView::BankRefused { code: "invalid_grant".into(), retry: false });
    let (ended, bank, _) = ending(answer(503, "text/html", "busy")).await;
    assert_eq!(ended, EndingView::BankUnreachable);
    assert_eq!(
        bank.seen("/token").len(),
        1,
        "a lost answer is no reason to send a code again (RFC 6749 §4.1.2)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_came_with_a_false_identity_are_given_back() {
    let claim = |name: &'static str, value: Value| move |bank: &FakeProvider| bank.claims(name, value);
    for (rule, name, value) in [
        ("issuer_mismatch", "iss", json!("https://evil.example")),
        ("audience_mismatch", "aud", json!("someone-else")),
        ("nonce_mismatch", "nonce", json!("another")),
        ("id_token_expired", "exp", json!(1_000_000)),
        ("id_token_malformed", "sub", Value::Null),
    ] {
        let bank = misbehaves(rule, claim(name, value)).await;
        seen(&bank, "/revoke").await;
        assert_eq!(bank.seen("/revoke")[0].form["token"], "fake-refresh-token", "{rule}");
        assert!(
            bank.seen("/userinfo").is_empty() && bank.seen("/fdx/v6/accounts").is_empty(),
            "{rule}: nothing was used"
        );
    }
    let answer = Answer::json(200, &json!({"sub": "u2", "name": "Eve"}));
    let bank = misbehaves("subject_mismatch", |bank: &FakeProvider| bank.answers("/userinfo", answer)).await;
    seen(&bank, "/revoke").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_lists_that_break_a_rule_store_nothing() {
    let list = |accounts: Value| {
        let answer = Answer::json(200, &json!({ "accounts": accounts }));
        move |bank: &FakeProvider| bank.answers("/fdx/v6/accounts", answer)
    };
    for accounts in [
        json!(7),
        json!([7]),
        json!([{"nickname": "no id"}]),
        json!([{"accountId": "a\r\nb"}]),
        json!([{"accountId": "a"}, {"accountId": "a"}]),
        json!([{"accountId": "a", "nickname": 7}]),
    ] {
        let bank = misbehaves("body_malformed", list(accounts)).await;
        seen(&bank, "/revoke").await;
    }
    let answer = |status: u16| {
        move |bank: &FakeProvider| bank.answers("/fdx/v6/accounts", Answer::json(status, &json!({})))
    };
    misbehaves("status_unexpected", answer(403)).await;
    misbehaves("redirect_unexpected", answer(302)).await;
    let (ended, bank, _) = ending(answer(500)).await;
    assert_eq!(ended, EndingView::BankUnreachable);
    seen(&bank, "/revoke").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_issuer_is_not_believed() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    for (query, expected) in [
        ("code=C&state={S}&iss=https%3A%2F%2Fevil.example", EndingView::UnexpectedServer),
        ("code=C&state={S}", EndingView::UnexpectedServer),
        ("error=access_denied&state={S}&iss=https%3A%2F%2Fevil.example", EndingView::UnexpectedServer),
        ("error=access_denied&state={S}&iss={I}", EndingView::Declined),
        (
            "error=invalid_scope&state={S}&iss={I}",
            EndingView::BankRefused { code: "invalid_scope".into(), retry: false },
        ),
        (
            "error=server_error&state={S}&iss={I}",
            EndingView::BankRefused { code: "server_error".into(), retry: true },
        ),
        (
            "error=x%0d%0ay&state={S}&iss={I}",
            EndingView::BankRefused { code: "unregistered_code".into(), retry: false },
        ),
        (
            "code=A&code=B&state={S}&iss={I}",
            EndingView::BankMisbehaved { rule: "callback_repeats_parameter".into() },
        ),
    ] {
        let attempt = app.click_connect("bank-1", READS).await;
        let url = app.opened().await;
        let iss: String = url::form_urlencoded::byte_serialize(bank.issuer.as_bytes()).collect();
        let query = query.replace("{S}", &parameter(&url, "state")).replace("{I}", &iss);
        let (status, page) = get(&format!("{}?{query}", parameter(&url, "redirect_uri"))).await;
        assert_eq!(status, 200);
        assert!(page.contains("Not connected. Go back to Countersign to see why."));
        assert_eq!(app.ended(&attempt).await.ending, Some(expected), "{query}");
    }
    assert!(bank.seen("/token").is_empty());
    assert_eq!(app.grants().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_of_two_banks_do_not_cross() {
    let (one, two) = (FakeProvider::start().await, FakeProvider::start().await);
    let mut app = TestApp::start(&[&one, &two]).await;
    let first = app.click_connect("bank-1", READS).await;
    let url_one = app.opened().await;
    let second = app.click_connect("bank-2", READS).await;
    let url_two = app.opened().await;
    let (to_one, to_two) = (parameter(&url_one, "redirect_uri"), parameter(&url_two, "redirect_uri"));
    let answer = |url: &url::Url, issuer: &str| {
        let iss: String = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
        format!("code=fake-code&state={}&iss={iss}", parameter(url, "state"))
    };
    assert_eq!(get(&format!("{to_one}?{}", answer(&url_two, &two.issuer))).await.0, 400);
    assert_eq!(get(&format!("{to_two}?{}", answer(&url_one, &one.issuer))).await.0, 400);
    let swapped = to_one.replace("bank-1", "bank-2");
    assert_eq!(
        get(&format!("{swapped}?{}", answer(&url_one, &one.issuer))).await.0,
        404,
        "each has its own path"
    );
    come_back(&one, &url_one).await;
    come_back(&two, &url_two).await;
    for attempt in [&first, &second] {
        assert!(matches!(app.ended(attempt).await.ending, Some(EndingView::Connected { .. })));
    }
    assert_eq!((one.seen("/token").len(), two.seen("/token").len()), (1, 1));
}
