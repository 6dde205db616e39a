//! `memory_idle`: the proportional set size of all our processes, with the window open and closed, against an empty
//! Tauri window. A page that several processes share counts for each of them in part.

use std::time::Duration;

use serde_json::{Value, json};
use support::process::{children_of, command_line, descendants_of, wait_until};

use crate::Setup;
use crate::programs::{Desk, Program};
use crate::report::{at_most, control, median, samples};
use crate::tray::Watcher;

const GRANTS: u32 = 100;
const OPEN: f64 = 1.25;
const CLOSED_MB: f64 = 65.0;
const HOST_MB: f64 = 15.0;
/// What is planted is more than the goals leave room for.
const BALLAST_MIB: usize = 160;
/// Idle is what is left when everything has come to rest.
const REST: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(30);

/// Megabytes.
#[derive(Default)]
struct Samples {
    empty: Vec<f64>,
    open: Vec<f64>,
    closed: Vec<f64>,
    host: Vec<f64>,
    tray: Vec<f64>,
    processes: Vec<Value>,
}

impl Samples {
    fn take(desk: &Desk, n: usize, empty: &Program, ours: &Program) -> Self {
        let mut all = Self::default();
        for _ in 0..n {
            let (window, _) = desk.show(empty);
            std::thread::sleep(REST);
            all.empty.push(of_all(window.pid()));
            desk.stop(window);
            all.take_ours(desk, ours);
            let last = |samples: &[f64]| samples.last().copied().unwrap_or_default();
            eprintln!(
                "memory_idle: empty {:.1} MB, open {:.1} MB, closed {:.1} MB, of it host {:.1} MB",
                last(&all.empty),
                last(&all.open),
                last(&all.closed),
                last(&all.host)
            );
        }
        all
    }

    fn take_ours(&mut self, desk: &Desk, ours: &Program) {
        let (mut host, _) = desk.show(ours);
        std::thread::sleep(REST);
        self.open.push(of_all(host.pid()));
        self.processes.push(each(host.pid()));
        desk.session.close_window("Countersign");
        let tray = || children_of(host.pid()).into_iter().find(|pid| command_line(*pid).contains("--tray"));
        wait_until("the tray in the window's place", PATIENCE, || tray().is_some() && !desk.screen.shows());
        std::thread::sleep(REST);
        let tray = tray().expect("the tray stays");
        self.closed.push(of_all(host.pid()));
        self.host.push(megabytes(host.pid()));
        self.tray.push(megabytes(tray));
        self.processes.push(each(host.pid()));
        host.signal("TERM");
        wait_until("the host's end", PATIENCE, || host.has_ended());
    }

    fn open_part(&self) -> Value {
        let ratios: Vec<f64> = self.open.iter().zip(&self.empty).map(|(ours, empty)| ours / empty).collect();
        at_most("window open, of an empty window", median(&ratios), "ratio", OPEN)
    }

    fn closed_part(&self) -> Value {
        at_most("window closed", median(&self.closed), "MB", CLOSED_MB)
    }

    fn host_part(&self) -> Value {
        at_most("window closed, of it the host", median(&self.host), "MB", HOST_MB)
    }
}

pub(crate) async fn measure(setup: &Setup) -> Value {
    let desk = Desk::start();
    crate::grants::write(&desk.session.data(), GRANTS, setup.seed);
    let _watcher = Watcher::start(&desk.session).await;
    let empty = Program::Empty(setup.empty_window.clone());
    let ours = Program::Ours(setup.programs.clone());
    let idle = tokio::task::block_in_place(|| Samples::take(&desk, setup.n, &empty, &ours));
    let heavy = Program::OursWithBallast(setup.programs.clone(), BALLAST_MIB);
    let planted = tokio::task::block_in_place(|| Samples::take(&desk, 1, &empty, &heavy));
    json!({
        "n": setup.n,
        "parts": [idle.open_part(), idle.closed_part(), idle.host_part()],
        "controls": [control("a process of ours that holds 160 MiB", &[planted.open_part(), planted.closed_part()])],
        "detail": {
            "grants": GRANTS,
            "empty_mb": samples(&idle.empty),
            "open_mb": samples(&idle.open),
            "closed_mb": samples(&idle.closed),
            "host_mb": samples(&idle.host),
            "tray_mb": samples(&idle.tray),
            "processes_mb": idle.processes,
        },
    })
}

/// A process and everything it started.
fn of_all(pid: u32) -> f64 {
    std::iter::once(pid).chain(descendants_of(pid)).map(megabytes).sum()
}

/// The same, each by its name.
fn each(pid: u32) -> Value {
    let name = |pid: u32| {
        let line = command_line(pid);
        line.split(' ').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
    };
    let all = std::iter::once(pid).chain(descendants_of(pid));
    all.map(|pid| json!({ "name": name(pid), "mb": crate::report::rounded(megabytes(pid)) })).collect()
}

/// The proportional set size. Our processes are closed to others of their user, so this needs root.
pub(crate) fn megabytes(pid: u32) -> f64 {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; memory_idle needs root and Linux"));
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).expect("a Pss line");
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    kib * 1024.0 / 1e6
}
