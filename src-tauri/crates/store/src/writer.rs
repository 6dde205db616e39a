//! The one connection that writes, and when its word can no longer be trusted.

use app::port::{StoreError, Tx};
use rusqlite::{Connection, Error, ErrorCode};
use std::fs::File;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::fault::{OrFault as _, fault};
use crate::tx::SqliteTx;

/// Owns the connection; lives on its own thread.
pub(crate) struct Writer {
    conn: Connection,
    log: PathBuf,
    stopped: bool,
}

impl Writer {
    /// Takes a connection that was judged sound, and the path of its write-ahead log.
    pub(crate) fn new(conn: Connection, log: PathBuf) -> Self {
        Self { conn, log, stopped: false }
    }

    /// Runs a job in one transaction.
    pub(crate) fn write<R>(
        &mut self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.go_on()?;
        self.conn.execute_batch("BEGIN IMMEDIATE").or_fault()?;
        match run(&self.conn, job) {
            Ok(answer) => self.commit().map(|()| answer),
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// Runs a job that can change nothing.
    pub(crate) fn read<R>(
        &mut self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.go_on()?;
        self.conn.pragma_update(None, "query_only", true).or_fault()?;
        let answer = match self.conn.execute_batch("BEGIN").or_fault() {
            Ok(()) => run(&self.conn, job),
            Err(error) => Err(error),
        };
        self.roll_back();
        if self.conn.pragma_update(None, "query_only", false).is_err() {
            self.stop("the connection could not be made writable again");
        }
        answer
    }

    /// Makes sure that what was deleted is in no file any more.
    pub(crate) fn forget_deleted(&mut self) -> Result<(), StoreError> {
        self.go_on()?;
        truncate_log(&self.conn, &self.log)
    }

    fn go_on(&self) -> Result<(), StoreError> {
        if self.stopped { Err(StoreError::Stopped) } else { Ok(()) }
    }

    /// Commits, or sees to it that nothing of the transaction is left.
    ///
    /// Three kinds of refusal. A constraint that is checked last leaves the transaction open: it is rolled back. A full
    /// disk cuts the log off before the frame that would have committed it, so nothing of it counts. Any other fault
    /// comes from a write or an fsync whose outcome nobody knows: the frames may reach the disk later, and after a
    /// failed fsync the system takes lost pages for written ones. SQLite itself has forgotten the transaction, but who
    /// opens the file next would find it in the log. So the log, up to what was acknowledged, is moved into the
    /// database, written anew and synced, and then cut to nothing. If that succeeds, the transaction is gone and all
    /// before it is safe. If not, nothing here can be believed any more: the store stops, and the next start, which
    /// moves the log before it answers anything, finds out what is there.
    fn commit(&mut self) -> Result<(), StoreError> {
        if self.conn.is_autocommit() {
            // SQLite ended the transaction by itself; the job did not say so.
            return Err(StoreError::Io);
        }
        let Err(error) = self.conn.execute_batch("COMMIT") else { return Ok(()) };
        self.roll_back();
        if is_in_doubt(&error) && truncate_log(&self.conn, &self.log).is_err() {
            self.stop("a transaction could neither be committed nor undone");
        }
        Err(fault(&error))
    }

    fn roll_back(&mut self) {
        if !self.conn.is_autocommit()
            && self.conn.execute_batch("ROLLBACK").is_err()
            && !self.conn.is_autocommit()
        {
            self.stop("a transaction could not be rolled back");
        }
    }

    fn stop(&mut self, why: &'static str) {
        tracing::error!(why, "the store has stopped");
        self.stopped = true;
    }
}

fn is_in_doubt(error: &Error) -> bool {
    let known = [ErrorCode::ConstraintViolation, ErrorCode::DiskFull];
    !error.sqlite_error_code().is_some_and(|code| known.contains(&code))
}

/// A job that panics has met what it holds for impossible: the transaction is not committed.
fn run<R>(
    conn: &Connection,
    job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    catch_unwind(AssertUnwindSafe(|| job(&mut SqliteTx::on(conn)))).unwrap_or_else(|_| {
        tracing::error!("a job of the store panicked");
        Err(StoreError::Damaged)
    })
}

/// Moves the write-ahead log into the database and cuts it to nothing, durably: after a power loss too, neither an old
/// page nor a transaction that was not acknowledged is found in it.
pub(crate) fn truncate_log(conn: &Connection, log: &Path) -> Result<(), StoreError> {
    let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).or_fault()?;
    if busy != 0 {
        return Err(StoreError::Io);
    }
    let file = match File::open(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        file => file.map_err(|_| StoreError::Io)?,
    };
    file.sync_all().map_err(|_| StoreError::Io)?;
    let left = file.metadata().map_err(|_| StoreError::Io)?.len();
    if left == 0 { Ok(()) } else { Err(StoreError::Io) }
}
