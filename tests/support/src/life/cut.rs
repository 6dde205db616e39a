//! Revoking while everything else goes on: checks and refreshes before, during and after it, at a bank that takes its
//! time, with a restart now and then. What may happen is what a small model says: after the acknowledgement nothing is
//! used, nothing comes back, and in the end no token works at the bank.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use contract::error_code::ErrorCode;
use contract::ui::GrantState;
use domain::id::GrantId;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::{Chance, LIFE, connected, hurried, pass, runtime};
use crate::fake_provider::{Answer, FakeProvider, Habit};
use crate::fakes::TestApp;

/// A fault that must be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// The cut-off is not kept: the next host knows nothing of it.
    CutOffForgotten,
    /// What the bank has to be told is not kept.
    OutboxForgotten,
}

/// What came of one run.
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// Calls of the bank's API that began after the acknowledgement, or were still under way then.
    pub used_after: usize,
    /// What else the model does not allow.
    pub wrong: Vec<String>,
    /// From the click to the moment after which no token came to the bank's API, in milliseconds: the acknowledgement, or
    /// what was on its way and came later.
    pub cut_off_ms: f64,
    /// A refresh was under way, and its answer came after the end.
    pub late_tokens: bool,
    /// The bank gave tokens in an answer that a restart kept from us: nobody here knows them.
    pub out_of_reach: bool,
    /// The token had run out, so that the checks had to refresh.
    pub refreshed: bool,
}

/// When the bank's API was called.
type Calls = Arc<Mutex<Vec<Instant>>>;

/// One schedule.
struct Plan {
    chance: Chance,
    runs_out: bool,
    token_alone: bool,
    restarts: bool,
}

/// Runs the schedule that follows from the seed. The bank lives in another runtime, which is given.
#[must_use]
pub fn cut(banks: &Handle, seed: u64, run: usize, planted: Option<Planted>) -> Cut {
    let mut chance = Chance::of(seed, run);
    let mut one_in = |n| chance.below(n) == 0;
    let (runs_out, token_alone, restarts) = (!one_in(3), one_in(2), one_in(4));
    let restarts = match planted {
        None => restarts,
        Some(Planted::CutOffForgotten) => true,
        // The database of this fault is none of ours, and another start would refuse it.
        Some(Planted::OutboxForgotten) => false,
    };
    let mut plan = Plan { chance, runs_out, token_alone, restarts };
    let bank = banks.block_on(FakeProvider::start());
    if token_alone {
        bank.habit(Habit::RevokesTokenAlone);
        bank.states("behaviour.revocation", json!("token_only"));
    }
    let calls = Calls::default();
    let heard = Arc::clone(&calls);
    bank.tells(move |seen| {
        if seen.at == "accounts" {
            heard.lock().expect("nobody panics holding it").push(Instant::now());
        }
    });
    let first = runtime();
    let (app, grant) = first.block_on(connected(&bank));
    if planted == Some(Planted::OutboxForgotten) {
        app.execute(FORGET_OUTBOX);
    }
    let mut cut = Cut { refreshed: plan.runs_out, ..Cut::default() };
    let sent = app.sent.clone();
    let (clicked, acknowledged) = first.block_on(interleave(&app, &bank, grant, &mut plan, &mut cut));
    if planted == Some(Planted::CutOffForgotten) {
        forget_cut_off(&app);
    }
    if plan.restarts {
        let TestApp { dir, keychain, .. } = app;
        drop(first);
        let second = runtime();
        second.block_on(async {
            let app = TestApp::start_in(dir, keychain, &[&bank]).await;
            if plan.runs_out {
                app.clock.pass(LIFE);
            }
            end(&app, &bank, grant, &plan, &mut cut).await;
            cut.used_after += app.sent.after(acknowledged, "/accounts");
        });
    } else {
        first.block_on(end(&app, &bank, grant, &plan, &mut cut));
    }
    let calls = calls.lock().expect("nobody panics holding it");
    let last = calls.iter().copied().max().unwrap_or(acknowledged).max(acknowledged);
    cut.used_after += sent.after(acknowledged, "/accounts");
    cut.cut_off_ms = last.duration_since(clicked).as_secs_f64() * 1000.0;
    cut
}

/// Everything at once; when the click came, and when it was acknowledged.
async fn interleave(
    app: &TestApp,
    bank: &FakeProvider,
    grant: GrantId,
    plan: &mut Plan,
    cut: &mut Cut,
) -> (Instant, Instant) {
    let chance = &mut plan.chance;
    for (endpoint, most) in [("token", 8), ("jwks", 3), ("accounts", 4), ("revoke", 4)] {
        bank.delays(endpoint, chance.below(most));
    }
    if chance.below(4) == 0 {
        bank.play_once("revoke", Answer::of(503, "text/html", "busy").unheard());
    }
    if plan.runs_out {
        pass(app, bank, LIFE);
    }
    let mut checks = JoinSet::new();
    for _ in 0..1 + chance.below(4) {
        let (app, wait) = (app.app.clone(), Duration::from_micros(chance.below(12_000)));
        let yields = chance.below(8);
        checks.spawn(async move {
            tokio::time::sleep(wait).await;
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            let _ = app.check_grant(grant).await;
        });
    }
    tokio::time::sleep(Duration::from_micros(chance.below(24_000))).await;
    for _ in 0..chance.below(8) {
        tokio::task::yield_now().await;
    }
    let clicked = Instant::now();
    let revoked = app.app.revoke_grant(grant).await;
    let acknowledged = Instant::now();
    if let Err(refusal) = revoked {
        cut.wrong.push(format!("not revoked: {:?}", refusal.code()));
    }
    for _ in 0..2 {
        // Each begun after the acknowledgement.
        let code = app.app.check_grant(grant).await.map_err(|refusal| refusal.code());
        if code != Err(ErrorCode::GrantRevoked) {
            cut.wrong.push(format!("a check that was begun after it: {code:?}"));
        }
    }
    // A restart comes in the middle of whatever is left.
    if !plan.restarts {
        hurried(app, checks.join_all()).await;
    }
    (clicked, acknowledged)
}

/// Waits until the bank has been told, and compares.
async fn end(app: &TestApp, bank: &FakeProvider, grant: GrantId, plan: &Plan, cut: &mut Cut) {
    let told = hurried(app, async {
        for _ in 0..1500 {
            if app.raw("SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM sealed)") == 0 {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        false
    });
    if !told.await {
        cut.wrong.push("the bank was not told".to_owned());
    }
    let page = app.app.show_grant(grant).await.expect("the page");
    if !matches!(page.row.state, GrantState::Revoked { .. }) {
        cut.wrong.push(format!("{:?}", page.row.state));
    }
    let checked = app.app.check_grant(grant).await.map_err(|refusal| refusal.code());
    if checked != Err(ErrorCode::GrantRevoked) {
        cut.wrong.push(format!("a check at the end: {checked:?}"));
    }
    cut.late_tokens = app.audit().iter().any(|body| body.contains("late_tokens"));
    // What had run out before needs no revoking.
    let over = |token: &str| plan.runs_out && token == "access-1";
    let live: Vec<String> = bank.live().into_iter().filter(|token| !over(token)).collect();
    cut.out_of_reach = !live.is_empty() && is_out_of_reach(plan, bank);
    if !live.is_empty() && !cut.out_of_reach {
        cut.wrong.push(format!("work at the bank in the end: {live:?}"));
    }
}

/// Whether the bank gave tokens in an answer that a restart kept from us: nobody here knows them.
fn is_out_of_reach(plan: &Plan, bank: &FakeProvider) -> bool {
    let refreshes = bank.seen("token").iter().filter(|seen| seen.form.contains_key("refresh_token")).count();
    plan.restarts && plan.token_alone && refreshes > 0
}

const FORGET_OUTBOX: &str =
    "CREATE TRIGGER forget AFTER INSERT ON outbox BEGIN DELETE FROM outbox; DELETE FROM sealed; END";

/// As if it had never been stored.
fn forget_cut_off(app: &TestApp) {
    let store = rusqlite::Connection::open(app.dir.path().join("countersign.sqlite")).expect("the database");
    store.busy_timeout(Duration::from_secs(5)).expect("patience");
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'grants_stay_cut_off'";
    let guard: String = store.query_row(guard, [], |row| row.get(0)).expect("what keeps it");
    store
        .execute_batch(&format!(
            "BEGIN IMMEDIATE; DROP TRIGGER grants_stay_cut_off; DELETE FROM outbox;
             UPDATE grants SET cut_off_at = NULL, token = NULL; {guard}; COMMIT"
        ))
        .expect("a change");
}
