//! What a process does before it reads a secret key.

/// Closes the process to other programs of the person and leaves no core file. Where the system has no such switch,
/// nothing happens.
///
/// Whether it worked; without it the key is as safe as it is in its file.
#[cfg(target_os = "linux")]
pub fn harden() -> bool {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let no_cores = setrlimit(Resource::Core, none).is_ok();
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok() && no_cores
}

/// Nothing to set here.
#[cfg(not(target_os = "linux"))]
pub fn harden() -> bool {
    false
}
