//! Child processes that end with the test.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child that is killed when dropped.
pub struct Running(pub Child);

impl Running {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Self {
        let name = format!("{command:?}");
        Self(command.spawn().unwrap_or_else(|err| panic!("{name}: {err}")))
    }

    /// Starts a command and reads the first line it prints.
    pub fn start_and_read_line(command: &mut Command) -> (Self, String) {
        let mut running = Self::start(command.stdout(Stdio::piped()));
        let mut out = BufReader::new(running.0.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        // Kept open and drained: a child must not fail because nobody reads.
        std::thread::spawn(move || {
            let mut rest = String::new();
            while out.read_line(&mut rest).is_ok_and(|n| n > 0) {
                rest.clear();
            }
        });
        (running, line.trim().to_owned())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    let status =
        Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status();
    drop(status);
}

/// The processes whose parent this is.
#[must_use]
pub fn children_of(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task");
    let tasks = std::fs::read_dir(path).into_iter().flatten().flatten();
    let read =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
    tasks
        .map(read)
        .flat_map(|text| text.split_whitespace().filter_map(|p| p.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// All that descend from it.
#[must_use]
pub fn descendants_of(pid: u32) -> Vec<u32> {
    let children = children_of(pid);
    children.iter().copied().chain(children.iter().flat_map(|child| descendants_of(*child))).collect()
}

/// The command line of a process, its words parted by blanks.
#[must_use]
pub fn command_line(pid: u32) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default())
        .replace('\0', " ")
}

/// A port of this computer that is free now.
#[must_use]
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port()
}

/// Waits until something is so.
pub fn wait_until(what: &str, limit: Duration, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests has a parent").to_owned()
}

/// Where the programs under test are: `COUNTERSIGN_BIN`, else the sandbox build of `cargo xtask`.
#[must_use]
pub fn programs() -> PathBuf {
    std::env::var_os("COUNTERSIGN_BIN")
        .map_or_else(|| root().join("target/bin/sandbox"), |path| root().join(path))
}
