//! Where and when a figure was measured.

use std::fs;

use anyhow::Context as _;

use crate::child;

pub(crate) struct Surroundings {
    pub(crate) commit: String,
    pub(crate) machine: String,
    pub(crate) date: String,
    /// How busy the machine was before.
    pub(crate) load: String,
}

impl Surroundings {
    pub(crate) fn now() -> anyhow::Result<Self> {
        let said = |program: &str, words: &[&str]| {
            let said = child::heard(child::command(program).args(words));
            said.map(|text| text.trim().to_owned()).with_context(|| program.to_owned())
        };
        let commit = said("git", &["rev-parse", "HEAD"])?;
        // What is measured must be found again: a tree with changes says so.
        let changed = !said("git", &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
        Ok(Self {
            commit: if changed { format!("{commit} with changes") } else { commit },
            machine: format!("{}, {}", said("uname", &["-srm"])?, hardware()),
            date: said("date", &["--utc", "+%Y-%m-%dT%H:%M:%SZ"])?,
            load: fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned(),
        })
    }
}

fn hardware() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let model = after(&cpus, "model name").unwrap_or("a processor");
    let kib: u64 =
        after(&memory, "MemTotal").and_then(|kib| kib.split(' ').next()?.parse().ok()).unwrap_or(0);
    format!("{count} × {model}, {:.1} GB", kib as f64 * 1024.0 / 1e9)
}

fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}
