//! The store: jobs sent to the thread that writes, and to the one that reads.

use app::port::{Store, StoreError, Tx};
use domain::id::InstallId;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use tokio::sync::{Notify, oneshot};

use crate::job::{Task, Writing};
use crate::open::{OpenStoreError, open, open_to_read};
use crate::reader::Reader;
use crate::writer::Writer;

/// The most jobs that share one wait for the disk: the first is not kept waiting for more than these.
const TOGETHER: usize = 256;

type Read = Box<dyn FnOnce(&mut Reader) + Send>;

/// What the writer is asked for.
enum Job {
    Forget(oneshot::Sender<Result<(), StoreError>>),
    Write(Box<dyn Task>),
}

/// A thread and what it is sent.
struct Worker<J> {
    jobs: Option<Sender<J>>,
    thread: Option<JoinHandle<()>>,
}

/// A database, the one thread that writes it and the one that reads it.
pub struct SqliteStore {
    reader: Worker<Read>,
    writer: Worker<Job>,
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
        let mut writer = Writer::new(conn, place.beside("-wal"));
        let mut reader = Reader::new(open_to_read(&place)?, writer.stopped());
        Ok(Self {
            reader: Worker::start("store-read", move |inbox: Receiver<Read>| {
                inbox.into_iter().for_each(|job| job(&mut reader));
            })?,
            writer: Worker::start("store", move |inbox| serve(&mut writer, &inbox))?,
            written: Arc::default(),
        })
    }
}

/// Does what is asked for, in order; writes that wait share a transaction.
fn serve(writer: &mut Writer, inbox: &Receiver<Job>) {
    let mut next = inbox.recv().ok();
    while let Some(job) = next.take() {
        match job {
            Job::Forget(answer) => {
                let _ = answer.send(writer.forget_deleted());
            }
            Job::Write(first) => {
                let waiting = std::iter::from_fn(|| match inbox.try_recv().ok()? {
                    Job::Write(task) => Some(task),
                    other @ Job::Forget(_) => {
                        next = Some(other);
                        None
                    }
                });
                writer.write(std::iter::once(first).chain(waiting).take(TOGETHER));
            }
        }
        next = next.or_else(|| inbox.recv().ok());
    }
}

impl<J: Send + 'static> Worker<J> {
    fn start(name: &str, work: impl FnOnce(Receiver<J>) + Send + 'static) -> Result<Self, OpenStoreError> {
        let (jobs, inbox) = channel();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(inbox));
        Ok(Self { jobs: Some(jobs), thread: Some(thread.map_err(|_| OpenStoreError::Io)?) })
    }

    /// Sends a job. Once sent it is carried out, whether or not anyone waits for its answer.
    async fn send<R>(
        &self,
        job: J,
        answered: oneshot::Receiver<Result<R, StoreError>>,
    ) -> Result<R, StoreError> {
        self.jobs.as_ref().ok_or(StoreError::Stopped)?.send(job).map_err(|_| StoreError::Stopped)?;
        answered.await.unwrap_or(Err(StoreError::Stopped))
    }
}

impl<J> Drop for Worker<J> {
    /// Waits until the jobs that were sent are done and the connection is closed.
    fn drop(&mut self) {
        drop(self.jobs.take());
        let elsewhere = |thread: &JoinHandle<()>| thread.thread().id() != thread::current().id();
        if let Some(thread) = self.thread.take().filter(elsewhere) {
            let _ = thread.join();
        }
    }
}

impl Store for SqliteStore {
    async fn write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let task = Writing::new(job, answer, Arc::clone(&self.written));
        self.writer.send(Job::Write(Box::new(task)), answered).await
    }

    async fn read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = move |reader: &mut Reader| {
            let _ = answer.send(reader.read(job));
        };
        self.reader.send(Box::new(job), answered).await
    }

    async fn read_settled<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (answer, answered) = oneshot::channel();
        // Nothing is written by it, so nobody is woken.
        let task = Writing::new(job, answer, Arc::default());
        self.writer.send(Job::Write(Box::new(task)), answered).await
    }

    async fn written(&self) {
        self.written.notified().await;
    }

    async fn forget_deleted(&self) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.writer.send(Job::Forget(answer), answered).await
    }
}
