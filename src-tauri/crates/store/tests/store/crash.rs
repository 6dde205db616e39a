//! A process that works on a store dies, or its disk fails, at any point: what it had answered is there, what it had
//! not is there whole or not at all, and what it had refused is not there.

use app::port::{Store as _, StoreError, Tx};
use domain::audit::{AuditEvent, verify};
use domain::grant::TokenRevocation;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::thread;
use std::time::Duration;
use store::SqliteStore;
use vault::label::Kind;

use crate::child;
use crate::support::{
    Home, agent, at, cut_off, grant, grant_id, install, pending, read, sealed, wait, write,
};

pub(crate) const WORKER: &str = "crash::the_worker_that_dies";

/// What the worker has done with a grant, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Connect,
    Revoke,
    Confirm,
    Forget,
}

const STEPS: [(Step, &str); 4] = [
    (Step::Connect, "connect"),
    (Step::Revoke, "revoke"),
    (Step::Confirm, "confirm"),
    (Step::Forget, "forget"),
];

fn connect(tx: &mut dyn Tx, number: u32) -> Result<(), StoreError> {
    tx.insert_grant(&grant(number))?;
    tx.insert_sealed(&sealed(number, Kind::RefreshToken))?;
    tx.insert_sealed(&sealed(number, Kind::AccessToken))?;
    tx.append_audit(at(number.into()), &AuditEvent::GrantRevoked { grant: grant_id(number) })
}

fn revoke(tx: &mut dyn Tx, number: u32) -> Result<(), StoreError> {
    tx.set_revocation(grant_id(number), &cut_off(number.into(), pending(0)))?;
    tx.insert_outbox(grant_id(number))?;
    tx.append_audit(at(number.into()), &AuditEvent::GrantRevoked { grant: grant_id(number) })
}

fn confirm(tx: &mut dyn Tx, number: u32) -> Result<(), StoreError> {
    if tx.grant(grant_id(number))?.ok_or(StoreError::Missing)?.revocation.is_none() {
        return Err(StoreError::Missing);
    }
    let confirmed = TokenRevocation::Confirmed { at: at(number.into()) };
    tx.set_revocation(grant_id(number), &cut_off(number.into(), confirmed))?;
    tx.delete_outbox(grant_id(number))?;
    tx.delete_sealed(grant_id(number))?;
    tx.append_audit(at(number.into()), &AuditEvent::RevocationConfirmed { grant: grant_id(number) })
}

fn take(store: &SqliteStore, step: Step, number: u32) -> Result<(), StoreError> {
    match step {
        Step::Connect => write(store, move |tx| connect(tx, number)),
        Step::Revoke => write(store, move |tx| revoke(tx, number)),
        Step::Confirm => write(store, move |tx| confirm(tx, number)),
        Step::Forget => wait(store.forget_deleted()),
    }
}

/// The child: one step after the other, each answered on standard output before the next.
#[test]
fn the_worker_that_dies() {
    let Some(folder) = child::folder() else { return };
    let mut out = std::io::stdout();
    let store = match SqliteStore::open(&folder.join("countersign.sqlite"), install()) {
        Ok(store) => store,
        Err(error) => return writeln!(out, "\nclosed {error:?}").unwrap(),
    };
    let begin = read(&store, |tx| Ok(tx.grants()?.sound.len())).unwrap_or(0);
    let begin = u32::try_from(begin).unwrap() + 1;
    let _ = write(&store, |tx| if tx.agents()?.is_empty() { tx.insert_agent(&agent(1)) } else { Ok(()) });
    let turns = if folder.join("few").exists() { 4 } else { 10_000 };
    let dies = folder.join("dies").exists();
    for number in begin..begin + turns {
        for (step, name) in STEPS {
            // A third is left connected, a third revoked, a third goes all the way.
            if u32::try_from(step as usize).unwrap() > [0, 1, 3][number as usize % 3] {
                continue;
            }
            let word = match take(&store, step, number) {
                Ok(()) => "done".to_owned(),
                Err(error) => format!("{error:?}"),
            };
            writeln!(out, "\n{name} {number} {word}").unwrap();
            out.flush().unwrap();
            if dies && word != "done" {
                // Says whether the store has stopped, and is gone before another commit covers the traces.
                let goes_on = read(&store, |_| Ok(()));
                writeln!(out, "\nforget 0 {}", goes_on.map_or("Stopped", |()| "done")).unwrap();
                std::process::abort();
            }
        }
    }
}

/// What the worker said: each step and its answer, in order.
pub(crate) fn said(lines: &[String]) -> Vec<(Step, u32, String)> {
    let parse = |line: &String| {
        let mut words = line.split(' ');
        let (step, number, answer) = (words.next()?, words.next()?.parse().ok()?, words.next()?.to_owned());
        let (step, _) = STEPS.into_iter().find(|(_, name)| *name == step)?;
        Some((step, number, answer))
    };
    lines.iter().filter_map(parse).collect()
}

/// Opens the store and compares it with what was said of it, over all lives of the worker.
pub(crate) fn check(home: &Home, lives: &[Vec<(Step, u32, String)>]) {
    let store = home.open();
    let (grants, outbox, audit) = read(&store, |tx| Ok((tx.grants()?, tx.outbox()?, tx.audit()?))).unwrap();
    assert!(verify(audit.iter()).is_ok());
    let verdict: String = home.raw().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");

    let mut stands: BTreeMap<u32, Step> = BTreeMap::new();
    for found in &grants.sound {
        let number = (1..=100_000).find(|number| grant_id(*number) == found.id).unwrap();
        let id = found.id;
        let tokens = [Kind::RefreshToken, Kind::AccessToken]
            .map(|kind| read(&store, move |tx| tx.sealed(id, kind)).unwrap().is_some());
        let events = read(&store, move |tx| tx.audit_of(id)).unwrap().len();
        let waits = outbox.contains(&id);
        let token = found.revocation.as_ref().map(|end| end.token.clone());
        let step = match token {
            None => Step::Connect,
            Some(TokenRevocation::Pending { .. }) => Step::Revoke,
            Some(TokenRevocation::Confirmed { .. }) => Step::Confirm,
            Some(other) => panic!("{other:?}"),
        };
        let whole = match step {
            Step::Connect => (true, true, false, 1),
            Step::Revoke => (true, true, true, 2),
            Step::Confirm | Step::Forget => (false, false, false, 3),
        };
        assert_eq!((tokens[0], tokens[1], waits, events), whole, "{number} is at {step:?}, whole");
        stands.insert(number, step);
    }
    for life in lives {
        for (index, (step, number, answer)) in life.iter().enumerate() {
            if *step == Step::Forget {
                continue;
            }
            let stands = stands.get(number);
            if answer == "done" {
                assert!(stands >= Some(step), "{step:?} {number} was answered, and it is at {stands:?}");
            } else if life.get(index + 1).is_some_and(|(_, _, next)| next != "Stopped") && answer != "Stopped"
            {
                assert!(stands < Some(step), "{step:?} {number} was refused, and it is at {stands:?}");
            }
        }
    }
}

fn pseudo_random(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 29)
}

#[test]
fn killed_at_any_moment_nothing_answered_is_lost() {
    let home = Home::new();
    drop(home.open());
    let mut lives = Vec::new();
    for life in 0..24 {
        let mut worker = child::command(&[], WORKER, &home.folder()).spawn().unwrap();
        let mut lines = BufReader::new(worker.stdout.take().unwrap()).lines();
        let mut heard: Vec<String> = Vec::new();
        let until = pseudo_random(life) % 60;
        while said(&heard).len() < usize::try_from(until).unwrap() {
            heard.push(lines.next().unwrap().unwrap());
        }
        thread::sleep(Duration::from_micros(pseudo_random(life + 100) % 5000));
        worker.kill().unwrap();
        assert!(!worker.wait().unwrap().success());
        heard.extend(lines.map_while(Result::ok));
        lives.push(said(&heard));
        check(&home, &lives);
    }
    assert!(lives.iter().flatten().count() > 300);
}

const STRACE: [&str; 6] =
    ["strace", "-f", "-qq", "-o/dev/null", "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,unlink"];

/// Runs the worker under strace with one fault and checks the store after it. Gives what it said, and whether it came
/// to its own end.
fn with_fault(fault: &str, habits: &[&str]) -> (Vec<(Step, u32, String)>, bool) {
    let home = Home::new();
    drop(home.open());
    habits.iter().for_each(|habit| std::fs::write(home.folder().join(habit), "").unwrap());
    let inject = format!("inject={fault}");
    let wrapper = [&STRACE[..], &["-e", &inject]].concat();
    let output = child::command(&wrapper, WORKER, &home.folder()).output().unwrap();
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    let life = said(&lines);
    check(&home, std::slice::from_ref(&life));
    (life, output.status.success())
}

fn strace_works() -> bool {
    child::works(&[&STRACE[..], &["-e", "inject=fdatasync:error=EIO:when=1", "true"]].concat())
}

#[test]
fn killed_at_every_write_nothing_answered_is_lost() {
    if !strace_works() {
        return;
    }
    let mut kills = 0;
    for call in ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink"] {
        for when in 1.. {
            let (_, ended) = with_fault(&format!("{call}:signal=KILL:when={when}"), &["few"]);
            if ended {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills >= 100, "{kills} kill points");
}

#[test]
fn a_disk_that_fails_once_loses_nothing_answered() {
    if !strace_works() {
        return;
    }
    let (mut refused, mut went_on) = (0, 0);
    for call in ["pwrite64", "fdatasync", "fsync", "ftruncate"] {
        for error in ["EIO", "ENOSPC"] {
            for when in 1..=if call == "pwrite64" { 40 } else { 15 } {
                let (life, ended) = with_fault(&format!("{call}:error={error}:when={when}"), &["few"]);
                assert!(ended, "{call} {error} {when}: the worker ends by itself");
                let bad = life.iter().filter(|(_, _, answer)| answer != "done").count();
                refused += usize::from(bad > 0);
                went_on += usize::from(bad > 0 && life.last().is_some_and(|(_, _, answer)| answer == "done"));
            }
        }
    }
    assert!(refused >= 20 && went_on >= 10, "{refused} faults were noticed, after {went_on} it went on");
}

#[test]
fn what_was_refused_does_not_come_back_after_a_crash() {
    if !strace_works() {
        return;
    }
    let mut undone = 0;
    for fault in
        ["pwrite64:error=EIO", "pwrite64:error=ENOSPC", "fdatasync:error=EIO", "fdatasync:error=ENOSPC"]
    {
        for when in 1..=20 {
            let (life, _) = with_fault(&format!("{fault}:when={when}"), &["few", "dies"]);
            undone +=
                usize::from(life.last().is_some_and(|(_, number, answer)| *number == 0 && answer == "done"));
        }
    }
    assert!(undone >= 10, "{undone} transactions were undone");
}

#[test]
fn a_disk_that_fails_for_good_stops_the_store() {
    if !strace_works() {
        return;
    }
    for call in ["pwrite64", "fdatasync"] {
        for when in [1, 3, 6, 10] {
            let (life, _) = with_fault(&format!("{call}:error=EIO:when={when}+"), &["few"]);
            let first_bad = life.iter().position(|(_, _, answer)| answer != "done").unwrap_or(life.len());
            assert!(
                life.iter().skip(first_bad).all(|(_, _, answer)| answer != "done"),
                "{call} {when}: nothing is acknowledged after the fault: {life:?}"
            );
        }
    }
}
