//! The fault that is put into a host: `fault.c` made into a library, and the file by which it is steered.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What happens at the call that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process ends itself in an orderly disorder, as a failed assertion does.
    Abort,
    /// Nothing: calls are counted.
    Count,
    /// It fails once.
    Fail(Errno),
    /// The process is killed.
    Kill(Moment),
    /// The process is killed, and what it wrote to the write-ahead log since counting began is not there.
    KillUnwritten,
    /// It says that all was done, and nothing was.
    Lie,
    /// A sync fails once, and what it should have written is forgotten: after the host's end, what was on the disk
    /// before is there again, save what was written once more.
    LoseUnsynced,
}

impl Fault {
    /// Whether every kind of call counts for this fault.
    pub(super) fn counts_all(self) -> bool {
        self.kinds() == ALL_KINDS
    }

    /// Whether a call is one that this fault counts.
    pub(super) fn counts(self, call: &str) -> bool {
        let kind = match call.split(' ').next().unwrap_or_default() {
            "send" => SENDS,
            "fdatasync" | "fsync" | "sync" => SYNCS,
            "ftruncate" | "pwrite" | "pwritev" | "write" | "writev" => WRITES,
            _ => NAMES,
        };
        self.kinds() & kind != 0
    }

    /// Whether the process ends by it.
    pub(super) fn ends_the_process(self) -> bool {
        match self {
            Self::Abort | Self::Kill(_) | Self::KillUnwritten => true,
            Self::Count | Self::Fail(_) | Self::Lie | Self::LoseUnsynced => false,
        }
    }

    fn kinds(self) -> u64 {
        match self {
            Self::Lie => WRITES,
            Self::LoseUnsynced => SYNCS,
            Self::Abort | Self::Count | Self::Fail(_) | Self::Kill(_) | Self::KillUnwritten => ALL_KINDS,
        }
    }
}

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// After the call.
    After,
    /// Before it.
    Before,
    /// With half of it done, where it has halves.
    Half,
}

/// With what a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errno {
    /// Interrupted by a signal.
    Eintr,
    /// The disk is broken.
    Eio,
    /// Too many files are open.
    Emfile,
    /// No memory.
    Enomem,
    /// The disk is full.
    Enospc,
    /// The disk may only be read.
    Erofs,
}

impl Errno {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Eio, Self::Enospc, Self::Erofs, Self::Emfile, Self::Enomem, Self::Eintr];

    fn number(self) -> u64 {
        match self {
            Self::Eintr => 4,
            Self::Eio => 5,
            Self::Enomem => 12,
            Self::Emfile => 24,
            Self::Enospc => 28,
            Self::Erofs => 30,
        }
    }
}

/// Where the numbers stand in the file; `struct control` of `fault.c`.
mod place {
    pub(super) const ARMED: u64 = 0;
    pub(super) const MODE: u64 = 8;
    pub(super) const AT: u64 = 16;
    pub(super) const MOMENT: u64 = 24;
    pub(super) const ERRNO: u64 = 32;
    pub(super) const KINDS: u64 = 40;
    pub(super) const BANK: u64 = 48;
    pub(super) const COUNT: u64 = 56;
    pub(super) const DONE: u64 = 64;
    pub(super) const WHAT: u64 = 128;
    pub(super) const LOG: u64 = 4096;
    pub(super) const WORDS: usize = 96;
    pub(super) const LOGGED: u64 = 2048;
    pub(super) const LOST: u64 = LOG + LOGGED * WORDS as u64;
    pub(super) const PAGES: usize = 512;
    pub(super) const PAGE: usize = 4096;
    pub(super) const SIZE: u64 = LOST + (PAGES * (PAGE + 16)) as u64;
}

/// Kinds of calls; `enum kind` of `fault.c`.
const WRITES: u64 = 1;
const SYNCS: u64 = 2;
const NAMES: u64 = 4;
const SENDS: u64 = 8;
const ALL_KINDS: u64 = WRITES | SYNCS | NAMES | SENDS;
/// The two files whose pages are followed.
const FILES: [&str; 2] = ["countersign.sqlite-wal", "countersign.sqlite"];

/// Steers the fault of one host.
pub(super) struct Control {
    file: File,
    pub(super) path: PathBuf,
}

impl Control {
    pub(super) fn new(path: PathBuf) -> Self {
        let file = File::options().read(true).write(true).create_new(true).open(&path).expect("a file");
        file.set_len(place::SIZE).expect("room");
        Self { file, path }
    }

    /// Says what the next host is to suffer, at its `at`-th call after it was armed.
    pub(super) fn set(&self, fault: Fault, at: u64, bank: u16) {
        let (mode, moment, errno) = match fault {
            Fault::Count => (0, 0, 0),
            Fault::Kill(Moment::Before) => (1, 0, 0),
            Fault::Kill(Moment::After) => (1, 1, 0),
            Fault::Kill(Moment::Half) => (1, 2, 0),
            Fault::Fail(errno) => (2, 0, errno.number()),
            Fault::Lie => (3, 0, 0),
            Fault::Abort => (4, 0, 0),
            Fault::KillUnwritten => (5, 0, 0),
            Fault::LoseUnsynced => (6, 0, 0),
        };
        for (where_, what) in [
            (place::ARMED, 0),
            (place::MODE, mode),
            (place::AT, at),
            (place::MOMENT, moment),
            (place::ERRNO, errno),
            (place::KINDS, fault.kinds()),
            (place::BANK, u64::from(bank)),
            (place::COUNT, 0),
            (place::DONE, 0),
        ] {
            self.write(where_, what);
        }
        for page in 0..place::PAGES {
            self.write(place::LOST + (page * (place::PAGE + 16)) as u64, 0);
        }
    }

    /// Puts what was on the disk in place of what the system only took for written; how many pages that were.
    pub(super) fn forget_unsynced(&self, data: &Path) -> usize {
        let mut forgotten = 0;
        for page in 0..place::PAGES {
            let here = place::LOST + (page * (place::PAGE + 16)) as u64;
            let Some(name) = self.read(here).checked_sub(1).and_then(|n| FILES.get(usize::try_from(n).ok()?))
            else {
                continue;
            };
            let mut content = [0; place::PAGE];
            self.file.read_exact_at(&mut content, here + 16).expect("the control file");
            // A file that is gone by now, as a log is after an orderly end, has lost nothing.
            let file = match File::options().write(true).open(data.join(name)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                file => file.expect("the file"),
            };
            let at = self.read(here + 8) * place::PAGE as u64;
            let length = file.metadata().expect("the file").len().saturating_sub(at);
            let kept = content.len().min(usize::try_from(length).unwrap_or(content.len()));
            file.write_all_at(&content[..kept], at).expect("the file");
            forgotten += usize::from(kept > 0);
        }
        forgotten
    }

    /// From now on calls count.
    pub(super) fn arm(&self) {
        self.write(place::ARMED, 1);
    }

    /// From now on they do not.
    pub(super) fn disarm(&self) {
        self.write(place::ARMED, 0);
    }

    /// How many calls were counted so far.
    pub(super) fn count(&self) -> u64 {
        self.read(place::COUNT)
    }

    /// Which call met the fault, if one did.
    pub(super) fn met(&self) -> Option<String> {
        (self.read(place::DONE) == 1).then(|| self.words(place::WHAT))
    }

    /// Every call that was counted.
    pub(super) fn counted(&self) -> Vec<String> {
        let count = self.read(place::COUNT);
        assert!(count <= place::LOGGED, "{count} calls, and room for {} in the log", place::LOGGED);
        (0..count).map(|n| self.words(place::LOG + n * place::WORDS as u64)).collect()
    }

    fn write(&self, where_: u64, what: u64) {
        self.file.write_all_at(&what.to_ne_bytes(), where_).expect("the control file");
    }

    fn read(&self, where_: u64) -> u64 {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, where_).expect("the control file");
        u64::from_ne_bytes(bytes)
    }

    fn words(&self, where_: u64) -> String {
        let mut bytes = [0; place::WORDS];
        self.file.read_exact_at(&mut bytes, where_).expect("the control file");
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }
}

/// The programs of a sweep, side by side: the host, and what stands in for its window and for the browser.
pub(crate) struct Tools {
    pub(crate) fault: PathBuf,
    pub(crate) host: PathBuf,
    pub(crate) opener: PathBuf,
}

impl Tools {
    /// Compiles and copies them into a folder. The C compiler is there: Rust links with it.
    pub(crate) fn make(folder: &Path, programs: &Path) -> Self {
        let tools = Self {
            fault: folder.join("fault.so"),
            host: folder.join("countersignd"),
            opener: folder.join("countersign-desktop"),
        };
        compile(&tools.fault, include_str!("fault.c"), &["-shared", "-fPIC"]);
        compile(&tools.opener, include_str!("window.c"), &[]);
        std::fs::copy(programs.join("countersignd"), &tools.host).expect("the sandbox build of the host");
        tools
    }
}

fn compile(to: &Path, source: &str, how: &[&str]) {
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror"]).args(how).arg("-o").arg(to).args(["-x", "c", "-"]);
    let mut cc = cc.stdin(Stdio::piped()).spawn().expect("cc");
    cc.stdin.take().expect("stdin is piped").write_all(source.as_bytes()).expect("the source is taken");
    assert!(cc.wait().expect("cc").success(), "{} does not compile", to.display());
}
