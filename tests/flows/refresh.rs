//! Refresh: one at a time, nothing lost, nothing untrue.

use std::time::Duration;

use contract::error_code::ErrorCode;
use contract::ui::{GrantState, GrantView, HistoryKind, ReconnectWhyView, TroubleKind};
use domain::id::GrantId;
use serde_json::json;
use support::fake_provider::{Answer, FakeProvider, Habit, Wire};
use support::fakes::{TestApp, come_back};

/// The access token of the fake bank lives for ten minutes.
const LIFE: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);

async fn connected(bank: &FakeProvider) -> (TestApp, GrantId) {
    let mut app = TestApp::start(&[bank]).await;
    let attempt = app.click_connect("bank-1", &["accounts", "transactions"]).await;
    let url = app.opened().await;
    come_back(&url).await;
    let grant = app.ended(&attempt).await.grant.expect("a grant");
    (app, GrantId::parse(&grant).unwrap())
}

async fn page(app: &TestApp, grant: GrantId) -> GrantView {
    app.app.show_grant(grant).await.unwrap()
}

/// Time passes for both.
fn pass(app: &TestApp, bank: &FakeProvider, span: Duration) {
    bank.pass(span);
    app.clock.pass(span);
}

/// The page once it is as it should be.
async fn until(app: &TestApp, grant: GrantId, fits: impl Fn(&GrantView) -> bool) -> GrantView {
    for _ in 0..1500 {
        let page = page(app, grant).await;
        if fits(&page) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not as expected: {:?}", page(app, grant).await);
}

/// The refresh tokens that the bank was sent, in order.
fn sent(bank: &FakeProvider) -> Vec<String> {
    let tokens = bank.seen("token").into_iter().filter_map(|seen| seen.form.get("refresh_token").cloned());
    tokens.collect()
}

fn is_active(page: &GrantView) -> bool {
    matches!(page.row.state, GrantState::Active { .. })
}

fn why(page: &GrantView) -> Option<ReconnectWhyView> {
    match page.row.state {
        GrantState::Reconnect { why, .. } => Some(why),
        GrantState::Active { .. }
        | GrantState::Ended { .. }
        | GrantState::Paused { .. }
        | GrantState::Revoked { .. } => None,
    }
}

fn count(page: &GrantView, what: HistoryKind) -> usize {
    page.history.iter().filter(|entry| entry.what == what).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_lives_is_used_and_one_that_is_over_is_replaced() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let made = page(&app, grant).await.row.confirmed_at;
    pass(&app, &bank, Duration::from_secs(300));
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank), Vec::<String>::new());
    assert!(page(&app, grant).await.row.confirmed_at > made + 290_000, "how old the knowledge is");
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank), ["refresh-1"]);
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank), ["refresh-1", "refresh-1.1"], "the new one, never the old one again");
    assert_eq!(bank.reuses(), 0);
    let rows = app.raw("SELECT count(*) FROM sealed WHERE kind = 1 AND generation = 3");
    assert_eq!((rows, app.raw("SELECT count(*) FROM sealed WHERE kind = 1")), (1, 1), "the old one is gone");
    assert_eq!(app.raw("SELECT count(*) FROM refreshes"), 0);
    assert_eq!(count(&page(&app, grant).await, HistoryKind::Refreshed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_keeps_its_refresh_token_is_sent_it_again() {
    let bank = FakeProvider::start().await;
    bank.habit(Habit::KeepsRefreshToken);
    let (app, grant) = connected(&bank).await;
    for _ in 0..3 {
        pass(&app, &bank, LIFE);
        app.app.check_grant(grant).await.unwrap();
    }
    assert_eq!(sent(&bank), ["refresh-1"; 3]);
    assert!(is_active(&page(&app, grant).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_need_a_token_at_once_make_one_request() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.delays("token", 100);
    for round in 1..=5 {
        pass(&app, &bank, LIFE);
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let app = app.app.clone();
            callers.spawn(async move { app.check_grant(grant).await });
        }
        while let Some(done) = callers.join_next().await {
            done.unwrap().unwrap();
        }
        assert_eq!((sent(&bank).len(), bank.reuses()), (round, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_the_refresh_whole() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.delays("token", 300);
    pass(&app, &bank, LIFE);
    let caller = app.app.clone();
    let gone = tokio::spawn(async move { caller.check_grant(grant).await });
    while sent(&bank).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    gone.abort();
    until(&app, grant, |page| count(page, HistoryKind::Refreshed) == 1).await;
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((sent(&bank).len(), bank.reuses()), (1, 0));
}

/// Answers that are lost after the bank has replaced the token.
fn lost() -> Vec<Answer> {
    vec![
        Answer::wire(Wire::Close),
        Answer::wire(Wire::Reset),
        Answer::wire(Wire::HalfHead),
        Answer::wire(Wire::HalfBody),
        Answer::of(502, "text/html", "<html>bad gateway</html>"),
        Answer::of(200, "text/html", "<html>sign in to the hotel</html>"),
        Answer::json(200, &json!({"access_token": "x"})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_had_again_or_the_person_is_asked_with_the_reason() {
    for (n, answer) in lost().into_iter().enumerate() {
        for habit in [None, Some(Habit::GraceForLostAnswers), Some(Habit::KeepsRefreshToken)] {
            let bank = FakeProvider::start().await;
            habit.into_iter().for_each(|habit| bank.habit(habit));
            let (app, grant) = connected(&bank).await;
            bank.play_once("token", answer.clone());
            pass(&app, &bank, LIFE);
            let checked = app.app.check_grant(grant).await;
            let page = page(&app, grant).await;
            assert_eq!(count(&page, HistoryKind::RefreshUnanswered), 1, "{n} {habit:?}");
            assert_eq!(sent(&bank), ["refresh-1"; 2], "once more, and no more");
            if habit.is_some() {
                assert_eq!(checked.map_err(|err| err.code()), Ok(()), "{n} {habit:?}");
                assert!(is_active(&page) && page.row.trouble.is_none(), "{n} {habit:?}");
                assert_eq!(bank.newest(1).map(|(access, _)| access), bank.last_call(), "the newest is used");
            } else {
                assert_eq!(why(&page), Some(ReconnectWhyView::AnswerLost), "{n} {habit:?}");
                pass(&app, &bank, DAY);
                app.app.check_grant(grant).await.unwrap();
                assert_eq!(sent(&bank).len(), 2, "no loop");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_changes_nothing_but_what_is_shown() {
    let refusal = |status, code: &str| Answer::json(status, &json!({"error": code}));
    for (answer, trouble, tries) in [
        (Answer::of(503, "text/html", "busy").header("retry-after", "7"), TroubleKind::BankBusy, 1),
        (Answer::of(429, "text/html", "busy"), TroubleKind::BankBusy, 1),
        (Answer::of(503, "text/html", "busy"), TroubleKind::BankBusy, 1),
        (refusal(400, "temporarily_unavailable"), TroubleKind::BankBusy, 1),
        (refusal(400, "invalid_client"), TroubleKind::BankRefused, 1),
        (refusal(401, "invalid_grant"), TroubleKind::BankRefused, 1),
        (refusal(407, "invalid_grant"), TroubleKind::BankRefused, 1),
        (refusal(500, "invalid_grant"), TroubleKind::BankBusy, 2),
        (Answer::status(302).header("location", "/else"), TroubleKind::BankMisbehaved, 1),
        (Answer::of(400, "text/html", "<html>no</html>"), TroubleKind::BankMisbehaved, 1),
        (Answer::wire(Wire::Reset).unheard(), TroubleKind::BankUnreachable, 2),
    ] {
        let bank = FakeProvider::start().await;
        let (app, grant) = connected(&bank).await;
        bank.answers("token", answer.clone().unheard());
        pass(&app, &bank, LIFE);
        let refused = app.app.check_grant(grant).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::BankUnavailable, "{answer:?}");
        let seen = page(&app, grant).await;
        assert!(is_active(&seen), "{answer:?}");
        let shown = seen.row.trouble.unwrap_or_else(|| panic!("{answer:?} is not shown"));
        assert_eq!((shown.what, sent(&bank).len()), (trouble, tries), "{answer:?}");
        assert!(shown.next_try > shown.tried_at, "it says when it is tried again");
        bank.answers_honestly("token");
        app.app.check_grant(grant).await.unwrap();
        let seen = page(&app, grant).await;
        assert!(is_active(&seen) && seen.row.trouble.is_none(), "{answer:?}");
        assert_eq!(bank.reuses(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_away_is_tried_again_by_itself_and_not_sooner_than_it_says() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.answers("token", Answer::of(503, "text/html", "busy").header("retry-after", "3600").unheard());
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap_err();
    pass(&app, &bank, Duration::from_secs(3500));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sent(&bank).len(), 1, "too soon");
    bank.answers_honestly("token");
    pass(&app, &bank, Duration::from_secs(200));
    until(&app, grant, |page| page.row.trouble.is_none()).await;
    assert_eq!(sent(&bank).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_at_the_bank_is_noticed_shown_and_not_asked_about_again() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.ends_consent(1);
    pass(&app, &bank, DAY + DAY);
    let seen = until(&app, grant, |page| why(page).is_some()).await;
    assert_eq!(why(&seen), Some(ReconnectWhyView::EndedAtBank), "nobody had to look");
    assert_eq!(sent(&bank), ["refresh-1"]);
    assert_eq!(app.notes.told().len(), 1, "the person is told");
    let kept = || app.raw("SELECT count(*) FROM sealed WHERE kind = 1");
    assert_eq!(kept(), 1, "nothing is cleared by itself");
    pass(&app, &bank, 29 * DAY);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((sent(&bank).len(), app.notes.told().len()), (1, 1));
    // The consent's own end comes first here: thirty days were chosen.
    let list = app.app.list_grants().await.unwrap();
    assert_eq!(list.agents, 0, "an agent that gets nothing does not count");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_an_ended_consent_is_deleted_after_thirty_days() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.ends_consent(1);
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(why(&page(&app, grant).await), Some(ReconnectWhyView::EndedAtBank));
    // Thirty days were chosen at the beginning, so the time of the consent is over a little sooner.
    app.execute("UPDATE grants SET ends_at = ends_at + 9000000000");
    pass(&app, &bank, 30 * DAY);
    until(&app, grant, |page| count(page, HistoryKind::Forgotten) == 1).await;
    assert_eq!(app.raw("SELECT count(*) FROM sealed"), 0);
    assert_eq!(why(&page(&app, grant).await), Some(ReconnectWhyView::EndedAtBank), "and still shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_lands_after_the_revocation_revives_nothing() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.delays("token", 600);
    pass(&app, &bank, LIFE);
    let caller = app.app.clone();
    let checking = tokio::spawn(async move { caller.check_grant(grant).await });
    while sent(&bank).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.app.revoke_grant(grant).await.unwrap();
    assert_eq!(checking.await.unwrap().unwrap_err().code(), ErrorCode::GrantRevoked);
    let revoked = |token: &str| bank.seen("revoke").iter().any(|seen| seen.form["token"] == token);
    for _ in 0..1000 {
        if revoked("refresh-1.1") && app.raw("SELECT count(*) FROM sealed") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(revoked("refresh-1.1"), "what came late is taken back too");
    let calls = bank.seen("accounts").len();
    pass(&app, &bank, DAY);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bank.seen("accounts").len(), calls, "and never used");
    let seen = page(&app, grant).await;
    assert!(matches!(seen.row.state, GrantState::Revoked { .. }), "{:?}", seen.row.state);
    assert_eq!((count(&seen, HistoryKind::LateTokens), bank.newest(1)), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_request_and_store_means_one_try_and_then_the_person() {
    for grace in [true, false] {
        let bank = FakeProvider::start().await;
        if grace {
            bank.habit(Habit::GraceForLostAnswers);
        }
        let (app, grant) = connected(&bank).await;
        // What a crash leaves: the intent on disk, and a bank that has replaced the token.
        app.execute(&format!(
            "INSERT INTO refreshes (grant_id, in_flight, unanswered, failures) VALUES ('{grant}', 1, 0, 0)"
        ));
        bank.takes("token", &[("grant_type", "refresh_token"), ("refresh_token", "refresh-1")]).await;
        let TestApp { dir, keychain, .. } = app;
        let app = TestApp::start_in(dir, keychain, &[&bank]).await;
        let seen =
            until(&app, grant, |page| why(page).is_some() || count(page, HistoryKind::Refreshed) == 1).await;
        assert_eq!(why(&seen), Some(ReconnectWhyView::AnswerLost).filter(|_| !grace));
        assert_eq!(sent(&bank).len(), 2, "the one that was lost, and one more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_about_somebody_else_freezes_the_grant() {
    for (claim, value) in [("sub", json!("u2")), ("nonce", json!("else")), ("aud", json!("else"))] {
        let bank = FakeProvider::start().await;
        let (app, grant) = connected(&bank).await;
        bank.claims(claim, value);
        pass(&app, &bank, LIFE);
        let calls = bank.seen("accounts").len();
        app.app.check_grant(grant).await.unwrap();
        assert_eq!(why(&page(&app, grant).await), Some(ReconnectWhyView::AnotherPerson), "{claim}");
        assert_eq!(bank.seen("accounts").len(), calls, "what came with it is not used");
        // But kept, so that it can be taken back.
        app.app.revoke_grant(grant).await.unwrap();
        for _ in 0..500 {
            if !bank.seen("revoke").is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(bank.seen("revoke")[0].form["token"], "refresh-1.1", "{claim}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_banks_keys_what_came_is_kept_and_not_used() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    bank.answers("jwks", Answer::of(503, "text/html", "busy"));
    pass(&app, &bank, LIFE);
    let calls = bank.seen("accounts").len();
    app.app.check_grant(grant).await.unwrap_err();
    assert_eq!(bank.seen("accounts").len(), calls);
    assert!(is_active(&page(&app, grant).await));
    bank.answers_honestly("jwks");
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((sent(&bank), bank.reuses()), (vec!["refresh-1".into(), "refresh-1.1".into()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_call_is_made_once_more_with_a_fresh_token() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let challenge = r#"DPoP algs="ES256", Bearer realm="a, b", error="invalid_token""#;
    let calls = bank.seen("accounts").len();
    bank.play_once("accounts", Answer::status(401).header("www-authenticate", challenge));
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((bank.seen("accounts").len() - calls, sent(&bank).len()), (2, 1));
    assert!(is_active(&page(&app, grant).await));

    let calls = bank.seen("accounts").len();
    bank.answers("accounts", Answer::status(401).header("www-authenticate", challenge));
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((bank.seen("accounts").len() - calls, sent(&bank).len()), (2, 2), "two calls and one refresh");
    assert_eq!(why(&page(&app, grant).await), Some(ReconnectWhyView::RefusedAtBank));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_allowed_needs_no_fresh_token() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let challenge = r#"Bearer error="insufficient_scope", scope="more""#;
    for status in [401, 403] {
        bank.answers("accounts", Answer::status(status).header("www-authenticate", challenge));
        let refused = app.app.check_grant(grant).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::BankUnavailable);
        let seen = page(&app, grant).await;
        assert!(is_active(&seen));
        assert_eq!(seen.row.trouble.map(|trouble| trouble.what), Some(TroubleKind::BankRefused));
        assert_eq!(sent(&bank), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn less_at_a_refresh_is_less_from_then_on_and_more_is_never_used() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let before = page(&app, grant).await;
    bank.token("scope", json!("openid offline_access fdx:accountbasic:read admin"));
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    let after = page(&app, grant).await;
    let ids = |page: &GrantView| page.row.permissions.iter().map(|p| p.id.clone()).collect::<Vec<_>>();
    assert_eq!((ids(&before).len(), ids(&after)), (2, vec!["accounts".to_owned()]));
    assert_eq!(after.missing.len(), 1, "what is gone is shown");
    assert_eq!(after.extra, ["admin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_chose_as_the_end_is_the_end_at_the_bank_too() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    pass(&app, &bank, 30 * DAY);
    let seen = until(&app, grant, |page| {
        matches!(&page.row.state, GrantState::Ended { facts: Some(facts) }
            if matches!(facts.bank, contract::ui::BankTold::Confirmed { .. }))
    })
    .await;
    assert_eq!(count(&seen, HistoryKind::Ended), 1);
    assert_eq!((bank.newest(1), app.raw("SELECT count(*) FROM sealed")), (None, 0));
    assert_eq!(app.app.check_grant(grant).await.unwrap_err().code(), ErrorCode::GrantRevoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_clock_never_lengthens_a_token() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank).len(), 1);
    // An hour back, and ten minutes pass: by the date the token would live for another hour.
    app.clock.move_wall(-3_600_000);
    pass(&app, &bank, LIFE);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank).len(), 2);
    // Forth, and nothing passes: it lives.
    app.clock.move_wall(3_600_000);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!(sent(&bank).len(), 2);
    // After a restart there is only the date. It was moved back behind the token's birth: the token is not believed.
    let TestApp { dir, keychain, .. } = app;
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    app.clock.move_wall(-10 * 3_600_000);
    app.app.check_grant(grant).await.unwrap();
    assert_eq!((sent(&bank).len(), bank.reuses()), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_told() {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    bank.answers("accounts", Answer::default().header("date", date));
    app.app.check_grant(grant).await.unwrap();
    let ahead = app.app.app_state().await.unwrap().clock_ahead.expect("it is far ahead of 1994");
    assert!(ahead > 30 * 365 * 86_400);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refresh_token_goes_to_its_own_bank_and_nowhere_else() {
    let (one, two) = (FakeProvider::start().await, FakeProvider::start().await);
    let mut app = TestApp::start(&[&one, &two]).await;
    let mut grants = Vec::new();
    for bank in ["bank-1", "bank-2"] {
        let attempt = app.click_connect(bank, &["accounts"]).await;
        come_back(&app.opened().await).await;
        grants.push(GrantId::parse(&app.ended(&attempt).await.grant.unwrap()).unwrap());
    }
    one.pass(LIFE);
    pass(&app, &two, LIFE);
    for grant in grants {
        app.app.check_grant(grant).await.unwrap();
    }
    for bank in [&one, &two] {
        assert_eq!(sent(bank), ["refresh-1"]);
        for seen in bank.all_seen() {
            let carries = format!("{seen:?}").contains("refresh-1");
            assert!(!carries || seen.at == "token", "{} carries it", seen.at);
        }
    }
}
