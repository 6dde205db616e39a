//! `revoke`: revocations interleaved with refreshes and checks, and an outbox over a month with the bank away. What a run
//! is and what it is judged by stands in `support::life::cut` and `support::life::outbox`.
//!
//! And the kill switch while the bank is silent, the keychain frozen and the disk full, with 10,000 requests waiting. The
//! requests are the window's: those of agents come with the broker.

use serde_json::{Value, json};
use support::life::cut::{Cut, Planted, cut};
use support::life::halt::{Halt, halt};
use support::life::many::many;
use support::life::outbox::{Told, month};
use tokio::runtime::Handle;

use crate::Setup;
use crate::report::{at_most, control, median, number, percentile};

const CUT_OFF_MS: f64 = 50.0;
const KILL_MS: f64 = 250.0;
/// What waits while the kill switch is used.
const REQUESTS: usize = 10_000;
/// Uses of it, for a hundred schedules each.
const FEWEST_STOPS: usize = 3;
/// Schedules of each control: enough that its fault meets one that counts.
const CONTROL: usize = 12;
/// Starts of the host in thirty days, for a hundred schedules each.
const SCHEDULES_PER_RESTART: usize = 100;
const FEWEST_RESTARTS: usize = 30;

pub(crate) fn measure(setup: &Setup) -> Value {
    let cuts = cuts(setup.seed, setup.n, None);
    let wrong = cuts.iter().filter(|cut| !cut.wrong.is_empty()).count();
    let restarts = (setup.n / SCHEDULES_PER_RESTART).max(FEWEST_RESTARTS);
    let told = a_month(setup.seed, restarts, false);
    eprintln!("revoke: {told:?}");
    let stops = (setup.n / SCHEDULES_PER_RESTART).clamp(FEWEST_STOPS, 100);
    let stops: Vec<Halt> = (0..stops).flat_map(|_| many(1, |_| halt(REQUESTS))).collect();
    eprintln!("revoke: {stops:?}");
    let longest = |span: fn(&Halt) -> f64| stops.iter().map(span).fold(0.0, f64::max);
    let undone = stops.iter().filter(|stop| stop.served || stop.forgotten).count();
    let used = |cuts: &[Cut]| number(cuts.iter().map(|cut| cut.used_after).sum());
    let spans: Vec<f64> = cuts.iter().map(|cut| cut.cut_off_ms).collect();

    let forgotten = self::cuts(setup.seed, CONTROL, Some(Planted::CutOffForgotten));
    let dropped = self::cuts(setup.seed, CONTROL, Some(Planted::OutboxForgotten));
    let unheard = a_month(setup.seed, FEWEST_RESTARTS, true);
    json!({
        "n": setup.n,
        "parts": [
            at_most("tokens used after the acknowledgement", used(&cuts), "", 0.0),
            schedules(wrong),
            at_most("cut off after the click, p99", percentile(&spans, 0.99), "ms", CUT_OFF_MS),
            not_told(&told),
            kill(longest(|stop| stop.answered_ms)),
            at_most("stops that did not hold, or were forgotten", number(undone), "", 0.0),
        ],
        "controls": [
            control("a kill switch that waits until it is written down", &[
                kill(stops.iter().map(|stop| stop.written_ms).fold(f64::INFINITY, f64::min)),
            ]),
            control("a cut-off that is not kept", &[
                at_most("tokens used after the acknowledgement", used(&forgotten), "", 0.0),
                schedules(forgotten.iter().filter(|cut| !cut.wrong.is_empty()).count()),
            ]),
            control("an outbox that is not kept, in one run", &[
                schedules(dropped.iter().filter(|cut| !cut.wrong.is_empty()).count()),
            ]),
            control("an outbox that is lost at one restart of many", &[not_told(&unheard)]),
        ],
        "detail": {
            "cut_off_median_ms": median(&spans),
            "with_a_token_that_had_run_out": cuts.iter().filter(|cut| cut.refreshed).count(),
            "with_tokens_that_came_late": cuts.iter().filter(|cut| cut.late_tokens).count(),
            "with_tokens_that_a_restart_kept_from_us": cuts.iter().filter(|cut| cut.out_of_reach).count(),
            "simulated_days": 30,
            "restarts": told.restarts,
            "tries_while_the_bank_was_away": told.tries,
            "revoked_while_it_was_away": told.revoked,
            "stops": stops.len(),
            "requests_waiting": REQUESTS,
        },
    })
}

fn cuts(seed: u64, runs: usize, planted: Option<Planted>) -> Vec<Cut> {
    let banks = Handle::current();
    let cuts = many(runs, |run| cut(&banks, seed, run, planted));
    for (run, cut) in cuts.iter().enumerate().filter(|_| planted.is_none()) {
        if cut.used_after > 0 || !cut.wrong.is_empty() {
            eprintln!("revoke: schedule {run}: {cut:?}");
        }
    }
    cuts
}

fn kill(span: f64) -> Value {
    at_most("kill switch, the longest", span, "ms", KILL_MS)
}

fn a_month(seed: u64, restarts: usize, forgets: bool) -> Told {
    let banks = Handle::current();
    many(1, |_| month(&banks, seed, restarts, forgets)).remove(0)
}

fn schedules(wrong: usize) -> Value {
    at_most("schedules with what the model does not allow", number(wrong), "", 0.0)
}

fn not_told(told: &Told) -> Value {
    let missing = told.revoked.saturating_sub(told.confirmed);
    at_most("not confirmed by the bank after a month", number(missing.max(told.live)), "", 0.0)
}
