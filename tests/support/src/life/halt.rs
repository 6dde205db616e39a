//! The kill switch while nothing else works: the bank takes requests and answers none, the keychain is frozen, neither the
//! store nor the mark can be written, and thousands of requests wait.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Builder;

use super::{LIFE, connected, pass};
use crate::fake_provider::{Answer, FakeProvider, Wire};

/// A stop that waits until it is written down is not waited for any longer than this.
const WRITTEN: Duration = Duration::from_millis(600);

/// What came of one stop.
#[derive(Clone, Copy, Debug)]
pub struct Halt {
    /// From the click until it is answered, and agents are refused, in milliseconds.
    pub answered_ms: f64,
    /// From the click until it is written down, in milliseconds, if that came to pass while nothing could be written: the
    /// time that was waited for it.
    pub written_ms: f64,
    /// Agents might still be served after the answer.
    pub served: bool,
    /// It was not written down once that could be done again.
    pub forgotten: bool,
}

/// Stops once, with so many requests waiting. Runs in a runtime of its own.
#[must_use]
pub fn halt(requests: usize) -> Halt {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let halt = runtime.block_on(stop_once(requests));
    // What waits for the bank is let go of.
    runtime.shutdown_background();
    halt
}

async fn stop_once(requests: usize) -> Halt {
    let bank = FakeProvider::start().await;
    let (app, grant) = connected(&bank).await;
    for endpoint in ["token", "accounts", "revoke"] {
        bank.answers(endpoint, Answer::wire(Wire::Silent).unheard());
    }
    pass(&app, &bank, LIFE);
    // Half of them wait for the bank or for whoever asks it, the others for the keychain.
    for frozen in [false, true] {
        for _ in 0..requests / 2 {
            let app = app.app.clone();
            tokio::spawn(async move { app.check_grant(grant).await });
        }
        if !frozen {
            while bank.seen("token").is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            app.keychain.freeze();
        }
    }
    let full = Connection::open(app.dir.path().join("countersign.sqlite")).expect("the database");
    full.busy_timeout(Duration::from_secs(60)).expect("patience");
    full.execute_batch("BEGIN IMMEDIATE").expect("the one who writes");
    app.mark.stick();

    let clicked = Instant::now();
    let known = app.app.stop_agents().await;
    let answered_ms = milliseconds(clicked);
    let served = app.app.may_serve().is_ok();
    let written_ms = if known.recorded {
        answered_ms
    } else {
        tokio::time::sleep(WRITTEN.saturating_sub(clicked.elapsed())).await;
        milliseconds(clicked)
    };
    app.mark.release();
    full.execute_batch("ROLLBACK").expect("an end");
    let mut forgotten = true;
    for _ in 0..2000 {
        let rows = app.raw("SELECT count(*) FROM audit WHERE body LIKE '%agents_stopped%'");
        if rows == 1 && app.mark.place().load(std::sync::atomic::Ordering::SeqCst) {
            forgotten = false;
            break;
        }
        app.clock.pass(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Halt { answered_ms, written_ms, served, forgotten }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
