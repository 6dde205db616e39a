//! Revocations at banks that take none, or not all of it: what still lives there is said until it does not.

use std::time::Duration;

use contract::ui::{BankTold, ConsentTold, GrantState, RevocationView, WaitsForView};
use domain::id::GrantId;
use serde_json::{Value, json};
use support::fake_provider::{Answer, FakeProvider, Habit, Script, Seen};
use support::fakes::TestApp;

/// The access token of the fake bank lives for ten minutes.
const LIFE: Duration = Duration::from_secs(600);

async fn connected(bank: &FakeProvider) -> (TestApp, GrantId) {
    let mut app = TestApp::start(&[bank]).await;
    let grant = app.connect_one().await;
    (app, grant)
}

async fn facts(app: &TestApp, grant: GrantId) -> RevocationView {
    let state = app.app.show_grant(grant).await.unwrap().row.state;
    let GrantState::Revoked { facts, .. } = state else { panic!("{state:?}") };
    facts
}

async fn until(app: &TestApp, grant: GrantId, fits: impl Fn(&BankTold) -> bool) -> RevocationView {
    for _ in 0..1500 {
        let facts = facts(app, grant).await;
        if fits(&facts.bank) {
            return facts;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not as expected: {:?}", facts(app, grant).await);
}

/// The tokens that the bank was asked to revoke, in order.
fn asked_for(bank: &FakeProvider) -> Vec<(String, String)> {
    let pair = |seen: &Seen| (seen.form["token_type_hint"].clone(), seen.form["token"].clone());
    bank.seen("revoke").iter().map(pair).collect()
}

/// RFC 7009 §2.2.1: the refresh token is revoked, the access token is not, and that is said until it has run out.
#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_a_bank_does_not_revoke_is_said_to_live_until_it_has_run_out() {
    let bank = FakeProvider::start().await;
    bank.habit(Habit::RevokesTokenAlone);
    bank.states("behaviour.revocation", json!("token_only"));
    let (app, grant) = connected(&bank).await;
    let connected_at = app.app.show_grant(grant).await.unwrap().row.confirmed_at;
    let refusal = json!({"error": "unsupported_token_type"});
    let mut script = Script::default();
    script.habits.insert(Habit::RevokesTokenAlone);
    // The first try: the refresh token is taken, the access token is not.
    script.answers.insert("revoke".into(), vec![Answer::default(), Answer::json(400, &refusal).unheard()]);
    bank.play(script);
    app.app.revoke_grant(grant).await.unwrap();
    let known = until(&app, grant, |told| {
        matches!(told, BankTold::NotYet { waits_for: WaitsForView::BankToAccept, .. })
    });
    let lives = known.await.valid_until.expect("how long it still lives is said");
    assert!(
        (lives - connected_at - 600_000).abs() < 60_000,
        "{lives} is not ten minutes after {connected_at}"
    );
    assert_eq!(
        asked_for(&bank)[..2],
        [("refresh_token", "refresh-1"), ("access_token", "access-1")].map(|(a, b)| (a.into(), b.into()))
    );
    assert_eq!(bank.live().into_iter().collect::<Vec<_>>(), ["access-1"]);
    // Once it has run out there is nothing left that a bank could refuse.
    bank.play(Script::default());
    app.clock.pass(LIFE);
    let end = until(&app, grant, |told| matches!(told, BankTold::Confirmed { .. })).await;
    assert_eq!((end.valid_until, app.raw("SELECT count(*) FROM sealed")), (None, 0));
}

/// A bank that ends each token by itself is told of every one that lives, the refresh token first.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_does_not_cascade_is_told_of_every_token_that_lives() {
    let bank = FakeProvider::start().await;
    bank.habit(Habit::RevokesTokenAlone);
    bank.states("behaviour.revocation", json!("token_only"));
    let (app, grant) = connected(&bank).await;
    bank.pass(LIFE);
    app.clock.pass(LIFE);
    app.app.check_grant(grant).await.unwrap();
    app.app.revoke_grant(grant).await.unwrap();
    until(&app, grant, |told| matches!(told, BankTold::Confirmed { .. })).await;
    assert_eq!(
        asked_for(&bank),
        [("refresh_token", "refresh-1.1"), ("access_token", "access-1.1")].map(|(a, b)| (a.into(), b.into()))
    );
    // The first one had run out; the fake bank counts no time.
    assert_eq!(bank.live().into_iter().collect::<Vec<_>>(), ["access-1"]);
}

/// No revocation endpoint: what was given is forgotten here, and nobody says that the bank knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_takes_no_revocation_is_never_said_to_have_been_told() {
    let bank = FakeProvider::start().await;
    bank.states("authorization_server.revocation_endpoint", Value::Null);
    bank.states("behaviour.revocation", json!("absent"));
    bank.metadata("revocation_endpoint", Value::Null);
    let (app, grant) = connected(&bank).await;
    app.app.revoke_grant(grant).await.unwrap();
    let known = facts(&app, grant).await;
    assert_eq!(known.bank, BankTold::NotOffered);
    assert!(matches!(known.consent, ConsentTold::AtBank), "{:?}", known.consent);
    assert!(known.valid_until.is_some(), "the access token lives on");
    assert_eq!(app.raw("SELECT count(*) FROM sealed") + app.raw("SELECT count(*) FROM outbox"), 0);
    for days in [1, 30, 300] {
        app.clock.pass(Duration::from_secs(days * 86_400));
        app.app.shut_down().await;
        assert_eq!(facts(&app, grant).await.bank, BankTold::NotOffered, "nor later");
    }
    assert!(bank.seen("revoke").is_empty());
    let audit = app.audit().concat();
    assert!(audit.contains("grant_revoked") && !audit.contains("revocation_confirmed"));
}
