//! cargo-deny, of one version, in the project's own folder.

use crate::child;

const VERSION: &str = "0.20.2";

/// Licences, bans and sources: what can be judged from the lock file alone.
pub(crate) fn check() -> anyhow::Result<()> {
    deny(&["bans", "licenses", "sources"])
}

/// Known vulnerabilities. It downloads the advisory database.
pub(crate) fn advisories() -> anyhow::Result<()> {
    deny(&["advisories"])
}

fn deny(checks: &[&str]) -> anyhow::Result<()> {
    let program = child::target("tools/bin/cargo-deny");
    let version = child::heard(child::command(&program).arg("--version")).unwrap_or_default();
    if version.split_whitespace().last() != Some(VERSION) {
        println!("Installing cargo-deny {VERSION} into target/tools");
        let exactly = format!("={VERSION}");
        let install = ["install", "cargo-deny", "--locked", "--force", "--version", &exactly, "--root"];
        child::run(child::cargo(install).arg(child::target("tools")))?;
    }
    child::run(
        child::command(program)
            .args(["--locked", "--config", ".deny.toml", "check", "--hide-inclusion-graph"])
            .args(checks),
    )
}
