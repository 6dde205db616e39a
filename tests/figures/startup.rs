//! `startup`: from the start of the host to the list of grants on the screen, against an empty Tauri window.
//!
//! Both are watched in the same way, from outside: until their first pixels of one colour are on the screen. Nothing is
//! asked of the programs, so they are those that are released, without inspector or switch.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Setup;
use crate::programs::{Desk, Program};
use crate::report::{at_most, control, median, percentile, samples};

const GRANTS: u32 = 100;
const GOAL: f64 = 1.25;
/// As much later must be noticed.
const PLANTED: Duration = Duration::from_millis(300);

/// Milliseconds to the first picture, pair by pair.
struct Pairs {
    empty: Vec<f64>,
    ours: Vec<f64>,
}

impl Pairs {
    /// Takes pairs; who begins alternates.
    fn take(desk: &Desk, n: usize, empty: &Program, ours: &Program) -> Self {
        let mut pairs = Self { empty: Vec::new(), ours: Vec::new() };
        for i in 0..n {
            if i % 2 == 0 {
                pairs.empty.push(milliseconds(desk, empty));
                pairs.ours.push(milliseconds(desk, ours));
            } else {
                pairs.ours.push(milliseconds(desk, ours));
                pairs.empty.push(milliseconds(desk, empty));
            }
            eprintln!("startup: empty {:.0} ms, ours {:.0} ms", pairs.empty[i], pairs.ours[i]);
        }
        pairs
    }

    fn ratios(&self) -> Vec<f64> {
        self.ours.iter().zip(&self.empty).map(|(ours, empty)| ours / empty).collect()
    }

    fn part(&self) -> Value {
        at_most("to the list, of the time to an empty window", median(&self.ratios()), "ratio", GOAL)
    }
}

pub(crate) fn measure(setup: &Setup) -> Value {
    let desk = Desk::start();
    crate::grants::write(&desk.session.data(), GRANTS, setup.seed);
    let empty = Program::Empty(setup.empty_window.clone());
    let ours = Program::Ours(setup.programs.clone());
    // The first of each reads its files from the disk.
    Pairs::take(&desk, 1, &empty, &ours);
    let pairs = Pairs::take(&desk, setup.n, &empty, &ours);
    let late = Program::OursAfter(setup.programs.clone(), PLANTED);
    let planted = Pairs::take(&desk, (setup.n / 4).max(3), &empty, &late);
    json!({
        "n": setup.n,
        "parts": [pairs.part()],
        "controls": [control("the host is started 300 ms late", &[planted.part()])],
        "detail": {
            "grants": GRANTS,
            "empty_ms": summary(&pairs.empty),
            "ours_ms": summary(&pairs.ours),
            "ratios": samples(&pairs.ratios()),
        },
    })
}

fn milliseconds(desk: &Desk, program: &Program) -> f64 {
    let (running, took) = desk.show(program);
    desk.stop(running);
    took.as_secs_f64() * 1000.0
}

fn summary(values: &[f64]) -> Value {
    json!({ "median": median(values), "p95": percentile(values, 0.95), "samples": samples(values) })
}
