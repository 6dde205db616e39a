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

/// Time passes for both.
fn pass(app: &TestApp, bank: &FakeProvider, span: Duration) {
    bank.pass(span);
    app.clock.pass(span);
}

/// What is told once upkeep and a direct question have had their turn.
async fn days_told(app: &TestApp, expected: &[u16]) {
    let mut told = Vec::new();
    for _ in 0..250 {
        app.app.remind_due(app.clock.now()).await.unwrap();
        told = app.notes.told().into_iter().filter_map(days).collect();
        if told == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("told {told:?}, not {expected:?}");
}

fn days(note: Note) -> Option<u16> {
    match note {
        Note::EndsSoon { agent, bank, days } => {
            assert_eq!((agent.as_str(), bank.as_str()), ("Budget Buddy", "Fake Bank bank-1"));
            Some(days)
        }
        Note::ReconnectNeeded { .. } => None,
        Note::AgentPaused { .. } | Note::Asks { .. } | Note::RuleNoticed { .. } | Note::WantsToBeAdded => {
            panic!("nothing of agents: {note:?}")
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_a_week_and_a_day_before_and_each_once() {
    let (bank, app, grant) = connected().await;
    days_told(&app, &[]).await;
    pass(&app, &bank, 22 * DAY);
    days_told(&app, &[]).await;
    // It says when to ask again, and asked then, there is something to tell.
    let next = app.app.remind_due(app.clock.now()).await.unwrap().unwrap();
    let wait = u64::try_from(next.millis() - app.clock.now().millis()).unwrap();
    pass(&app, &bank, Duration::from_millis(wait));
    for _ in 0..3 {
        days_told(&app, &[7]).await;
    }
    pass(&app, &bank, 5 * DAY);
    days_told(&app, &[7]).await;
    pass(&app, &bank, DAY);
    for _ in 0..3 {
        days_told(&app, &[7, 1]).await;
    }
    pass(&app, &bank, 2 * DAY);
    days_told(&app, &[7, 1]).await;
    assert_eq!(app.app.remind_due(app.clock.now()).await.unwrap(), None);
    let history = app.app.show_grant(grant).await.unwrap().history;
    assert_eq!(history.iter().filter(|entry| entry.what == HistoryKind::Reminded).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_gives_only_the_nearest() {
    let (bank, app, _) = connected().await;
    pass(&app, &bank, 29 * DAY + DAY / 4);
    days_told(&app, &[1]).await;
    pass(&app, &bank, DAY / 2);
    days_told(&app, &[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_none_gets_none() {
    let (bank, app, grant) = connected().await;
    app.app.stop_reminding(grant).await.unwrap();
    app.app.stop_reminding(grant).await.unwrap();
    assert!(app.app.show_grant(grant).await.unwrap().row.no_reminders);
    pass(&app, &bank, 29 * DAY + DAY / 4);
    days_told(&app, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_is_told_and_what_is_revoked_is_not() {
    let (bank, app, grant) = connected().await;
    app.app.pause_grant(grant).await.unwrap();
    pass(&app, &bank, 24 * DAY);
    days_told(&app, &[6]).await;
    app.app.revoke_grant(grant).await.unwrap();
    pass(&app, &bank, 5 * DAY + DAY / 2);
    days_told(&app, &[6]).await;
}

/// Whoever has just chosen an end knows it: only what comes later is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_was_just_chosen_is_not_told_at_once() {
    let (bank, app, grant) = connected().await;
    let request = NarrowGrant {
        grant: grant.to_string(),
        permissions: vec!["accounts".into(), "balances".into()],
        accounts: vec!["a1".into(), "a2".into()],
        until: app.clock.now().plus_days(3).millis(),
    };
    app.app.narrow_grant(&request).await.unwrap();
    days_told(&app, &[]).await;
    pass(&app, &bank, 2 * DAY + DAY / 4);
    days_told(&app, &[1]).await;
    app.app.widen_grant(grant).await.unwrap();
    days_told(&app, &[1]).await;
    pass(&app, &bank, 21 * DAY);
    days_told(&app, &[1, 7]).await;
}
