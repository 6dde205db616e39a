//! Opens the database: judges it before anything in it is changed, or makes a new one where there is none.

use domain::id::InstallId;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;
use thiserror::Error as ThisError;

use crate::folder::{Place, length, make_file, name_file, refused};
use crate::writer::truncate_log;
use crate::{keys, migrate};

/// Marks a database as ours, in its header ("Csgn").
const APPLICATION: u32 = 0x4373_676e;
/// The longest text or blob that is read or written: room for what belongs here, none for what would fill the memory.
const LONGEST: i32 = 4 * 1024 * 1024;
/// Room for every statement there is, so that none is compiled twice.
const STATEMENTS: usize = 256;
/// What a file beside the database is called while it is made.
const NEW: &str = ".new";

/// Why the store was not opened. What was found is left as it is.
#[derive(Clone, Copy, Debug, ThisError, PartialEq, Eq)]
pub enum OpenStoreError {
    /// Another program holds the database.
    #[error("another program holds the database")]
    Busy,
    /// The database is cut off, malformed, or holds what no version of ours made.
    #[error("the database is damaged")]
    Damaged,
    /// The disk is full, read-only or broken.
    #[error("the disk failed")]
    Io,
    /// A later version of Countersign has changed the database.
    #[error("the database was made by a later version")]
    Newer,
    /// A link, a folder, a pipe, or a file with a second name.
    #[error("the database is not a plain file in a plain folder")]
    NotAPlainFile,
    /// A database of another program.
    #[error("the database is not ours")]
    NotOurs,
    /// The folder or a file belongs to another user.
    #[error("the data folder belongs to another user")]
    OtherUser,
    /// Others may read or write the folder or a file, or we may not.
    #[error("the permissions of the data folder are wrong")]
    Permissions,
}

impl OpenStoreError {
    /// What an error of SQLite means while opening.
    pub(crate) fn from_sqlite(error: &Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::PermissionDenied) => Self::Permissions,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(code)
                if [
                    ErrorCode::CannotOpen,
                    ErrorCode::DiskFull,
                    ErrorCode::OutOfMemory,
                    ErrorCode::ReadOnly,
                    ErrorCode::SystemIoFailure,
                ]
                .contains(&code) =>
            {
                Self::Io
            }
            Some(_) | None => Self::Damaged,
        }
    }
}

/// Opens the database, or makes one. The install id is used only for a new one.
pub(crate) fn open(path: &Path, make_install: &InstallId) -> Result<(Connection, Place), OpenStoreError> {
    let place = Place::find(path)?;
    sweep(&place)?;
    let log = length(&place.beside("-wal"))?;
    length(&place.beside("-shm"))?;
    // We never use a rollback journal. SQLite would write what is in one into the database, unseen.
    if length(&place.beside("-journal"))?.is_some_and(|bytes| bytes > 0) {
        return Err(OpenStoreError::Damaged);
    }
    if length(&place.db)?.is_none() {
        // SQLite would delete a log whose database is gone, and with it the last trace of what happened.
        if log.is_some_and(|bytes| bytes > 0) {
            return Err(OpenStoreError::Damaged);
        }
        create(&place, make_install)?;
    }
    let conn = open_existing(&place, log.unwrap_or(0))?;
    Ok((conn, place))
}

/// Opens the database once more, beside the connection that writes, for reading alone.
pub(crate) fn open_to_read(place: &Place) -> Result<Connection, OpenStoreError> {
    let conn = connect(&place.db, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    distrust(&conn).map_err(|error| OpenStoreError::from_sqlite(&error))?;
    Ok(conn)
}

/// Clears away what a crash left of a database that was being made. It never was one: nothing in it was acknowledged.
/// Nobody else is making one now: the host holds the lock of the folder.
fn sweep(place: &Place) -> Result<(), OpenStoreError> {
    for ending in [NEW, ".new-wal", ".new-shm", ".new-journal"] {
        match fs::remove_file(place.beside(ending)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(refused(&error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Makes a database beside its place and moves it there when it is whole, so that what stands in its place always is.
fn create(place: &Place, install: &InstallId) -> Result<(), OpenStoreError> {
    let sqlite = |error: Error| OpenStoreError::from_sqlite(&error);
    let new = place.beside(NEW);
    make_file(&new).map_err(|error| refused(&error))?;
    let conn = connect(&new, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    harden(&conn)?;
    conn.pragma_update(None, "application_id", APPLICATION).map_err(sqlite)?;
    migrate::migrate(&conn, migrate::SCHEMAS).map_err(sqlite)?;
    keys::insert_install(&conn, install).map_err(|_| OpenStoreError::Io)?;
    truncate_log(&conn, &place.beside(".new-wal")).map_err(|_| OpenStoreError::Io)?;
    conn.close().map_err(|(_, error)| sqlite(error))?;
    File::open(&new)
        .and_then(|file| file.sync_all())
        .and_then(|()| name_file(&new, &place.db))
        .and_then(|()| place.sync())
        .map_err(|error| refused(&error))
}

fn open_existing(place: &Place, log: u64) -> Result<Connection, OpenStoreError> {
    let sqlite = |error: Error| OpenStoreError::from_sqlite(&error);
    judge_header(&place.db)?;
    let conn = connect(&place.db, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Until the database is found to be ours and sound, closing must not move a log into it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, log > 0).map_err(sqlite)?;
    distrust(&conn).map_err(sqlite)?;
    judge(&conn)?;
    harden(&conn)?;
    migrate::migrate(&conn, migrate::SCHEMAS).map_err(sqlite)?;
    // What the log holds may have been read from memory only: an earlier process may have died after a failed fsync,
    // whose pages the system then takes for written. Moving all of it into the database writes it anew, and nothing
    // is answered before that is on the disk.
    truncate_log(&conn, &place.beside("-wal")).map_err(|_| OpenStoreError::Io)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(sqlite)?;
    Ok(conn)
}

/// Reads the header as bytes, before SQLite sees the file: what SQLite opens, it may repair.
fn judge_header(db: &Path) -> Result<(), OpenStoreError> {
    let mut header = [0; 100];
    match File::open(db).and_then(|mut file| file.read_exact(&mut header)) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(OpenStoreError::Damaged),
        read => read.map_err(|error| refused(&error))?,
    }
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenStoreError::Damaged);
    }
    let number = |at: usize| {
        let bytes: [u8; 4] =
            header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        u32::from_be_bytes(bytes)
    };
    if number(68) != APPLICATION {
        return Err(OpenStoreError::NotOurs);
    }
    if usize::try_from(number(60)).unwrap_or(usize::MAX) > migrate::SCHEMAS.len() {
        return Err(OpenStoreError::Newer);
    }
    Ok(())
}

/// Makes sure that the database is ours, of a schema we know, and sound in all its pages.
fn judge(conn: &Connection) -> Result<(), OpenStoreError> {
    let sqlite = |error: Error| OpenStoreError::from_sqlite(&error);
    if conn.is_readonly(rusqlite::MAIN_DB).map_err(sqlite)? {
        return Err(OpenStoreError::Io);
    }
    let application: u32 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(sqlite)?;
    if application != APPLICATION {
        return Err(OpenStoreError::NotOurs);
    }
    migrate::check(conn, migrate::SCHEMAS)?;
    let verdict: String = conn.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(sqlite)?;
    if verdict != "ok" {
        return Err(OpenStoreError::Damaged);
    }
    keys::install(conn).map(|_| ()).map_err(|_| OpenStoreError::Damaged)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenStoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let conn =
        Connection::open_with_flags(path, flags).map_err(|error| OpenStoreError::from_sqlite(&error))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.busy_timeout(Duration::from_secs(5)).map_err(|error| OpenStoreError::from_sqlite(&error))?;
    Ok(conn)
}

/// Takes from the database's own content what it could do to us. Writes nothing.
fn distrust(conn: &Connection) -> Result<(), Error> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "mmap_size", 0)
}

/// Sets how we write, and reads back what a promise hangs on.
fn harden(conn: &Connection) -> Result<(), OpenStoreError> {
    let held =
        distrust(conn).and_then(|()| settings(conn)).map_err(|error| OpenStoreError::from_sqlite(&error))?;
    // A disk on which memory cannot be shared has no write-ahead log.
    if held { Ok(()) } else { Err(OpenStoreError::Io) }
}

fn settings(conn: &Connection) -> Result<bool, Error> {
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // On macOS an fsync stops at the drive's cache; elsewhere these two mean nothing.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    conn.pragma_update(None, "foreign_keys", true)?;
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let number = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(mode == "wal"
        && number("synchronous")? == 2
        && number("secure_delete")? == 1
        && number("foreign_keys")? == 1
        && number("trusted_schema")? == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the database's own content could do, if it got past the judging.
    #[test]
    fn nothing_in_the_database_is_trusted_and_nothing_is_written_elsewhere() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("data").join("countersign.sqlite");
        let (conn, _) = open(&path, &InstallId::make_from([7; 8])).unwrap();
        let number = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        for (name, expected) in [
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("temp_store", 2),
            ("secure_delete", 1),
            ("synchronous", 2),
            ("foreign_keys", 1),
        ] {
            assert_eq!(number(name), expected, "{name}");
        }
        for (config, expected) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
            (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
            (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false),
        ] {
            assert_eq!(conn.db_config(config), Ok(expected), "{config:?}");
        }
        conn.execute_batch(
            "CREATE TEMP TABLE big AS SELECT zeroblob(1000000) AS x; CREATE VIEW v AS SELECT 1;",
        )
        .unwrap();
        for refused in [
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
            "PRAGMA journal_mode = OFF; INSERT INTO no_such_table VALUES (1)",
            "SELECT * FROM v",
            "SELECT \"a text in the wrong quotes\"",
            "SELECT load_extension('/tmp/x.so')",
            "SELECT zeroblob(5000000)",
        ] {
            let run = conn.prepare(refused).and_then(|mut statement| {
                statement.query([]).and_then(|mut rows| rows.next().map(|row| row.is_some()))
            });
            assert!(conn.execute_batch(refused).is_err() || run.is_err(), "{refused}");
        }
        let mut names: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["countersign.sqlite", "countersign.sqlite-shm", "countersign.sqlite-wal"]);
    }
}
