//! Looking for secrets: the same value in many spellings, in files and in the memory of processes.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Every spelling of a secret that a leak could take. A secret need not be text.
#[must_use]
pub fn spellings(secret: impl AsRef<[u8]>) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_ref();
    let hex = |upper: bool| -> Vec<u8> {
        bytes
            .iter()
            .flat_map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }.into_bytes())
            .collect()
    };
    // A base64 text inside a longer one starts at one of three offsets; its edges depend on the neighbours.
    let inner = |encode: &dyn Fn(&[u8]) -> String, offset: usize| {
        let text = encode(&[vec![0; offset], bytes.to_vec()].concat()).into_bytes();
        text.get((offset * 4).div_ceil(3)..text.len().saturating_sub(2)).unwrap_or_default().to_vec()
    };
    let standard = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    let url_safe = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut all = vec![
        ("raw", bytes.to_vec()),
        ("url", url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes()),
        ("base64", inner(&standard, 0)),
        ("base64 at 1", inner(&standard, 1)),
        ("base64 at 2", inner(&standard, 2)),
        ("base64url", inner(&url_safe, 0)),
        ("base64url at 1", inner(&url_safe, 1)),
        ("base64url at 2", inner(&url_safe, 2)),
        ("hex", hex(false)),
        ("HEX", hex(true)),
        ("reversed", bytes.iter().rev().copied().collect()),
    ];
    if let Ok(text) = std::str::from_utf8(bytes) {
        all.push(("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        all.push(("JSON", serde_json::to_string(text).expect("JSON").trim_matches('"').as_bytes().to_vec()));
    }
    all
}

/// The spellings of a secret that stand in some bytes.
#[must_use]
pub fn found_in(haystack: &[u8], secret: impl AsRef<[u8]>) -> Vec<&'static str> {
    let found = Needles::of([("", secret)]).found_in(haystack);
    found.into_iter().map(|(_, spelling)| spelling).collect()
}

/// Secrets to look for, each by a name that may be printed, in every spelling at once.
pub struct Needles {
    all: Vec<(String, &'static str, Vec<u8>)>,
    /// By their first two bytes.
    by_start: Vec<Vec<usize>>,
    /// Whether there is any: small enough to be looked up for every byte.
    starts: Vec<bool>,
}

/// The name of what was found, and its spelling.
pub type Found = BTreeSet<(String, &'static str)>;

impl Needles {
    /// Takes secrets with their names. Anything under eight bytes would be found everywhere.
    #[must_use]
    pub fn of<N: Into<String>, S: AsRef<[u8]>>(secrets: impl IntoIterator<Item = (N, S)>) -> Self {
        let mut needles =
            Self { all: Vec::new(), by_start: vec![Vec::new(); 1 << 16], starts: vec![false; 1 << 16] };
        for (name, secret) in secrets {
            let name = name.into();
            assert!(secret.as_ref().len() >= 8, "{name} is too short to be looked for");
            for (spelling, bytes) in spellings(secret) {
                needles.starts[start(bytes[0], bytes[1])] = true;
                needles.by_start[start(bytes[0], bytes[1])].push(needles.all.len());
                needles.all.push((name.clone(), spelling, bytes));
            }
        }
        needles
    }

    /// What stands in some bytes.
    #[must_use]
    pub fn found_in(&self, haystack: &[u8]) -> Found {
        const PIECE: usize = 4096;
        const ZEROS: [u8; PIECE] = [0; PIECE];
        let mut found = Found::new();
        for (n, piece) in haystack.chunks(PIECE).enumerate() {
            // Most memory is empty.
            if piece == &ZEROS[..piece.len()] {
                continue;
            }
            let begin = n * PIECE;
            let end = (begin + piece.len() + 1).min(haystack.len());
            let mut before = haystack[begin];
            for (next, &here) in haystack[begin + 1..end].iter().enumerate() {
                let start = start(before, here);
                before = here;
                if !self.starts[start] {
                    continue;
                }
                for &candidate in &self.by_start[start] {
                    let (name, spelling, bytes) = &self.all[candidate];
                    if haystack[begin + next..].starts_with(bytes) {
                        found.insert((name.clone(), spelling));
                    }
                }
            }
        }
        found
    }

    /// What stands in the memory of a process, in all of it that is there but for program files as they are on disk,
    /// and how many bytes that is.
    /// Reading another process's memory is root's right.
    #[must_use]
    pub fn found_in_memory_of(&self, pid: u32) -> (Found, usize) {
        let (mut found, mut read) = (Found::new(), 0);
        each_memory(pid, &mut |_, bytes| {
            read += bytes.len();
            found.extend(self.found_in(bytes));
        });
        (found, read)
    }
}

fn start(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// The kernel's flags (`VmFlags` of proc(5)) of each piece of a process's memory in which a secret stands as it is.
///
/// # Panics
/// The process is gone.
#[must_use]
pub fn flags_around(pid: u32, secret: &[u8]) -> Vec<Vec<String>> {
    let mut places = Vec::new();
    each_memory(pid, &mut |at, bytes| {
        let here = bytes.windows(secret.len()).enumerate().filter(|(_, window)| *window == secret);
        places.extend(here.map(|(offset, _)| at + offset as u64));
    });
    let maps = std::fs::read_to_string(format!("/proc/{pid}/smaps")).expect("its maps");
    let mut here = 0;
    let mut all = Vec::new();
    for line in maps.lines() {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let number = |text| u64::from_str_radix(text, 16).ok();
        if let Some((from, to)) = range.and_then(|(from, to)| Some((number(from)?, number(to)?))) {
            here = places.iter().filter(|place| (from..to).contains(*place)).count();
        } else if let Some(flags) = line.strip_prefix("VmFlags: ") {
            let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
            all.extend(std::iter::repeat_n(flags, here));
        }
    }
    all
}

/// The memory of a process, piece by piece with its address: pages that follow each other and are there.
fn each_memory(pid: u32, visit: &mut dyn FnMut(u64, &[u8])) {
    const PAGE: u64 = 4096;
    const LARGEST: u64 = 4096 * PAGE;
    let open = |name: &str| {
        File::open(format!("/proc/{pid}/{name}")).unwrap_or_else(|err| panic!("{name} of {pid}: {err}"))
    };
    let (mem, pagemap) = (open("mem"), open("pagemap"));
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("its maps");
    for line in maps.lines().filter(|line| !line.ends_with("[vvar]") && !line.ends_with("[vsyscall]")) {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (from, to) = range.split_once('-').expect("a range");
        let number = |text| u64::from_str_radix(text, 16).expect("an address");
        // Read-only and of a file: nothing that happened in a run is there.
        let of_a_file = words.nth(2).is_some_and(|inode| inode != "0");
        if !rights.starts_with('r') || (of_a_file && !rights.contains('w')) {
            continue;
        }
        let (mut at, end) = (number(from), number(to));
        while at < end {
            let pages = ((end - at).min(LARGEST) / PAGE) as usize;
            let mut entries = vec![0; pages * 8];
            if pagemap.read_exact_at(&mut entries, at / PAGE * 8).is_err() {
                break;
            }
            // The two highest bits: in memory, or put out to disk.
            let there: Vec<bool> = entries.chunks(8).map(|entry| entry[7] & 0xc0 != 0).collect();
            let mut page = 0;
            while page < pages {
                let run = there[page..].iter().take_while(|there| **there).count();
                if run > 0 {
                    let mut bytes = vec![0; run * PAGE as usize];
                    let read = mem.read_at(&mut bytes, at + page as u64 * PAGE).unwrap_or(0);
                    visit(at + page as u64 * PAGE, &bytes[..read]);
                }
                page += run.max(1);
            }
            at += pages as u64 * PAGE;
        }
    }
}

/// Every file under a folder, with its bytes; links are not followed.
pub fn each_file(folder: &Path, visit: &mut dyn FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
        if meta.is_dir() {
            each_file(&path, visit);
        } else if meta.is_file() {
            visit(&path, &std::fs::read(&path).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn every_spelling_is_found_where_it_is_planted() {
        let secret = "s3cret+/token&value=äöü-1234567890";
        for (name, needle) in spellings(secret) {
            for before in 0..3 {
                let planted = [vec![b' '; 4096 - before], needle.clone(), b" after".to_vec()].concat();
                assert!(
                    found_in(&planted, secret).contains(&name),
                    "{name}, {before} bytes before the end of a page"
                );
            }
        }
        for offset in 0..3 {
            let wrapped = [vec![b'x'; offset], secret.as_bytes().to_vec(), b"tail".to_vec()].concat();
            assert!(!found_in(STANDARD.encode(&wrapped).as_bytes(), secret).is_empty(), "offset {offset}");
            assert!(
                !found_in(URL_SAFE_NO_PAD.encode(&wrapped).as_bytes(), secret).is_empty(),
                "offset {offset}"
            );
        }
        assert!(found_in(b"nothing here", secret).is_empty());
        assert_eq!(
            found_in(&[[0; 40], [0xfe; 40]].concat(), [0xfe; 32]),
            ["raw", "reversed"],
            "bytes that are no text"
        );
    }

    #[test]
    fn a_secret_in_memory_is_found() {
        let planted = format!("planted by {}", std::process::id());
        let (found, read) = Needles::of([("it", &planted)]).found_in_memory_of(std::process::id());
        assert!(found.contains(&("it".to_owned(), "raw")), "{found:?} in {read} bytes");
        assert!(read > 1 << 20, "{read}");
    }
}
