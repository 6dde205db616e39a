//! The one connection that writes, and when its word can no longer be trusted.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::port::StoreError;
use rusqlite::{Connection, Error, ErrorCode};

use crate::fault::{OrFault as _, fault};
use crate::job::Task;

/// Owns the connection; lives on its own thread.
pub(crate) struct Writer {
    conn: Connection,
    log: PathBuf,
    stopped: Arc<AtomicBool>,
}

/// Jobs that ran in the transaction that is open, and whether it has something to lose.
#[derive(Default)]
struct Ran {
    tasks: Vec<Box<dyn Task>>,
    kept: bool,
}

impl Ran {
    /// Says what came of them.
    fn answer(&mut self, fault: Option<StoreError>) {
        self.kept = false;
        self.tasks.drain(..).for_each(|task| task.answer(fault));
    }
}

impl Writer {
    /// Takes a connection that was judged sound, and the path of its write-ahead log.
    pub(crate) fn new(conn: Connection, log: PathBuf) -> Self {
        Self { conn, log, stopped: Arc::default() }
    }

    /// Whether nothing that the database says can be believed any more.
    pub(crate) fn stopped(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopped)
    }

    /// Runs jobs, each of which changes all it wants or nothing, and makes them durable together: one transaction, and
    /// one wait for the disk. None is answered before that, also if it failed: it may have seen what another wrote.
    pub(crate) fn write(&mut self, tasks: impl Iterator<Item = Box<dyn Task>>) {
        let mut ran = Ran::default();
        for task in tasks {
            self.run(task, &mut ran);
        }
        let end = if ran.kept { self.commit() } else { Ok(()) };
        ran.answer(end.err());
    }

    /// Makes sure that what was deleted is in no file any more.
    pub(crate) fn forget_deleted(&mut self) -> Result<(), StoreError> {
        self.go_on()?;
        truncate_log(&self.conn, &self.log)
    }

    fn run(&mut self, mut task: Box<dyn Task>, ran: &mut Ran) {
        // What is undone needs no mark where all there is can be undone.
        let begin = if ran.kept { "SAVEPOINT job" } else { "BEGIN IMMEDIATE" };
        if let Err(error) = self.go_on().and_then(|()| self.step(begin)) {
            return task.answer(Some(error));
        }
        let keep = task.run(&self.conn);
        ran.tasks.push(task);
        if self.conn.is_autocommit() {
            // SQLite ended the transaction by itself, and with it what the jobs before had done.
            return ran.answer(Some(StoreError::Io));
        }
        let end = match (keep, ran.kept) {
            (true, true) => self.step("RELEASE job"),
            (true, false) => Ok(()),
            (false, true) => self.step("ROLLBACK TO job").and_then(|()| self.step("RELEASE job")),
            (false, false) => {
                self.roll_back();
                Ok(())
            }
        };
        ran.kept |= keep;
        if end.is_err() {
            self.roll_back();
            ran.answer(Some(StoreError::Io));
        }
    }

    fn step(&self, sql: &str) -> Result<(), StoreError> {
        self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(|_| ()).or_fault()
    }

    fn go_on(&self) -> Result<(), StoreError> {
        if self.stopped.load(Ordering::SeqCst) { Err(StoreError::Stopped) } else { Ok(()) }
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
        let commit = self.conn.prepare_cached("COMMIT").and_then(|mut statement| statement.execute([]));
        let Err(error) = commit else { return Ok(()) };
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
        self.stopped.store(true, Ordering::SeqCst);
    }
}

fn is_in_doubt(error: &Error) -> bool {
    let known = [ErrorCode::ConstraintViolation, ErrorCode::DiskFull];
    !error.sqlite_error_code().is_some_and(|code| known.contains(&code))
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
