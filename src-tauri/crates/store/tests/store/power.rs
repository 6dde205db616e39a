//! The power fails: of what was written and not yet synced, any part may be on the disk, in any order, torn at any sector.
//! Everything that was answered is there all the same (attack 61).

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::child;
use crate::crash::{Step, WORKER, check, said};
use crate::support::{Home, mode, private_file};

/// A disk writes so much at once.
const SECTOR: usize = 512;

const STRACE: [&str; 7] =
    ["strace", "-f", "-qq", "-y", "-s70000", "-e", "trace=write,pwrite64,fdatasync,fsync,ftruncate,unlink"];

/// What the worker had its system do, in order.
#[derive(Debug)]
enum Call {
    Answer(String),
    Cut { file: String, length: usize },
    Remove { file: String },
    Sync { path: String },
    Write { file: String, at: usize, bytes: Vec<u8> },
}

/// What is not yet certain to be on the disk.
#[derive(Clone)]
enum Change {
    Cut(usize),
    Write(usize, Vec<u8>),
}

/// What is on the disk for certain, and what may be.
#[derive(Clone, Default)]
struct Disk {
    synced: BTreeMap<String, Vec<u8>>,
    pending: BTreeMap<String, Vec<Change>>,
    removed: Vec<String>,
}

/// The arguments of a call; of one that another thread's call interrupts, those that were said before.
fn arguments<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, said) = line.split_once(' ')?;
    said.trim_start().strip_prefix(name)?.strip_prefix('(')
}

/// A file by its descriptor, `5</path>`, and what follows.
fn described(arguments: &str) -> Option<(&str, &str)> {
    let (number, rest) = arguments.split_once('<')?;
    number.parse::<u32>().ok()?;
    rest.split_once('>')
}

/// A string as strace writes it, and what follows.
fn text(said: &str) -> Option<(Vec<u8>, &str)> {
    let (mut bytes, mut signs) = (Vec::new(), said.strip_prefix('"')?.chars());
    loop {
        match signs.next()? {
            '"' => return Some((bytes, signs.as_str())),
            '\\' => bytes.push(escaped(&mut signs)?),
            sign => bytes.push(u8::try_from(sign).ok()?),
        }
    }
}

/// A byte behind a backslash: up to three octal digits, or a letter.
fn escaped(signs: &mut std::str::Chars<'_>) -> Option<u8> {
    let first = signs.next()?;
    let Some(mut number) = first.to_digit(8) else {
        let known = [('n', b'\n'), ('t', b'\t'), ('r', b'\r'), ('v', 0x0b), ('f', 0x0c)];
        let byte = known.into_iter().find(|(name, _)| *name == first).map(|(_, byte)| byte);
        return byte.or(u8::try_from(first).ok());
    };
    for _ in 0..2 {
        let Some(digit) = signs.as_str().chars().next().and_then(|sign| sign.to_digit(8)) else { break };
        number = number * 8 + digit;
        signs.next();
    }
    u8::try_from(number).ok()
}

fn call(line: &str, folder: &Path) -> Option<Call> {
    let ours = |path: &str| {
        let path = Path::new(path);
        (path.parent() == Some(folder)).then(|| path.file_name().unwrap().to_string_lossy().into_owned())
    };
    if let Some(said) = arguments(line, "write") {
        let (_, rest) = described(said)?;
        let (bytes, _) = text(rest.strip_prefix(", ")?)?;
        return said.starts_with("1<").then(|| Call::Answer(String::from_utf8(bytes).unwrap()));
    }
    if let Some(said) = arguments(line, "pwrite64") {
        let (path, rest) = described(said)?;
        let (bytes, rest) = text(rest.strip_prefix(", ")?)?;
        let mut numbers = rest.split([',', ')', ' ']).filter_map(|word| word.parse().ok());
        let (length, at): (usize, usize) = (numbers.next()?, numbers.next()?);
        assert_eq!(length, bytes.len(), "{line}");
        return Some(Call::Write { file: ours(path)?, at, bytes });
    }
    if let Some(said) = arguments(line, "ftruncate") {
        let (path, rest) = described(said)?;
        let length = rest.split([',', ')', ' ']).find_map(|word| word.parse().ok())?;
        return Some(Call::Cut { file: ours(path)?, length });
    }
    if let Some(said) = arguments(line, "unlink") {
        let (path, _) = text(said)?;
        return Some(Call::Remove { file: ours(std::str::from_utf8(&path).ok()?)? });
    }
    let said = arguments(line, "fdatasync").or_else(|| arguments(line, "fsync"))?;
    let (path, _) = described(said)?;
    Some(Call::Sync { path: path.to_owned() })
}

impl Change {
    fn make(&self, file: &mut Vec<u8>) {
        match self {
            Self::Cut(length) => file.resize(*length, 0),
            Self::Write(at, bytes) => {
                file.resize(file.len().max(at + bytes.len()), 0);
                file[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }

    /// The parts of it that a disk writes at once.
    fn sectors(&self) -> Vec<Self> {
        let Self::Write(at, bytes) = self else { return vec![self.clone()] };
        let (mut parts, mut begin) = (Vec::new(), 0);
        while begin < bytes.len() {
            let end = bytes.len().min(begin + SECTOR - (at + begin) % SECTOR);
            parts.push(Self::Write(at + begin, bytes[begin..end].to_vec()));
            begin = end;
        }
        parts
    }
}

impl Disk {
    fn of(folder: &Path) -> Self {
        let files = crate::support::content(folder).into_iter();
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        Self { synced: files.map(|(path, bytes)| (name(&path), bytes)).collect(), ..Self::default() }
    }

    fn take(&mut self, call: &Call, folder: &Path) {
        match call {
            Call::Answer(_) => {}
            Call::Cut { file, length } => {
                self.pending.entry(file.clone()).or_default().push(Change::Cut(*length));
            }
            Call::Remove { file } => self.removed.push(file.clone()),
            Call::Sync { path } if Path::new(path) == folder => self.remove(),
            Call::Sync { path } => {
                let file = Path::new(path).file_name().unwrap().to_string_lossy().into_owned();
                for change in self.pending.remove(&file).unwrap_or_default() {
                    change.make(self.synced.entry(file.clone()).or_default());
                }
            }
            Call::Write { file, at, bytes } => {
                self.pending.entry(file.clone()).or_default().push(Change::Write(*at, bytes.clone()));
            }
        }
    }

    fn remove(&mut self) {
        for file in std::mem::take(&mut self.removed) {
            self.synced.remove(&file);
            self.pending.remove(&file);
        }
    }

    /// What a fresh start may find: of what is pending, those parts for which the chance says so.
    fn found(&self, mut chance: impl FnMut() -> bool) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.synced.clone();
        for (file, changes) in &self.pending {
            for change in changes.iter().flat_map(Change::sectors).filter(|_| chance()) {
                change.make(files.entry(file.clone()).or_default());
            }
        }
        for file in self.removed.iter().filter(|_| chance()) {
            files.remove(file);
        }
        files
    }
}

fn home_of(files: &BTreeMap<String, Vec<u8>>) -> Home {
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    mode(&home.folder(), 0o700);
    for (name, bytes) in files.iter().filter(|(name, _)| !name.ends_with("-shm")) {
        private_file(&home.folder().join(name), bytes);
    }
    home
}

/// A worker's whole life: its disk at the beginning, and every call.
fn life() -> (Disk, Vec<Call>, Home) {
    let home = Home::new();
    drop(home.open());
    fs::write(home.folder().join("few"), "").unwrap();
    let disk = Disk::of(&home.folder());
    let log = home.folder().with_file_name("trace");
    let to_log = format!("-o{}", log.display());
    let wrapper = [&STRACE[..], &[&to_log]].concat();
    child::run(&wrapper, WORKER, &home.folder());
    let log = fs::read(log).unwrap();
    let log = String::from_utf8_lossy(&log);
    let calls: Vec<Call> = log.lines().filter_map(|line| call(line, &home.folder())).collect();
    (disk, calls, home)
}

#[test]
fn whatever_of_the_unsynced_is_on_the_disk_everything_answered_is_there() {
    if !child::works(&[&STRACE[..], &["-o/dev/null", "true"]].concat()) {
        return;
    }
    let (begin, calls, home) = life();
    let folder = home.folder();
    let (mut disk, mut answered, mut random) = (begin.clone(), Vec::new(), 0x9e37_79b9_7f4a_7c15_u64);
    let (mut images, mut unsynced) = (0, 0);
    for call in &calls {
        disk.take(call, &folder);
        if let Call::Answer(text) = call {
            answered.extend(text.lines().map(str::to_owned));
        }
        let pending = !disk.pending.is_empty() || !disk.removed.is_empty();
        unsynced += usize::from(pending);
        let mut one_in = |n: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.is_multiple_of(n)
        };
        // What is certain changes with a sync alone.
        let mut found = Vec::new();
        if matches!(call, Call::Answer(_) | Call::Sync { .. }) {
            found.push(disk.found(|| false));
        }
        if pending {
            found.push(match unsynced % 3 {
                0 => disk.found(|| true),
                1 => disk.found(|| one_in(2)),
                _ => disk.found(|| !one_in(8)),
            });
        }
        for files in found {
            check(&home_of(&files), &[said(&answered)]);
            images += 1;
        }
    }
    let answers = said(&answered);
    assert!(answers.iter().filter(|(step, _, word)| *step == Step::Forget && word == "done").count() > 0);
    assert!(answers.len() >= 8 && unsynced > 60, "{} answers, {unsynced} unsynced moments", answers.len());
    assert!(images > 150, "{images}");
    // The control: a disk that forgets what was synced is noticed.
    let forgetful = home_of(&begin.found(|| false));
    assert!(catch_unwind(AssertUnwindSafe(|| check(&forgetful, &[answers]))).is_err());
}
