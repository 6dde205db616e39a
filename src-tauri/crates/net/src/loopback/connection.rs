//! One connection: one request, one answer, bounded in size and time.

use std::sync::Arc;
use std::time::Duration;

use app::port::CallbackPage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::accept::{Place, Stage};
use super::head::{Head, MAX_HEAD, Rules};
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
    pub(super) async fn serve(mut self, rules: &Rules, to_attempt: mpsc::Sender<OpenCallback>) {
        let head = tokio::select! {
            biased;
            head = timeout(READ, read_head(&mut self.stream, rules)) => head.ok().flatten(),
            () = self.place.leave.notified() => None,
        };
        let Some(head) = head else {
            // A reset: nothing was promised, and the port is free at once for the next attempt.
            let _ = self.stream.set_zero_linger();
            return;
        };
        self.place.enter(Stage::Busy);
        match head {
            Ok(query) => {
                let (page, written) = ask(query, to_attempt).await;
                self.write(&page::answer(page)).await;
                if let Some(written) = written {
                    let _ = written.send(());
                }
            }
            Err(refusal) => {
                drop(to_attempt);
                self.write(&page::refuse(refusal)).await;
            }
        }
        self.place.enter(Stage::Lingering);
        self.linger().await;
    }

    async fn write(&mut self, answer: &[u8]) {
        let stream = &mut self.stream;
        let writing = async { stream.write_all(answer).await.is_ok() && stream.flush().await.is_ok() };
        let _ = timeout(WRITE, writing).await;
    }

    /// Lets the client close first: closing over unread bytes would reset the connection under the page, and
    /// closing first would keep the port for a minute (TIME_WAIT), which a bank with one fixed port cannot wait for.
    async fn linger(&mut self) {
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

/// Reads until the headers are whole, or can be refused.
async fn read_head(
    stream: &mut TcpStream,
    rules: &Rules,
) -> Option<Result<Zeroizing<String>, page::Refusal>> {
    let mut bytes = Zeroizing::new([0; MAX_HEAD]);
    let mut len = 0;
    loop {
        match stream.read(bytes.get_mut(len..)?).await {
            Ok(0) | Err(_) => return None,
            Ok(more) => len += more,
        }
        match rules.judge(bytes.get(..len)?) {
            Head::Partial => {}
            Head::Refused(refusal) => return Some(Err(refusal)),
            Head::Ours(query) => return Some(Ok(query)),
        }
    }
}

/// Hands the query to the attempt and waits for the page; an attempt that is gone or says nothing waits for nothing.
async fn ask(
    query: Zeroizing<String>,
    to_attempt: mpsc::Sender<OpenCallback>,
) -> (CallbackPage, Option<oneshot::Sender<()>>) {
    let (answer, answered) = oneshot::channel();
    let sent = to_attempt.send(OpenCallback { query, answer }).await.is_ok();
    drop(to_attempt);
    match answered.await {
        Ok(answer) if sent => (answer.page, Some(answer.written)),
        _ => (CallbackPage::NotOurs, None),
    }
}

/// Takes what the client still sends and forgets it.
async fn discard(stream: &mut TcpStream) {
    let mut bytes = Zeroizing::new([0; 1024]);
    while stream.read(bytes.as_mut_slice()).await.is_ok_and(|len| len > 0) {}
}
