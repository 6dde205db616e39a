//! `countersign`: the command line. It asks the host that runs, by `/support/…` on the public socket; where none runs,
//! it shows what `countersignd --report` reads.
//!
//! **Invariant:** imports `contract` and `ipc` of ours, so no type that could carry a token or a key can get here; and of
//! `domain` the rule of the audit log's chain (`audit.rs`), to check a file by.
//! **Invariant:** a passphrase comes from the terminal, never from the command line, the environment or a pipe.
#![cfg(unix)]

mod advice;
mod approve;
mod arguments;
mod audit;
mod choose;
mod connect;
mod environment;
mod exit;
mod help;
mod host;
mod output;
mod passphrase;
mod render;
mod run;
mod sentences;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(misuse) => {
            output::complain(&misuse.to_string());
            return exit::Exit::Usage.into();
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return exit::Exit::Machine.into() };
    runtime.block_on(run::run(arguments)).into()
}
