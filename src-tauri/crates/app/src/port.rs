//! The ports: what the use cases need from the outside. Adapters implement them; tests implement them in memory.

use std::future::Future;
use std::time::Duration;

use contract::ui::Event;
use domain::provider::LoopbackPort;
use domain::secret::KeyEncryptionKey;
use domain::time::Timestamp;
use oauth::message::{Reply, Request};
use thiserror::Error;
use tokio::sync::mpsc;
use url::Url;

mod call;
mod keychain;
mod notify;
mod store;

pub use call::{CALL_LIMITS, CallBody, CallLimits, CallReply, Pieces};
pub use keychain::{Anchor, Keychain, KeychainError};
pub use notify::{AsksFor, Note, Notify};
pub use store::{
    DamagedRow, DayOfUse, KekRow, ReceiptRow, RecordsOf, Rows, SealedRow, Store, StoreError, Tx,
};

/// All ports in one parameter.
pub trait Ports: Send + Sync + 'static {
    /// Time.
    type Clock: Clock;
    /// Randomness.
    type Dice: Dice;
    /// The system browser.
    type Opener: Opener;
    /// The loopback listener.
    type Loopback: Loopback;
    /// The HTTP client.
    type Http: Http;
    /// The OS keychain.
    type Keychain: Keychain;
    /// The store.
    type Store: Store;
    /// What the windows hear.
    type Events: Events;
    /// The approval window.
    type ApprovalPrompt: ApprovalPrompt;
    /// Notices outside of the window.
    type Notify: Notify;
    /// The mark that every agent is stopped.
    type StopMark: StopMark;
    /// The person's folder for what they keep.
    type Files: Files;
    /// Memory for keys that are kept.
    type Memory: Memory;

    /// Time.
    fn clock(&self) -> &Self::Clock;
    /// Randomness.
    fn dice(&self) -> &Self::Dice;
    /// The system browser.
    fn opener(&self) -> &Self::Opener;
    /// The loopback listener.
    fn loopback(&self) -> &Self::Loopback;
    /// The HTTP client.
    fn http(&self) -> &Self::Http;
    /// The OS keychain.
    fn keychain(&self) -> &Self::Keychain;
    /// The store.
    fn store(&self) -> &Self::Store;
    /// What the windows hear.
    fn events(&self) -> &Self::Events;
    /// The approval window.
    fn approval_prompt(&self) -> &Self::ApprovalPrompt;
    /// Notices outside of the window.
    fn notify(&self) -> &Self::Notify;
    /// The mark that every agent is stopped.
    fn stop_mark(&self) -> &Self::StopMark;
    /// The person's folder for what they keep.
    fn files(&self) -> &Self::Files;
    /// Memory for keys that are kept.
    fn memory(&self) -> &Self::Memory;
}

/// Time: the wall clock for dates, a monotonic one for waiting.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some moment before the start, the computer's sleep included; a moved wall clock changes nothing.
    fn monotonic(&self) -> Duration;
    /// Waits by the monotonic clock; a moved wall clock changes nothing.
    fn sleep(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

/// Randomness of the operating system.
pub trait Dice: Send + Sync + 'static {
    /// Fills a buffer with random bytes.
    ///
    /// # Errors
    /// The source failed or repeats itself; nothing may be made from it.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), DiceError>;
}

/// The source of randomness cannot be trusted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the source of randomness failed")]
pub struct DiceError;

/// The system browser.
pub trait Opener: Send + Sync + 'static {
    /// Hands one address to the system's browser; never through a shell, with an environment by allow-list.
    fn open(&self, url: &Url) -> impl Future<Output = Result<(), OpenError>> + Send;
}

/// Why the browser was not opened.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum OpenError {
    /// There is no opener on this system.
    #[error("no program to open a browser with")]
    Absent,
    /// It reported a failure.
    #[error("the opener failed")]
    Failed,
    /// It did not come back in time.
    #[error("the opener did not answer")]
    TimedOut,
    /// The address may not be opened.
    #[error("the address may not be opened")]
    Unfit,
}

/// Makes one-shot loopback listeners.
pub trait Loopback: Send + Sync + 'static {
    /// A listener that is open.
    type Listening: Listening;
    /// Binds 127.0.0.1, else `[::1]`, once, and keeps that socket (RFC 8252 §7.3).
    fn listen(
        &self,
        path: &str,
        port: LoopbackPort,
    ) -> impl Future<Output = Result<Self::Listening, ListenError>> + Send;
}

/// An open loopback listener; dropping it closes the port.
pub trait Listening: Send + 'static {
    /// A request that passed the listener's own rules: GET, exact path, right Host, no cross-site marks, sizes.
    type Callback: Callback;
    /// `http://<IP literal>:<port><path>`.
    fn redirect_uri(&self) -> &Url;
    /// The next request for the path; everything else is answered inside.
    fn next(&mut self) -> impl Future<Output = Result<Self::Callback, ListenError>> + Send;
}

/// One request at the callback path.
pub trait Callback: Send + 'static {
    /// The raw query, without the question mark.
    fn query(&self) -> &str;
    /// Answers with one of the static pages; the browser is not kept waiting for what follows.
    fn answer(self, page: CallbackPage) -> impl Future<Output = ()> + Send;
}

/// What the browser is shown; constant text, nothing of the request in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackPage {
    /// "Done. You can close this tab and go back to Countersign." (200)
    Done,
    /// "Not connected. Go back to Countersign to see why." (200)
    NotConnected,
    /// Not an answer we wait for. (400)
    NotOurs,
}

/// Why there is no listener.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ListenError {
    /// The socket failed while open.
    #[error("the loopback listener failed")]
    Failed,
    /// No loopback address could be bound, or the bank's fixed port is taken.
    #[error("no loopback port could be opened")]
    PortTaken,
}

/// The HTTP client: TLS with bundled roots, no redirects, no cookies, size and time limits.
pub trait Http: Send + Sync + 'static {
    /// Sends one request once.
    fn send(&self, request: Request) -> impl Future<Output = Result<Reply, HttpError>> + Send;
    /// Sends one request of a brokered call, once. What only reads may go over a connection that was kept; if it is
    /// `Closed`, who asked may ask again. What does more has a connection of its own.
    fn call(
        &self,
        request: Request,
        limits: CallLimits,
    ) -> impl Future<Output = Result<CallReply, HttpError>> + Send;
}

/// Why there is no reply. Never the address, never a body.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HttpError {
    /// The connection ended before the reply was whole. The request may have been carried out.
    #[error("connection closed early")]
    Closed,
    /// No connection: nothing was sent.
    #[error("no connection")]
    NoConnection,
    /// The name leads to an address of this computer or a private network.
    #[error("not a public address")]
    NotPublic,
    /// The reply is not HTTP, or is compressed wrongly.
    #[error("not a well-formed reply")]
    NotWellFormed,
    /// The reply took too long. The request may have been carried out.
    #[error("timed out")]
    TimedOut,
    /// The certificate or the handshake failed: nothing was sent.
    #[error("the server's certificate is not trusted")]
    Tls,
    /// The reply is larger than allowed.
    #[error("reply too large")]
    TooLarge,
}

/// Memory for keys that are kept for longer than one use.
pub trait Memory: Send + Sync + 'static {
    /// Moves a key to memory that no swap file, core file or other process comes to hold, as far as the system allows.
    fn shield(&self, key: KeyEncryptionKey) -> KeyEncryptionKey;
}

/// The window in which an agent's question is drawn.
pub trait ApprovalPrompt: Send + Sync + 'static {
    /// Makes sure that it is up, where there is a display. What it draws it reads by itself.
    fn prompt(&self);
}

/// The mark that every agent is stopped, outside of the store: it can be set with a full disk and a frozen keychain.
pub trait StopMark: Send + Sync + 'static {
    /// True unless the mark is readable and says that agents may go on.
    fn is_set(&self) -> impl Future<Output = bool> + Send;
    /// Sets it, by every means there is. False if none of them is known to outlive a restart yet.
    fn set(&self) -> impl Future<Output = bool> + Send;
    /// Takes it away again, everywhere.
    ///
    /// # Errors
    /// It is still set.
    fn clear(&self) -> impl Future<Output = Result<(), StopMarkError>> + Send;
}

/// The mark could not be taken away.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the stop mark could not be taken away")]
pub struct StopMarkError;

/// Writes what the person keeps into their own folder for downloads.
pub trait Files: Send + Sync + 'static {
    /// Writes new files of one name, with an ending each, for the person alone; never over what is there, and all of
    /// them or none. The path of the first.
    fn save(
        &self,
        name: String,
        documents: Vec<Document>,
    ) -> impl Future<Output = Result<String, FilesError>> + Send;
    /// Writes one new file of parts that are still to come, in the same way. A part that is none ends it, and nothing is
    /// left of it.
    fn save_parts(
        &self,
        name: String,
        ending: &'static str,
        parts: mpsc::Receiver<Result<String, FilesError>>,
    ) -> impl Future<Output = Result<String, FilesError>> + Send;
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What its name ends with, after the dot.
    pub ending: &'static str,
    /// What is in it.
    pub text: String,
}

/// The files could not be written; none of them is there.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the files could not be written")]
pub struct FilesError;

/// What the windows hear.
pub trait Events: Send + Sync + 'static {
    /// Says that something changed; whoever shows it reads again.
    fn send(&self, event: Event);
}
