//! The kill switch under the worst conditions, and what a restart makes of whatever could be written of it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use app::Refusal;
use app::port::KeychainError;
use contract::ui::{EndingView, StoppedView};
use rusqlite::Connection;
use support::fake_provider::FakeProvider;
use support::fakes::{SharedKeychain, TestApp, TestMark, private_folder};
use tempfile::TempDir;

/// From the click until nothing is handed out any more, and it is written down where that can be (REV-07, attacks 29).
const AT_ONCE: Duration = Duration::from_millis(250);

fn database(app: &TestApp) -> Connection {
    let raw = Connection::open(app.dir.path().join("countersign.sqlite")).unwrap();
    raw.busy_timeout(Duration::from_secs(5)).unwrap();
    raw
}

async fn stopped(app: &TestApp) -> Option<StoppedView> {
    app.app.app_state().await.unwrap().stopped
}

/// Waits until it is known to outlive a restart, or the row is there.
async fn until(app: &TestApp, so: impl Fn(StoppedView) -> bool) {
    for _ in 0..500 {
        if stopped(app).await.is_some_and(&so) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not recorded: {:?}", stopped(app).await);
}

fn events(app: &TestApp, name: &str) -> usize {
    let what = format!("\"event\":\"{name}\"");
    app.audit().iter().filter(|body| body.contains(&what)).count()
}

/// Everything fails at once: the first click of the person must still do what it says.
fn block_store(app: &TestApp) {
    database(app)
        .execute_batch("CREATE TRIGGER full BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'full'); END")
        .unwrap();
}

fn free_store(folder: &TempDir) {
    let raw = Connection::open(folder.path().join("countersign.sqlite")).unwrap();
    raw.busy_timeout(Duration::from_secs(5)).unwrap();
    raw.execute_batch("DROP TRIGGER IF EXISTS full").unwrap();
}

/// The host is gone without a word, and another one starts.
async fn killed(app: TestApp) -> TestApp {
    let TestApp { app, keychain, mark, dir, .. } = app;
    drop(app);
    free_store(&dir);
    mark.release();
    TestApp::start_with_mark(dir, keychain, Vec::new(), mark).await
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_may_be_served_after_the_first_start_and_not_after_stopping() {
    let app = TestApp::start(&[]).await;
    assert_eq!((app.app.may_serve(), stopped(&app).await), (Ok(()), None));
    assert!(app.app.stop_agents().await.recorded);
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    until(&app, |known| known.recorded && known.since.is_some()).await;
    app.app.stop_agents().await;
    app.app.resume_agents().await.unwrap();
    assert_eq!((app.app.may_serve(), stopped(&app).await), (Ok(()), None));
    app.app.resume_agents().await.unwrap();
    assert_eq!((events(&app, "agents_stopped"), events(&app, "agents_resumed")), (1, 1));
    let app = killed(app).await;
    assert_eq!(app.app.may_serve(), Ok(()), "what was allowed stays allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_conditions_delay_nothing() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    // Three people are at their banks' pages, and the bank says no more word.
    let mut attempts = Vec::new();
    for _ in 0..3 {
        attempts.push(app.click_connect("bank-1", &["accounts"]).await);
        app.opened().await;
    }
    bank.delays("metadata", 60_000);
    let asked = bank.seen("metadata").len();
    attempts.push(app.click_connect("bank-1", &["accounts"]).await);
    // Past its own look at the keychain, and waiting for the bank.
    while bank.seen("metadata").len() == asked {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.keychain.set_fault(Some(KeychainError::Blocked));
    // Somebody holds the database: whatever is to be written waits for five seconds, and then fails.
    let holder = database(&app);
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..10_000 {
        let app = app.app.clone();
        tokio::spawn(async move { app.list_grants().await.map(drop) });
    }
    let clicked = Instant::now();
    let known = app.app.stop_agents().await;
    let took = clicked.elapsed();
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    assert!(took <= AT_ONCE, "{took:?}");
    assert!(known.recorded, "the mark needs no database");
    holder.execute_batch("ROLLBACK").unwrap();
    for attempt in &attempts {
        assert_eq!(app.ended(attempt).await.ending, Some(EndingView::Cancelled));
    }
    until(&app, |known| known.since.is_some()).await;
    assert_eq!(events(&app, "agents_stopped"), 1, "it comes later, and once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_nothing_takes_is_in_force_and_said_to_be_unwritten_until_it_is() {
    let app = TestApp::start(&[]).await;
    block_store(&app);
    app.mark.stick();
    let clicked = Instant::now();
    assert!(!app.app.stop_agents().await.recorded);
    assert!(clicked.elapsed() <= AT_ONCE);
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    assert_eq!(stopped(&app).await, Some(StoppedView { since: None, recorded: false }));
    app.mark.release();
    until(&app, |known| known.recorded).await;
    assert_eq!(events(&app, "agents_stopped"), 0);
    free_store(&app.dir);
    until(&app, |known| known.since.is_some()).await;
    assert_eq!(events(&app, "agents_stopped"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_them_stopped_whichever_place_took_it() {
    for (mark, row) in [(true, true), (true, false), (false, true), (false, false)] {
        let app = TestApp::start(&[]).await;
        app.app.stop_agents().await;
        until(&app, |known| known.recorded && known.since.is_some()).await;
        // What could be written before the host was gone, and what could not.
        app.mark.place().store(mark, Ordering::SeqCst);
        if !row {
            database(&app).execute_batch("UPDATE meta SET stopped_at = NULL").unwrap();
        }
        let app = killed(app).await;
        let stops = mark || row;
        assert_eq!(app.app.may_serve().is_err(), stops, "mark {mark}, row {row}");
        if !stops {
            continue;
        }
        // What one place did not know, it is told.
        until(&app, |known| known.recorded && known.since.is_some()).await;
        for _ in 0..500 {
            if app.mark.place().load(Ordering::SeqCst) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(app.mark.place().load(Ordering::SeqCst));
        let app = killed(app).await;
        app.app.resume_agents().await.unwrap();
        let app = killed(app).await;
        assert_eq!(app.app.may_serve(), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_is_missing_or_a_store_that_cannot_say_it_was_made_means_stopped() {
    let app = TestApp::start(&[]).await;
    // Gone, unreadable or saying anything else is the same to the app: set.
    app.mark.place().store(true, Ordering::SeqCst);
    let app = killed(app).await;
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));

    let mark = TestMark::default();
    mark.place().store(true, Ordering::SeqCst);
    mark.stick();
    let app = TestApp::start_with_mark(private_folder(), SharedKeychain::empty(), Vec::new(), mark).await;
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped), "the first start could not make it");
    app.mark.release();
    app.app.resume_agents().await.unwrap();
    assert_eq!(app.app.may_serve(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_that_cannot_be_written_leaves_them_stopped() {
    let app = TestApp::start(&[]).await;
    app.app.stop_agents().await;
    until(&app, |known| known.since.is_some()).await;
    app.mark.stick();
    assert_eq!(app.app.resume_agents().await, Err(Refusal::StillStopped));
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    app.mark.release();
    block_store(&app);
    app.app.resume_agents().await.unwrap_err();
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    assert_eq!(events(&app, "agents_resumed"), 0);
    let app = killed(app).await;
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped), "the store had the last word");
    app.app.resume_agents().await.unwrap();
    assert_eq!(events(&app, "agents_resumed"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_again_while_going_on_wins() {
    let app = TestApp::start(&[]).await;
    for _ in 0..50 {
        app.app.stop_agents().await;
        let (resumed, _) = tokio::join!(app.app.resume_agents(), async {
            tokio::task::yield_now().await;
            app.app.stop_agents().await
        });
        // Either the second click came after all agents were let go on, or going on was refused.
        assert!(matches!(resumed, Ok(()) | Err(Refusal::StillStopped)), "{resumed:?}");
        assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    }
    until(&app, |known| known.recorded && known.since.is_some()).await;
    let app = killed(app).await;
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
}
