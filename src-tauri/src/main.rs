//! `countersign-desktop`: the window process. Started by `countersignd`; started by hand it only starts that.

use std::process::ExitCode;

fn main() -> ExitCode {
    desktop::run()
}
