//! What was deleted is in no file any more.

use app::port::{SealedRow, Store as _, StoreError};
use std::collections::HashSet;
use std::fs;
use vault::label::Kind;

use crate::support::{Home, agent, grant, grant_id, sealed, wait, write};

/// Bytes that no other part of a database looks like.
fn blob(length: usize) -> Vec<u8> {
    let mut state = 0x5eed_u64;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
    .take(length)
    .collect()
}

/// In which files any 16 bytes of the blob are found.
fn found(home: &Home, blob: &[u8]) -> Vec<String> {
    let pieces: HashSet<&[u8]> = blob.chunks_exact(16).collect();
    let files = fs::read_dir(home.folder()).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = files
        .filter(|file| fs::read(file.path()).unwrap().windows(16).any(|window| pieces.contains(window)))
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn with_secret(home: &Home, blob: &[u8]) -> store::SqliteStore {
    let store = home.open();
    let row = SealedRow { blob: blob.to_vec(), ..sealed(1, Kind::RefreshToken) };
    write(&store, move |tx| {
        tx.insert_agent(&agent(1))?;
        tx.insert_grant(&grant(1))?;
        tx.insert_grant(&grant(2))?;
        tx.insert_sealed(&row)?;
        tx.insert_sealed(&sealed(2, Kind::RefreshToken))
    })
    .unwrap();
    store
}

const DB: &str = "countersign.sqlite";
const LOG: &str = "countersign.sqlite-wal";

#[test]
fn a_deleted_secret_is_in_no_file() {
    for length in [64, 1000, 20_000, 65_634] {
        let home = Home::new();
        let secret = blob(length);
        let store = with_secret(&home, &secret);
        assert_eq!(found(&home, &secret), [LOG], "the search finds what is there");

        write(&store, |tx| tx.delete_sealed(grant_id(1))).unwrap();
        assert_eq!(found(&home, &secret), [LOG], "deleting alone leaves it in the log");

        wait(store.forget_deleted()).unwrap();
        assert!(found(&home, &secret).is_empty(), "{length} bytes, while open");
        drop(store);
        assert!(found(&home, &secret).is_empty(), "{length} bytes, after closing");
    }
}

#[test]
fn a_secret_that_had_reached_the_database_is_overwritten_there() {
    let home = Home::new();
    let secret = blob(5000);
    drop(with_secret(&home, &secret));
    assert_eq!(found(&home, &secret), [DB], "closing moved it there");

    let store = home.open();
    write(&store, |tx| tx.delete_sealed(grant_id(1))).unwrap();
    wait(store.forget_deleted()).unwrap();
    assert!(found(&home, &secret).is_empty());
    let kept = write(&store, |tx| tx.sealed(grant_id(2), Kind::RefreshToken)).unwrap();
    assert_eq!(kept, Some(sealed(2, Kind::RefreshToken)));
}

#[test]
fn without_secure_delete_it_would_still_be_there() {
    let home = Home::new();
    let secret = blob(5000);
    drop(with_secret(&home, &secret));
    let raw = home.raw();
    raw.execute_batch("PRAGMA secure_delete = OFF; DELETE FROM sealed; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    drop(raw);
    assert_eq!(found(&home, &secret), [DB], "so the search would notice if the setting were lost");
}

#[test]
fn forgetting_fails_while_somebody_still_reads_the_old_state() {
    let home = Home::new();
    let secret = blob(64);
    let store = with_secret(&home, &secret);
    let raw = home.raw();
    raw.execute_batch("BEGIN; SELECT * FROM sealed;").unwrap();
    write(&store, |tx| tx.delete_sealed(grant_id(1))).unwrap();
    assert_eq!(wait(store.forget_deleted()), Err(StoreError::Io));
    assert!(!found(&home, &secret).is_empty());
    raw.execute_batch("COMMIT").unwrap();
    assert_eq!(wait(store.forget_deleted()), Ok(()));
    assert!(found(&home, &secret).is_empty());
}
