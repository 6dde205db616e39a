//! Measures one figure of the whole product and prints what it saw as one line of JSON. `cargo xtask figures` builds
//! what is measured, runs this, and holds the numbers against the goals.
//!
//! `figures NAME --n N --seed N --programs FOLDER --empty-window PROGRAM`, and for one operation of a sweep alone
//! `--only OPERATION`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on stops with what it saw, and reads the real clock and environment"
)]

mod audit;
mod ballast;
mod call_leaks;
mod canary;
mod connect_overhead;
mod grants;
mod hostile_agent;
mod lease;
mod load;
mod lost_refresh;
mod memory;
mod memory_idle;
mod programs;
mod refresh_race;
mod report;
mod revoke;
mod screen;
mod startup;
mod sweep;
mod tray;

use std::path::PathBuf;

/// What is measured, how often, and by which programs.
struct Setup {
    /// So many pairs, or runs.
    n: usize,
    /// What differs from run to run follows from it.
    seed: u64,
    /// `countersignd` and `countersign-desktop`, as released; with the feature `sandbox` where a bank is needed.
    programs: PathBuf,
    /// The window with nothing in it, of the same profile.
    empty_window: PathBuf,
    /// The one operation of a sweep that is looked into; all of them if there is none.
    only: Option<String>,
}

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| word == name);
        at.and_then(|at| words.get(at + 1)).unwrap_or_else(|| panic!("{name} is missing")).as_str()
    };
    let name = words.first().expect("a figure's name").as_str();
    if name == "ballast" {
        ballast::hold(after("--mib").parse().expect("a number"));
    }
    if name == "peek" {
        println!("{}", support::life::remembered::peek(&words));
        return;
    }
    if name == "compete" {
        return tokio::task::spawn_blocking(move || support::life::swap::compete(&words))
            .await
            .expect("an end");
    }
    let setup = Setup {
        n: after("--n").parse().expect("a number"),
        seed: after("--seed").parse().expect("a number"),
        programs: after("--programs").into(),
        empty_window: after("--empty-window").into(),
        only: words.iter().any(|word| word == "--only").then(|| after("--only").to_owned()),
    };
    let measured = match name {
        "lease_latency" => lease::latency(&setup).await,
        "call_overhead" => lease::overhead(&setup).await,
        "audit" => audit::measure(&setup),
        "startup" => startup::measure(&setup),
        "memory_idle" => memory_idle::measure(&setup).await,
        "connect_overhead" => connect_overhead::measure(&setup).await,
        "kill_sweep" => sweep::kill(&setup),
        "errno_sweep" => sweep::errno(&setup),
        "lost_refresh" => lost_refresh::measure(&setup),
        "refresh_race" => refresh_race::measure(&setup).await,
        "call_leaks" => call_leaks::measure(&setup).await,
        "hostile_agent" => hostile_agent::measure(&setup).await,
        "load" => load::measure(&setup).await,
        "canary" => canary::measure(&setup).await,
        "memory" => memory::measure(&setup).await,
        "revoke" => revoke::measure(&setup),
        _ => panic!("no figure is called {name}"),
    };
    println!("{measured}");
}
