//! What stands in the store's place, and what is made of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use store::OpenStoreError;

use crate::support::{Home, agent, content, mode, private_file, read, write};

fn with_data(home: &Home) {
    let store = home.open();
    write(&store, |tx| (1..=20).try_for_each(|number| tx.insert_agent(&agent(number)))).unwrap();
}

/// Spoils a sound database and makes sure that it is refused as it should be, and that nothing in it is changed.
fn refused(what: &str, spoil: impl FnOnce(&Home), expected: OpenStoreError) {
    let home = Home::new();
    with_data(&home);
    spoil(&home);
    let before = home.content();
    for _ in 0..2 {
        assert_eq!(home.try_open().err(), Some(expected), "{what}");
        assert!(home.content() == before, "{what}: something was changed");
    }
}

fn log(home: &Home) -> PathBuf {
    beside(home, "-wal")
}

fn beside(home: &Home, ending: &str) -> PathBuf {
    let mut name = home.db().into_os_string();
    name.push(ending);
    name.into()
}

/// The files as they stand while a database is open, put in its place after it was closed: a copy taken while it lived.
fn live_copy(home: &Home, work: impl FnOnce(&rusqlite::Connection)) {
    let raw = home.raw();
    work(&raw);
    let files: BTreeMap<PathBuf, Vec<u8>> = content(&home.folder());
    drop(raw);
    for (path, bytes) in files {
        private_file(&path, &bytes);
    }
}

#[test]
fn what_is_no_sound_database_of_ours_is_refused_and_left_as_it_is() {
    use OpenStoreError::{Damaged, Newer, NotOurs};
    let noise: Vec<u8> = (0..20_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    refused("no bytes", |home| private_file(&home.db(), b""), Damaged);
    refused("one byte", |home| private_file(&home.db(), b"S"), Damaged);
    refused("noise", |home| private_file(&home.db(), &noise), Damaged);
    refused("text", |home| private_file(&home.db(), "{}".repeat(1000).as_bytes()), Damaged);
    for length in [16, 99, 100, 512, 4095, 4096, 4097, 8192, 20_000, 65_536] {
        let cut = |home: &Home| private_file(&home.db(), &fs::read(home.db()).unwrap()[..length]);
        refused(&format!("the first {length} bytes"), cut, Damaged);
    }
    let raw = |home: &Home, sql: &str| home.raw().execute_batch(sql).unwrap();
    let other = |home: &Home| {
        fs::remove_file(home.db()).unwrap();
        raw(home, "CREATE TABLE t (x); INSERT INTO t VALUES (1);");
        mode(&home.db(), 0o600);
    };
    refused("another program's", other, NotOurs);
    refused("another mark", |home| raw(home, "PRAGMA application_id = 1"), NotOurs);
    refused("a later schema", |home| raw(home, "PRAGMA user_version = 4"), Newer);
    refused("a far later schema", |home| raw(home, "PRAGMA user_version = 2147483647"), Newer);
    refused("no schema", |home| raw(home, "PRAGMA user_version = 0"), Damaged);
    refused("a schema below none", |home| raw(home, "PRAGMA user_version = -1"), Newer);
    refused("a table more", |home| raw(home, "CREATE TABLE more (x)"), Damaged);
    refused("a view", |home| raw(home, "CREATE VIEW v AS SELECT 1"), Damaged);
    let trigger = "CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM grants; END";
    refused("a trigger", |home| raw(home, trigger), Damaged);
    refused("a trigger less", |home| raw(home, "DROP TRIGGER audit_is_not_cut"), Damaged);
    refused("an index less", |home| raw(home, "DROP INDEX audit_of"), Damaged);
    refused("no install", |home| raw(home, "DELETE FROM meta"), Damaged);
    let broken_type =
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '')";
    refused("a looser table", |home| raw(home, broken_type), Damaged);
}

#[test]
fn a_log_is_judged_with_its_database() {
    use OpenStoreError::{Damaged, Newer};
    refused(
        "a log without a database",
        |home| {
            live_copy(home, |raw| raw.execute_batch("DELETE FROM agents").unwrap());
            assert!(fs::metadata(log(home)).unwrap().len() > 0);
            fs::remove_file(home.db()).unwrap();
        },
        Damaged,
    );
    refused(
        "a log with an empty database",
        |home| {
            live_copy(home, |raw| raw.execute_batch("DELETE FROM agents").unwrap());
            private_file(&home.db(), b"");
        },
        Damaged,
    );
    refused(
        "a later schema that is in the log only",
        |home| {
            live_copy(home, |raw| raw.execute_batch("PRAGMA user_version = 4").unwrap());
        },
        Newer,
    );
    refused(
        "a trigger that is in the log only",
        |home| {
            let sql = "CREATE TRIGGER t AFTER INSERT ON agents BEGIN DELETE FROM audit; END";
            live_copy(home, |raw| raw.execute_batch(sql).unwrap());
        },
        Damaged,
    );
    refused("a rollback journal", |home| private_file(&beside(home, "-journal"), &[7; 600]), Damaged);

    let home = Home::new();
    with_data(&home);
    live_copy(&home, |raw| raw.execute_batch("DELETE FROM agents WHERE n > 5").unwrap());
    assert_eq!(read(&home.open(), |tx| Ok(tx.agents()?.len())), Ok(5), "a copy with its log is whole");
}

#[cfg(unix)]
#[test]
fn only_plain_files_of_ours_alone_are_opened() {
    use OpenStoreError::{NotAPlainFile, OtherUser, Permissions};
    use std::os::unix::fs::symlink;
    refused("readable by others", |home| mode(&home.db(), 0o644), Permissions);
    refused("writable by all", |home| mode(&home.db(), 0o666), Permissions);
    refused("an open folder", |home| mode(&home.folder(), 0o777), Permissions);
    refused("a folder others may look into", |home| mode(&home.folder(), 0o755), Permissions);
    refused(
        "a second name",
        |home| fs::hard_link(home.db(), home.folder().join("b")).unwrap(),
        NotAPlainFile,
    );
    refused(
        "a link",
        |home| {
            let elsewhere = home.folder().join("elsewhere");
            fs::rename(home.db(), &elsewhere).unwrap();
            symlink(elsewhere, home.db()).unwrap();
        },
        NotAPlainFile,
    );
    refused(
        "a link to nothing",
        |home| {
            fs::remove_file(home.db()).unwrap();
            symlink(home.folder().join("nothing"), home.db()).unwrap();
        },
        NotAPlainFile,
    );
    refused(
        "a folder",
        |home| {
            fs::remove_file(home.db()).unwrap();
            fs::create_dir(home.db()).unwrap();
        },
        NotAPlainFile,
    );
    refused(
        "a pipe",
        |home| {
            fs::remove_file(home.db()).unwrap();
            let made =
                std::process::Command::new("mkfifo").args(["-m", "600"]).arg(home.db()).status().unwrap();
            assert!(made.success());
        },
        NotAPlainFile,
    );
    refused("a log that is a link", |home| symlink("/etc/passwd", log(home)).unwrap(), NotAPlainFile);
    refused(
        "an index that is a link",
        |home| symlink("/etc/passwd", beside(home, "-shm")).unwrap(),
        NotAPlainFile,
    );
    refused(
        "a log for all",
        |home| {
            private_file(&log(home), b"x");
            mode(&log(home), 0o666);
        },
        Permissions,
    );
    if rustix::process::geteuid().is_root() {
        let give = |path: &Path| std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
        refused("another user's file", |home| give(&home.db()), OtherUser);
        refused("another user's folder", |home| give(&home.folder()), OtherUser);
    } else {
        let there = Path::new("/usr/countersign.sqlite");
        assert_eq!(store::SqliteStore::open(there, crate::support::install()).err(), Some(OtherUser));
    }
}

#[cfg(unix)]
#[test]
fn a_place_that_is_no_folder_is_refused() {
    let home = Home::new();
    fs::write(home.folder(), "a file").unwrap();
    assert_eq!(home.try_open().err(), Some(OpenStoreError::NotAPlainFile));
    assert_eq!(fs::read(home.folder()).unwrap(), b"a file");
    let at_root = store::SqliteStore::open(Path::new("/"), crate::support::install());
    assert_eq!(at_root.err(), Some(OpenStoreError::NotAPlainFile));
}

#[cfg(unix)]
#[test]
fn the_folder_may_be_reached_by_a_link() {
    let home = Home::new();
    with_data(&home);
    let link = home.folder().with_file_name("link");
    std::os::unix::fs::symlink(home.folder(), &link).unwrap();
    let store =
        store::SqliteStore::open(&link.join("countersign.sqlite"), crate::support::install()).unwrap();
    assert_eq!(read(&store, |tx| Ok(tx.agents()?.len())), Ok(20));
}

#[cfg(unix)]
#[test]
fn files_are_ours_alone_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        let home = Home::new();
        let shell = ["sh", "-c", &format!("umask {umask}; exec \"$@\""), "sh"];
        crate::child::run(&shell, "files::the_child_with_a_umask", &home.folder());
    }
}

#[cfg(unix)]
#[test]
fn the_child_with_a_umask() {
    use std::os::unix::fs::MetadataExt as _;
    let Some(folder) = crate::child::folder() else { return };
    let deep = folder.join("below");
    let store =
        store::SqliteStore::open(&deep.join("countersign.sqlite"), crate::support::install()).unwrap();
    write(&store, |tx| tx.insert_agent(&agent(1))).unwrap();
    let of = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!((of(&folder), of(&deep)), (0o700, 0o700));
    let files: Vec<PathBuf> = fs::read_dir(&deep).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "database, log and index: {files:?}");
    assert!(files.iter().all(|path| of(path) == 0o600));
}

#[test]
fn what_a_crash_left_of_a_new_database_is_cleared_away() {
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    mode(&home.folder(), 0o700);
    for ending in [".new", ".new-wal", ".new-shm", ".new-journal"] {
        private_file(&beside(&home, ending), b"half of something");
    }
    let store = home.open();
    assert_eq!(read(&store, |tx| tx.install()), Ok(crate::support::install()));
    let names: Vec<_> =
        fs::read_dir(home.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".new")), "{names:?}");
}

#[test]
fn a_database_with_any_bytes_changed_is_refused_or_read_and_never_worse() {
    let home = Home::new();
    with_data(&home);
    let sound = fs::read(home.db()).unwrap();
    let (mut refusals, mut state) = (0, 1u64);
    for _ in 0..300 {
        let mut bytes = sound.clone();
        for _ in 0..8 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = usize::try_from(state >> 33).unwrap() % bytes.len();
            bytes[at] = state.to_be_bytes()[1];
        }
        private_file(&home.db(), &bytes);
        match home.try_open() {
            Err(_) => {
                assert!(fs::read(home.db()).unwrap() == bytes, "what is refused is left as it is");
                refusals += 1;
            }
            Ok(store) => {
                let _ = read(&store, |tx| Ok((tx.agents()?, tx.grants()?, tx.audit()?, tx.outbox()?)));
                let _ = write(&store, |tx| tx.insert_agent(&agent(99)));
            }
        }
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(beside(&home, ending));
        }
    }
    assert!(refusals > 100, "{refusals}");
}
