//! Databases that somebody made for us, and things that stand where our files should.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use store::OpenStoreError;

use crate::support::{Home, agent, at, grant, grant_id, mode, pending, private_file, read, write};

/// A sound database with one of everything that a trigger could hurt, as bytes.
fn sound() -> Vec<u8> {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_agent(&agent(1))?;
        tx.insert_grant(&grant(1))?;
        tx.insert_outbox(grant_id(1))?;
        tx.append_audit(at(1), &domain::audit::AuditEvent::GrantRevoked { grant: grant_id(1) })
    })
    .unwrap();
    drop(store);
    fs::read(home.db()).unwrap()
}

const TABLES: [&str; 9] =
    ["meta", "kek", "agents", "grants", "attempts", "sealed", "outbox", "receipts", "audit"];

/// What is added to a database or taken from it, and what that would do if it were let.
fn crafted() -> Vec<String> {
    let mut all = Vec::new();
    for table in TABLES {
        for event in ["INSERT", "UPDATE", "DELETE"] {
            for when in ["BEFORE", "AFTER"] {
                for act in ["DELETE FROM audit", "UPDATE agents SET name = 'Eve'", "SELECT RAISE(IGNORE)"] {
                    all.push(format!("CREATE TRIGGER t {when} {event} ON {table} BEGIN {act}; END"));
                }
            }
        }
        all.push(format!("CREATE VIEW v AS SELECT * FROM {table}"));
        all.push(format!("CREATE INDEX i ON {table} (1)"));
        all.push(format!("CREATE INDEX i ON {table} (abs(1)) WHERE 1"));
        all.push(format!(
            "CREATE TRIGGER t AFTER UPDATE ON {table} BEGIN INSERT INTO {table} SELECT * FROM {table}; END"
        ));
        all.push(format!("ALTER TABLE {table} ADD COLUMN more TEXT DEFAULT 'x'"));
        all.push(format!("ALTER TABLE {table} RENAME TO other_{table}"));
        all.push(format!("DROP TABLE {table}"));
        all.push(format!("CREATE TABLE {table}2 AS SELECT * FROM {table}"));
        // The place of a table, taken by what runs whoever reads it.
        all.push(format!(
            "ALTER TABLE {table} RENAME TO real_{table}; CREATE VIEW {table} AS SELECT * FROM real_{table}"
        ));
        // The same table, a word of it changed in the schema alone.
        for (from, to) in
            [("STRICT", ""), ("NOT NULL", ""), ("TEXT", "BLOB"), ("CREATE TABLE", "CREATE TABLE ")]
        {
            all.push(format!(
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') \
                 WHERE name = '{table}' AND instr(sql, '{from}')"
            ));
        }
    }
    for gone in
        ["grants_stay_cut_off", "grants_stay", "audit_follows", "audit_is_not_changed", "audit_is_not_cut"]
    {
        all.push(format!("DROP TRIGGER {gone}"));
        all.push(format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'RAISE(ABORT', 'RAISE(IGNORE') \
             WHERE name = '{gone}'"
        ));
    }
    for gone in ["attempts_open", "receipts_of", "audit_of"] {
        all.push(format!("DROP INDEX {gone}"));
    }
    all.extend(
        [
            "ANALYZE",
            "CREATE TABLE sqlite_sequence_of_ours (x)",
            "CREATE TABLE x (a, b GENERATED ALWAYS AS (load_extension('/tmp/x.so')) VIRTUAL)",
            "CREATE VIRTUAL TABLE x USING fts5 (a)",
            "CREATE VIRTUAL TABLE x USING rtree (a, b, c)",
            "CREATE TABLE x (a CHECK (length(a) > 0)) WITHOUT ROWID",
            "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 't', 'audit', 0, \
             'CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM grants; END')",
            "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x (y)')",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 WHERE type = 'table'",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 999999 WHERE name = 'audit'",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET tbl_name = 'audit' WHERE name = 'grants'",
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'no SQL at all' WHERE name = 'audit'",
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
            "PRAGMA user_version = 0",
            "UPDATE meta SET install = 'ABCDEFABCDEFABCD'",
            "DELETE FROM meta",
            "PRAGMA ignore_check_constraints = ON; UPDATE grants SET permissions = 'no JSON'",
            "PRAGMA ignore_check_constraints = ON; UPDATE grants SET cut_off_at = 1",
            "PRAGMA ignore_check_constraints = ON; UPDATE agents SET key = x'00'",
        ]
        .map(str::to_owned),
    );
    all
}

#[test]
fn three_hundred_crafted_databases_are_refused_and_left_as_they_are() {
    let (sound, home) = (sound(), Home::new());
    drop(home.open());
    let (mut wrong, mut refused) = (Vec::new(), 0);
    for sql in crafted() {
        private_file(&home.db(), &sound);
        let raw = home.raw();
        raw.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON").unwrap();
        // Where this SQLite cannot even make it, or finds nothing to change, there is nothing to be refused.
        let made = raw.execute_batch(&sql).is_ok();
        drop(raw);
        let before = home.content();
        if !made || before[&home.db()] == sound {
            continue;
        }
        for _ in 0..2 {
            match home.try_open() {
                Err(OpenStoreError::Damaged) => {}
                other => wrong.push(format!("{:?}: {sql}", other.map(drop))),
            }
            if home.content() != before {
                wrong.push(format!("changed: {sql}"));
            }
        }
        refused += 1;
        for (path, _) in before {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(refused >= 300, "{refused}");
    private_file(&home.db(), &sound);
    assert_eq!(read(&home.open(), |tx| Ok(tx.agents()?.len())), Ok(1), "the one they were made from opens");
}

/// Longer than anything of ours: read as damage, never into memory.
#[test]
fn a_text_without_end_is_damage_of_its_own_row() {
    let home = Home::new();
    let store = home.open();
    write(&store, |tx| {
        tx.insert_agent(&agent(1))?;
        [1, 2].iter().try_for_each(|number| tx.insert_grant(&grant(*number)))
    })
    .unwrap();
    drop(store);
    for column in ["holder", "provider_name", "accounts"] {
        let huge = if column == "accounts" {
            "'[' || hex(zeroblob(2500000)) || ']'"
        } else {
            "hex(zeroblob(2500000))"
        };
        let spoil =
            format!("PRAGMA ignore_check_constraints = ON; UPDATE grants SET {column} = {huge} WHERE n = 1");
        home.raw().execute_batch(&spoil).unwrap();
        match home.try_open() {
            Err(error) => assert_eq!(error, OpenStoreError::Damaged, "{column}"),
            Ok(store) => {
                let all = read(&store, |tx| tx.grants());
                assert!(all.is_err() || all.unwrap().sound.len() == 1, "{column}");
                let revoked = crate::support::cut_off(1, pending(0));
                let sound = write(&store, move |tx| tx.set_revocation(grant_id(2), &revoked));
                assert_eq!(sound, Ok(()), "{column}: the other can still be cut off");
            }
        }
        let undo = "UPDATE grants SET holder = NULL, provider_name = 'x', accounts = '[]', cut_off_at = NULL, token = NULL \
                    WHERE n = 1";
        home.raw().execute_batch(undo).unwrap();
    }
}

/// Where the path leads somewhere else, what is there is neither read as ours, nor changed, nor made private.
#[cfg(unix)]
#[test]
fn what_a_link_leads_to_stays_as_it_is() {
    use std::os::unix::fs::{MetadataExt as _, symlink};
    let sound = sound();
    let seen = |path: &Path| {
        let found = fs::metadata(path).unwrap();
        (fs::read(path).unwrap(), found.mode(), found.mtime_nsec(), found.ino(), found.nlink())
    };
    for (content, bits) in [(&b"root:x:0:0"[..], 0o644), (&b""[..], 0o666), (sound.as_slice(), 0o600)] {
        for ending in ["", "-wal", "-shm", "-journal", ".new", ".new-wal"] {
            for hard in [false, true] {
                let home = Home::new();
                drop(home.open());
                let target = home.folder().with_file_name("target");
                private_file(&target, content);
                mode(&target, bits);
                let mut place = home.db().into_os_string();
                place.push(ending);
                let place = PathBuf::from(place);
                let _ = fs::remove_file(&place);
                if hard {
                    fs::hard_link(&target, &place).unwrap()
                } else {
                    symlink(&target, &place).unwrap()
                }
                let before = seen(&target);
                let opened = home.try_open().err();
                if ending.starts_with(".new") {
                    // What is left of a database that was being made is unlinked, never followed.
                    assert_eq!(opened, None, "{ending}");
                    assert_eq!((seen(&target).0, seen(&target).1), (before.0, before.1), "{ending}");
                } else {
                    assert_eq!(opened, Some(OpenStoreError::NotAPlainFile), "{ending} {hard}");
                    assert_eq!(seen(&target), before, "{ending} {hard}");
                    assert!(fs::symlink_metadata(&place).is_ok(), "the evidence is kept");
                }
            }
        }
    }
}

/// From the first moment: every file that is made while a database is made, opened and used, whatever the umask, is made
/// in the data folder, and for us alone.
#[cfg(target_os = "linux")]
#[test]
fn every_file_is_made_in_the_folder_and_private() {
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=open,openat,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,mknod,symlink",
    ];
    if !crate::child::works(&["strace", "-qq", "true"]) {
        return;
    }
    let home = Home::new();
    let trace = home.folder().with_file_name("trace");
    let output = format!("--output={}", trace.display());
    let shell = ["sh", "-c", "umask 000; exec \"$@\"", "sh"];
    let wrapper: Vec<&str> = shell.into_iter().chain(strace).chain([output.as_str()]).collect();
    crate::child::run(&wrapper, "files::the_child_with_a_umask", &home.folder());
    let text = fs::read_to_string(trace).unwrap();
    let folder = home.folder().display().to_string();
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains("O_CREAT") || line.contains("mkdir")) {
        let path = line.split('"').nth(1).unwrap().to_owned();
        let bits = line.split_once(") = ").unwrap().0.rsplit_once(", ").unwrap().1.to_owned();
        assert!(path.starts_with(&folder), "elsewhere: {line}");
        let private = if line.contains("mkdir") { "0700" } else { "0600" };
        assert_eq!(bits, private, "{line}");
        made.insert(path, bits);
    }
    assert!(made.len() >= 5, "folders, database, log and index are seen: {made:?}");
    let changed: Vec<&str> = text.lines().filter(|line| line.contains("chmod(")).collect();
    assert_eq!(changed, Vec::<&str>::new(), "nothing is made private afterwards");
}
