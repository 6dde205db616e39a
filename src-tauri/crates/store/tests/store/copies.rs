//! Copies that backup and sync tools make of the files while the store is at work: a copy opens and is consistent, or it is
//! refused (attack 72).

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use domain::audit::{AuditEvent, verify};
use vault::label::Kind;

use crate::support::{Home, agent, at, grant, grant_id, mode, private_file, read, sealed, write};

/// How a tool copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The database alone.
    WithoutLog,
    /// The database, then its log.
    DatabaseFirst,
    /// The log, then the database.
    LogFirst,
    /// In pieces, with other writes between them.
    InPieces,
    /// Both, and beside them what a sync tool calls a conflicted copy.
    Conflicted,
}

const WAYS: [Way; 5] = [Way::WithoutLog, Way::DatabaseFirst, Way::LogFirst, Way::InPieces, Way::Conflicted];

fn in_pieces(from: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let (mut file, mut bytes) = (fs::File::open(from).unwrap(), Vec::new());
    let mut piece = [0; 4096];
    loop {
        match file.read(&mut piece).unwrap() {
            0 => return bytes,
            length => bytes.extend_from_slice(&piece[..length]),
        }
        thread::yield_now();
    }
}

fn copy(from: &Home, way: Way) -> Home {
    let to = Home::new();
    fs::create_dir(to.folder()).unwrap();
    mode(&to.folder(), 0o700);
    let (database, log) = ("countersign.sqlite", "countersign.sqlite-wal");
    let names: &[&str] = match way {
        Way::WithoutLog => &[database],
        Way::LogFirst => &[log, database],
        Way::Conflicted | Way::DatabaseFirst | Way::InPieces => &[database, log],
    };
    for name in names {
        let path = from.folder().join(name);
        let bytes = if way == Way::InPieces { in_pieces(&path) } else { fs::read(path).unwrap() };
        private_file(&to.folder().join(name), &bytes);
        if way == Way::Conflicted {
            private_file(&to.folder().join(format!("{name} (conflicted copy 2026-11-27)")), &bytes);
        }
    }
    to
}

/// Whether it opens; then what is in it goes together.
fn is_consistent(copy: &Home) -> bool {
    let Ok(store) = copy.try_open() else { return false };
    let Ok((grants, audit)) = read(&store, |tx| Ok((tx.grants()?, tx.audit()?))) else { return false };
    assert!(grants.damaged.is_empty());
    assert!(verify(audit.iter()).is_ok());
    assert_eq!(audit.len(), grants.sound.len(), "each with its record");
    for found in grants.sound {
        let id = found.id;
        let has = |kind| read(&store, move |tx| tx.sealed(id, kind)).unwrap().is_some();
        assert!(has(Kind::RefreshToken) && has(Kind::AccessToken), "each with its tokens");
    }
    true
}

#[test]
fn two_hundred_copies_made_meanwhile_open_consistent_or_are_refused() {
    let home = Home::new();
    let store = Arc::new(home.open());
    write(&store, |tx| tx.insert_agent(&agent(1))).unwrap();
    let (ends, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let writer = {
        let (store, ends, written) = (Arc::clone(&store), Arc::clone(&ends), Arc::clone(&written));
        thread::spawn(move || {
            for number in 1.. {
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                let connect = move |tx: &mut dyn app::port::Tx| {
                    tx.insert_grant(&grant(number))?;
                    tx.insert_sealed(&sealed(number, Kind::RefreshToken))?;
                    tx.insert_sealed(&sealed(number, Kind::AccessToken))?;
                    tx.append_audit(at(number.into()), &AuditEvent::GrantRevoked { grant: grant_id(number) })
                };
                write(&store, connect).unwrap();
                written.store(number, Ordering::SeqCst);
                // The log is emptied now and then, as after a revocation.
                if number % 7 == 0 {
                    let _ = crate::support::wait(app::port::Store::forget_deleted(&*store));
                }
            }
        })
    };
    while written.load(Ordering::SeqCst) < 3 {
        thread::yield_now();
    }
    let begin = written.load(Ordering::SeqCst);
    let copies: Vec<(Way, Home)> =
        (0..200).map(|n| WAYS[n % WAYS.len()]).map(|way| (way, copy(&home, way))).collect();
    let meanwhile = written.load(Ordering::SeqCst) - begin;
    ends.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    assert!(meanwhile > 10, "{meanwhile} jobs were done meanwhile");
    let opened = copies.iter().filter(|(_, copy)| is_consistent(copy)).count();
    assert!(opened > 20, "{opened} of 200 open");
    assert!(is_consistent(&copy(&home, Way::DatabaseFirst)), "the control: at rest a copy is whole");
}
