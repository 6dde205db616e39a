//! Renewal: the old connection lives until the new one is stored, and the same customer is checked.

use std::time::Duration;

use app::port::{Clock as _, KeychainError};
use contract::error_code::ErrorCode;
use contract::ui::{
    AttemptStep, AttemptView, BankTold, DecideAccount, EndingView, GrantState, HistoryKind, ReceiptKind,
    RenewGrant,
};
use domain::attempt::Attempt;
use domain::id::GrantId;
use serde_json::json;
use support::fake_provider::{Answer, FakeProvider, Script};
use support::fakes::{TestApp, come_back};

const READS: &[&str] = &["accounts", "balances"];

async fn connected() -> (FakeProvider, TestApp, GrantId) {
    connected_at(FakeProvider::start().await).await
}

async fn connected_at(bank: FakeProvider) -> (FakeProvider, TestApp, GrantId) {
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect("bank-1", READS).await;
    (bank, app, grant)
}

fn request(app: &TestApp, grant: GrantId, permissions: &[&str]) -> RenewGrant {
    RenewGrant {
        grant: grant.to_string(),
        permissions: permissions.iter().map(|id| (*id).to_owned()).collect(),
        until: app.clock.now().plus_days(60).millis(),
    }
}

/// Clicks Renew, and the person says yes at the bank.
async fn renew(app: &mut TestApp, grant: GrantId) -> Attempt {
    let attempt = app.app.renew_grant(&request(app, grant, READS)).await.unwrap();
    come_back(&app.opened().await).await;
    attempt
}

async fn made(app: &TestApp, attempt: &Attempt) -> GrantId {
    let view = app.ended(attempt).await;
    assert!(matches!(view.ending, Some(EndingView::Connected { .. })), "{:?}", view.ending);
    GrantId::parse(&view.grant.unwrap()).unwrap()
}

/// Somebody else signs in from now on.
fn another_customer(bank: &FakeProvider) {
    bank.claims("sub", json!("u2"));
    bank.answers("userinfo", Answer::json(200, &json!({"sub": "u2", "name": "Eve Moran"})));
}

async fn asked(app: &TestApp, attempt: &Attempt) -> AttemptView {
    for _ in 0..1000 {
        let view = app.app.show_attempt(attempt.id).await.unwrap();
        if view.other.is_some() && view.step == AttemptStep::OtherAccount {
            return view;
        }
        assert!(view.ending.is_none(), "{:?}", view.ending);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody was asked");
}

async fn state(app: &TestApp, grant: GrantId) -> GrantState {
    app.app.show_grant(grant).await.unwrap().row.state
}

async fn revoked(bank: &FakeProvider) -> Vec<String> {
    super::connect::seen(bank, "revoke").await;
    bank.seen("revoke").iter().map(|seen| seen.form["token"].clone()).collect()
}

fn records(app: &TestApp, event: &str) -> usize {
    app.audit().iter().filter(|body| body.contains(&format!("\"event\":\"{event}\""))).count()
}

fn sealed(app: &TestApp, grant: GrantId) -> i64 {
    app.raw(&format!("SELECT count(*) FROM sealed WHERE grant_id = '{grant}'"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_one_takes_the_place_of_the_old_one_which_the_bank_is_told_of() {
    let (bank, mut app, old) = connected().await;
    app.app.pause_grant(old).await.unwrap();
    let attempt = app.app.renew_grant(&request(&app, old, &["accounts"])).await.unwrap();
    let url = app.opened().await;
    assert!(
        matches!(state(&app, old).await, GrantState::Paused { .. }),
        "it lives while the person is there"
    );
    assert!(!url.as_str().contains("login_hint") && !url.as_str().contains("id_token_hint"));
    come_back(&url).await;
    let new = made(&app, &attempt).await;

    let GrantState::Revoked { replaced_by, .. } = state(&app, old).await else { panic!("the old one lives") };
    assert_eq!(replaced_by, Some(new.to_string()));
    let view = app.app.show_grant(new).await.unwrap();
    assert_eq!(view.renews, Some(old.to_string()));
    assert!(matches!(view.row.state, GrantState::Active { .. }), "a pause does not go over");
    assert_eq!(view.row.permissions.len(), 1, "the bank's consent was made anew with less");
    assert_eq!(view.receipts[0].what, ReceiptKind::Renewed);
    let history = app.app.show_grant(old).await.unwrap().history;
    assert!(history.iter().any(|entry| entry.what == HistoryKind::Replaced));
    assert_eq!(revoked(&bank).await, ["refresh-1"], "the old one and nothing else");
    assert_eq!((records(&app, "grant_connected"), records(&app, "grant_replaced")), (2, 1));
    assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn backing_out_changes_nothing() {
    let (bank, mut app, old) = connected().await;
    bank.calls_back("error=access_denied&state={state}&iss={iss}");
    let attempt = renew(&mut app, old).await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Declined));

    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    app.opened().await;
    app.app.cancel_attempt(attempt.id).await.unwrap();
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled));

    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    app.opened().await;
    app.clock.pass(Duration::from_secs(5 * 60));
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::TimedOut));

    // What cannot be stored takes nobody's place either.
    bank.play(Script::default());
    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    let url = app.opened().await;
    app.keychain.set_fault(Some(KeychainError::Locked));
    come_back(&url).await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::KeychainLocked));
    app.keychain.set_fault(None);

    assert!(matches!(state(&app, old).await, GrantState::Active { .. }));
    let tokens = revoked(&bank).await;
    assert!(!tokens.contains(&"refresh-1".to_owned()), "{tokens:?}");
    assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1);
    // And it can still be renewed.
    let attempt = renew(&mut app, old).await;
    made(&app, &attempt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customer_is_asked_about_and_silence_means_no() {
    let (bank, mut app, old) = connected().await;
    another_customer(&bank);
    let attempt = renew(&mut app, old).await;
    let view = asked(&app, &attempt).await;
    let other = view.other.unwrap();
    assert_eq!(other.holder.as_deref(), Some("Eve Moran"));
    assert_eq!(other.accounts.len(), 2);
    assert_eq!(bank.seen("revoke").len(), 0, "nothing is decided yet");
    assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1, "and nothing is stored");
    app.clock.pass(Duration::from_secs(5 * 60));
    let ended = app.ended(&attempt).await;
    assert_eq!((ended.ending, ended.other), (Some(EndingView::OtherAccount), None));
    assert_eq!(revoked(&bank).await, ["refresh-2"]);
    assert!(matches!(state(&app, old).await, GrantState::Active { .. }));
    assert_eq!(app.grants().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customers_accounts_are_kept_only_on_the_persons_word() {
    let (bank, mut app, old) = connected().await;
    another_customer(&bank);
    for decline in [true, false] {
        let attempt = renew(&mut app, old).await;
        asked(&app, &attempt).await;
        if decline {
            let request = DecideAccount { attempt: attempt.id.to_string(), keep: false };
            app.app.decide_account(&request).await.unwrap();
        } else {
            app.app.cancel_attempt(attempt.id).await.unwrap();
        }
        assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::OtherAccount));
    }
    let attempt = renew(&mut app, old).await;
    asked(&app, &attempt).await;
    let keep = DecideAccount { attempt: attempt.id.to_string(), keep: true };
    app.app.decide_account(&keep).await.unwrap();
    let new = made(&app, &attempt).await;
    let view = app.app.show_grant(new).await.unwrap();
    assert_eq!((view.renews, view.holder.as_deref()), (None, Some("Eve Moran")));
    assert_eq!(view.receipts[0].what, ReceiptKind::Connected, "a connection of its own");
    assert!(matches!(state(&app, old).await, GrantState::Active { .. }), "the old one is untouched");
    assert_eq!(records(&app, "grant_replaced"), 0);
    assert_eq!(app.app.decide_account(&keep).await.unwrap_err().code(), ErrorCode::AttemptEnded);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_asked_is_not_answered() {
    let (bank, mut app, old) = connected().await;
    another_customer(&bank);
    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    let url = app.opened().await;
    let keep = DecideAccount { attempt: attempt.id.to_string(), keep: true };
    assert_eq!(app.app.decide_account(&keep).await.unwrap_err().code(), ErrorCode::RequestMalformed);
    come_back(&url).await;
    asked(&app, &attempt).await;
    // An orderly stop is a no, and waits until the bank was told.
    app.app.shut_down().await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::OtherAccount));
    assert_eq!(revoked(&bank).await, ["refresh-2"]);
    let nobody = DecideAccount { attempt: "019ab000-0000-7000-8000-000000000000".into(), keep: false };
    assert_eq!(app.app.decide_account(&nobody).await.unwrap_err().code(), ErrorCode::AttemptUnknown);
}

/// Without the bank's name for the person, the accounts tell who it is; and none tell nothing.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_bank_names_nobody_the_accounts_decide() {
    let account = |id: &str| json!({"accountId": id, "nickname": "Main", "accountNumberDisplay": "••••3000"});
    let nameless = FakeProvider::start().await;
    nameless.states("authorization_request.always_scopes", json!(["offline_access"]));
    nameless.token("id_token", json!(null));
    let (bank, mut app, mut old) = connected_at(nameless).await;
    let attempt = renew(&mut app, old).await;
    old = made(&app, &attempt).await;
    for accounts in [json!([account("a1")]), json!([account("a1"), account("a2"), account("a3")]), json!([])]
    {
        bank.answers("accounts", Answer::json(200, &json!({ "accounts": accounts })));
        let attempt = renew(&mut app, old).await;
        asked(&app, &attempt).await;
        app.app.cancel_attempt(attempt.id).await.unwrap();
        assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::OtherAccount));
    }
    bank.answers("accounts", Answer::json(200, &json!({ "accounts": [account("a2"), account("a1")] })));
    let attempt = renew(&mut app, old).await;
    made(&app, &attempt).await;
}

/// A sealed name that does not open proves nothing: whoever damaged it must not choose who is the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_open_is_not_taken_for_the_same() {
    let (_bank, mut app, old) = connected().await;
    app.execute("UPDATE sealed SET blob = zeroblob(64) WHERE kind = 3");
    let attempt = renew(&mut app, old).await;
    asked(&app, &attempt).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_revokes_the_old_one_meanwhile_gets_no_new_one() {
    let (bank, mut app, old) = connected().await;
    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    app.opened().await;
    app.app.revoke_grant(old).await.unwrap();
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled), "at the bank");

    let old = app.connect("bank-1", READS).await;
    bank.delays("accounts", 1500);
    let attempt = renew(&mut app, old).await;
    for _ in 0..500 {
        if bank.seen("accounts").len() > 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.app.revoke_grant(old).await.unwrap();
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled), "while accounts are read");
    assert!(app.app.list_grants().await.unwrap().current.is_empty());
    for _ in 0..500 {
        if bank.seen("revoke").len() >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut tokens = revoked(&bank).await;
    tokens.sort();
    assert_eq!(tokens, ["refresh-1", "refresh-2", "refresh-3"], "what was issued is taken back too");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_renewed_once() {
    let (_bank, mut app, old) = connected().await;
    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    let second = app.app.renew_grant(&request(&app, old, READS)).await.unwrap_err();
    assert_eq!(second.code(), ErrorCode::TooManyAttempts);
    come_back(&app.opened().await).await;
    let new = made(&app, &attempt).await;
    let third = app.app.renew_grant(&request(&app, old, READS)).await.unwrap_err();
    assert_eq!(third.code(), ErrorCode::GrantRevoked);
    // What has taken a place can itself be renewed.
    let attempt = renew(&mut app, new).await;
    made(&app, &attempt).await;
    assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_bank_keeps_one_consent_for_all_the_new_one_does_not_die_with_the_old_one() {
    let bank = FakeProvider::start().await;
    bank.states("behaviour.consents", json!("shared"));
    let (bank, mut app, old) = connected_at(bank).await;
    let attempt = renew(&mut app, old).await;
    let new = made(&app, &attempt).await;
    let GrantState::Revoked { facts, .. } = state(&app, old).await else { panic!("the old one lives") };
    assert!(matches!(facts.bank, BankTold::Replaced { .. }));
    assert_eq!(sealed(&app, old), 0, "and nothing of it is kept");

    // Nor does backing out take the one that lives along.
    another_customer(&bank);
    let attempt = renew(&mut app, new).await;
    asked(&app, &attempt).await;
    app.app.cancel_attempt(attempt.id).await.unwrap();
    app.app.shut_down().await;
    assert!(bank.seen("revoke").is_empty(), "{}", bank.requests());
    assert!(matches!(state(&app, new).await, GrantState::Active { .. }));
}

/// What a refresh of the old one still brings belongs to the bank's one consent, and is not revoked either.
#[tokio::test(flavor = "multi_thread")]
async fn late_tokens_of_what_was_replaced_do_not_end_the_one_consent() {
    let bank = FakeProvider::start().await;
    bank.states("behaviour.consents", json!("shared"));
    let (bank, mut app, old) = connected_at(bank).await;
    bank.pass(Duration::from_secs(700));
    app.clock.pass(Duration::from_secs(700));
    let mut script = Script::default();
    let late = Answer { delay_ms: 3000, ..Answer::default() };
    script.answers.insert("token".into(), vec![late, Answer::default()]);
    bank.play(script);
    let running = app.app.clone();
    let checked = tokio::spawn(async move { running.check_grant(old).await });
    for _ in 0..500 {
        if bank.seen("token").len() > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let attempt = renew(&mut app, old).await;
    made(&app, &attempt).await;
    assert!(!checked.is_finished(), "the bank has not answered the refresh yet");
    assert!(checked.await.is_ok());
    assert_eq!(sealed(&app, old), 0);
    app.app.shut_down().await;
    assert!(bank.seen("revoke").is_empty(), "{}", bank.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_connected_anew() {
    let (_bank, app, old) = connected().await;
    app.clock.pass(Duration::from_secs(31 * 86_400));
    let attempt = app.app.renew_grant(&request(&app, old, READS)).await.unwrap();
    assert_eq!(attempt.renews, None);
    app.app.cancel_attempt(attempt.id).await.unwrap();

    let check = async |change: fn(&mut RenewGrant), expected: ErrorCode| {
        let mut request = request(&app, old, READS);
        change(&mut request);
        assert_eq!(app.app.renew_grant(&request).await.unwrap_err().code(), expected, "{request:?}");
    };
    check(|request| request.grant = "x".into(), ErrorCode::RequestMalformed).await;
    check(|request| request.grant = "019ab000-0000-7000-8000-000000000000".into(), ErrorCode::GrantUnknown)
        .await;
    check(|request| request.permissions.clear(), ErrorCode::PermissionsUnfit).await;
    check(|request| request.until = 0, ErrorCode::DateOutOfRange).await;
}

/// The same name in the catalogue with another server behind it is another bank.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_has_become_another_is_not_asked() {
    let (_bank, app, old) = connected().await;
    let other = FakeProvider::start().await;
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    let app = TestApp::start_in(dir, keychain, &[&other]).await;
    let refused = app.app.renew_grant(&request(&app, old, READS)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::ProviderUnknown);
    assert!(other.all_seen().is_empty());
}
