//! Killed at any moment.

use std::path::Path;

use support::database::spoil;
use support::sweep::{Fault, Moment, Operation};

use crate::{found, holds};

#[test]
fn a_host_that_is_killed_at_any_call_loses_nothing_it_has_acknowledged() {
    let kills = [Moment::Before, Moment::Half, Moment::After].map(Fault::Kill);
    let report = holds(Operation::all(), kills.to_vec(), 120);
    assert!(report.met().count() > 100, "{} of 120 hosts were killed", report.met().count());
}

#[test]
fn a_commit_that_was_only_said_is_noticed() {
    assert!(found(Operation::Connect, Fault::KillUnwritten, None) > 0, "a connection is lost");
    assert!(found(Operation::Revoke, Fault::KillUnwritten, None) > 0, "a revoked connection comes back");
    assert!(found(Operation::Refresh, Fault::KillUnwritten, None) > 0, "fresh tokens are lost");
}

#[test]
fn an_outbox_entry_that_is_dropped_is_noticed() {
    let drop_outbox = |data: &Path| spoil(data, "DELETE FROM outbox");
    assert!(found(Operation::Revoke, Fault::Kill(Moment::Before), Some(drop_outbox)) > 0);
}
