//! A job that waits to be run, and who waits for its answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use app::port::{StoreError, Tx};
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use crate::tx::SqliteTx;

/// A job without its types.
pub(crate) trait Task: Send {
    /// Runs the job in the transaction that is open; false if nothing of it may stay.
    fn run(&mut self, conn: &Connection) -> bool;
    /// Says what came of it: the job's own answer, unless the fault has undone it.
    fn answer(self: Box<Self>, fault: Option<StoreError>);
}

/// A job that writes.
pub(crate) struct Writing<J, R> {
    job: Option<J>,
    made: Option<Result<R, StoreError>>,
    answer: oneshot::Sender<Result<R, StoreError>>,
    written: Arc<Notify>,
}

impl<J, R> Writing<J, R> {
    /// The answer goes to who asked, and where something was written, to who waits for that.
    pub(crate) fn new(job: J, answer: oneshot::Sender<Result<R, StoreError>>, written: Arc<Notify>) -> Self {
        Self { job: Some(job), made: None, answer, written }
    }
}

impl<J, R> Task for Writing<J, R>
where
    J: FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn run(&mut self, conn: &Connection) -> bool {
        self.made = self.job.take().map(|job| run(conn, job));
        matches!(self.made, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, fault: Option<StoreError>) {
        let made = match fault {
            Some(fault) => Err(fault),
            None => self.made.unwrap_or(Err(StoreError::Stopped)),
        };
        if made.is_ok() {
            self.written.notify_one();
        }
        let _ = self.answer.send(made);
    }
}

/// A job that panics has met what it holds for impossible: nothing of it stays.
pub(crate) fn run<R>(
    conn: &Connection,
    job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    catch_unwind(AssertUnwindSafe(|| job(&mut SqliteTx::on(conn)))).unwrap_or_else(|_| {
        tracing::error!("a job of the store panicked");
        Err(StoreError::Damaged)
    })
}
