//! `refresh_race`: 64 callers of one host on one rotating grant, and 64 processes on the store's compare-and-swap.

use serde_json::{Value, json};
use support::life::race::{Race, race};
use support::life::swap::{How, swap};

use crate::Setup;
use crate::report::{at_most, control, median, number, percentile, samples};

const AT_ONCE: usize = 64;
const ADOPT_MS: f64 = 100.0;
/// Enough that processes which write blindly get in each other's way.
const BLIND: u32 = 50;

pub(crate) async fn measure(setup: &Setup) -> Value {
    let good = race(setup.n, AT_ONCE, false).await;
    eprintln!("refresh_race: {} refreshes for {} expiries", good.posts, good.expiries);
    let beside = race(1, AT_ONCE, true).await;
    let generations = u32::try_from(setup.n).expect("a number of generations");
    let program = std::env::current_exe().expect("this program");
    // Nobody waits for the others while the processes run.
    let (swapped, blind) = tokio::task::spawn_blocking(move || {
        let swapped = swap(&program, AT_ONCE, generations, How::BySwap);
        (swapped, swap(&program, AT_ONCE, BLIND, How::Blindly))
    })
    .await
    .expect("the processes ran");
    let not_once = |count| at_most("generations not won by exactly one process", number(count), "", 0.0);
    let mut parts = requests(&good).to_vec();
    parts.push(at_most("callers that got nothing", number(good.refused), "", 0.0));
    parts.push(at_most("adopted by all, p99", percentile(&good.adopted, 0.99), "ms", ADOPT_MS));
    parts.push(not_once(swapped));
    json!({
        "n": setup.n,
        "parts": parts,
        "controls": [
            control("somebody refreshes without waiting", &requests(&beside)),
            control("processes that write without comparing", &[not_once(blind)]),
        ],
        "detail": {
            "callers": AT_ONCE,
            "processes": AT_ONCE,
            "posts": good.posts,
            "adopted_median_ms": median(&good.adopted),
            "adopted_ms": samples(&good.adopted),
        },
    })
}

fn requests(race: &Race) -> [Value; 2] {
    [
        at_most("refreshes too many or too few", number(race.posts_off()), "", 0.0),
        at_most("reuse seen by the bank", f64::from(race.reuses), "", 0.0),
    ]
}
