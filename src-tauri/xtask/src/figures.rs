//! The figures: measured here, held against their goals, and written down with all that is needed to measure again.

mod record;
mod size;
mod surroundings;

use std::fs;

use anyhow::{Context as _, bail};

use crate::build::{self, Build};
use crate::child;
use crate::node::Node;
use crate::tools::{self, For};
use record::{Measured, Record};
use surroundings::Surroundings;

/// Measures it `n` times.
type Measure = fn(&Figure, n: usize, seed: u64) -> anyhow::Result<Measured>;

/// What can be measured.
pub(crate) struct Figure {
    name: &'static str,
    what: &'static str,
    /// How often, for a first look.
    sample: usize,
    /// How often, in full.
    full: usize,
    /// Which programs are measured.
    build: Build,
    measure: Measure,
}

const FIGURES: [Figure; 17] = [
    Figure {
        name: "startup",
        what: "start to the list of 100 grants on the screen, against an empty Tauri window",
        sample: 5,
        full: 20,
        build: Build::Release,
        measure: in_a_session,
    },
    Figure {
        name: "memory_idle",
        what: "memory of all our processes, window open and closed, against an empty Tauri window",
        sample: 2,
        full: 10,
        build: Build::Release,
        measure: in_a_session,
    },
    Figure {
        name: "size",
        what: "release binaries against an empty Tauri app, and the Debian package",
        sample: 1,
        full: 1,
        build: Build::Release,
        measure: size::measure,
    },
    Figure {
        name: "connect_overhead",
        what: "the bank's redirect to the grant in the list, less the bank's own time",
        sample: 20,
        full: 100,
        build: Build::ReleaseSandbox,
        measure: in_a_session,
    },
    Figure {
        name: "lease_latency",
        what: "a signed task in, a lease out, over the socket, beside one durable write",
        sample: 400,
        full: 1500,
        build: Build::ReleaseSandbox,
        measure: inside,
    },
    Figure {
        name: "call_overhead",
        what: "a brokered call beside the same call made directly",
        sample: 200,
        full: 1500,
        build: Build::ReleaseSandbox,
        measure: inside,
    },
    Figure {
        name: "kill_sweep",
        what: "the host killed at every call that writes or sends, and a fresh one asked what is left",
        sample: 300,
        full: 20_000,
        build: Build::Sandbox,
        measure: in_a_session,
    },
    Figure {
        name: "errno_sweep",
        what: "every call that writes or sends fails once, and a fresh host is asked what is left",
        sample: 300,
        full: 10_000,
        build: Build::Sandbox,
        measure: in_a_session,
    },
    Figure {
        name: "lost_refresh",
        what: "a refresh whose answer is lost, at six points and three kinds of bank",
        sample: 360,
        full: 18_000,
        build: Build::Sandbox,
        measure: in_a_session,
    },
    Figure {
        name: "refresh_race",
        what: "64 callers on one rotating grant, and 64 processes on the store's compare-and-swap",
        sample: 100,
        full: 1000,
        build: Build::Sandbox,
        measure: inside,
    },
    Figure {
        name: "revoke",
        what: "revocations at the worst moment, and a month in which the bank is away",
        sample: 300,
        full: 100_000,
        build: Build::Sandbox,
        measure: inside,
    },
    Figure {
        name: "audit",
        what: "an exported log cut off, edited, reordered, replaced; and how fast one is checked",
        sample: 10_000,
        full: 100_000,
        build: Build::Sandbox,
        measure: inside,
    },
    Figure {
        name: "call_leaks",
        what: "calls through banks that hand the token on, in every coding, header and redirect",
        sample: 2_000,
        full: 100_000,
        build: Build::Sandbox,
        measure: inside,
    },
    Figure {
        name: "hostile_agent",
        what: "agents that do anything in any order, beside a model of what each is owed",
        sample: 5_000,
        full: 1_000_000,
        build: Build::Sandbox,
        measure: inside,
    },
    Figure {
        name: "load",
        what: "a thousand connections at once, each task sent twice at the same time, and a stop amid it",
        sample: 2_000,
        full: 7_000,
        build: Build::ReleaseSandbox,
        measure: inside,
    },
    Figure {
        name: "canary",
        what: "known secrets, looked for in twelve places over many lives of a connection",
        sample: 20,
        full: 1000,
        build: Build::Sandbox,
        measure: in_a_session,
    },
    Figure {
        name: "memory",
        what: "secrets in the host's memory after a revocation, and reads by other programs of its user",
        sample: 20,
        full: 500,
        build: Build::Sandbox,
        measure: in_a_session,
    },
];

/// What the person asked for.
pub(crate) struct Options {
    figures: Vec<&'static Figure>,
    full: bool,
    seed: u64,
}

impl Options {
    /// Reads the words after `figures`.
    pub(crate) fn parse(words: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self { figures: Vec::new(), full: false, seed: 1 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--full" => options.full = true,
                "--seed" => {
                    let seed = words.next().and_then(|seed| seed.parse().ok());
                    options.seed = seed.context("--seed wants a number")?;
                }
                name => options.figures.push(named(name)?),
            }
        }
        if options.figures.is_empty() {
            options.figures = FIGURES.iter().collect();
        }
        Ok(options)
    }

    fn command(&self, figure: &Figure) -> String {
        let full = if self.full { " --full" } else { "" };
        format!("cargo xtask figures {}{full} --seed {}", figure.name, self.seed)
    }
}

fn named(name: &str) -> anyhow::Result<&'static Figure> {
    if let Some(figure) = FIGURES.iter().find(|figure| figure.name == name) {
        return Ok(figure);
    }
    let known: Vec<String> =
        FIGURES.iter().map(|figure| format!("\n  {:<17} {}", figure.name, figure.what)).collect();
    bail!("no figure is called `{name}`. There are:{}", known.concat())
}

/// Measures what was asked for; fails where a goal is missed or a planted fault is not noticed.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    build_for(&options.figures)?;
    let folder = child::target("figures");
    fs::create_dir_all(&folder)?;
    let mut records = Vec::new();
    for figure in &options.figures {
        println!("\n== {}: {}", figure.name, figure.what);
        let surroundings = Surroundings::now()?;
        let n = if options.full { figure.full } else { figure.sample };
        let measured = (figure.measure)(figure, n, options.seed).context(figure.name)?;
        let record =
            Record::of(figure.name, measured, &options.command(figure), options.seed, &surroundings)?;
        fs::write(folder.join(figure.name).with_extension("json"), record.json())?;
        records.push(record);
    }
    println!("\n{}", record::table(&records));
    let missed: Vec<&str> = records.iter().filter(|record| !record.ok()).map(Record::name).collect();
    anyhow::ensure!(missed.is_empty(), "missed: {}", missed.join(", "));
    Ok(())
}

fn build_for(figures: &[&Figure]) -> anyhow::Result<()> {
    tools::install(For::Testing)?;
    build::ui(&Node::find()?)?;
    let wants = |fits: fn(Build) -> bool| figures.iter().any(|figure| fits(figure.build));
    if wants(|build| matches!(build, Build::Sandbox)) {
        build::programs(Build::Sandbox)?;
    }
    if wants(|build| matches!(build, Build::ReleaseSandbox)) {
        build::programs(Build::ReleaseSandbox)?;
    }
    if wants(|build| matches!(build, Build::Release | Build::ReleaseSandbox)) {
        // Last, so that what the bundler takes from cargo's folder is what is released.
        build::release_and_empty_window()?;
    }
    Ok(())
}

/// By the program `figures` of the tests, which has sessions, screens and banks.
fn in_a_session(figure: &Figure, n: usize, seed: u64) -> anyhow::Result<Measured> {
    by_a_program(figure, n, seed, &[])
}

/// By the same program, as optimised as what is released: the product runs inside it, and its times are measured.
fn inside(figure: &Figure, n: usize, seed: u64) -> anyhow::Result<Measured> {
    let folder = build::release_target();
    let folder = folder.to_str().context("a path that is text")?;
    by_a_program(figure, n, seed, &["--release", "--target-dir", folder])
}

fn by_a_program(figure: &Figure, n: usize, seed: u64, how: &[&str]) -> anyhow::Result<Measured> {
    let program = ["-p", "countersign-tests", "--bin", "figures"];
    child::run(child::cargo(["build"]).args(program).args(how))?;
    let mut measuring = child::cargo(["run", "--quiet"]);
    measuring.args(program).args(how);
    measuring.args(["--", figure.name, "--n", &n.to_string(), "--seed", &seed.to_string(), "--programs"]);
    measuring.arg(figure.build.folder()).arg("--empty-window").arg(build::empty_window());
    let output = measuring.stderr(std::process::Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "the measuring program failed: {}", output.status);
    serde_json::from_slice(&output.stdout).context("what the measuring program said")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_all_of_them() {
        let options = Options::parse(&["--full"]).unwrap();
        assert_eq!((options.figures.len(), options.full, options.seed), (FIGURES.len(), true, 1));
        let options = Options::parse(&["size", "startup", "--seed", "7"]).unwrap();
        let names: Vec<_> = options.figures.iter().map(|figure| figure.name).collect();
        assert_eq!((names, options.full, options.seed), (vec!["size", "startup"], false, 7));
        assert_eq!(options.command(options.figures[1]), "cargo xtask figures startup --seed 7");
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is() {
        let said = Options::parse(&["startup", "sise"]).err().unwrap().to_string();
        assert!(said.contains("`sise`") && FIGURES.iter().all(|figure| said.contains(figure.name)), "{said}");
        assert!(Options::parse(&["--seed"]).is_err() && Options::parse(&["--quick"]).is_err());
    }
}
