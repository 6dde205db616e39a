//! `cargo xtask`: everything a developer or CI runs, from a fresh clone with Rust and Node.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program talks to the person who runs it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a developer's tool: it reads the environment and measures time"
)]

mod attacks;
mod bindings;
mod build;
mod bundle;
mod child;
mod demo;
mod deny;
mod figures;
mod node;
mod python;
mod test;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo               installs what is missing, builds, starts the Sandbox Bank and Countersign
  demo --smoke       the same without a person or a screen; screenshots in target/demo
  demo --agent       while the demo runs: the sample agent sums up what was spent
  test               everything CI checks
  test --list        the names of its steps
  test --only STEP   one step alone (may be given several times)
  test --keep-going  does not stop at the first step that fails
  attacks            which test proves which attack and rule
  figures [NAME…]    measures the product, against goals; --full takes as many samples as a release wants
  bundle             the Debian package, of a release build
  build              the user interface and the binaries, into target/bin/plain and target/bin/sandbox
  bindings           writes ui/src/ipc/generated/contract.ts from the contract crate
  tools              installs what building and testing need
  advisories         looks for known vulnerabilities (downloads the advisory database)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(),
        ["demo", "--smoke"] => demo::smoke(),
        ["demo", "--agent"] => demo::agent(),
        ["test", options @ ..] => match test::Options::parse(options) {
            Some(options) => test::run(&options),
            None => return usage(),
        },
        ["attacks"] => attacks::run(),
        ["figures", words @ ..] => figures::Options::parse(words).and_then(|options| figures::run(&options)),
        ["bundle"] => bundle::run(),
        ["build"] => build::everything(),
        ["bindings"] => bindings::write(),
        ["tools"] => test::tools(),
        ["advisories"] => deny::advisories(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            child::exit_code(&error)
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
