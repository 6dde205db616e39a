//! `kill_sweep` and `errno_sweep`: the host meets a fault at every call that writes or sends. What the runs are and what
//! they are judged by stands in `support::sweep`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::database::spoil;
use support::sweep::{Errno, Fault, Moment, Operation, Plan, Report, Spoil, control, sweep};

use crate::Setup;
use crate::report::{at_most, control as planted};

/// Runs of a control: enough that its fault meets something that counts.
const CONTROL: usize = 12;

pub(crate) fn kill(setup: &Setup) -> Value {
    let faults = [Moment::Before, Moment::Half, Moment::After].map(Fault::Kill).to_vec();
    let red = |what, operation, fault, spoil| red(setup, what, operation, fault, spoil);
    let before = Fault::Kill(Moment::Before);
    let controls = vec![
        red("a connection acknowledged before it is written", Operation::Connect, Fault::KillUnwritten, None),
        red("a revocation acknowledged before it is written", Operation::Revoke, Fault::KillUnwritten, None),
        red("fresh tokens used before they are written", Operation::Refresh, Fault::KillUnwritten, None),
        red("a stop of the agents that is forgotten", Operation::StopAgents, before, Some(forget_stop)),
        red("an outbox entry that is dropped", Operation::Revoke, before, Some(drop_outbox)),
    ];
    measure(setup, faults, &controls)
}

pub(crate) fn errno(setup: &Setup) -> Value {
    let faults = Errno::ALL.map(Fault::Fail).into_iter().chain([Fault::LoseUnsynced]).collect();
    let red = |what, operation, fault| red(setup, what, operation, fault, None);
    let controls = vec![
        red("a write that says it was done", Operation::Connect, Fault::Lie),
        red("a revocation that says it was written", Operation::Revoke, Fault::Lie),
        red("a host that gives up", Operation::Connect, Fault::Abort),
    ];
    measure(setup, faults, &controls)
}

fn drop_outbox(data: &Path) {
    spoil(data, "DELETE FROM outbox");
}

/// From every place where it stands.
fn forget_stop(data: &Path) {
    spoil(data, "UPDATE meta SET stopped_at = NULL");
    std::fs::write(data.join("agents"), "may run\n").expect("the stop mark");
    std::fs::remove_dir_all(data.with_file_name("run").join("countersign")).expect("the runtime folder");
}

/// Runs with a fault that no product could bear.
fn red(setup: &Setup, what: &str, operation: Operation, fault: Fault, spoil: Option<Spoil>) -> Value {
    let report = control(&setup.programs, operation, fault, spoil, CONTROL);
    eprintln!("planted: {what}: {} of {} runs are bad", report.violations().count(), report.runs.len());
    planted(what, &[violations(&report)])
}

fn measure(setup: &Setup, faults: Vec<Fault>, controls: &[Value]) -> Value {
    let mut operations = Operation::all();
    operations.retain(|operation| setup.only.as_ref().is_none_or(|only| *only == operation.name()));
    let plan = Plan { operations, faults, runs: setup.n, seed: setup.seed };
    let report = sweep(&setup.programs, &plan);
    for run in report.violations() {
        let call = run.met.as_deref().unwrap_or("no call");
        eprintln!("{}, {:?} at {} ({call}): {:#?}", run.operation.name(), run.fault, run.at, run.violations);
    }
    let mut parts = vec![violations(&report)];
    if report.whole {
        parts.push(at_most("points that met no fault", number(report.points_missed()), "points", 0.0));
    }
    json!({
        "n": report.met().count(),
        "parts": parts,
        "controls": controls,
        "detail": detail(&report),
    })
}

fn violations(report: &Report) -> Value {
    at_most("runs with a violation of I1 to I8", number(report.violations().count()), "runs", 0.0)
}

fn detail(report: &Report) -> Value {
    let points: BTreeMap<String, usize> =
        report.points.iter().map(|(operation, calls)| (operation.name(), calls.len())).collect();
    let mut by_fault: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_call: BTreeMap<String, usize> = BTreeMap::new();
    for run in report.met() {
        *by_fault.entry(format!("{:?}", run.fault)).or_default() += 1;
        let call = run.met.as_deref().unwrap_or_default();
        *by_call.entry(call.split('/').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let runs = report.runs.len();
    json!({
        "points": points,
        "runs": runs,
        "runs_done_before_their_fault": runs - report.met().count(),
        "by_fault": by_fault,
        "by_call": by_call,
        // The host was killed after the bank had issued something and before it was stored: no acknowledged connection.
        "consents_nobody_could_know_of": report.unknown(),
        // The bank's answer to a refresh was lost with the host: it asks the person, and says why.
        "reconnect_asked": report.reconnects(),
        "mean_run_ms": report.busy.as_secs_f64() * 1000.0 / f64::max(number(runs), 1.0),
    })
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
