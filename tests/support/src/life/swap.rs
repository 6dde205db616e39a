//! Many processes that move one grant on by the store's own compare-and-swap: each generation is won once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use app::port::{Store as _, StoreError};
use domain::id::{GrantId, InstallId};
use rusqlite::Connection;
use store::SqliteStore;

use super::{connected, runtime};
use crate::fake_provider::FakeProvider;

/// How each of the processes moves the grant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// As the app does.
    BySwap,
    /// The fault that must be noticed: reads the generation, and then writes the next.
    Blindly,
}

impl How {
    fn word(self) -> &'static str {
        match self {
            Self::BySwap => "by-swap",
            Self::Blindly => "blindly",
        }
    }

    /// The one that is called this.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::BySwap, Self::Blindly].into_iter().find(|how| how.word() == word)
    }
}

/// Starts so many processes on one grant, and says how many of its generations were not won exactly once. The program is
/// one that calls [`compete`] when its first word is `compete`.
///
/// # Panics
/// The processes cannot be started, or say something else.
#[must_use]
pub fn swap(program: &Path, processes: usize, generations: u32, how: How) -> usize {
    let runtime = runtime();
    let bank = runtime.block_on(FakeProvider::start());
    let (app, grant) = runtime.block_on(connected(&bank));
    let database = app.dir.path().join("countersign.sqlite");
    let mut children: Vec<Child> = (0..processes)
        .map(|_| {
            let mut child = Command::new(program);
            child.arg("compete").arg(&database).args([&grant.to_string(), how.word()]);
            child.arg(generations.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
            child.spawn().expect("a process")
        })
        .collect();
    let mut said: Vec<_> =
        children.iter_mut().map(|child| BufReader::new(child.stdout.take().expect("its output"))).collect();
    let mut line = String::new();
    for out in &mut said {
        line.clear();
        out.read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n", "every process has opened the store");
    }
    for child in &mut children {
        child.stdin.take().expect("its input").write_all(b"go\n").expect("a word");
    }
    let mut won: BTreeMap<u32, usize> = (1..=generations).map(|generation| (generation, 0)).collect();
    for (mut child, out) in children.into_iter().zip(said) {
        for line in out.lines() {
            let generation = line.expect("a line").parse().expect("a generation");
            *won.entry(generation).or_default() += 1;
        }
        assert!(child.wait().expect("an end").success(), "a process failed");
    }
    won.values().filter(|times| **times != 1).count()
}

/// One of the processes: takes part until the grant is past this generation, and prints each that it won.
///
/// # Panics
/// The store cannot be used.
pub fn compete(words: &[String]) {
    let [_, database, grant, how, until] = words else { panic!("five words: {words:?}") };
    let (grant, how) = (GrantId::parse(grant).expect("an id"), How::of_word(how).expect("a way"));
    let until: u32 = until.parse().expect("a generation");
    let store = open(Path::new(database));
    let careless = Connection::open(database).expect("the database");
    careless.busy_timeout(std::time::Duration::from_secs(60)).expect("patience");
    say("ready");
    std::io::stdin().read_line(&mut String::new()).expect("a word");
    let runtime = runtime();
    loop {
        let read = runtime.block_on(store.read(move |tx| tx.grant(grant)));
        let Ok(Some(known)) = read else { continue };
        let from = known.generation;
        if from > until {
            return;
        }
        let moved = match how {
            How::BySwap => runtime.block_on(store.write(move |tx| tx.advance_grant(grant, from, None))),
            How::Blindly => {
                let change = "UPDATE grants SET generation = ?2 WHERE id = ?1";
                let moved = careless.execute(change, (grant.to_string(), from + 1));
                moved.map(|_| ()).map_err(|_| StoreError::Io)
            }
        };
        match moved {
            Ok(()) => say(&from.to_string()),
            // Another was faster, or the database was busy for longer than the store waits.
            Err(StoreError::Missing | StoreError::Io) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Many open it at once, and each wants it for itself for a moment.
fn open(database: &Path) -> SqliteStore {
    for _ in 0..3000 {
        if let Ok(store) = SqliteStore::open(database, InstallId::make_from([7; 8])) {
            return store;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("the store does not open")
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("somebody listens");
}
