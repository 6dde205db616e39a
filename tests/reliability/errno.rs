//! A call fails once.

use support::sweep::{Errno, Fault, Operation};

use crate::{found, holds};

#[test]
fn a_call_that_fails_once_costs_nothing_acknowledged_and_ends_no_host() {
    let report = holds(Operation::all(), Errno::ALL.map(Fault::Fail).to_vec(), 120);
    assert!(report.met().count() > 100, "{} of 120 calls failed", report.met().count());
}

#[test]
fn what_a_failed_sync_forgets_is_written_again() {
    let report = holds(Operation::all(), vec![Fault::LoseUnsynced], 40);
    assert!(report.met().count() > 25, "{} syncs failed", report.met().count());
}

#[test]
fn a_write_that_only_says_it_was_done_is_noticed() {
    assert!(found(Operation::Connect, Fault::Lie, None) > 0);
    assert!(found(Operation::Revoke, Fault::Lie, None) > 0);
}

#[test]
fn a_host_that_gives_up_is_noticed() {
    assert!(found(Operation::Connect, Fault::Abort, None) > 0);
}
