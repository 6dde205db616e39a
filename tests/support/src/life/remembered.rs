//! What a host still has in its memory after a revocation, and what another program of its user gets to read.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::housed::House;
use crate::scan::{Needles, flags_around};

/// When it is looked: within the two seconds that a secret may still be there.
const AFTER: Duration = Duration::from_millis(1000);
/// So many requests overwrite what one was read into.
const TRAFFIC: usize = 400;
/// Nobody in particular.
const PLAIN: u32 = 65534;

/// What came of some lives.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// How many lives there were: connect, refresh twice, revoke.
    pub lives: usize,
    /// What was found in all of the host's memory after one was revoked.
    pub found: Vec<String>,
    /// How long after the acknowledgement the last byte was read, at most, in milliseconds.
    pub latest_ms: f64,
    /// Bytes that were read.
    pub read: usize,
    /// Secrets of an attempt that goes on, found by the same search: the control.
    pub of_an_open_attempt: usize,
}

/// Lives and revokes so often at one host, and reads all of its memory after each.
///
/// What is read is more than a core holds: pages that the host keeps out of cores too. It is root's right.
pub async fn remembered(programs: &Path, lives: usize, mark: &str) -> Remembered {
    let house = House::open(programs, mark).await;
    let mut host = house.start().await;
    let mut came = Remembered { lives, ..Remembered::default() };
    for _ in 0..lives {
        let grant = host.connect().await;
        host.refresh(&grant).await;
        host.refresh(&grant).await;
        host.revoke(&grant).await;
        let revoked = Instant::now();
        let secrets = house.secrets().into_iter().map(|secret| ("of an attempt".to_owned(), secret));
        let ours = [("token or code", house.mark.clone().into_bytes()), ("key-encryption key", house.key())];
        let ours = ours.map(|(name, secret)| (name.to_owned(), secret));
        let needles = Needles::of(ours.into_iter().chain(secrets));
        tokio::time::sleep(AFTER.saturating_sub(revoked.elapsed())).await;
        let (found, read) = needles.found_in_memory_of(host.pid());
        came.latest_ms = came.latest_ms.max(revoked.elapsed().as_secs_f64() * 1000.0);
        came.read += read;
        came.found.extend(found.into_iter().map(|(name, spelling)| format!("{name}, {spelling}")));
        house.bank.forget_seen();
    }
    let (_, address) = host.begin().await;
    let state: BTreeSet<String> = address
        .query_pairs()
        .filter(|(name, _)| name == "state")
        .map(|(_, state)| state.into_owned())
        .collect();
    let needles = Needles::of(state.into_iter().map(|state| ("state", state)));
    came.of_an_open_attempt = needles.found_in_memory_of(host.pid()).0.len();
    host.end().await;
    came
}

/// What came of keeping the key under a passphrase and locking.
#[derive(Clone, Debug, Default)]
pub struct Locked {
    /// Pieces of memory in which the key stood while it was open.
    pub open: usize,
    /// Of them, those that are not locked in memory, or would stand in a dump.
    pub loose: usize,
    /// What was found of the key or a token once it was locked.
    pub found: Vec<String>,
    /// How often the passphrase was found after some more requests.
    pub passphrases: usize,
    /// How long after locking the last byte was read, at most, in milliseconds.
    pub latest_ms: f64,
}

/// Opens and locks so often under a passphrase, with a refresh each time, and reads all of the host's memory.
///
/// # Panics
/// The host does not do as it is asked.
pub async fn locked(programs: &Path, times: usize, mark: &str) -> Locked {
    let passphrase = "correct horse of nobody's battery";
    let house = House::open(programs, mark).await;
    let mut host = house.start().await;
    let grant = host.connect().await;
    let change = json!({ "protection": "passphrase", "current": null, "new": passphrase });
    host.ask("change_protection", change).await.expect("a passphrase");
    let key = house.wrapped_key(passphrase);
    let mut came = Locked::default();
    for _ in 0..times {
        host.refresh(&grant).await;
        for flags in flags_around(host.pid(), &key) {
            came.open += 1;
            came.loose += usize::from(!["lo", "dd"].iter().all(|flag| flags.iter().any(|f| f == flag)));
        }
        host.ask("lock", json!({})).await.expect("locked");
        let locked = Instant::now();
        tokio::time::sleep(AFTER).await;
        let secrets = [("key-encryption key", key.clone()), ("token", house.mark.clone().into_bytes())];
        let needles = Needles::of(secrets.map(|(name, secret)| (name.to_owned(), secret)));
        let (found, _) = needles.found_in_memory_of(host.pid());
        came.latest_ms = came.latest_ms.max(locked.elapsed().as_secs_f64() * 1000.0);
        came.found.extend(found.into_iter().map(|(name, spelling)| format!("{name}, {spelling}")));
        // The passphrase came over a channel that stays open: what it is read into is used again, not given back.
        for _ in 0..TRAFFIC {
            host.ask("app_state", json!({})).await.expect("an answer");
        }
        let needles = Needles::of([("passphrase".to_owned(), passphrase.as_bytes().to_vec())]);
        came.passphrases += needles.found_in_memory_of(host.pid()).0.len();
        host.ask("unlock", json!({ "passphrase": passphrase })).await.expect("open again");
    }
    host.end().await;
    came
}

/// What a plain program got to read of a host of its own user, and of a process like any other.
#[derive(Clone, Copy, Debug)]
pub struct Peeked {
    /// Tries at the host.
    pub tries: usize,
    /// Of them, those that worked.
    pub host: usize,
    /// Of as many at the other process.
    pub other: usize,
}

/// Has a plain user's program read a plain user's host. The program is one that calls [`peek`] when its first word is
/// `peek`.
///
/// # Panics
/// It cannot be started, or says something else.
#[must_use]
pub fn peeked(program: &Path, programs: &Path, rounds: usize) -> Peeked {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    // Where the build lies, others may have no way in.
    let reader = folder.path().join("reader");
    std::fs::copy(program, &reader).expect("a copy");
    let host = folder.path().join("countersignd");
    std::fs::copy(programs.join("countersignd"), &host).expect("a copy");
    let mut peek = Command::new(reader);
    peek.arg("peek").arg(host).arg(rounds.to_string()).current_dir("/").uid(PLAIN).gid(PLAIN);
    let output = peek.output().expect("a plain user's program");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let numbers: Vec<usize> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [tries, host, other] = numbers[..] else { panic!("{output:?}") };
    Peeked { tries, host, other }
}

/// The plain user's program: starts a host, reads what it can of it, and prints how often that worked; then the same of
/// another process of its own. It is the parent of both, so that nothing but the host's own doing refuses it.
///
/// # Panics
/// The host does not start.
#[must_use]
pub fn peek(words: &[String]) -> String {
    let [_, host, rounds] = words else { panic!("three words: {words:?}") };
    let rounds: usize = rounds.parse().expect("a number");
    let folder = crate::fakes::private_folder();
    std::fs::create_dir(folder.path().join("run")).expect("a folder");
    std::fs::set_permissions(folder.path().join("run"), PermissionsExt::from_mode(0o700)).expect("a mode");
    let mut command = Command::new(host);
    command
        .env_clear()
        .env("COUNTERSIGN_HOME", folder.path().join("home"))
        .env("XDG_RUNTIME_DIR", folder.path().join("run"))
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let host = command.spawn().expect("a host");
    let ready = folder.path().join("home/endpoint.json");
    for _ in 0..3000 {
        if ready.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(ready.exists(), "the host does not get ready");
    let other = Command::new("sleep").arg("600").spawn().expect("a process");
    let [host, other] = [host, other].map(|child| opened(child, rounds));
    format!("{} {host} {other}", rounds * PLACES.len())
}

/// Where the kernel shows what a process has in its memory and was given.
const PLACES: [&str; 3] = ["mem", "environ", "maps"];

fn opened(mut child: Child, rounds: usize) -> usize {
    let mut opened = 0;
    for _ in 0..rounds {
        opened += PLACES
            .into_iter()
            .filter(|place| std::fs::File::open(format!("/proc/{}/{place}", child.id())).is_ok())
            .count();
    }
    child.kill().and_then(|()| child.wait()).expect("an end");
    opened
}
