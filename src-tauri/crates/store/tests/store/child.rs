//! Tests of this binary run as processes of their own, so that they can be killed, starved and lied to.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const FOLDER: &str = "COUNTERSIGN_TEST_CHILD";

/// A test of this binary as a command: `wrapper` runs it, it works in `folder`.
pub(crate) fn command(wrapper: &[&str], test: &str, folder: &Path) -> Command {
    let own = env::current_exe().unwrap();
    let mut words = wrapper.iter().map(PathBuf::from).chain([own]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stderr(Stdio::piped());
    command.stdout(Stdio::piped());
    command
}

/// Runs it to its end and gives what it wrote.
pub(crate) fn run(wrapper: &[&str], test: &str, folder: &Path) -> String {
    let output = command(wrapper, test, folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{wrapper:?} {test}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// Where a child works; none in the ordinary run of all tests, in which a child's test has nothing to do.
#[expect(clippy::disallowed_methods, reason = "a test process is its own composition root")]
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// Whether a tool is there and may do what the test wants of it. Where it may not (a container without ptrace or
/// namespaces), the test says so and the cases that need no tool remain.
pub(crate) fn works(tool: &[&str]) -> bool {
    let mut command = Command::new(tool[0]);
    let status = command.args(&tool[1..]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let works = status.is_ok_and(|status| status.success());
    if !works {
        eprintln!("left out: {tool:?} does not work here");
    }
    works
}
