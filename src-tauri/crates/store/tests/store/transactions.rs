//! One job, one transaction: all of it or nothing, one after the other, and a thread that outlives its jobs.

use app::port::{Store as _, StoreError};
use domain::audit::{AuditEvent, verify};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use vault::label::Kind;

use crate::support::{Home, agent, at, grant, grant_id, read, sealed, wait, write};

fn agents(store: &store::SqliteStore) -> usize {
    read(store, |tx| Ok(tx.agents()?.len())).unwrap()
}

#[test]
fn a_job_that_fails_changes_nothing() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| tx.insert_agent(&agent(1))).unwrap();
    for error in
        [StoreError::Missing, StoreError::Exists, StoreError::Io, StoreError::Damaged, StoreError::Stopped]
    {
        let result: Result<(), _> = write(&store, move |tx| {
            tx.insert_agent(&agent(2))?;
            tx.insert_grant(&grant(1))?;
            tx.append_audit(at(1), &AuditEvent::GrantRevoked { grant: grant_id(1) })?;
            Err(error)
        });
        assert_eq!(result, Err(error));
        assert_eq!(agents(&store), 1);
        assert!(read(&store, |tx| tx.audit()).unwrap().is_empty());
    }
}

#[test]
fn a_job_may_go_on_after_a_refusal() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_agent(&agent(1))?;
        assert_eq!(tx.insert_agent(&agent(1)), Err(StoreError::Exists));
        tx.insert_agent(&agent(2))
    })
    .unwrap();
    assert_eq!(agents(&store), 2);
}

#[test]
fn a_job_that_panics_changes_nothing_and_stops_nothing() {
    let home = Home::new();
    let store = home.open();
    for _ in 0..3 {
        let result: Result<(), _> = write(&store, |tx| {
            tx.insert_agent(&agent(1))?;
            panic!("a job that panics, as the test wants");
        });
        assert_eq!(result, Err(StoreError::Damaged));
        let result: Result<(), _> = read(&store, |_| panic!("a reader that panics, as the test wants"));
        assert_eq!(result, Err(StoreError::Damaged));
        assert_eq!(agents(&store), 0);
    }
    assert_eq!(write(&store, |tx| tx.insert_agent(&agent(1))), Ok(()));
    assert_eq!(agents(&store), 1);
}

#[test]
fn a_reader_changes_nothing() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_agent(&agent(1))?;
        tx.insert_grant(&grant(1))?;
        tx.insert_sealed(&sealed(1, Kind::Subject))
    })
    .unwrap();
    assert_eq!(read(&store, |tx| tx.insert_agent(&agent(2))), Err(StoreError::Io));
    assert_eq!(read(&store, |tx| tx.delete_sealed(grant_id(1))), Err(StoreError::Io));
    let swallowed = read(&store, |tx| {
        let _ = tx.delete_sealed(grant_id(1));
        tx.sealed(grant_id(1), Kind::Subject)
    });
    assert_eq!(swallowed, Ok(Some(sealed(1, Kind::Subject))));
    assert_eq!(agents(&store), 1);
    assert_eq!(write(&store, |tx| tx.insert_agent(&agent(2))), Ok(()), "writing goes on");
}

#[test]
fn what_was_answered_is_there_after_a_restart() {
    let home = Home::new();
    for number in 1..=5 {
        let store = home.open();
        write(&store, move |tx| tx.insert_agent(&agent(number))).unwrap();
        assert_eq!(agents(&store), number as usize);
    }
}

#[test]
fn a_job_that_was_sent_is_carried_out_though_nobody_waits() {
    let home = Home::new();
    let store = home.open();
    let (begun, has_begun) = channel();
    let (go, may_go) = channel::<()>();
    let store = Arc::new(store);
    let waiting = Arc::clone(&store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let task = runtime.spawn(async move {
        waiting
            .write(move |tx| {
                begun.send(()).unwrap();
                may_go.recv().unwrap();
                tx.insert_agent(&agent(1))
            })
            .await
    });
    has_begun.recv().unwrap();
    task.abort();
    assert!(runtime.block_on(task).unwrap_err().is_cancelled());
    go.send(()).unwrap();
    write(&store, |_| Ok(())).unwrap();
    assert_eq!(agents(&store), 1);
}

#[test]
fn many_callers_lose_no_update() {
    let home = Home::new();
    let store = Arc::new(home.open());
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let store = Arc::clone(&store);
            thread::spawn(move || {
                for turn in 0..25 {
                    let event = AuditEvent::GrantRevoked { grant: grant_id(caller) };
                    wait(store.write(move |tx| tx.append_audit(at(turn), &event))).unwrap();
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    let records = read(&store, |tx| tx.audit()).unwrap();
    assert_eq!(records.len(), 200);
    assert!(verify(records.iter()).is_ok());
}

#[test]
fn two_stores_on_one_file_take_turns() {
    let home = Home::new();
    let (one, other) = (home.open(), home.open());
    for number in 0..20 {
        let store = if number % 2 == 0 { &one } else { &other };
        write(store, move |tx| {
            tx.insert_agent(&agent(number))?;
            tx.append_audit(at(number.into()), &AuditEvent::GrantRevoked { grant: grant_id(number) })
        })
        .unwrap();
    }
    assert_eq!((agents(&one), agents(&other)), (20, 20));
    assert!(verify(read(&one, |tx| tx.audit()).unwrap().iter()).is_ok());
}
