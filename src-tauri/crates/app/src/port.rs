//! The ports: what the use cases need from the outside. Adapters implement them; tests implement them in memory.

use std::future::Future;
use std::time::Duration;

use contract::ui::Event;
use domain::agent::Agent;
use domain::attempt::Attempt;
use domain::audit::{AuditEvent, AuditRecord};
use domain::grant::Grant;
use domain::id::{AttemptId, GrantId, InstallId, KekId, ReceiptId};
use domain::provider::LoopbackPort;
use domain::secret::KeyEncryptionKey;
use domain::time::Timestamp;
use oauth::message::{Reply, Request};
use thiserror::Error;
use url::Url;
use vault::label::Kind;

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
}

/// Time: the wall clock for dates, a monotonic one for waiting.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;
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

/// The OS keychain. It holds key-encryption keys and nothing else.
pub trait Keychain: Send + Sync + 'static {
    /// How it is now; never prompts and never unlocks.
    fn status(&self) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Writes, reads and deletes a throw-away item, and makes sure the store is one that lasts.
    fn probe(&self, install: &InstallId) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Reads every key that stands under this id; none if there is no such item. Other programs of the person can put
    /// items beside ours: which of the keys it is, the caller finds out.
    fn read_keks(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> impl Future<Output = Result<Vec<KeyEncryptionKey>, KeychainError>> + Send;
    /// Writes a key and reads it back.
    fn write_kek(
        &self,
        install: &InstallId,
        kek: KekId,
        key: &KeyEncryptionKey,
    ) -> impl Future<Output = Result<(), KeychainError>> + Send;
    /// Asks the person to unlock it, through the system's own prompt.
    fn unlock(&self) -> impl Future<Output = Result<(), KeychainError>> + Send;
}

/// What is the matter with the keychain.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeychainError {
    /// There is none, or no collection that lasts.
    #[error("no keychain")]
    Absent,
    /// It does not answer in time.
    #[error("the keychain does not answer")]
    Blocked,
    /// There are items, and none is one of ours.
    #[error("the keychain item is malformed")]
    Malformed,
    /// It is locked.
    #[error("the keychain is locked")]
    Locked,
    /// What was written could not be read back, or would not survive a restart.
    #[error("the keychain does not keep what it is given")]
    NotLasting,
}

/// The store: transactions on one writer thread.
pub trait Store: Send + Sync + 'static {
    /// Runs a job in one transaction, durable when it returns; an error changes nothing.
    fn write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;
    /// Runs a job that changes nothing.
    fn read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;
    /// Makes sure that what was deleted is in no file any more: truncates the write-ahead log.
    fn forget_deleted(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Why a transaction did not happen. Nothing was changed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum StoreError {
    /// A row holds what no version of ours wrote.
    #[error("a record is damaged")]
    Damaged,
    /// Such a row is there already.
    #[error("a record is there already")]
    Exists,
    /// The disk is full, read-only or broken.
    #[error("the disk failed")]
    Io,
    /// The row to change is not there, or not as expected.
    #[error("a record is missing")]
    Missing,
    /// The writer has stopped after a fault; nothing more is acknowledged.
    #[error("the store has stopped")]
    Stopped,
}

/// The rows of a table, each read for itself: one that cannot be read spoils no other.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    /// What could be read, in the order asked for.
    pub sound: Vec<T>,
    /// What could not.
    pub damaged: Vec<DamagedRow>,
}

/// A row that holds what no version of ours wrote, as far as it can be told from others. Nothing acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRow {
    /// Its id, if that is still one.
    pub id: Option<String>,
    /// The bank's or the agent's name, if that is still a text. Whoever damaged the row may have written it.
    pub name: Option<String>,
}

/// A sealed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// Whose.
    pub grant: GrantId,
    /// What.
    pub kind: Kind,
    /// Which generation.
    pub generation: u32,
    /// The vault's bytes.
    pub blob: Vec<u8>,
}

/// What the vault needs to know of the installed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KekRow {
    /// Its id.
    pub id: KekId,
    /// A known text sealed under it.
    pub check: Vec<u8>,
}

/// A receipt: what the person keeps. The body is JSON for people and programs, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    /// Its id.
    pub id: ReceiptId,
    /// Of which grant.
    pub grant: GrantId,
    /// When.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

/// One transaction.
pub trait Tx {
    /// This installation.
    ///
    /// # Errors
    /// See [`StoreError`]; so for every method here.
    fn install(&mut self) -> Result<InstallId, StoreError>;
    /// The installed key, if one was made.
    fn kek(&mut self) -> Result<Option<KekRow>, StoreError>;
    /// Records the first key. `Exists` if there is one.
    fn insert_kek(&mut self, kek: &KekRow) -> Result<(), StoreError>;

    /// All agents whose rows can be read, oldest first.
    fn agents(&mut self) -> Result<Vec<Agent>, StoreError>;
    /// The other ones.
    fn damaged_agents(&mut self) -> Result<Vec<DamagedRow>, StoreError>;
    /// Adds an agent. `Exists` if the key or the name is taken.
    fn insert_agent(&mut self, agent: &Agent) -> Result<(), StoreError>;

    /// One attempt.
    fn attempt(&mut self, id: AttemptId) -> Result<Option<Attempt>, StoreError>;
    /// Attempts that have not ended and can be read, oldest first.
    fn open_attempts(&mut self) -> Result<Vec<Attempt>, StoreError>;
    /// The attempt that made this grant.
    fn attempt_of(&mut self, grant: GrantId) -> Result<Option<Attempt>, StoreError>;
    /// Adds an attempt.
    fn insert_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError>;
    /// Replaces an attempt; `Missing` if the stored revision is not the one before.
    fn update_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError>;

    /// One grant.
    fn grant(&mut self, id: GrantId) -> Result<Option<Grant>, StoreError>;
    /// All grants, newest first.
    fn grants(&mut self) -> Result<Rows<Grant>, StoreError>;
    /// Adds a grant.
    fn insert_grant(&mut self, grant: &Grant) -> Result<(), StoreError>;
    /// Records what is known of a grant's end. A revoked grant never becomes unrevoked, nor its cut-off time another.
    fn set_revocation(
        &mut self,
        grant: GrantId,
        revocation: &domain::grant::Revocation,
    ) -> Result<(), StoreError>;

    /// A sealed record.
    fn sealed(&mut self, grant: GrantId, kind: Kind) -> Result<Option<SealedRow>, StoreError>;
    /// Adds a sealed record. `Exists` if there is one of this kind.
    fn insert_sealed(&mut self, row: &SealedRow) -> Result<(), StoreError>;
    /// Deletes all sealed records of a grant.
    fn delete_sealed(&mut self, grant: GrantId) -> Result<(), StoreError>;

    /// Grants whose revocation the bank has not confirmed: the outbox, oldest first.
    fn outbox(&mut self) -> Result<Vec<GrantId>, StoreError>;
    /// Puts a grant into the outbox.
    fn insert_outbox(&mut self, grant: GrantId) -> Result<(), StoreError>;
    /// Takes a grant out of it.
    fn delete_outbox(&mut self, grant: GrantId) -> Result<(), StoreError>;

    /// Adds a receipt.
    fn insert_receipt(&mut self, receipt: &ReceiptRow) -> Result<(), StoreError>;

    /// Appends to the audit log.
    fn append_audit(&mut self, at: Timestamp, event: &AuditEvent) -> Result<(), StoreError>;
    /// The whole audit log in order.
    fn audit(&mut self) -> Result<Vec<AuditRecord>, StoreError>;
    /// Records about one grant, oldest first.
    fn audit_of(&mut self, grant: GrantId) -> Result<Vec<AuditRecord>, StoreError>;
}

/// What the windows hear.
pub trait Events: Send + Sync + 'static {
    /// Says that something changed; whoever shows it reads again.
    fn send(&self, event: Event);
}
