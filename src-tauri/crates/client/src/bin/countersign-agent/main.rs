//! `countersign-agent`: an agent for scripts. It has a key, gets leases and makes calls; what the person has to decide it
//! asks of the Countersign that runs.
//!
//! **Invariant:** the process is closed to others before a key is read.
//! **Invariant:** where a file holds the key, nothing but that file, `endpoint.json` and the socket is opened.

mod arguments;
mod exit;
mod help;
mod output;
mod run;
mod told;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os()) {
        Ok(arguments) => arguments,
        Err(misuse) => {
            output::complain(&misuse.to_string());
            return exit::Exit::Usage.into();
        }
    };
    client::process::harden();
    run::run(&arguments).into()
}
