//! The one connection that reads: what was committed, and nothing that waits for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::port::{StoreError, Tx};
use rusqlite::Connection;

use crate::fault::OrFault as _;
use crate::job::run;

/// Owns the connection; lives on its own thread.
///
/// SQLite shows it a commit once that is on the disk, so what was acknowledged is seen, and what is in doubt is not.
pub(crate) struct Reader {
    conn: Connection,
    stopped: Arc<AtomicBool>,
}

impl Reader {
    /// Takes a connection that cannot write, and the writer's word whether it can still be believed.
    pub(crate) fn new(conn: Connection, stopped: Arc<AtomicBool>) -> Self {
        Self { conn, stopped }
    }

    /// Runs a job that can change nothing.
    pub(crate) fn read<R>(
        &mut self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        if self.stopped.load(Ordering::SeqCst) {
            return Err(StoreError::Stopped);
        }
        let answer = match self.conn.execute_batch("BEGIN").or_fault() {
            Ok(()) => run(&self.conn, job),
            Err(error) => Err(error),
        };
        if !self.conn.is_autocommit() && self.conn.execute_batch("ROLLBACK").is_err() {
            tracing::error!("a transaction that read could not be ended");
        }
        answer
    }
}
