//! Sweeps: the real host meets a fault at every call that writes or sends, and a fresh host is asked what is left.
//!
//! The host runs without a screen. What stands in for its window hands the private channel to the test, which asks as the
//! window does; the bank is [`crate::fake_provider`], the keychain a real one. The fault comes from `sweep/fault.c`, which
//! counts the calls of all threads with one counter. Every run ends with a host that was killed, and is judged by the
//! invariants I1 to I8: no acknowledged connection lost, nothing revoked back, nothing done without its audit record, no
//! secret in the clear, the outbox kept until the bank said yes, the newest refresh token kept, a sound database and
//! chain, and everything shown.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) mod control;
pub(crate) mod hosted;
mod operation;
mod place;
mod remains;
mod told;
mod verdict;

pub use control::{Errno, Fault, Moment};
pub use operation::Operation;

pub use place::Spoil;

use place::{Outcome, Place, Task};

/// So many hosts at once.
const WORKERS: usize = 2;
/// No run takes as long.
const LONGEST: Duration = Duration::from_secs(60);
/// Runs by which the calls are counted: threads take turns, so the count differs by a few.
const COUNTS: usize = 2;

/// One point of an operation, and what happened to a host there.
#[derive(Clone, Debug)]
pub struct Run {
    /// What the host was doing.
    pub operation: Operation,
    /// What it met.
    pub fault: Fault,
    /// At which call.
    pub at: u64,
    /// The call; nothing where the host was done before.
    pub met: Option<String>,
    /// What was not as it must be.
    pub violations: Vec<String>,
    /// Consents at the bank that the host never could know of.
    pub unknown: usize,
    /// Connections that do not go on without the person, since an answer was lost.
    pub reconnects: usize,
}

/// What a sweep has seen.
#[derive(Debug, Default)]
pub struct Report {
    /// Every run.
    pub runs: Vec<Run>,
    /// The calls of each operation, as counted without a fault: the most that there were.
    pub points: BTreeMap<Operation, Vec<String>>,
    /// The fewest that there were: threads take turns.
    least: BTreeMap<Operation, u64>,
    /// How long all runs took together, each counted by itself.
    pub busy: Duration,
    /// Every point met every fault of the plan, or was to.
    pub whole: bool,
}

impl Report {
    /// The runs in which the fault was met.
    pub fn met(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.met.is_some())
    }

    /// The runs against which something is to be said.
    pub fn violations(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| !run.violations.is_empty())
    }

    /// Consents at the bank that no host could know of, in all runs.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.runs.iter().map(|run| run.unknown).sum()
    }

    /// Connections that asked the person to connect anew, in all runs.
    #[must_use]
    pub fn reconnects(&self) -> usize {
        self.runs.iter().map(|run| run.reconnects).sum()
    }

    /// How many points of the operations met no fault in any run; those that are there in every run.
    #[must_use]
    pub fn points_missed(&self) -> usize {
        let is_at =
            |run: &Run, operation, at| run.operation == operation && run.at == at && run.fault.counts_all();
        let met = |operation, at| self.met().any(|run| is_at(run, operation, at));
        let missed =
            |(operation, least): (&Operation, &u64)| (1..=*least).filter(|at| !met(*operation, *at)).count();
        self.least.iter().map(missed).sum()
    }
}

/// What is swept, and how much of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the host is doing.
    pub operations: Vec<Operation>,
    /// Every point meets each of these.
    pub faults: Vec<Fault>,
    /// So many runs, in a sample of what there is to run; else everything as often as comes next to it.
    pub runs: usize,
    /// Which runs are taken follows from it.
    pub seed: u64,
}

/// Sweeps with the programs of this folder.
#[must_use]
pub fn sweep(programs: &Path, plan: &Plan) -> Report {
    sweep_spoilt(programs, plan, None)
}

fn sweep_spoilt(programs: &Path, plan: &Plan, spoil: Option<Spoil>) -> Report {
    let mut report = Report::default();
    let mut counted = work(programs, counts(&plan.operations), None);
    // A bank that does not answer in time leaves nothing to be said of a connection: on a machine that is busy with
    // other things, what met no fault of ours is counted once more.
    let late: Vec<Task> = counted
        .extract_if(.., |(_, outcome, _)| !outcome.violations.is_empty())
        .map(|(task, ..)| task)
        .collect();
    counted.extend(work(programs, late, None));
    for (task, outcome, _) in &counted {
        assert_eq!(outcome.violations, Vec::<String>::new(), "{} without a fault", task.operation.name());
        let count = outcome.counted.len() as u64;
        let least = report.least.entry(task.operation).or_insert(count);
        *least = count.min(*least);
        let calls = report.points.entry(task.operation).or_default();
        if outcome.counted.len() > calls.len() {
            calls.clone_from(&outcome.counted);
        }
    }
    let tasks = tasks(&report.points, &plan.faults);
    report.whole = tasks.len() <= plan.runs;
    let tasks = chosen(&tasks, plan.runs, plan.seed);
    for (task, outcome, took) in work(programs, tasks, spoil) {
        report.busy += took;
        report.runs.push(run(task, outcome));
    }
    report.runs.sort_by_key(|run| (run.operation, run.at, run.fault));
    report
}

/// A few points of an operation with a fault that must be noticed, or something done to what is left.
#[must_use]
pub fn control(
    programs: &Path,
    operation: Operation,
    fault: Fault,
    spoil: Option<Spoil>,
    runs: usize,
) -> Report {
    let plan = Plan { operations: vec![operation], faults: vec![fault], runs, seed: 1 };
    sweep_spoilt(programs, &plan, spoil)
}

/// Now, in milliseconds since 1970.
pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("before the year 300 million")
}

fn run(task: Task, outcome: Outcome) -> Run {
    let Task { operation, fault, at } = task;
    let Outcome { met, violations, unknown, reconnects, .. } = outcome;
    Run { operation, fault, at, met, violations, unknown, reconnects }
}

fn counts(operations: &[Operation]) -> Vec<Task> {
    let task = |operation: &Operation| Task { operation: *operation, fault: Fault::Count, at: 0 };
    operations.iter().flat_map(|operation| std::iter::repeat_n(task(operation), COUNTS)).collect()
}

fn tasks(points: &BTreeMap<Operation, Vec<String>>, faults: &[Fault]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (operation, calls) in points {
        for fault in faults {
            let counted = calls.iter().filter(|call| fault.counts(call)).count() as u64;
            tasks.extend((1..=counted).map(|at| Task { operation: *operation, fault: *fault, at }));
        }
    }
    tasks
}

/// As many as are wanted: a sample is evenly spread, and where it begins follows from the seed; more than there are is
/// everything several times.
fn chosen(tasks: &[Task], wanted: usize, seed: u64) -> Vec<Task> {
    let all = tasks.len();
    if all <= wanted {
        return tasks.repeat(wanted / all.max(1));
    }
    let first = usize::try_from(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33).unwrap_or(0) % all;
    let place = |n: usize| (first + n * all / wanted) % all;
    (0..wanted).filter_map(|n| tasks.get(place(n)).copied()).collect()
}

/// Runs all tasks, several at once.
fn work(programs: &Path, tasks: Vec<Task>, spoil: Option<Spoil>) -> Vec<(Task, Outcome, Duration)> {
    let workers = WORKERS.min(tasks.len());
    let queue = Arc::new(Mutex::new(VecDeque::from(tasks)));
    let threads: Vec<_> = (0..workers)
        .map(|_| {
            let (queue, programs) = (Arc::clone(&queue), programs.to_owned());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(take_turns(&programs, &queue, spoil))
            })
        })
        .collect();
    threads.into_iter().flat_map(|thread| thread.join().expect("a worker")).collect()
}

async fn take_turns(
    programs: &Path,
    queue: &Mutex<VecDeque<Task>>,
    spoil: Option<Spoil>,
) -> Vec<(Task, Outcome, Duration)> {
    let mut place = Place::open(programs).await;
    let mut done = Vec::new();
    loop {
        let (task, left) = {
            let mut queue = queue.lock().expect("the queue");
            let Some(task) = queue.pop_front() else { return done };
            (task, queue.len())
        };
        let begin = Instant::now();
        let run = tokio::time::timeout(LONGEST, place.run(task, spoil)).await;
        let outcome = run.unwrap_or_else(|_| Outcome::without_end());
        if left > 0 && left % 500 == 0 {
            eprintln!("sweep: {left} runs to go");
        }
        done.push((task, outcome, begin.elapsed()));
    }
}
