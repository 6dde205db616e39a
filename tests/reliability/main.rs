//! Samples of the sweeps that `cargo xtask figures` takes in full: the host meets a fault at calls that write or send, and
//! a fresh one is asked what is left. See `support::sweep`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on stops with what it saw"
)]

mod errno;
mod kill;
mod migration;

use support::process::programs;
use support::sweep::{Fault, Operation, Plan, Report, Spoil, control, sweep};

/// Runs of a control: enough that its fault meets something that counts.
const CONTROL: usize = 12;

/// Sweeps, and stops with what is to be said against any run.
fn holds(operations: Vec<Operation>, faults: Vec<Fault>, runs: usize) -> Report {
    let report = sweep(&programs(), &Plan { operations, faults, runs, seed: 7 });
    let bad: Vec<_> = report.violations().collect();
    assert!(bad.is_empty(), "{} of {} runs: {bad:#?}", bad.len(), report.runs.len());
    report
}

/// How many runs are found bad with a fault that no product could bear.
fn found(operation: Operation, fault: Fault, spoil: Option<Spoil>) -> usize {
    control(&programs(), operation, fault, spoil, CONTROL).violations().count()
}
