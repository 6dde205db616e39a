//! Nobody but root looks into the host's memory, alive or dead: not another program of the same user, not a core file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Resource, Rlimit, Signal, getrlimit, kill_process, pidfd_getfd,
    pidfd_open, setrlimit,
};

use crate::plain_user::as_plain_user;

const BUILT: &str = env!("CARGO_BIN_EXE_countersignd");

/// Where the kernel shows what a process has in its memory, its environment and its hands.
const PLACES: [&str; 9] = ["auxv", "environ", "exe", "fd", "maps", "mem", "pagemap", "smaps", "syscall"];

/// A process of ours that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// A host in a folder of its own, without screen, bus or keychain; ready.
    fn host(folder: &Path) -> Self {
        let mut host = Self::begun(folder);
        let endpoint = folder.join("home/endpoint.json");
        for _ in 0..3000 {
            if endpoint.exists() {
                return host;
            }
            assert!(host.0.try_wait().unwrap().is_none(), "the host ended");
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the host does not get ready");
    }

    /// The same, at the first moment of it.
    fn begun(folder: &Path) -> Self {
        for place in ["run", "work"] {
            fs::DirBuilder::new().mode(0o700).create(folder.join(place)).unwrap();
        }
        let child = Command::new(program())
            .env_clear()
            .env("COUNTERSIGN_HOME", folder.join("home"))
            .env("XDG_RUNTIME_DIR", folder.join("run"))
            .current_dir(folder.join("work"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// How large a core may be, and how large at most.
    fn core_limits(&self) -> [String; 2] {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.0.id())).unwrap();
        let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let words: Vec<_> = cores.split_whitespace().collect();
        [4, 5].map(|word| words[word].to_owned())
    }

    /// A program like any other.
    fn other(folder: &Path) -> Self {
        Self(Command::new("sleep").arg("600").current_dir(folder).spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// What of the process another of the same user gets hold of.
    fn open_places(&self) -> BTreeSet<&'static str> {
        let opens = |place: &&str| File::open(format!("/proc/{}/{place}", self.0.id())).is_ok();
        let mut open: BTreeSet<_> = PLACES.into_iter().filter(opens).collect();
        // What the kernel asks before it lets one process trace another or read its memory (ptrace, process_vm_readv),
        // it asks before it gives one's files to the other.
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        if pidfd_getfd(pidfd, 0, PidfdGetfdFlags::empty()).is_ok() {
            open.insert("its files");
        }
        open
    }

    /// Whether a core was made of it, by this signal.
    ///
    /// Sent until it works: the first of those that a fault sends meets the handler of Rust, which looks for a stack
    /// that has run out, finds none, and takes itself away.
    fn core_by(mut self, signal: Signal) -> bool {
        for _ in 0..500 {
            if let Some(status) = self.0.try_wait().unwrap() {
                assert_eq!(status.signal(), Some(signal.as_raw()));
                return status.core_dumped();
            }
            kill_process(self.pid(), signal).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it lives on after {signal:?}");
    }
}

/// The host's program: beside the test's where it was copied for a plain user.
fn program() -> PathBuf {
    let beside = std::env::current_exe().unwrap().with_file_name("countersignd");
    if beside.exists() { beside } else { BUILT.into() }
}

/// Attack 114. The reader is the parent, so that nothing but the host's own doing refuses it.
#[test]
fn another_program_of_the_same_user_reads_nothing_of_the_host() {
    let name = "closed::another_program_of_the_same_user_reads_nothing_of_the_host";
    as_plain_user(name, &[BUILT.as_ref()], || {
        let folder = tempfile::tempdir().unwrap();
        let host = Running::host(folder.path());
        assert_eq!(host.open_places(), BTreeSet::new());
        let everything = PLACES.into_iter().chain(["its files"]).collect();
        assert_eq!(Running::other(folder.path()).open_places(), everything, "the control");
    });
}

/// Attack 115: with every limit on cores taken away by whoever starts it.
#[test]
fn no_core_is_made_of_a_host_that_dies() {
    as_plain_user("closed::no_core_is_made_of_a_host_that_dies", &[BUILT.as_ref()], || {
        let most = getrlimit(Resource::Core).maximum;
        setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).unwrap();
        for signal in [Signal::SEGV, Signal::ABORT, Signal::QUIT, Signal::BUS] {
            let folder = tempfile::tempdir().unwrap();
            let host = Running::host(folder.path());
            assert_eq!(host.core_limits(), ["0", "0"]);
            assert!(!host.core_by(signal), "{signal:?}");
            assert_eq!(fs::read_dir(folder.path().join("work")).unwrap().count(), 0, "{signal:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        // A machine may forbid all cores.
        let possible = most != Some(0);
        assert_eq!(Running::other(folder.path()).core_by(Signal::SEGV), possible, "the control");
    });
}

/// Attack 115: at twenty moments, from the one on at which the host has closed itself, which is before it opens anything.
#[test]
fn no_core_is_made_at_any_moment() {
    as_plain_user("closed::no_core_is_made_at_any_moment", &[BUILT.as_ref()], || {
        let most = getrlimit(Resource::Core).maximum;
        setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).unwrap();
        let mut unopened = 0;
        for moment in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let host = Running::begun(folder.path());
            while host.core_limits() != ["0", "0"] {
                thread::yield_now();
            }
            unopened += usize::from(!folder.path().join("home").exists());
            thread::sleep(Duration::from_millis(moment * 10));
            assert!(!host.core_by(Signal::SEGV), "{moment}");
            assert_eq!(fs::read_dir(folder.path().join("work")).unwrap().count(), 0, "{moment}");
        }
        assert!(unopened > 0, "it is closed before it opens anything");
    });
}
