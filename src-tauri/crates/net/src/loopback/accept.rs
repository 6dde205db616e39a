//! The places for connections: few, and neither an idle one nor a wrong one keeps a newcomer out (LOOP-04, LOOP-05).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::OpenCallback;
use super::connection::Connection;
use super::head::Rules;
use super::pace::Pace;

/// Connections at once; the kernel keeps newcomers waiting beyond that.
pub(super) const PLACES: usize = 32;

/// A silent connection is left in peace for this long, so that a request on its way gets read ...
const GRACE: Duration = Duration::from_millis(10);

/// ... and for half, a third, … of it once this many, twice as many, … had to go without the queue of newcomers ever
/// being empty: the genuine one may be waiting in it, and a queue that is full turns it away.
const PRESSING: u32 = 128;

/// How long one that was asked to leave may take, before the next is asked.
const LEAVING: Duration = Duration::from_millis(30);

/// Accepting may fail while the process is short of something; after about five seconds it has failed for good.
const RETRIES: u32 = 100;
const RETRY: Duration = Duration::from_millis(50);

/// One connection, as seen from here.
pub(super) struct Place {
    since: Instant,
    stage: AtomicU8,
    /// Asks the connection to close, unless a request is being answered on it.
    pub(super) leave: Notify,
    /// Tells those who wait for a place that a connection can be done without.
    dispensable: Arc<Notify>,
}

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// No whole request yet.
    Reading = 0,
    /// A request is being answered.
    Busy = 1,
    /// A wrong request was read, and its answer is held back.
    Held = 2,
    /// The answer is written; the client has not closed yet.
    Lingering = 3,
}

impl Place {
    pub(super) fn new(dispensable: Arc<Notify>) -> Self {
        let stage = AtomicU8::new(Stage::Reading as u8);
        Self { since: Instant::now(), stage, leave: Notify::new(), dispensable }
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Release);
        if stage == Stage::Held || stage == Stage::Lingering {
            self.dispensable.notify_one();
        }
    }

    fn is(&self, stage: Stage) -> bool {
        self.stage.load(Ordering::Acquire) == stage as u8
    }
}

/// The places taken.
struct Places {
    free: Arc<Semaphore>,
    /// Oldest first.
    taken: Vec<Arc<Place>>,
    dispensable: Arc<Notify>,
    /// Silent connections that had to go since a newcomer last was waited for.
    pressed: u32,
}

impl Drop for Places {
    /// With the listener go the connections that have not asked anything; answers under way are finished.
    fn drop(&mut self) {
        self.taken.iter().filter(|place| place.is(Stage::Reading)).for_each(|place| place.leave.notify_one());
    }
}

impl Places {
    fn new() -> Self {
        let free = Arc::new(Semaphore::new(PLACES));
        Self { free, taken: Vec::new(), dispensable: Arc::new(Notify::new()), pressed: 0 }
    }

    fn take(&mut self) -> Arc<Place> {
        let place = Arc::new(Place::new(Arc::clone(&self.dispensable)));
        self.taken.push(Arc::clone(&place));
        place
    }

    /// Waits for a free place, at the cost of a connection that can be done without: one with a wrong request, else
    /// one that is answered, else the oldest of the silent ones, which may still ask the right thing.
    async fn make_room(&mut self) -> Option<OwnedSemaphorePermit> {
        if self.taken.len() >= PLACES {
            self.taken.retain(|place| Arc::strong_count(place) > 1);
        }
        loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
                return Some(permit);
            }
            let patience = self.ask_one_to_leave();
            let dispensable = Arc::clone(&self.dispensable);
            tokio::select! {
                biased;
                permit = Arc::clone(&self.free).acquire_owned() => return permit.ok(),
                () = dispensable.notified() => {}
                () = tokio::time::sleep_until(patience) => {}
            }
        }
    }

    /// Asks one connection to close; says when to look again.
    fn ask_one_to_leave(&mut self) -> Instant {
        let now = Instant::now();
        let first = |stage| self.taken.iter().find(|place| place.is(stage));
        if let Some(place) = first(Stage::Held).or_else(|| first(Stage::Lingering)) {
            place.leave.notify_one();
            return now + LEAVING;
        }
        let Some(silent) = first(Stage::Reading) else { return now + LEAVING };
        let until = silent.since + GRACE / (1 + self.pressed / PRESSING);
        if until > now {
            return until;
        }
        silent.leave.notify_one();
        self.pressed = self.pressed.saturating_add(1);
        now + LEAVING
    }

    /// Waits for a newcomer; one who has to be waited for shows that nobody is queueing.
    async fn accept(&mut self, listener: &TcpListener) -> io::Result<TcpStream> {
        let accepting = listener.accept();
        tokio::pin!(accepting);
        let (stream, _) = tokio::select! {
            biased;
            accepted = &mut accepting => accepted?,
            () = std::future::ready(()) => {
                self.pressed = 0;
                accepting.await?
            }
        };
        Ok(stream)
    }
}

/// Accepts connections until the listener is dropped or the socket fails.
pub(super) async fn run(listener: TcpListener, rules: Rules, to_attempt: mpsc::Sender<OpenCallback>) {
    let (rules, pace) = (Arc::new(rules), Arc::new(Pace::new(Instant::now())));
    let (mut places, mut failures) = (Places::new(), 0);
    while let Some(permit) = places.make_room().await {
        match places.accept(&listener).await {
            Ok(stream) => {
                failures = 0;
                let connection = Connection::new(stream, places.take());
                let (rules, pace, to_attempt) = (Arc::clone(&rules), Arc::clone(&pace), to_attempt.clone());
                tokio::spawn(async move {
                    connection.serve(&rules, &pace, to_attempt).await;
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
