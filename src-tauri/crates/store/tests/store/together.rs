//! Jobs that wait at the same time share one wait for the disk, and nothing else.

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::thread;

use app::port::{Store as _, StoreError, Tx};
use domain::audit::{AuditEvent, verify};
use store::SqliteStore;
use vault::label::Kind;

use crate::child;
use crate::support::{Home, agent, at, grant, grant_id, install, read, sealed, wait, write};

type Job = Box<dyn FnOnce(&mut dyn Tx) -> Result<usize, StoreError> + Send>;

/// Appends a record; how many there are then.
fn append(tx: &mut dyn Tx, number: u32) -> Result<usize, StoreError> {
    tx.append_audit(at(number.into()), &AuditEvent::GrantRevoked { grant: grant_id(number) })?;
    Ok(tx.audit_head()?.map_or(0, |head| usize::try_from(head.seq).unwrap()))
}

/// How often something was committed since the log was cut: the frames that say so (SQLite's file format, section 4.2).
fn commits(folder: &Path) -> usize {
    let log = fs::read(folder.join("countersign.sqlite-wal")).unwrap();
    if log.is_empty() {
        return 0;
    }
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let (page, salts) = (number(&log[8..12]) as usize, &log[16..24]);
    let frames = log[32..].chunks_exact(24 + page).filter(|frame| &frame[8..16] == salts);
    frames.filter(|frame| number(&frame[4..8]) != 0).count()
}

/// Holds the writer up with one job until all others wait, then lets go; their answers, in order. That job is
/// committed with them.
fn at_once(store: &SqliteStore, jobs: Vec<Job>) -> Vec<Result<usize, StoreError>> {
    let (begun, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let mut holding = Box::pin(store.write(move |_| {
        begun.send(()).unwrap();
        may_go.recv().map_err(|_| StoreError::Missing)
    }));
    assert!(sent(&mut holding));
    has_begun.recv().unwrap();
    let mut waiting: Vec<_> = jobs.into_iter().map(|job| Box::pin(store.write(job))).collect();
    assert!(waiting.iter_mut().all(sent));
    go.send(()).unwrap();
    let _ = wait(holding);
    waiting.into_iter().map(wait).collect()
}

/// Asks a future once: a job is sent then. True while it is not answered.
fn sent<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn appends(numbers: std::ops::Range<u32>) -> Vec<Job> {
    numbers.map(|number| Box::new(move |tx: &mut dyn Tx| append(tx, number)) as Job).collect()
}

#[test]
fn jobs_that_wait_are_committed_once() {
    let home = Home::new();
    let store = home.open();
    let before = commits(&home.folder());
    for number in 0..10 {
        write(&store, move |tx| append(tx, number)).unwrap();
    }
    assert_eq!(commits(&home.folder()) - before, 10, "alone, each is committed for itself");
    let before = commits(&home.folder());
    let answers = at_once(&store, appends(10..110));
    assert_eq!(answers, (11..=110).map(Ok).collect::<Vec<_>>(), "each sees those before it, in order");
    assert_eq!(commits(&home.folder()) - before, 1);
    let before = commits(&home.folder());
    at_once(&store, appends(0..600));
    assert_eq!(commits(&home.folder()) - before, 3, "no more than 256 at a time");
    let records = read(&store, |tx| tx.audit()).unwrap();
    assert!(records.len() == 710 && verify(records.iter()).is_ok());
}

#[test]
fn a_job_that_fails_takes_nothing_of_the_others_along() {
    let home = Home::new();
    let store = home.open();
    let mut jobs = appends(0..2);
    jobs.push(Box::new(|tx| append(tx, 7).and(Err(StoreError::Missing))));
    jobs.push(Box::new(|tx| {
        append(tx, 7)?;
        panic!("a job that panics, as the test wants")
    }));
    jobs.extend(appends(2..4));
    jobs.push(Box::new(|tx| tx.insert_agent(&agent(1)).map(|()| 1)));
    jobs.push(Box::new(|tx| tx.insert_agent(&agent(1)).map(|()| 2)));
    jobs.push(Box::new(|tx| append(tx, 7).and(Err(StoreError::Io))));
    let before = commits(&home.folder());
    let answers = at_once(&store, jobs);
    let failed = [Err(StoreError::Missing), Err(StoreError::Damaged)];
    assert_eq!(answers[..2], [Ok(1), Ok(2)]);
    assert_eq!(answers[2..4], failed);
    assert_eq!(answers[4..7], [Ok(3), Ok(4), Ok(1)]);
    assert_eq!(answers[7..], [Err(StoreError::Exists), Err(StoreError::Io)]);
    assert_eq!(commits(&home.folder()) - before, 1);
    drop(store);
    let records = read(&home.open(), |tx| tx.audit()).unwrap();
    let events: Vec<_> = records.iter().map(|record| record.event().unwrap()).collect();
    let expected: Vec<_> =
        (0..4).map(|number| AuditEvent::GrantRevoked { grant: grant_id(number) }).collect();
    assert_eq!(events, expected);
    assert!(verify(records.iter()).is_ok());
}

#[test]
fn where_the_first_fails_the_others_go_on() {
    let home = Home::new();
    let store = home.open();
    for failing in [1, 3] {
        let mut jobs: Vec<Job> = Vec::new();
        for _ in 0..failing {
            jobs.push(Box::new(|tx| append(tx, 7).and(Err(StoreError::Missing))));
        }
        jobs.extend(appends(0..2));
        let answers = at_once(&store, jobs);
        assert!(answers[..failing].iter().all(|answer| *answer == Err(StoreError::Missing)));
        assert!(answers[failing..].iter().all(Result::is_ok), "{answers:?}");
    }
    assert_eq!(read(&store, |tx| tx.audit()).unwrap().len(), 4);
    let none: Vec<Job> = (0..3).map(|_| Box::new(|_: &mut dyn Tx| Err(StoreError::Io)) as Job).collect();
    assert_eq!(at_once(&store, none), [Err(StoreError::Io); 3]);
    write(&store, |tx| append(tx, 1)).unwrap();
}

/// References are checked last: what one job left dangling undoes all that were to be committed with it, and all of
/// them are told.
#[test]
fn what_cannot_be_committed_is_undone_for_all() {
    let home = Home::new();
    let store = home.open();
    let mut jobs = appends(0..3);
    jobs.push(Box::new(|tx| tx.insert_sealed(&sealed(9, Kind::RefreshToken)).map(|()| 0)));
    jobs.extend(appends(3..5));
    jobs.push(Box::new(|_| Err(StoreError::Exists)));
    assert_eq!(at_once(&store, jobs), [Err(StoreError::Missing); 7]);
    assert!(read(&store, |tx| tx.audit()).unwrap().is_empty());
    assert!(at_once(&store, appends(0..5)).iter().all(Result::is_ok), "and it goes on");
}

#[test]
fn who_reads_waits_for_no_writer_and_sees_what_was_answered() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| tx.insert_agent(&agent(1))).unwrap();
    let (begun, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let mut writing = Box::pin(store.write(move |tx| {
        tx.insert_agent(&agent(2))?;
        begun.send(()).unwrap();
        may_go.recv().map_err(|_| StoreError::Missing)
    }));
    assert!(sent(&mut writing));
    has_begun.recv().unwrap();
    assert_eq!(read(&store, |tx| Ok(tx.agents()?.len())), Ok(1), "and nothing that is not committed");
    go.send(()).unwrap();
    wait(writing).unwrap();
    assert_eq!(read(&store, |tx| Ok(tx.agents()?.len())), Ok(2));
    for number in 3..100 {
        write(&store, move |tx| tx.insert_agent(&agent(number))).unwrap();
        assert_eq!(read(&store, |tx| Ok(tx.agents()?.len())), Ok(number as usize));
    }
}

#[test]
fn what_was_deleted_is_forgotten_though_others_read() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_agent(&agent(1))?;
        tx.insert_grant(&grant(1))?;
        tx.insert_sealed(&sealed(1, Kind::Subject))
    })
    .unwrap();
    let (begun, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let mut reading = Box::pin(store.read(move |tx| {
        let found = tx.sealed(grant_id(1), Kind::Subject);
        begun.send(()).unwrap();
        may_go.recv().map_err(|_| StoreError::Missing)?;
        found
    }));
    assert!(sent(&mut reading));
    has_begun.recv().unwrap();
    write(&store, |tx| tx.delete_sealed(grant_id(1))).unwrap();
    let mut forgetting = Box::pin(store.forget_deleted());
    assert!(sent(&mut forgetting));
    go.send(()).unwrap();
    assert_eq!(wait(reading), Ok(Some(sealed(1, Kind::Subject))));
    assert_eq!(wait(forgetting), Ok(()));
    assert_eq!(fs::read(home.folder().join("countersign.sqlite-wal")).unwrap(), b"");
}

const SLOW: [&str; 8] = [
    "strace",
    "-f",
    "-qq",
    "-o/dev/null",
    "-e",
    "trace=fdatasync",
    "-e",
    "inject=fdatasync:delay_enter=5000",
];
const CALLERS: u32 = 64;
const TURNS: u32 = 10;

/// A disk that takes 5 ms for each sync, and many who write: were each to wait for its own, there would be as many
/// commits as jobs.
#[test]
fn many_who_write_share_a_slow_disk() {
    if !child::works(&[&SLOW[..], &["true"]].concat()) {
        return;
    }
    let home = Home::new();
    let text = child::run(&SLOW, "together::the_child_on_a_slow_disk", &home.folder());
    let count = |who: &str| -> u32 {
        text.lines().find_map(|line| line.strip_prefix(who)?.trim().parse().ok()).unwrap()
    };
    assert_eq!(count("alone "), TURNS, "who is alone shares with nobody");
    let together = count("together ");
    assert!(together <= TURNS * CALLERS / 4, "{together} commits of {} jobs", TURNS * CALLERS);
}

#[test]
fn the_child_on_a_slow_disk() {
    let Some(folder) = child::folder() else { return };
    let store = Arc::new(SqliteStore::open(&folder.join("countersign.sqlite"), install()).unwrap());
    let turns = |caller: u32, store: &SqliteStore| {
        (0..TURNS).for_each(|turn| {
            write(store, move |tx| append(tx, caller * TURNS + turn)).unwrap();
        });
    };
    turns(0, &store);
    let alone = commits(&folder);
    let callers: Vec<_> = (1..=CALLERS)
        .map(|caller| {
            let store = Arc::clone(&store);
            thread::spawn(move || turns(caller, &store))
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    println!("\nalone {alone}\ntogether {}", commits(&folder) - alone);
    let records = read(&store, |tx| tx.audit()).unwrap();
    assert_eq!(records.len(), ((CALLERS + 1) * TURNS) as usize);
    assert!(verify(records.iter()).is_ok());
}
