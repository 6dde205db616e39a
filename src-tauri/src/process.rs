//! Closes this process to others of the same user, as far as the system allows.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::Mode;

/// Makes the process not dumpable (no tracing, no reading of its memory or environment) and forbids core files.
pub(crate) fn harden() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(())
}

/// What the process was started to show. Nothing where it was given anything else: a link, a file or another program's
/// options start nothing.
pub(crate) fn mode() -> Option<Mode> {
    let mut given = std::env::args_os().skip(1);
    match (given.next(), given.next()) {
        (None, None) => Some(Mode::Window),
        (Some(only), None) if only == "--approval" => Some(Mode::Approval),
        (Some(only), None) if only == "--tray" => Some(Mode::Tray),
        (Some(_), None) => None,
        (_, Some(_)) => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, getrlimit};

    use super::*;

    #[test]
    fn others_cannot_read_this_process_and_no_core_is_written() {
        harden().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
    }
}
