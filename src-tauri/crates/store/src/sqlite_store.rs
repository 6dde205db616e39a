//! The store: jobs sent to the thread that owns the connection.

use app::port::{Store, StoreError, Tx};
use domain::id::InstallId;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use tokio::sync::{Notify, oneshot};

use crate::open::{OpenStoreError, open};
use crate::writer::Writer;

type Job = Box<dyn FnOnce(&mut Writer) + Send>;

/// A database, and the one thread that reads and writes it.
pub struct SqliteStore {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    written: Arc<Notify>,
}

impl SqliteStore {
    /// Opens the database at this path, or makes one. `make_install` names the installation, if the database is new.
    ///
    /// # Errors
    /// What stands there is not ours, not sound, or not ours alone; it is left as it is. Or the disk failed.
    #[expect(clippy::needless_pass_by_value, reason = "an id made for this database is not made for another")]
    pub fn open(path: &Path, make_install: InstallId) -> Result<Self, OpenStoreError> {
        let (conn, place) = open(path, &make_install)?;
        let (jobs, inbox) = channel::<Job>();
        let mut writer = Writer::new(conn, place.beside("-wal"));
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || inbox.into_iter().for_each(|job| job(&mut writer)))
            .map_err(|_| OpenStoreError::Io)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), written: Arc::default() })
    }

    /// Sends a job. Once sent it is carried out, whether or not anyone waits for its answer.
    async fn send<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writer) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |writer| {
            let _ = answer.send(job(writer));
        });
        self.jobs.as_ref().ok_or(StoreError::Stopped)?.send(job).map_err(|_| StoreError::Stopped)?;
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }
}

impl Store for SqliteStore {
    async fn write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let written = Arc::clone(&self.written);
        self.send(move |writer| writer.write(job).inspect(|_| written.notify_one())).await
    }

    async fn read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.send(|writer| writer.read(job)).await
    }

    async fn written(&self) {
        self.written.notified().await;
    }

    async fn forget_deleted(&self) -> Result<(), StoreError> {
        self.send(Writer::forget_deleted).await
    }
}

impl Drop for SqliteStore {
    /// Waits until the jobs that were sent are done and the database is closed, so that it can be opened again.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != thread::current().id())
        {
            let _ = thread.join();
        }
    }
}
