//! `audit`: an exported log that is cut off, edited, reordered or replaced, and how fast one is checked.

use std::time::Instant;

use serde_json::{Value, json};
use support::trail::{Numbers, Trail, Tried, check, lines, records};

use crate::Setup;
use crate::report::{at_most, control, number};

/// So many records a second, at least.
const A_SECOND: u64 = 200_000;

pub(crate) fn measure(setup: &Setup) -> Value {
    let mut numbers = Numbers::of(setup.seed);
    let trail = Trail::of(u64::try_from(setup.n / 10).expect("a count"));
    let cut = trail.cut_everywhere();
    eprintln!("audit: cut off at {} points", cut.tried);
    let edited = trail.edited(setup.n, &mut numbers);
    let reordered = trail.reordered(setup.n / 10, &mut numbers);
    let replaced = trail.rolled_back(setup.n / 100, true, &mut numbers);
    let blind = trail.rolled_back(setup.n / 100, false, &mut numbers);
    let missed = |what: &str, tried: Tried| {
        at_most(&format!("{what} unnoticed, or named wrongly"), number(tried.missed), "", 0.0)
    };
    json!({
        "n": setup.n,
        "parts": [
            missed("cut off", cut),
            missed("edited", edited),
            missed("reordered", reordered),
            missed("replaced", replaced),
            at_most("checking 200,000 records", seconds(), "s", 1.0),
        ],
        "controls": [control("a log that is replaced without an anchor", &[missed("replaced", blind)])],
        "detail": {
            "cut_off": cut.tried,
            "edited": edited.tried,
            "reordered": reordered.tried,
            "replaced": replaced.tried,
        },
    })
}

/// The best of three, on records of the usual length.
fn seconds() -> f64 {
    let records = records(A_SECOND);
    let lines = lines(&records, None);
    let run = |_| {
        let begin = Instant::now();
        assert!(check(&lines).is_ok(), "a sound log");
        begin.elapsed().as_secs_f64()
    };
    (0..3).map(run).fold(f64::INFINITY, f64::min)
}
