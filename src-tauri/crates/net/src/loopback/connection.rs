//! One connection: one request, one answer, bounded in size and time.

use std::sync::Arc;
use std::time::Duration;

use app::port::CallbackPage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use zeroize::{Zeroize as _, Zeroizing};

use super::accept::{Place, Stage};
use super::head::{Head, MAX_HEAD, Rules};
use super::pace::Pace;
use super::refusal::Refusal;
use super::{OpenCallback, page};

/// Until the headers are whole.
const READ: Duration = Duration::from_secs(5);

/// Until a page is written.
const WRITE: Duration = Duration::from_secs(5);

/// How long the client is given to close first, and then to take what is still under way.
const LINGER: Duration = Duration::from_millis(500);

/// A connection and the place it takes.
pub(super) struct Connection {
    stream: TcpStream,
    place: Arc<Place>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, place: Arc<Place>) -> Self {
        Self { stream, place }
    }

    /// Serves the one request; whatever else the client sends is not looked at.
    pub(super) async fn serve(mut self, rules: &Rules, pace: &Pace, to_attempt: mpsc::Sender<OpenCallback>) {
        let mut incoming = Incoming::new();
        let head = tokio::select! {
            biased;
            head = timeout(READ, incoming.read(&mut self.stream, rules)) => head.ok().flatten(),
            () = self.place.leave.notified() => match incoming.look_once_more(self.stream, rules) {
                Some((stream, head)) => {
                    self.stream = stream;
                    head
                }
                None => return,
            },
        };
        drop(incoming);
        let Some(head) = head else { return self.reset() };
        self.place.enter(Stage::Busy);
        match head {
            Ok(query) => self.ask(query, pace, to_attempt).await,
            Err(refusal) => {
                drop(to_attempt);
                self.turn_away(&page::refuse(refusal), pace).await;
            }
        }
    }

    /// A reset: nothing was promised, and the port is free at once for the next attempt.
    fn reset(self) {
        let _ = self.stream.set_zero_linger();
    }

    /// Hands the query to the attempt and answers with the page it says; one that is gone or says nothing waits for
    /// nothing.
    async fn ask(mut self, query: Zeroizing<String>, pace: &Pace, to_attempt: mpsc::Sender<OpenCallback>) {
        let (answer, answered) = oneshot::channel();
        let sent = to_attempt.send(OpenCallback { query, answer }).await.is_ok();
        drop(to_attempt);
        let (page, written) = match answered.await {
            Ok(answer) if sent => (answer.page, Some(answer.written)),
            _ => (CallbackPage::NotOurs, None),
        };
        let bytes = page::answer(page);
        match page {
            CallbackPage::Done | CallbackPage::NotConnected => {
                self.write(&bytes).await;
                if let Some(written) = written {
                    let _ = written.send(());
                }
                self.linger().await;
            }
            CallbackPage::NotOurs => {
                // The attempt does not wait for an answer that is held back.
                drop(written);
                self.turn_away(&bytes, pace).await;
            }
        }
    }

    /// Answers a wrong request, no faster than the pace allows; not at all if a newcomer needs the place.
    async fn turn_away(mut self, bytes: &[u8], pace: &Pace) {
        let hold = pace.hold(Instant::now());
        if !hold.is_zero() {
            self.place.enter(Stage::Held);
            tokio::select! {
                biased;
                () = self.place.leave.notified() => return self.reset(),
                () = tokio::time::sleep(hold) => {}
            }
        }
        self.write(bytes).await;
        self.linger().await;
    }

    async fn write(&mut self, answer: &[u8]) {
        let stream = &mut self.stream;
        let writing = async { stream.write_all(answer).await.is_ok() && stream.flush().await.is_ok() };
        let _ = timeout(WRITE, writing).await;
    }

    /// Lets the client close first: closing over unread bytes would reset the connection under the page, and
    /// closing first would keep the port for a minute (TIME_WAIT), which a bank with one fixed port cannot wait for.
    async fn linger(mut self) {
        self.place.enter(Stage::Lingering);
        let stream = &mut self.stream;
        let closing = async {
            let _ = timeout(LINGER, discard(stream)).await;
            let _ = stream.shutdown().await;
            let _ = timeout(LINGER, discard(stream)).await;
        };
        tokio::select! {
            () = closing => {}
            () = self.place.leave.notified() => {}
        }
    }
}

/// What was read of the head so far; wiped, and only that, since in a flood this is most of the work.
struct Incoming {
    bytes: [u8; MAX_HEAD],
    len: usize,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.bytes.iter_mut().take(self.len).for_each(|byte| byte.zeroize());
    }
}

/// The raw query of a request for the attempt, or why it is none.
type Judged = Result<Zeroizing<String>, Refusal>;

impl Incoming {
    fn new() -> Self {
        Self { bytes: [0; MAX_HEAD], len: 0 }
    }

    /// Reads until the headers are whole, or can be refused.
    async fn read(&mut self, stream: &mut TcpStream, rules: &Rules) -> Option<Judged> {
        loop {
            match stream.read(self.bytes.get_mut(self.len..)?).await {
                Ok(0) | Err(_) => return None,
                Ok(more) => self.len += more,
            }
            if let Some(judged) = self.judge(rules) {
                return Some(judged);
            }
        }
    }

    /// Asks the kernel itself before the connection has to go: where thousands come at once, the runtime may not
    /// have told yet that the request is there.
    fn look_once_more(&mut self, stream: TcpStream, rules: &Rules) -> Option<(TcpStream, Option<Judged>)> {
        let mut stream = stream.into_std().ok()?;
        let read = std::io::Read::read(&mut stream, self.bytes.get_mut(self.len..)?);
        self.len += read.unwrap_or(0);
        Some((TcpStream::from_std(stream).ok()?, self.judge(rules)))
    }

    fn judge(&self, rules: &Rules) -> Option<Judged> {
        match rules.judge(self.bytes.get(..self.len)?) {
            Head::Partial => None,
            Head::Refused(refusal) => Some(Err(refusal)),
            Head::Ours(query) => Some(Ok(query)),
        }
    }
}

/// Takes what the client still sends and forgets it.
async fn discard(stream: &mut TcpStream) {
    let mut bytes = Zeroizing::new([0; 256]);
    while stream.read(bytes.as_mut_slice()).await.is_ok_and(|len| len > 0) {}
}
