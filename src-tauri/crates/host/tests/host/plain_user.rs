//! Tests that prove nothing when root runs them: root may read, trace and lock whatever it likes.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Nobody in particular.
const PLAIN: u32 = 65534;

/// Runs the body in a process of its own that belongs to a plain user. `name` is the test's, by which it is found there;
/// `beside` are programs that it needs in its folder.
pub(crate) fn as_plain_user(name: &str, beside: &[&Path], body: impl FnOnce()) {
    if std::env::args().any(|arg| arg == "--exact") && !rustix::process::geteuid().is_root() {
        return body();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("test");
    // Where the build lies, others may have no way in.
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for other in beside {
        std::fs::copy(other, folder.path().join(other.file_name().unwrap())).unwrap();
    }
    let mut run = Command::new(program);
    run.args(["--exact", name, "--nocapture"]);
    if rustix::process::geteuid().is_root() {
        run.uid(PLAIN).gid(PLAIN);
    }
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
}
