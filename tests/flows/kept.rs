//! What a refresh does to what is kept of a grant: nothing at all unless the bank gave fresh tokens, and those are stored
//! before they are used.

use std::time::Duration;

use contract::ui::{GrantState, GrantView, HistoryKind, ReconnectWhyView, TroubleKind};
use domain::id::GrantId;
use rusqlite::Connection;
use serde_json::{Value, json};
use support::fake_provider::{Answer, Edit, FakeProvider, Wire};
use support::fakes::{SharedKeychain, TestApp, private_folder};

/// The access token of the fake bank lives for ten minutes.
const LIFE: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);

async fn connected(bank: &FakeProvider) -> (TestApp, GrantId) {
    let mut app = TestApp::start(&[bank]).await;
    let grant = app.connect_one().await;
    (app, grant)
}

async fn page(app: &TestApp, grant: GrantId) -> GrantView {
    app.app.show_grant(grant).await.unwrap()
}

fn is_active(page: &GrantView) -> bool {
    matches!(page.row.state, GrantState::Active { .. })
}

/// Time passes for both.
fn pass(app: &TestApp, bank: &FakeProvider, span: Duration) {
    bank.pass(span);
    app.clock.pass(span);
}

/// The refresh tokens that the bank was sent, in order.
fn sent(bank: &FakeProvider) -> Vec<String> {
    let tokens = bank.seen("token").into_iter().filter_map(|seen| seen.form.get("refresh_token").cloned());
    tokens.collect()
}

/// Every sealed record, to the byte, and the grant's generation.
fn kept(app: &TestApp) -> String {
    let store = Connection::open(app.dir.path().join("countersign.sqlite")).unwrap();
    let all = "SELECT (SELECT group_concat(generation) FROM grants) || ' ' ||
        (SELECT group_concat(kind || ':' || generation || ':' || hex(blob)) FROM (SELECT * FROM sealed ORDER BY kind))";
    store.query_row(all, [], |row| row.get(0)).unwrap()
}

async fn until(fits: impl Fn() -> bool) {
    for _ in 0..3000 {
        if fits() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("what was waited for did not come");
}

/// Answers with which no bank can give tokens, whatever they hold (TOK-05, 07, 14 to 18).
fn malformed(elsewhere: &str) -> Vec<Answer> {
    let tokens = json!({"access_token": "evil", "refresh_token": "evil", "token_type": "Bearer"});
    let but = |name: &str, value: Value| {
        let mut tokens = tokens.clone();
        tokens[name] = value;
        Answer::json(200, &tokens)
    };
    let text = tokens.to_string();
    let json = |body: String| Answer::of(200, "application/json", &body);
    let edited = |edit: Edit| {
        let mut answer = Answer::json(200, &tokens);
        answer.body.push(edit);
        answer
    };
    vec![
        Answer::json(200, &json!({})),
        Answer::json(200, &json!([])),
        Answer::json(200, &json!("x")),
        Answer::json(200, &Value::Null),
        but("access_token", json!(7)),
        but("access_token", json!("")),
        but("access_token", json!("a\r\nb")),
        but("refresh_token", json!("")),
        but("token_type", Value::Null),
        but("token_type", json!("mac")),
        Answer::json(200, &json!({"error": "invalid_grant"})),
        Answer::json(400, &tokens),
        Answer::json(201, &tokens),
        Answer::status(204),
        json(text.trim_end_matches('}').to_owned()),
        json(text.replacen('{', "{\"access_token\":\"other\",", 1)),
        json(format!("\u{feff}{text}")),
        json(format!("{text}x")),
        edited(Edit::Utf16(true)),
        edited(Edit::Nest(10_000)),
        edited(Edit::Pad(2 << 20)),
        Answer::of(200, "text/html", &text),
        Answer::of(200, "application/x-www-form-urlencoded", "access_token=evil&token_type=Bearer"),
        Answer::of(200, "", &text),
        Answer::json(307, &tokens).header("location", elsewhere),
        Answer::json(302, &tokens).header("location", elsewhere),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_malformed_answer_touches_what_is_kept() {
    let (bank, other) = (FakeProvider::start().await, FakeProvider::start().await);
    let (app, grant) = connected(&bank).await;
    for answer in malformed(&format!("{}/token", other.issuer)) {
        let (before, calls) = (kept(&app), bank.seen("accounts").len());
        bank.answers("token", answer.clone().unheard());
        pass(&app, &bank, LIFE);
        assert!(app.app.check_grant(grant).await.is_err(), "{answer:?}");
        let seen = page(&app, grant).await;
        assert!(is_active(&seen) && seen.row.trouble.is_some(), "{answer:?}: {:?}", seen.row);
        assert_eq!(kept(&app), before, "{answer:?}");
        assert_eq!(bank.seen("accounts").len(), calls, "{answer:?}: nothing of it is used");
        bank.answers_honestly("token");
        app.app.check_grant(grant).await.unwrap();
        assert!(is_active(&page(&app, grant).await) && bank.reuses() == 0, "{answer:?}");
        assert_ne!(kept(&app), before, "the control");
    }
    assert!(other.all_seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn fresh_tokens_are_not_used_before_they_are_stored() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.delays("token", 200);
    pass(&app, &bank, LIFE);
    let (answered, calls) = (bank.busy().len(), bank.seen("accounts").len());
    let running = app.app.clone();
    let checked = tokio::spawn(async move { running.check_grant(grant).await });
    until(|| !sent(&bank).is_empty()).await;
    // From here on nothing can be stored.
    let blocker = Connection::open(app.dir.path().join("countersign.sqlite")).unwrap();
    blocker.busy_timeout(Duration::from_secs(5)).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    until(|| bank.busy().len() > answered).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bank.seen("accounts").len(), calls, "the bank has given them, and nobody uses them");
    blocker.execute_batch("ROLLBACK").unwrap();
    checked.await.unwrap().unwrap();
    assert_eq!(bank.last_call(), bank.newest(1).map(|(access, _)| access));
    assert_eq!((sent(&bank).len(), bank.seen("accounts").len()), (1, calls + 1));
}

/// A second app over the same folder and keychain, as no two hosts ever are.
async fn beside(app: &TestApp, bank: &FakeProvider) -> TestApp {
    let folder = private_folder();
    std::fs::remove_dir(folder.path()).unwrap();
    std::os::unix::fs::symlink(app.dir.path(), folder.path()).unwrap();
    TestApp::start_in(folder, app.keychain.clone(), &[bank]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_the_end_of_what_another_has_replaced_takes_that_over() {
    let bank = FakeProvider::start().await;
    let (winner, grant) = connected(&bank).await;
    let loser = beside(&winner, &bank).await;
    let refused = Answer { delay_ms: 500, ..Answer::json(400, &json!({"error": "invalid_grant"})) };
    bank.play_once("token", refused.unheard());
    bank.pass(LIFE);
    winner.clock.pass(LIFE);
    loser.clock.pass(LIFE);
    let running = loser.app.clone();
    let late = tokio::spawn(async move { running.check_grant(grant).await });
    until(|| sent(&bank).len() == 1).await;
    winner.app.check_grant(grant).await.unwrap();
    let (stored, calls) = (kept(&winner), bank.seen("accounts").len());
    assert!(!late.is_finished(), "the loser has not been answered yet");
    late.await.unwrap().unwrap();
    assert_eq!((kept(&winner), sent(&bank), bank.reuses()), (stored, vec!["refresh-1".to_owned(); 2], 0));
    assert!(is_active(&page(&loser, grant).await));
    assert_eq!(bank.seen("accounts").len(), calls + 1);
    assert_eq!(bank.last_call(), bank.newest(1).map(|(access, _)| access), "the loser uses the winner's");
    assert!(winner.notes.told().is_empty() && loser.notes.told().is_empty());
    // The control: where nobody was faster, it is the end.
    bank.answers("token", Answer::json(400, &json!({"error": "invalid_grant"})).unheard());
    bank.pass(LIFE);
    loser.clock.pass(LIFE);
    loser.app.check_grant(grant).await.unwrap();
    let state = page(&winner, grant).await.row.state;
    assert!(matches!(state, GrantState::Reconnect { why: ReconnectWhyView::EndedAtBank, .. }), "{state:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_not_there_costs_nothing() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let (before, memory, issuer) = (kept(&app), bank.memory(), bank.issuer.clone());
    drop(bank);
    app.clock.pass(LIFE);
    for _ in 0..3 {
        app.app.check_grant(grant).await.unwrap_err();
    }
    let seen = page(&app, grant).await;
    assert!(is_active(&seen) && kept(&app) == before);
    assert_eq!(seen.row.trouble.map(|trouble| trouble.what), Some(TroubleKind::BankUnreachable));
    assert_eq!(
        seen.history.iter().filter(|entry| entry.what == HistoryKind::RefreshUnanswered).count(),
        0,
        "nothing went out that could be lost"
    );
    let port = issuer.rsplit_once(':').unwrap().1.parse().unwrap();
    let bank = FakeProvider::start_at(port).await;
    bank.go_back_to(&memory);
    bank.pass(LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((sent(&bank), bank.reuses()), (vec!["refresh-1".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_whose_addresses_move_is_sent_no_refresh_token_at_the_new_ones() {
    let (bank, sink) = (FakeProvider::start().await, FakeProvider::start().await);
    let (app, grant) = connected(&bank).await;
    for member in ["token_endpoint", "jwks_uri"] {
        bank.metadata(member, json!(format!("{}/x", sink.issuer)));
    }
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank), ["refresh-1"], "the address that was known is asked");
    assert!(sink.all_seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_unknown_life_is_replaced_once_the_bank_refuses_it_and_is_not_used_for_ever() {
    let bank = FakeProvider::start().await;
    bank.token("expires_in", Value::Null);
    let (app, grant) = connected(&bank).await;
    let challenge = r#"Bearer error="invalid_token", error_description="EVIL""#;
    let calls = bank.seen("accounts").len();
    bank.play_once("accounts", Answer::status(401).header("www-authenticate", challenge));
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((bank.seen("accounts").len() - calls, sent(&bank).len()), (2, 1));
    let seen = page(&app, grant).await;
    assert!(is_active(&seen) && !format!("{seen:?}{:?}", app.audit()).contains("EVIL"));
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank).len(), 1, "it is used");
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank).len(), 2);
}

/// Attack 31: two hundred steps of a clock that is moved, and of time that passes.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_clock_does_no_token_lives_longer_and_what_is_over_stays_over() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    // The end that was chosen is not what this is about, until the last step.
    app.execute("UPDATE grants SET ends_at = ends_at + 86400000 * 300");
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |most: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % most
    };
    let hour = 3_600_000_i64;
    let (mut old, mut refreshed) = (Duration::ZERO, 0);
    for step in 0..200 {
        let moved = [0, -hour, hour, -30 * hour, 30 * hour, -87_600 * hour][below(6) as usize];
        app.clock.move_wall(moved);
        let span = [1, 30, 200, 580, 8 * 3600][below(5) as usize];
        pass(&app, &bank, Duration::from_secs(span));
        old += Duration::from_secs(span);
        app.app.check_grant(grant).await.unwrap();
        let now = sent(&bank).len();
        assert!(now > refreshed || old < LIFE, "step {step}: used after {old:?}");
        if now > refreshed {
            (old, refreshed) = (Duration::ZERO, now);
        }
        app.clock.move_wall(-moved);
    }
    assert!(refreshed > 50 && bank.reuses() == 0, "{refreshed}");
    assert!(is_active(&page(&app, grant).await));
    // Twelve years on, after 2038, the consent is over; back again it stays so.
    app.clock.move_wall(105_120 * hour);
    app.clock.pass(DAY);
    for _ in 0..1000 {
        // Whoever looks after it may be at something else, and rest again.
        app.clock.pass(Duration::from_secs(60));
        let cut_off = app.raw("SELECT count(*) FROM grants WHERE cut_off_at IS NOT NULL");
        if cut_off == 1 && app.raw("SELECT count(*) FROM outbox") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.clock.move_wall(-105_120 * hour);
    let state = page(&app, grant).await.row.state;
    assert!(matches!(state, GrantState::Ended { facts: Some(_) }), "{state:?}");
    assert!(app.app.check_grant(grant).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_two_moves_of_the_clock_believes_no_token_from_the_future() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let (mut dir, mut keychain): (_, SharedKeychain) = app.stopped().await;
    for (n, moved) in [-86_400_000, -3_600_000, -120_000].into_iter().enumerate() {
        let app = TestApp::start_in(dir, keychain, &[&bank]).await;
        app.clock.move_wall(moved);
        app.app.check_grant(grant).await.unwrap();
        assert_eq!(sent(&bank).len(), n + 1, "{moved}");
        app.clock.move_wall(-moved);
        (dir, keychain) = app.stopped().await;
    }
    assert_eq!(bank.reuses(), 0);
}

/// Twice ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_says_nothing_costs_nothing() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let before = kept(&app);
    bank.answers("token", Answer::wire(Wire::Silent).unheard());
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap_err();
    assert!(is_active(&page(&app, grant).await) && kept(&app) == before);
    bank.answers_honestly("token");
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(bank.reuses(), 0);
}
