//! The places for connections: few, and an idle one never keeps a newcomer out (LOOP-04, LOOP-05).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::OpenCallback;
use super::connection::Connection;
use super::head::Rules;

/// Connections at once; the kernel keeps newcomers waiting beyond that.
const PLACES: usize = 32;

/// A connection is left in peace for this long, so that a request already on its way gets read.  500 idle ones are
/// through in half a second; a client that is slower than this while someone floods the port has to try again.
const GRACE: Duration = Duration::from_millis(30);

/// Accepting may fail while the process is short of something; after about five seconds it has failed for good.
const RETRIES: u32 = 100;
const RETRY: Duration = Duration::from_millis(50);

/// One connection, as seen from here.
#[derive(Default)]
pub(super) struct Place {
    stage: AtomicU8,
    /// Asks an idle connection to close.
    pub(super) leave: Notify,
}

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No whole request yet.
    Reading = 0,
    /// A request is being answered.
    Busy = 1,
    /// The answer is written; the client has not closed yet.
    Lingering = 2,
}

impl Place {
    pub(super) fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
    }

    fn is(&self, stage: Stage) -> bool {
        self.stage.load(Ordering::Acquire) == stage as u8
    }
}

/// The places taken, oldest first.
#[derive(Default)]
struct Places(Vec<(Instant, Arc<Place>)>);

impl Drop for Places {
    /// With the listener go the connections that have not asked anything; answers under way are finished.
    fn drop(&mut self) {
        self.0
            .iter()
            .filter(|(_, place)| place.is(Stage::Reading))
            .for_each(|(_, place)| place.leave.notify_one());
    }
}

impl Places {
    /// Waits for a free place, at the cost of the oldest idle connection.
    async fn make_room(&mut self, free: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(permit) = Arc::clone(free).try_acquire_owned() {
                return Some(permit);
            }
            self.0.retain(|(_, place)| Arc::strong_count(place) > 1);
            let idle = self.0.iter().find(|(_, place)| !place.is(Stage::Busy));
            let since = idle.map_or_else(Instant::now, |(since, _)| *since);
            if let Ok(permit) = tokio::time::timeout_at(since + GRACE, Arc::clone(free).acquire_owned()).await
            {
                return permit.ok();
            }
            if let Some((_, place)) = idle.filter(|(_, place)| !place.is(Stage::Busy)) {
                place.leave.notify_one();
                if let Ok(permit) = tokio::time::timeout(GRACE, Arc::clone(free).acquire_owned()).await {
                    return permit.ok();
                }
            }
        }
    }
}

/// Accepts connections until the listener is dropped or the socket fails.
pub(super) async fn run(listener: TcpListener, rules: Arc<Rules>, to_attempt: mpsc::Sender<OpenCallback>) {
    let (free, mut places, mut failures) = (Arc::new(Semaphore::new(PLACES)), Places::default(), 0);
    while let Some(permit) = places.make_room(&free).await {
        match listener.accept().await {
            Ok((stream, _)) => {
                failures = 0;
                let place = Arc::new(Place::default());
                places.0.push((Instant::now(), Arc::clone(&place)));
                let connection = Connection::new(stream, place);
                let (rules, to_attempt) = (Arc::clone(&rules), to_attempt.clone());
                tokio::spawn(async move {
                    connection.serve(&rules, to_attempt).await;
                    drop(permit);
                });
            }
            Err(_) if failures < RETRIES => {
                failures += 1;
                tokio::time::sleep(RETRY).await;
            }
            Err(_) => return,
        }
    }
}
