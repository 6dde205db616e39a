//! Node: the one that is installed where it is new enough, else one of the project's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use crate::child;

const MAJOR: u32 = 22;

/// A Node that the Sandbox Bank runs on.
pub(crate) struct Node {
    program: PathBuf,
    path: OsString,
}

impl Node {
    /// Finds it, or installs it into `target/tools/node`.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let found = child::heard(
            child::command("node").args(["--print", "process.version + ' ' + process.execPath"]),
        );
        let Some(found) = found else {
            bail!(
                "Node is missing. Please install Node 20 or later with npm; where it is older than {MAJOR}, this brings its own."
            );
        };
        let (version, program) = found.trim().split_once(' ').context("an answer from node")?;
        let major =
            version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
        let program =
            if major.is_some_and(|major| major >= MAJOR) { PathBuf::from(program) } else { own(version)? };
        let folder = program.parent().context("node's folder")?.to_path_buf();
        let before = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&before)))?;
        Ok(Self { program, path })
    }

    /// The binary.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Node itself, with arguments to come.
    pub(crate) fn command(&self) -> Command {
        let mut command = child::command(&self.program);
        command.env("PATH", &self.path);
        command
    }

    /// npm, on this Node, in a folder of the clone.
    pub(crate) fn npm(&self, folder: &str) -> Command {
        let mut command = child::command("npm");
        command.current_dir(child::root().join(folder)).env("PATH", &self.path);
        command
    }

    /// Installs what a folder's lock file names, where that has not been done since it last changed.
    pub(crate) fn ci(&self, folder: &str) -> anyhow::Result<()> {
        let at = |file: &str| changed(&child::root().join(folder).join(file));
        let (lock, installed) = (at("package-lock.json"), at("node_modules/.package-lock.json"));
        anyhow::ensure!(lock.is_some(), "{folder}/package-lock.json is missing");
        if installed >= lock {
            println!("{folder}/node_modules is current");
            return Ok(());
        }
        println!("Installing the npm packages of {folder}");
        child::run(self.npm(folder).args(["ci", "--no-audit", "--no-fund"]))
    }
}

fn changed(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|meta| meta.modified()).ok()
}

fn own(found: &str) -> anyhow::Result<PathBuf> {
    let prefix = child::target("tools/node");
    let program = prefix.join("node_modules/node/bin/node");
    let runs = || child::heard(child::command(&program).arg("--version")).is_some();
    if runs() {
        return Ok(program);
    }
    println!("Node {found} is older than {MAJOR}. Installing node@{MAJOR} from npm into target/tools/node");
    std::fs::create_dir_all(&prefix)?;
    let options = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix"];
    child::run(child::command("npm").args(options).arg(&prefix).arg(format!("node@{MAJOR}")))?;
    // npm may be set not to run the script that fetches the binary, and says so in its own words above.
    anyhow::ensure!(runs(), "npm installed no Node that runs. Please install Node {MAJOR} and try again.");
    Ok(program)
}
