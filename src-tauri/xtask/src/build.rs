//! The user interface and the programs, in each build that somebody needs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;

use crate::child;
use crate::node::Node;
use crate::tools::{self, For};

/// Which build.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// No features: what is released, but for the optimiser.
    Plain,
    /// What is released, by the release profile.
    Release,
    /// By the release profile, with the feature `sandbox`: for figures that need a bank.
    ReleaseSandbox,
    /// With the feature `sandbox`: demo and tests only.
    Sandbox,
}

const PROGRAMS: [&str; 5] =
    ["countersignd", "countersign-desktop", "countersign", "countersign-agent", "countersign-mcp"];
const PACKAGES: [&str; 10] = [
    "-p",
    "countersign-host",
    "-p",
    "countersign-desktop",
    "-p",
    "countersign-cli",
    "-p",
    "countersign-client",
    "-p",
    "countersign-mcp",
];
/// What only the demo and tests run, beside their sandbox builds.
const SAMPLE: &str = "sample-agent";
/// The features that make a sandbox build.
pub(crate) const SANDBOX: [&str; 2] = ["--features", "countersign-host/sandbox,countersign-desktop/sandbox"];

/// What the built interface is made from.
const UI_SOURCES: [&str; 5] =
    ["src", "index.html", "package-lock.json", "vite.config.ts", "svelte.config.js"];

impl Build {
    /// Where its programs lie, side by side as in the package.
    pub(crate) fn folder(self) -> PathBuf {
        child::target(match self {
            Self::Plain => "bin/plain",
            Self::Release => "bin/release",
            Self::ReleaseSandbox => "bin/release-sandbox",
            Self::Sandbox => "bin/sandbox",
        })
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Plain | Self::Release => &[],
            Self::ReleaseSandbox | Self::Sandbox => &SANDBOX,
        }
    }

    fn is_sandbox(self) -> bool {
        matches!(self, Self::ReleaseSandbox | Self::Sandbox)
    }

    fn is_optimised(self) -> bool {
        matches!(self, Self::Release | Self::ReleaseSandbox)
    }
}

/// Where release builds are made: a folder of their own, so that no other package's features get into them.
pub(crate) fn release_target() -> PathBuf {
    child::target("release-build")
}

/// A Tauri app with nothing in it, of the release profile.
pub(crate) fn empty_window() -> PathBuf {
    child::target("bin/empty/empty-window")
}

/// Tools, interface and both builds.
pub(crate) fn everything() -> anyhow::Result<()> {
    tools::install(For::Building)?;
    ui(&Node::find()?)?;
    programs(Build::Plain)?;
    programs(Build::Sandbox)
}

/// Builds `ui/dist` where a source is newer.
pub(crate) fn ui(node: &Node) -> anyhow::Result<()> {
    node.ci("ui")?;
    let ui = child::root().join("ui");
    let built = ui.join("dist/index.html").metadata().and_then(|meta| meta.modified()).ok();
    let sources = UI_SOURCES.iter().map(|source| newest(&ui.join(source)));
    let newest = sources.collect::<io::Result<Vec<_>>>().context("the sources of ui")?.into_iter().max();
    if built > newest {
        println!("ui/dist is current");
        return Ok(());
    }
    child::run(node.npm("ui").args(["run", "build"]))
}

/// The last change in a file, or in a folder and everything below it.
fn newest(path: &Path) -> io::Result<SystemTime> {
    let meta = path.metadata()?;
    let mut last = meta.modified()?;
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            last = last.max(newest(&entry?.path())?);
        }
    }
    Ok(last)
}

/// Builds what is released, and beside it an empty window: an app with the features that Tauri's own template has, by
/// the same profile. Each by itself, so that neither gets the other's features.
pub(crate) fn release_and_empty_window() -> anyhow::Result<()> {
    let mut cargo = child::cargo(["build", "-p", "empty-window", "--features", "template", "--release"]);
    child::run(cargo.arg("--target-dir").arg(release_target()))?;
    let place = empty_window();
    fs::create_dir_all(place.parent().context("a folder")?)?;
    copy(&release_target().join("release/empty-window"), &place).context("empty-window")?;
    programs(Build::Release)
}

/// Builds the host, the window, the command line and what is on the agent's side, and puts copies where the other builds do not overwrite them.
pub(crate) fn programs(build: Build) -> anyhow::Result<()> {
    let mut cargo = child::cargo(["build"]);
    cargo.args(PACKAGES).args(build.features());
    if build.is_sandbox() {
        cargo.args(["-p", "countersign-sample-agent"]);
    }
    let built = if build.is_optimised() {
        cargo.arg("--release").arg("--target-dir").arg(release_target());
        release_target().join("release")
    } else {
        let own = std::env::var_os("CARGO_TARGET_DIR");
        own.map_or_else(|| child::target(""), |dir| child::root().join(dir)).join("debug")
    };
    child::run(&mut cargo)?;
    fs::create_dir_all(build.folder())?;
    for program in PROGRAMS.into_iter().chain(build.is_sandbox().then_some(SAMPLE)) {
        copy(&built.join(program), &build.folder().join(program)).with_context(|| program.to_owned())?;
    }
    Ok(())
}

/// Copies in one step, so that nobody starts half a program; a copy that is current stays.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let of = |path: &Path| path.metadata().and_then(|meta| Ok((meta.len(), meta.modified()?)));
    let source = of(from)?;
    if of(to).is_ok_and(|copy| copy == source) {
        return Ok(());
    }
    let half = to.with_extension("new");
    fs::copy(from, &half)?;
    File::options().write(true).open(&half)?.set_modified(source.1)?;
    fs::rename(half, to)
}
