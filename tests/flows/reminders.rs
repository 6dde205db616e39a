//! Reminders of an end that comes: once a week before, once on the day before, never twice.

use std::time::Duration;

use app::port::{Clock as _, Note};
use contract::ui::{HistoryKind, NarrowGrant};
use domain::id::GrantId;
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

const DAY: Duration = Duration::from_secs(86_400);

/// Connected for thirty days, counted from the click.
async fn connected() -> (FakeProvider, TestApp, GrantId) {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect("bank-1", &["accounts", "balances"]).await;
    (bank, app, grant)
}

async fn days_told(app: &TestApp) -> Vec<u16> {
    let now = app.clock.now();
    app.app.remind_due(now).await.unwrap();
    let days = |note| match note {
        Note::EndsSoon { agent, bank, days } => {
            assert_eq!((agent.as_str(), bank.as_str()), ("Budget Buddy", "Fake Bank bank-1"));
            Some(days)
        }
        Note::ReconnectNeeded { .. } => None,
    };
    app.notes.told().into_iter().filter_map(days).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_a_week_and_a_day_before_and_each_once() {
    let (_bank, app, grant) = connected().await;
    assert!(days_told(&app).await.is_empty());
    app.clock.pass(22 * DAY);
    assert!(days_told(&app).await.is_empty());
    // It says when to ask again, and asked then, there is something to tell.
    let next = app.app.remind_due(app.clock.now()).await.unwrap().unwrap();
    let wait = u64::try_from(next.millis() - app.clock.now().millis()).unwrap();
    app.clock.pass(Duration::from_millis(wait));
    for _ in 0..3 {
        assert_eq!(days_told(&app).await, [7]);
    }
    app.clock.pass(5 * DAY);
    assert_eq!(days_told(&app).await, [7]);
    app.clock.pass(DAY);
    for _ in 0..3 {
        assert_eq!(days_told(&app).await, [7, 1]);
    }
    app.clock.pass(2 * DAY);
    assert_eq!(days_told(&app).await, [7, 1], "what is over is not told");
    assert_eq!(app.app.remind_due(app.clock.now()).await.unwrap(), None);
    let history = app.app.show_grant(grant).await.unwrap().history;
    assert_eq!(history.iter().filter(|entry| entry.what == HistoryKind::Reminded).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_gives_only_the_nearest() {
    let (_bank, app, _) = connected().await;
    app.clock.pass(29 * DAY + DAY / 4);
    assert_eq!(days_told(&app).await, [1]);
    app.clock.pass(DAY / 2);
    assert_eq!(days_told(&app).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_none_gets_none() {
    let (_bank, app, grant) = connected().await;
    app.app.stop_reminding(grant).await.unwrap();
    app.app.stop_reminding(grant).await.unwrap();
    assert!(app.app.show_grant(grant).await.unwrap().row.no_reminders);
    app.clock.pass(29 * DAY + DAY / 4);
    assert!(days_told(&app).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_is_told_and_what_is_revoked_is_not() {
    let (_bank, app, grant) = connected().await;
    app.app.pause_grant(grant).await.unwrap();
    app.clock.pass(24 * DAY);
    assert_eq!(days_told(&app).await, [6]);
    app.app.revoke_grant(grant).await.unwrap();
    app.clock.pass(5 * DAY + DAY / 2);
    assert_eq!(days_told(&app).await, [6]);
}

/// Whoever has just chosen an end knows it: only what comes later is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_just_chosen_is_not_told_at_once() {
    let (_bank, app, grant) = connected().await;
    let request = NarrowGrant {
        grant: grant.to_string(),
        permissions: vec!["accounts".into(), "balances".into()],
        accounts: vec!["a1".into(), "a2".into()],
        until: app.clock.now().plus_days(3).millis(),
    };
    app.app.narrow_grant(&request).await.unwrap();
    assert!(days_told(&app).await.is_empty());
    app.clock.pass(2 * DAY + DAY / 4);
    assert_eq!(days_told(&app).await, [1]);
    app.app.widen_grant(grant).await.unwrap();
    assert_eq!(days_told(&app).await, [1]);
    app.clock.pass(21 * DAY);
    assert_eq!(days_told(&app).await, [1, 7], "the consent's own end has its own reminders");
}
