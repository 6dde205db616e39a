//! The disk is full, or a file may not grow, or nothing may be written at all.

use app::port::StoreError;
use domain::audit::{AuditEvent, verify};
use std::fs;
use std::path::Path;
use store::{OpenStoreError, SqliteStore};

use crate::child;
use crate::support::{Home, agent, at, grant_id, install, read, write};

fn open(folder: &Path) -> Result<SqliteStore, OpenStoreError> {
    SqliteStore::open(&folder.join("countersign.sqlite"), install())
}

fn append(store: &SqliteStore, number: u32) -> Result<(), StoreError> {
    write(store, move |tx| {
        tx.insert_agent(&agent(number))?;
        tx.append_audit(at(number.into()), &AuditEvent::GrantRevoked { grant: grant_id(number) })
    })
}

fn counts(store: &SqliteStore) -> (u32, u32) {
    let (agents, audit) = read(store, |tx| Ok((tx.agents()?, tx.audit()?))).unwrap();
    assert!(verify(audit.iter()).is_ok());
    (u32::try_from(agents.len()).unwrap(), u32::try_from(audit.len()).unwrap())
}

/// Shell words: a disk of 512 KiB of its own over the folder, then the command.
const SMALL_DISK: [&str; 6] = [
    "unshare",
    "-rm",
    "sh",
    "-c",
    "mount -t tmpfs -o size=512k,mode=700 tmpfs \"$COUNTERSIGN_TEST_CHILD\" && exec \"$@\"",
    "sh",
];

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    if !child::works(&["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]) {
        return;
    }
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    child::run(&SMALL_DISK, "disk::the_child_on_a_small_disk", &home.folder());
}

#[test]
fn the_child_on_a_small_disk() {
    let Some(folder) = child::folder() else { return };
    assert!(!folder.join("countersign.sqlite").exists(), "the small disk is there");
    let store = open(&folder).unwrap();
    let filler = folder.join("filler");
    fs::write(&filler, vec![1; 64 * 1024]).unwrap();
    let mut number = 0;
    let refusal = loop {
        number += 1;
        if let Err(error) = append(&store, number) {
            break error;
        }
    };
    assert_eq!(refusal, StoreError::Io);
    assert!(number > 5);
    assert_eq!(counts(&store), (number - 1, number - 1), "the refused job left nothing");
    for again in 0..3 {
        assert_eq!(append(&store, number + again), Err(StoreError::Io), "still full");
        assert_eq!(counts(&store), (number - 1, number - 1), "reading goes on");
    }
    fs::remove_file(&filler).unwrap();
    assert_eq!(append(&store, number), Ok(()), "there is room again");
    drop(store);
    assert_eq!(counts(&open(&folder).unwrap()), (number, number));
}

#[test]
fn a_new_database_on_a_full_disk_is_none() {
    if !child::works(&["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]) {
        return;
    }
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    child::run(&SMALL_DISK, "disk::the_child_without_room_for_a_database", &home.folder());
}

#[test]
fn the_child_without_room_for_a_database() {
    let Some(folder) = child::folder() else { return };
    for room in [0, 4, 40, 80, 120] {
        let filler = folder.join("filler");
        fs::write(&filler, vec![1; (508 - room) * 1024]).unwrap();
        assert_eq!(open(&folder).err(), Some(OpenStoreError::Io), "{room} KiB");
        assert!(!folder.join("countersign.sqlite").exists(), "nothing half-made stands in its place");
        fs::remove_file(&filler).unwrap();
    }
    assert_eq!(counts(&open(&folder).unwrap()), (0, 0), "what was left behind is in nobody's way");
}

#[test]
fn a_file_that_may_not_grow_refuses_and_loses_nothing() {
    let home = Home::new();
    fs::create_dir_all(home.folder()).unwrap();
    #[cfg(unix)]
    fs::set_permissions(home.folder(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let limits = ["sh", "-c", "trap '' XFSZ; ulimit -f 600; exec \"$@\"", "sh"];
    let text = child::run(&limits, "disk::the_child_whose_files_may_not_grow", &home.folder());
    let answered = text.lines().filter(|line| line.starts_with("done ")).count();
    let store = home.open();
    let (agents, audit) = counts(&store);
    assert_eq!(agents, audit);
    // Where the store had to stop, its last job may be there: nobody was told either way.
    let last = u32::try_from(answered).unwrap();
    let stopped = text.contains("Stopped");
    assert!(agents == last || stopped && agents == last + 1, "{answered} were answered, {agents} are there");
    assert!(answered > 5 && text.contains("Io"));
}

#[test]
fn the_child_whose_files_may_not_grow() {
    let Some(folder) = child::folder() else { return };
    let store = open(&folder).unwrap();
    let (mut number, mut refusals) = (1, 0);
    println!();
    while refusals < 5 {
        match append(&store, number) {
            Ok(()) => {
                println!("done {number}");
                number += 1;
            }
            Err(error) => {
                println!("refused {number} {error:?}");
                refusals += 1;
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let store = home.open();
    append(&store, 1).unwrap();
    drop(store);
    let before = home.content();
    if rustix::process::geteuid().is_root() {
        let read_only = [
            "unshare",
            "-rm",
            "sh",
            "-c",
            "d=\"$COUNTERSIGN_TEST_CHILD\"; mount --bind \"$d\" \"$d\" && mount -o remount,ro,bind \"$d\" && exec \"$@\"",
            "sh",
        ];
        if child::works(&["unshare", "-rm", "true"]) {
            child::run(&read_only, "disk::the_child_that_may_not_write", &home.folder());
        }
    } else {
        fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o500)).unwrap();
        child::run(&[], "disk::the_child_that_may_not_write", &home.folder());
        fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(home.content(), before);
    assert_eq!(counts(&home.open()), (1, 1));
}

#[test]
fn the_child_that_may_not_write() {
    let Some(folder) = child::folder() else { return };
    let refusal = open(&folder).err();
    assert!(matches!(refusal, Some(OpenStoreError::Io | OpenStoreError::Permissions)), "{refusal:?}");
}
