//! Hardening of this process, memory for its keys, and its successor.

pub(crate) mod memory;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../tests/host/plain_user.rs"]
mod plain_user;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Marks a host that was started because the package had changed.
pub(crate) const AFTER_CHANGE: &str = "--after-change";

/// Asks for what is stored instead of a host.
const REPORT: &str = "--report";

/// Makes this process unreadable to others of the same user, without core files, and its files private.
/// False if the system refused; the product goes on and says so in the log.
#[cfg(target_os = "linux")]
pub(crate) fn harden() -> bool {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let no_cores = setrlimit(Resource::Core, none).is_ok();
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok() && no_cores
}

/// Makes files private and forbids core files; the other systems have no such switch for a process as a whole.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn harden() -> bool {
    use rustix::process::{Resource, Rlimit, setrlimit};
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).is_ok()
}

/// Nothing to set; not run here.
#[cfg(windows)]
pub(crate) fn harden() -> bool {
    true
}

/// Starts the host that now has our place, in a process of its own.
pub(crate) fn start_anew(program: &Path) -> io::Result<()> {
    let mut command = Command::new(program);
    command.arg(AFTER_CHANGE).stdin(Stdio::null());
    command.spawn().map(drop)
}

/// Whether this host was started because the package had changed.
pub(crate) fn is_after_change() -> bool {
    std::env::args_os().skip(1).any(|arg| arg == AFTER_CHANGE)
}

/// Whether only what is stored is wanted.
pub(crate) fn wants_report() -> bool {
    std::env::args_os().skip(1).any(|arg| arg == REPORT)
}

/// Says what went wrong where there is no log. Where nobody listens there is nobody to tell.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// What a host says that was started with anything else, and ends with.
const USAGE: &str = "countersignd takes no arguments but --report. Nothing was started.\n";
const MISUSED: u8 = 2;

/// Refuses arguments: a link, a file or another program's options on our command line start nothing, and are not
/// passed on to a host that runs. What was given is not repeated, since a terminal may obey it.
pub(crate) fn refuse_arguments() -> Option<ExitCode> {
    let mut given = std::env::args_os().skip(1);
    let fits = match (given.next(), given.next()) {
        (None, None) => true,
        (Some(only), None) => only == AFTER_CHANGE || only == REPORT,
        (_, Some(_)) => false,
    };
    if fits {
        return None;
    }
    // Where nobody listens there is nobody to tell.
    let _ = io::stderr().write_all(USAGE.as_bytes());
    Some(ExitCode::from(MISUSED))
}
