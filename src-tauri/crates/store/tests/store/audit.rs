//! The audit log: appended to, never edited.

use domain::audit::{AuditEvent, verify};
use rusqlite::Connection;

use crate::support::{Home, at, grant_id, read, write};

fn revoked(number: u32) -> AuditEvent {
    AuditEvent::GrantRevoked { grant: grant_id(number) }
}

fn with_records(home: &Home, count: u32) -> store::SqliteStore {
    let store = home.open();
    for number in 1..=count {
        write(&store, move |tx| tx.append_audit(at(number.into()), &revoked(number % 3))).unwrap();
    }
    store
}

#[test]
fn the_chain_goes_on_after_a_restart() {
    let home = Home::new();
    for round in 1..=3u64 {
        let store = with_records(&home, 5);
        let records = read(&store, |tx| tx.audit()).unwrap();
        assert_eq!(records.len() as u64, 5 * round);
        assert!(verify(records.iter()).is_ok());
        assert_eq!(records.last().unwrap().event(), Some(revoked(2)));
    }
}

#[test]
fn several_records_of_one_job_follow_each_other() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| (1..=10).try_for_each(|number| tx.append_audit(at(number), &revoked(1)))).unwrap();
    let records = read(&store, |tx| tx.audit()).unwrap();
    assert!(verify(records.iter()).is_ok());
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), (1..=10).collect::<Vec<u64>>());
}

#[test]
fn records_about_one_grant_are_found() {
    let home = Home::new();
    let store = with_records(&home, 9);
    write(&store, |tx| tx.append_audit(at(10), &AuditEvent::KeyMade { kek: grant_id(1).to_string() }))
        .unwrap();
    let records = read(&store, |tx| tx.audit_of(grant_id(1))).unwrap();
    assert_eq!(records.iter().map(|record| record.seq).collect::<Vec<_>>(), [1, 4, 7]);
    assert!(records.iter().all(|record| record.event() == Some(revoked(1))));
    assert!(read(&store, |tx| tx.audit_of(grant_id(9))).unwrap().is_empty());
}

#[test]
fn records_cannot_be_edited_cut_skipped_or_replaced() {
    let home = Home::new();
    drop(with_records(&home, 3));
    let before = home.content();
    let raw: Connection = home.raw();
    for statement in [
        "UPDATE audit SET body = '{}'",
        "UPDATE audit SET seq = 9 WHERE seq = 3",
        "UPDATE audit SET hash = zeroblob(32) WHERE seq = 1",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE seq = 3",
        "INSERT INTO audit (seq, at, body, hash) VALUES (5, 0, '{}', zeroblob(32))",
        "INSERT INTO audit (seq, at, body, hash) VALUES (3, 0, '{}', zeroblob(32))",
        "INSERT OR REPLACE INTO audit (seq, at, body, hash) VALUES (3, 0, '{}', zeroblob(32))",
        "REPLACE INTO audit (seq, at, body, hash) VALUES (1, 0, '{}', zeroblob(32))",
        "INSERT INTO audit (seq, at, body, hash) VALUES (3, 0, '{}', zeroblob(32)) \
         ON CONFLICT (seq) DO UPDATE SET body = '{}'",
        "INSERT INTO audit (seq, at, body, hash) VALUES (4, 0, 'no json', zeroblob(32))",
        "INSERT INTO audit (seq, at, body, hash) VALUES (4, 0, '{}', zeroblob(31))",
    ] {
        assert!(raw.execute_batch(statement).is_err(), "{statement}");
    }
    drop(raw);
    assert_eq!(home.content(), before);
}

#[test]
fn a_cut_off_grant_stays_cut_off_whatever_a_query_does() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_agent(&crate::support::agent(1))?;
        tx.insert_grant(&crate::support::grant(1))?;
        tx.set_revocation(grant_id(1), &crate::support::cut_off(1, crate::support::pending(0)))
    })
    .unwrap();
    drop(store);
    let raw = home.raw();
    for statement in [
        "UPDATE grants SET cut_off_at = NULL, token = NULL",
        "UPDATE grants SET cut_off_at = cut_off_at + 1",
        "DELETE FROM grants",
    ] {
        assert!(raw.execute_batch(statement).is_err(), "{statement}");
    }
}
