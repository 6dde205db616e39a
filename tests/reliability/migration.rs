//! A database of each schema that was ever shipped, opened by a host that does not get to the end.

use support::sweep::{Errno, Fault, Moment, Operation};

use crate::holds;

#[test]
fn a_migration_that_is_killed_or_fails_at_any_call_leaves_all_that_was_there() {
    let kills = [Moment::Before, Moment::Half].map(Fault::Kill);
    let report = holds(Operation::migrations(), kills.to_vec(), 60);
    assert!(report.met().count() > 40, "{} hosts were killed", report.met().count());
    holds(Operation::migrations(), vec![Fault::Fail(Errno::Eio), Fault::Fail(Errno::Enospc)], 30);
}
