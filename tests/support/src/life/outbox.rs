//! What the bank has to be told while it is away for a month and the host is started again and again.

use std::time::Duration;

use contract::ui::{BankTold, GrantState};
use domain::id::GrantId;
use tokio::runtime::Handle;

use super::{Chance, connect, folder, runtime};
use crate::fake_provider::{Answer, FakeProvider, Wire};
use crate::fakes::{SharedKeychain, TestApp};

/// Connections that are revoked on the way.
const GRANTS: usize = 10;
/// How long the bank is away.
const AWAY: Duration = Duration::from_secs(30 * 86_400);

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Revoked while the bank was away.
    pub revoked: usize,
    /// Confirmed by the bank once it was back.
    pub confirmed: usize,
    /// Tokens that still work at the bank.
    pub live: usize,
    /// Requests that the bank did not take meanwhile.
    pub tries: usize,
    /// How often the host was started.
    pub restarts: usize,
}

/// Runs it. With `forgets`, entries are lost at one restart: the fault that must be noticed.
#[must_use]
pub fn month(banks: &Handle, seed: u64, restarts: usize, forgets: bool) -> Told {
    let mut chance = Chance::of(seed, restarts);
    let bank = banks.block_on(FakeProvider::start());
    let (mut dir, mut keychain) = (folder(), SharedKeychain::empty());
    let mut grants = Vec::new();
    let first = runtime();
    (dir, keychain) = first.block_on(async {
        let mut app = TestApp::start_in(dir, keychain, &[&bank]).await;
        for _ in 0..GRANTS {
            grants.push(connect(&mut app).await);
        }
        (app.dir, app.keychain)
    });
    drop(first);
    let step = AWAY / u32::try_from(restarts).unwrap_or(u32::MAX);
    let (mut passed, mut revoked) = (Duration::ZERO, 0);
    for start in 0..restarts {
        passed += step;
        bank.answers("revoke", away(&mut chance));
        let runtime = runtime();
        (dir, keychain) = runtime.block_on(async {
            let app = TestApp::start_in(dir, keychain, &[&bank]).await;
            app.clock.pass(passed);
            if start * GRANTS >= revoked * restarts && revoked < GRANTS {
                app.app.revoke_grant(grants[revoked]).await.expect("revoked");
                revoked += 1;
            }
            if forgets && start == restarts / 2 {
                app.execute("DELETE FROM outbox");
            }
            // Killed in the middle of whatever it does.
            tokio::time::sleep(Duration::from_millis(chance.below(12))).await;
            (app.dir, app.keychain)
        });
    }
    let tries = bank.seen("revoke").len();
    bank.answers_honestly("revoke");
    let last = runtime();
    let confirmed = last.block_on(async {
        let app = TestApp::start_in(dir, keychain, &[&bank]).await;
        app.clock.pass(AWAY);
        all_told(&app, &grants).await
    });
    Told { revoked, confirmed, live: bank.live().len(), tries, restarts }
}

/// A bank that is away, in one of its ways.
fn away(chance: &mut Chance) -> Answer {
    match chance.below(5) {
        0 => Answer::of(503, "text/html", "busy").unheard(),
        1 => Answer::wire(Wire::Close).unheard(),
        2 => Answer::wire(Wire::Reset).unheard(),
        3 => Answer::of(400, "application/json", r#"{"error":"temporarily_unavailable"}"#).unheard(),
        _ => Answer::of(502, "text/html", "<html>sign in to the hotel</html>").unheard(),
    }
}

/// How many are confirmed, once there is nothing more to tell.
async fn all_told(app: &TestApp, grants: &[GrantId]) -> usize {
    let mut confirmed = 0;
    for _ in 0..1000 {
        let untold = app.raw("SELECT count(*) FROM outbox");
        confirmed = 0;
        for grant in grants {
            let page = app.app.show_grant(*grant).await.expect("the page");
            let told = matches!(page.row.state, GrantState::Revoked { facts, .. }
                if matches!(facts.bank, BankTold::Confirmed { .. }));
            confirmed += usize::from(told);
        }
        if untold == 0 {
            break;
        }
        app.clock.pass(Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    confirmed
}
