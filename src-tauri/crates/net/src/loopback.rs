//! The loopback listener: one socket, bound once, that hands the one expected kind of request to the attempt
//! and answers everything else itself (RFC 8252 §7.3, §8.3, §8.10).

use std::time::Duration;

use app::port::{Callback, CallbackPage, ListenError, Listening, Loopback};
use domain::provider::LoopbackPort;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use url::Url;
use zeroize::Zeroizing;

mod accept;
mod bind;
mod connection;
mod head;
mod pace;
mod page;
mod refusal;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

/// As many callbacks may wait for the attempt to look at them.
const WAITING: usize = 32;

/// How long an answer may take to be written before the attempt goes on without it.
const FLUSH: Duration = Duration::from_secs(1);

/// Makes loopback listeners, behind [`app::port::Loopback`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLoopback;

impl Loopback for SystemLoopback {
    type Listening = OpenListener;

    async fn listen(&self, path: &str, port: LoopbackPort) -> Result<OpenListener, ListenError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.".contains(&b);
        if !path.starts_with('/') || !path.bytes().all(plain) {
            return Err(ListenError::Failed);
        }
        let listener = bind::bind(port).map_err(|_| ListenError::PortTaken)?;
        OpenListener::new(listener, path)
    }
}

/// An open listener, behind [`app::port::Listening`].
pub struct OpenListener {
    redirect_uri: Url,
    callbacks: mpsc::Receiver<OpenCallback>,
    accepting: JoinHandle<()>,
}

impl OpenListener {
    fn new(listener: TcpListener, path: &str) -> Result<Self, ListenError> {
        let authority = listener.local_addr().map_err(|_| ListenError::Failed)?.to_string();
        let redirect_uri =
            Url::parse(&format!("http://{authority}{path}")).map_err(|_| ListenError::Failed)?;
        // What the bank is told is what is listened for: no dot segments, and no port that would go unsaid.
        if redirect_uri.path() != path || redirect_uri.port().is_none() {
            return Err(ListenError::Failed);
        }
        let (to_attempt, callbacks) = mpsc::channel(WAITING);
        let rules = head::Rules { authority, path: path.to_owned() };
        let accepting = tokio::spawn(accept::run(listener, rules, to_attempt));
        Ok(Self { redirect_uri, callbacks, accepting })
    }
}

impl Listening for OpenListener {
    type Callback = OpenCallback;

    fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    async fn next(&mut self) -> Result<OpenCallback, ListenError> {
        self.callbacks.recv().await.ok_or(ListenError::Failed)
    }
}

impl Drop for OpenListener {
    fn drop(&mut self) {
        // Ends the task that owns the socket; pages being written are tasks of their own and finish.
        self.accepting.abort();
    }
}

/// One request at the callback path, behind [`app::port::Callback`].
pub struct OpenCallback {
    query: Zeroizing<String>,
    answer: oneshot::Sender<Answer>,
}

/// What the connection is to write, and whom to tell when it is written.
struct Answer {
    page: CallbackPage,
    written: oneshot::Sender<()>,
}

impl Callback for OpenCallback {
    fn query(&self) -> &str {
        &self.query
    }

    async fn answer(self, page: CallbackPage) {
        let (written, done) = oneshot::channel();
        if self.answer.send(Answer { page, written }).is_ok() {
            // Either way the attempt goes on: the page tells the person nothing the window does not.
            let _ = tokio::time::timeout(FLUSH, done).await;
        }
    }
}
