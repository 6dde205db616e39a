//! Revoking: cut off here at once, the bank told until it confirms.

use std::time::Duration;

use app::port::{Clock as _, KeychainError};
use contract::ui::{BankTold, GrantState, WaitsForView};
use domain::id::GrantId;
use serde_json::json;
use support::fake_provider::{Answer, FakeProvider};
use support::fakes::{TestApp, come_back};

async fn connected(bank: &FakeProvider) -> (TestApp, GrantId) {
    let mut app = TestApp::start(&[bank]).await;
    let attempt = app.click_connect("bank-1", &["accounts", "transactions"]).await;
    let url = app.opened().await;
    come_back(&url).await;
    let grant = app.ended(&attempt).await.grant.expect("a grant");
    (app, GrantId::parse(&grant).unwrap())
}

async fn told(app: &TestApp, grant: GrantId, fits: impl Fn(&BankTold) -> bool) -> BankTold {
    for _ in 0..600 {
        let view = app.app.show_grant(grant).await.unwrap();
        let GrantState::Revoked { facts, .. } = view.row.state else { panic!("not revoked") };
        if fits(&facts.bank) {
            return facts.bank;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the bank was not told as expected");
}

fn confirmed(told: &BankTold) -> bool {
    matches!(told, BankTold::Confirmed { .. })
}

fn waits(for_what: WaitsForView) -> impl Fn(&BankTold) -> bool {
    move |told| matches!(told, BankTold::NotYet { waits_for, .. } if *waits_for == for_what)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_token_is_revoked_once_and_the_sealed_records_are_gone() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, confirmed).await;
    let [revoked] = &bank.seen("revoke")[..] else { panic!("not once") };
    assert_eq!(revoked.form["token"], "refresh-1");
    assert_eq!(revoked.form["token_type_hint"], "refresh_token");
    assert_eq!(revoked.form["client_id"], "countersign");
    let again = app.app.revoke_grant(grant).await.unwrap_err();
    assert_eq!(again.code(), contract::error_code::ErrorCode::GrantRevoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_does_not_confirm_is_shown_as_that_and_tried_again() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    for answer in [
        Answer::json(503, &json!({})),
        Answer::json(302, &json!({})),
        Answer::json(400, &json!({"error": "invalid_request"})),
    ] {
        let before = bank.seen("revoke").len();
        bank.answers("revoke", answer);
        if before == 0 {
            app.app.revoke_grant(grant).await.unwrap();
        }
        for _ in 0..1500 {
            if bank.seen("revoke").len() > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        told(&app, grant, waits(WaitsForView::BankToAccept)).await;
    }
    bank.answers_honestly("revoke");
    told(&app, grant, confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_says_when_is_not_asked_sooner() {
    let page = |status: u16| Answer::of(status, "text/html", "<html>busy</html>");
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let later = "Sun, 06 Nov 1994 08:49:44 GMT";
    for (answer, seconds) in [
        (page(429).header("retry-after", "5"), 5),
        (page(503).header("retry-after", later).header("date", date), 7),
        (page(503), 2),
        (page(500), 2),
        (page(502), 2),
        (page(429).header("retry-after", "99999999"), 86_400),
    ] {
        let bank = FakeProvider::start().await;
        let (app, grant) = connected(&bank).await;
        bank.answers("revoke", answer.clone());
        app.app.revoke_grant(grant).await.unwrap();
        let known = told(&app, grant, waits(WaitsForView::BankToAccept)).await;
        let BankTold::NotYet { last_try: Some(last), next_try, .. } = known else { panic!("{known:?}") };
        let pause = next_try - last;
        assert!((seconds * 1000..=seconds * 1000 + 500).contains(&pause), "{answer:?}: {pause} ms");
        // Short of it nothing is sent; then it is.
        let left = Duration::from_millis(u64::try_from(next_try - app.clock.now().millis()).unwrap());
        app.clock.pass(left.saturating_sub(Duration::from_millis(700)));
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(bank.seen("revoke").len(), 1, "{answer:?}: too soon");
        bank.answers_honestly("revoke");
        app.clock.pass(Duration::from_millis(700));
        told(&app, grant, confirmed).await;
        assert_eq!(bank.seen("revoke").len(), 2, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_busy_is_asked_more_and_more_rarely() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.answers("revoke", Answer::of(503, "text/html", "busy"));
    app.app.revoke_grant(grant).await.unwrap();
    let mut pauses = Vec::new();
    for tries in 1..=4 {
        let known =
            told(&app, grant, |told| matches!(told, BankTold::NotYet { tries: t, .. } if *t == tries)).await;
        let BankTold::NotYet { last_try: Some(last), next_try, .. } = known else { panic!("{known:?}") };
        pauses.push(next_try - last);
        app.clock.pass(Duration::from_millis(u64::try_from(next_try - last).unwrap()));
    }
    for (pause, least) in pauses.iter().zip([2000, 4000, 8000, 16_000]) {
        assert!((least..=least * 5 / 4).contains(pause), "{pauses:?}");
    }
    bank.answers_honestly("revoke");
    app.clock.pass(Duration::from_secs(60));
    told(&app, grant, confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_whose_addresses_move_gets_no_token_at_the_new_ones() {
    let (bank, sink) = (FakeProvider::start().await, FakeProvider::start().await);
    let (mut app, grant) = connected(&bank).await;
    for (member, path) in [("token_endpoint", "token"), ("revocation_endpoint", "revoke")] {
        bank.metadata(member, json!(format!("{}/{path}", sink.issuer)));
        let attempt = app.click_connect("bank-1", &["accounts"]).await;
        let ended = app.ended(&attempt).await.ending;
        let changed = contract::ui::EndingView::AddressesChanged { member: member.into() };
        assert_eq!(ended, Some(changed), "what differs is named, and nothing goes on");
        assert!(app.nothing_opened());
        bank.metadata(member, json!(format!("{}/{path}", bank.issuer)));
    }
    bank.metadata("revocation_endpoint", json!(format!("{}/revoke", sink.issuer)));
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, confirmed).await;
    assert_eq!(bank.seen("revoke")[0].form["token"], "refresh-1", "the address that was known is asked");
    assert!(sink.all_seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_comes_back_as_another_issuer_gets_no_token_of_the_old_one() {
    let (bank, other) = (FakeProvider::start().await, FakeProvider::start().await);
    let (app, grant) = connected(&bank).await;
    bank.answers("revoke", Answer::json(503, &json!({})));
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, waits(WaitsForView::BankToAccept)).await;
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    // The same id in the catalogue, and another server behind it.
    let app = TestApp::start_in(dir, keychain, &[&other]).await;
    told(&app, grant, waits(WaitsForView::KnownAddress)).await;
    assert!(other.all_seen().is_empty(), "{}", other.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_survives_a_restart() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.answers("revoke", Answer::json(503, &json!({})));
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, waits(WaitsForView::BankToAccept)).await;
    let TestApp { app: running, dir, keychain, .. } = app;
    let left = support::fakes::private_folder();
    for entry in std::fs::read_dir(dir.path()).unwrap().flatten() {
        std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    drop(running);
    bank.answers_honestly("revoke");
    let app = TestApp::start_in(left, keychain, &[&bank]).await;
    told(&app, grant, confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_cuts_off_all_the_same_and_the_bank_waits() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    app.keychain.set_fault(Some(KeychainError::Locked));
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, waits(WaitsForView::Keychain)).await;
    assert!(bank.seen("revoke").is_empty());
    app.keychain.set_fault(None);
    app.app.check_keychain().await.unwrap();
    told(&app, grant, confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_is_said_and_ends_the_tries() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.answers("revoke", Answer::json(503, &json!({})));
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, waits(WaitsForView::BankToAccept)).await;
    app.app.stop_telling_bank(grant).await.unwrap();
    told(&app, grant, |told| matches!(told, BankTold::GivenUp { .. })).await;
    bank.answers_honestly("revoke");
    let tries = bank.seen("revoke").len();
    app.app.check_keychain().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(bank.seen("revoke").len(), tries);
    assert!(app.app.stop_telling_bank(grant).await.is_err());
}
