//! Everything CI checks, cheapest first.

use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

use crate::build::{self, Build};
use crate::node::Node;
use crate::tools::{self, For};
use crate::{attacks, bindings, child, deny, python};

/// Suites that run whole programs: they come last, one test after the other.
const WITH_PROGRAMS: [&str; 5] = ["agents", "cli", "leaks", "product", "reliability"];

type Step = (&'static str, &'static str, fn() -> anyhow::Result<()>);

const STEPS: [Step; 17] = [
    ("tools", "system packages, Node and Python", tools),
    ("bindings", "TypeScript of the contract is current", bindings::check),
    ("fmt", "Rust is formatted", fmt),
    ("npm", "npm packages", npm),
    ("ui-check", "types, lints and format of the interface", ui_check),
    ("ui-test", "tests of the interface", ui_test),
    ("ui-build", "the interface is built", ui_build),
    ("deny", "licences, bans and sources of dependencies", deny::check),
    ("clippy", "lints, whole workspace", clippy),
    ("clippy-sandbox", "lints, host and window with the sandbox feature", clippy_sandbox),
    ("binaries", "programs, plain and sandbox", binaries),
    ("cargo-test", "tests of the workspace", cargo_test),
    ("product", "tests of the whole product", product),
    ("attacks", "every attack and rule has its test, or a reason", attacks::run),
    ("bank", "tests of the Sandbox Bank", bank),
    ("openid-client", "the hostile banks of the tests, and a client nobody here wrote", openid_client),
    ("mcp-client", "the MCP server, and the client of the protocol's makers", mcp_client),
];

/// What the person asked for.
#[derive(Default)]
pub(crate) struct Options {
    only: Vec<String>,
    keep_going: bool,
    list: bool,
}

impl Options {
    /// Reads the words after `test`; nothing where they make no sense.
    pub(crate) fn parse(words: &[&str]) -> Option<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--list" => options.list = true,
                "--keep-going" => options.keep_going = true,
                "--only" => {
                    let step = *words.next()?;
                    if !STEPS.iter().any(|(name, ..)| *name == step) {
                        return None;
                    }
                    options.only.push(step.to_owned());
                }
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Runs the steps and ends with what became of each.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    if options.list {
        for (name, what, _) in STEPS {
            println!("{name:<15} {what}");
        }
        return Ok(());
    }
    let wanted =
        STEPS.iter().filter(|(name, ..)| options.only.is_empty() || options.only.iter().any(|o| o == name));
    let begin = Instant::now();
    let mut lines = Vec::new();
    let mut first_error = None;
    for (name, what, step) in wanted {
        if first_error.is_some() && !options.keep_going {
            lines.push(format!("not run  {name}"));
            continue;
        }
        println!("\n== {name}: {what}");
        let begin = Instant::now();
        let outcome = step();
        let seconds = begin.elapsed().as_secs_f32();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("== {name}: {word}, {seconds:.1} s");
        lines.push(format!("{word:<8} {name} ({seconds:.1} s)"));
        if let Err(error) = outcome {
            eprintln!("xtask: {error:#}");
            first_error = first_error.or(Some(error.context(*name)));
        }
    }
    println!("\n== summary, {:.0} s", begin.elapsed().as_secs_f32());
    for line in &lines {
        println!("{line}");
    }
    first_error.map_or(Ok(()), Err)
}

/// Installs what building and testing need.
pub(crate) fn tools() -> anyhow::Result<()> {
    tools::install(For::Testing)?;
    println!("Node: {}", Node::find()?.program().display());
    println!("Python: {}", python::of_the_django_bank()?.display());
    Ok(())
}

fn fmt() -> anyhow::Result<()> {
    child::run(&mut child::cargo(["fmt", "--all", "--check"]))
}

fn npm() -> anyhow::Result<()> {
    let node = Node::find()?;
    node.ci("ui")?;
    node.ci("tests/sandbox-bank")?;
    node.ci("tests/openid-client")?;
    node.ci("tests/mcp-client")
}

fn ui_check() -> anyhow::Result<()> {
    child::run(Node::find()?.npm("ui").args(["run", "check"]))
}

fn ui_test() -> anyhow::Result<()> {
    child::run(Node::find()?.npm("ui").args(["run", "test"]))
}

fn ui_build() -> anyhow::Result<()> {
    build::ui(&Node::find()?)
}

fn clippy() -> anyhow::Result<()> {
    child::run(&mut child::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn clippy_sandbox() -> anyhow::Result<()> {
    let packages = ["clippy", "-p", "countersign-host", "-p", "countersign-desktop", "--all-targets"];
    child::run(child::cargo(packages).args(build::SANDBOX).args(["--", "-D", "warnings"]))
}

fn binaries() -> anyhow::Result<()> {
    build::programs(Build::Plain)?;
    build::programs(Build::Sandbox)
}

/// Builds, or runs, every test written in Rust: what `cargo-test` and `product` run between them.
pub(crate) fn every_rust_test() -> anyhow::Result<Command> {
    let mut test = child::cargo(["test", "--workspace", "--lib", "--bins"]);
    select(&mut test, suites()?.iter());
    Ok(test)
}

/// Every test but those that need the programs: named one by one, since cargo cannot leave a suite out.
fn cargo_test() -> anyhow::Result<()> {
    let suites = suites()?;
    let mut test = child::cargo(["test", "--workspace", "--lib", "--bins"]);
    select(&mut test, suites.iter().filter(|name| !WITH_PROGRAMS.contains(&name.as_str())));
    name_programs(&mut test)?;
    // One room that fails must not hide what the others would say.
    child::run(test.arg("--no-fail-fast"))
}

fn product() -> anyhow::Result<()> {
    let mut test = child::cargo(["test", "--workspace"]);
    select(&mut test, suites()?.iter().filter(|name| WITH_PROGRAMS.contains(&name.as_str())));
    name_programs(&mut test)?;
    child::run(test.args(["--no-fail-fast", "--", "--test-threads=1"]))
}

/// Tells the suites which programs are under test.
fn name_programs(test: &mut Command) -> anyhow::Result<()> {
    test.env("COUNTERSIGN_BIN", Build::Sandbox.folder())
        .env("COUNTERSIGN_BIN_PLAIN", Build::Plain.folder())
        .env("COUNTERSIGN_NODE", Node::find()?.program())
        .env("COUNTERSIGN_PYTHON", python::of_the_django_bank()?);
    Ok(())
}

fn bank() -> anyhow::Result<()> {
    child::run(Node::find()?.npm("tests/sandbox-bank").arg("test"))
}

/// The provider of the tests, a program here, proves itself against somebody else's client, and so does its list.
fn openid_client() -> anyhow::Result<()> {
    // With the suites, whose programs cargo builds: by itself it would be built anew with other features.
    child::run(every_rust_test()?.arg("--no-run"))?;
    let own = std::env::var_os("CARGO_TARGET_DIR");
    let built = own.map_or_else(|| child::target(""), |dir| child::root().join(dir));
    let provider = built.join("debug/hostile-provider");
    let mut tests = Node::find()?.npm("tests/openid-client");
    child::run(tests.arg("test").env("COUNTERSIGN_HOSTILE_PROVIDER", provider))
}

fn mcp_client() -> anyhow::Result<()> {
    let program = Build::Plain.folder().join("countersign-mcp");
    if !program.exists() {
        build::programs(Build::Plain)?;
    }
    child::run(Node::find()?.npm("tests/mcp-client").arg("test").env("COUNTERSIGN_MCP", program))
}

fn select<'a>(test: &mut Command, suites: impl Iterator<Item = &'a String>) {
    for suite in suites {
        test.args(["--test", suite]);
    }
}

/// The names of all test suites of the workspace.
fn suites() -> anyhow::Result<Vec<String>> {
    let text = child::heard(&mut child::cargo(["metadata", "--no-deps", "--format-version", "1"]));
    let metadata: Value = serde_json::from_str(&text.context("cargo metadata")?)?;
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let targets = list(&metadata, "packages").into_iter().flat_map(|package| list(&package, "targets"));
    let mut names: Vec<String> = targets
        .filter(|target| list(target, "kind").iter().any(|kind| kind == "test"))
        .filter_map(|target| Some(target.get("name")?.as_str()?.to_owned()))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}
