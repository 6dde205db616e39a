//! Looks at every process of the product, again and again, for as long as the run takes: what it was started with, what
//! it was given, which files it holds open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use support::process::descendants_of;

/// Everything that was seen.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// Argument lists, words parted by zero bytes.
    pub(crate) arguments: BTreeSet<Vec<u8>>,
    /// Environments, by the program's name.
    pub(crate) environments: BTreeMap<String, BTreeSet<Vec<u8>>>,
    /// Files held open.
    pub(crate) files: BTreeSet<String>,
    /// How often it was looked.
    pub(crate) rounds: usize,
}

/// Looks, in a thread of its own.
pub(crate) struct Sampler {
    seen: Arc<Mutex<Seen>>,
    done: Arc<AtomicBool>,
    looking: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Starts to look at a process and all that descend from it.
    pub(crate) fn of(host: u32) -> Self {
        let (seen, done) = (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let looking = std::thread::spawn({
            let (seen, done) = (Arc::clone(&seen), Arc::clone(&done));
            move || {
                while !done.load(Ordering::Relaxed) {
                    look(host, &mut seen.lock().expect("what was seen"));
                    std::thread::sleep(Duration::from_millis(3));
                }
            }
        });
        Self { seen, done, looking: Some(looking) }
    }

    /// Ends and gives what was seen.
    pub(crate) fn end(mut self) -> Seen {
        self.done.store(true, Ordering::Relaxed);
        drop(self.looking.take().map(JoinHandle::join));
        self.seen.lock().expect("what was seen").clone()
    }
}

fn look(host: u32, seen: &mut Seen) {
    seen.rounds += 1;
    for pid in std::iter::once(host).chain(descendants_of(host)) {
        let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        seen.arguments.insert(read("cmdline"));
        let program = String::from_utf8_lossy(&read("comm")).trim().to_owned();
        seen.environments.entry(program).or_default().insert(read("environ"));
        // Links are many, and files that matter stay open for a while.
        if seen.rounds.is_multiple_of(20) {
            for link in std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
                seen.files.extend(std::fs::read_link(link.path()).map(|path| path.display().to_string()));
            }
        }
    }
}
