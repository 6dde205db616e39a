//! `connect_overhead`: from the moment the bank's redirect arrives at the loopback to the grant in the list, less the
//! time in which the bank had a request of ours and had not answered it yet.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::driver::Page;
use support::fake_provider::FakeProvider;
use support::fakes::{get, sent_back};
use support::session::Session;
use support::world::World;
use url::Url;

use crate::Setup;
use crate::report::{at_most, control, median, percentile, samples};

const GOAL_MS: f64 = 100.0;
/// The bank takes this much longer: as its own time it changes nothing, as ours it must be noticed.
const PLANTED_MS: u64 = 300;
const BANK: &str = "bank-1";

/// Watches for a row that was not there, and notes when the picture with it has been handed to the screen.
const WATCH: &str = "
    const first = () => document.querySelector('[data-testid^=grant-row-]')?.dataset.testid ?? '';
    const before = first();
    window.figure = null;
    const watching = new MutationObserver(() => {
        if (first() === before) return;
        watching.disconnect();
        requestAnimationFrame(() => {
            const drawn = new MessageChannel();
            drawn.port1.onmessage = () => { window.figure = Date.now(); };
            drawn.port2.postMessage(null);
        });
    });
    watching.observe(document.body, { childList: true, subtree: true, attributes: true });
    return true";

/// Hands over the time, once there is one.
const SEEN: &str = "
    const done = arguments[arguments.length - 1];
    const look = () => window.figure === null ? setTimeout(look, 5) : done(window.figure);
    look()";

/// One connection, in milliseconds.
struct Run {
    whole: f64,
    bank: f64,
}

impl Run {
    fn ours(&self) -> f64 {
        self.whole - self.bank
    }
}

pub(crate) async fn measure(setup: &Setup) -> Value {
    let bank = FakeProvider::start().await;
    let world = World::with(Session::start(), &[], |host| {
        host.programs.clone_from(&setup.programs);
        // As the customers have it; tests log everything.
        host.extra.push(("COUNTERSIGN_LOG".to_owned(), "info".to_owned()));
        std::fs::write(host.catalogue.join("bank-1.toml"), bank.file(BANK)).expect("a provider file");
    });
    let window = world.window().await;
    // The first of all makes the vault's key and meets every page for the first time.
    connect(&world, &window, &bank).await;
    let runs = several(setup.n, &world, &window, &bank).await;
    bank.delays("token", PLANTED_MS);
    let slow = several((setup.n / 4).max(3), &world, &window, &bank).await;
    let part = |runs: &[f64]| at_most("p95", percentile(runs, 0.95), "ms", GOAL_MS);
    let of = |runs: &[Run], what: fn(&Run) -> f64| runs.iter().map(what).collect::<Vec<f64>>();
    let ours = of(&runs, Run::ours);
    let slow_ours = of(&slow, Run::ours);
    json!({
        "n": setup.n,
        // That a slow bank is not counted as ours is a goal like the other.
        "parts": [part(&ours), at_most("median at a bank 300 ms slower", median(&slow_ours), "ms", GOAL_MS)],
        "controls": [control("300 ms of the bank counted as ours", &[part(&of(&slow, |run| run.whole))])],
        "detail": {
            "median_ms": median(&ours),
            "ours_ms": samples(&ours),
            "whole_ms": samples(&of(&runs, |run| run.whole)),
            "bank_ms": samples(&of(&runs, |run| run.bank)),
        },
    })
}

async fn several(n: usize, world: &World, window: &Page, bank: &FakeProvider) -> Vec<Run> {
    let mut runs = Vec::new();
    for _ in 0..n {
        let run = connect(world, window, bank).await;
        eprintln!("connect_overhead: {:.0} ms, of it the bank {:.1} ms", run.whole, run.bank);
        runs.push(run);
    }
    runs
}

/// Connects once more, with the list in view while the bank sends the browser back.
async fn connect(world: &World, window: &Page, bank: &FakeProvider) -> Run {
    window.click("nav-connections").await;
    let url = Url::parse(&world.go_to_bank(window, BANK, "Budget Buddy").await).expect("an address");
    window.find("step-at_bank").await;
    window.click("nav-connections").await;
    window.find("home-sentence").await;
    assert_eq!(window.run(WATCH).await, true);
    let redirect = sent_back(&url).await.expect("the bank sends the browser back");
    let begin = SystemTime::now();
    let (status, _) = get(redirect.as_str()).await;
    assert_eq!(status, 200, "the redirect was taken");
    let seen = tokio::time::timeout(Duration::from_secs(20), window.client.execute_async(SEEN, vec![])).await;
    let seen = seen.expect("the grant appears in time").expect("a time").as_f64().expect("a time");
    let spans = bank.busy().into_iter().map(|(came, answered)| (milliseconds(came), milliseconds(answered)));
    let bank = covered(spans, milliseconds(begin), seen);
    Run { whole: seen - milliseconds(begin), bank }
}

/// How much of the time from `begin` to `end` these spans cover; what two of them share counts once.
fn covered(spans: impl Iterator<Item = (f64, f64)>, begin: f64, end: f64) -> f64 {
    let mut spans: Vec<(f64, f64)> = spans.collect();
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut sum, mut from) = (0.0, begin);
    for (came, answered) in spans {
        let (came, answered) = (came.max(from), answered.min(end));
        if answered > came {
            sum += answered - came;
            from = answered;
        }
    }
    sum
}

fn milliseconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_covered_twice_counts_once_and_what_is_outside_not_at_all() {
        let covered = |spans: &[(f64, f64)]| covered(spans.iter().copied(), 10.0, 100.0);
        assert_eq!(covered(&[]), 0.0);
        assert_eq!(covered(&[(20.0, 30.0), (40.0, 45.0)]), 15.0);
        assert_eq!(covered(&[(25.0, 50.0), (20.0, 30.0), (28.0, 29.0)]), 30.0);
        assert_eq!(covered(&[(0.0, 20.0), (95.0, 300.0), (5.0, 9.0)]), 15.0);
    }
}
