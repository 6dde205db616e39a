//! The store: what stands in it, and one transaction.

use std::future::Future;

use domain::agent::{Agent, AgentKey, AgentPaused};
use domain::attempt::Attempt;
use domain::audit::{AuditEvent, AuditRecord};
use domain::grant::Grant;
use domain::id::{AgentId, AttemptId, ChoiceId, GrantId, InstallId, KekId, ProviderId, ReceiptId};
use domain::lock::{LockSettings, Protection};
use domain::policy::Choice;
use domain::refresh::Refresh;
use domain::rule::Rule;
use domain::time::Timestamp;
use thiserror::Error;
use vault::label::Kind;

use super::Anchor;

/// The store: transactions on one writer thread, and reading beside it.
pub trait Store: Send + Sync + 'static {
    /// Runs a job that changes all it wants or, with an error, nothing; durable when it returns. Jobs that wait at the same
    /// time are made durable together.
    fn write<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;
    /// Runs a job that changes nothing, on what was written by then: everything that was answered, and of what waits
    /// for the disk, nothing.
    fn read<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;
    /// Runs a job that changes nothing, behind all that was sent to be written, and answers once that is on the disk: for
    /// what is told to somebody who outlives this process.
    fn read_settled<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<R, StoreError> + Send + 'static,
    ) -> impl Future<Output = Result<R, StoreError>> + Send;
    /// Waits until something was written since this was last waited for. One waits at a time.
    fn written(&self) -> impl Future<Output = ()> + Send;
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
    /// When what is in it runs out, where the bank said so.
    pub ends_at: Option<Timestamp>,
    /// The vault's bytes.
    pub blob: Vec<u8>,
}

/// How often a grant was used on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayOfUse {
    /// Which grant.
    pub grant: GrantId,
    /// Which day, counted from 1970 in UTC.
    pub day: i64,
    /// Calls that went to the bank.
    pub calls: u32,
    /// Calls that did not.
    pub refused: u32,
    /// The last call.
    pub last_at: Option<Timestamp>,
}

/// Records of the audit log that an index leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordsOf {
    /// All there are.
    All,
    /// Those that name an agent.
    Agent(AgentId),
    /// Those of one event, by its word.
    Event(&'static str),
    /// Those that name a grant.
    Grant(GrantId),
}

/// What the vault needs to know of the installed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KekRow {
    /// Its id.
    pub id: KekId,
    /// A known text sealed under it.
    pub check: Vec<u8>,
    /// How it is kept.
    pub protection: Protection,
    /// The key, wrapped under a passphrase, where there is one.
    pub wrapped: Option<Vec<u8>>,
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
    /// Records another key in place of the one with this id; `Missing` if that is not the one.
    fn replace_kek(&mut self, old: KekId, kek: &KekRow) -> Result<(), StoreError>;
    /// Keys in the keychain that are not the installed one and are to be deleted there.
    fn kek_litter(&mut self) -> Result<Vec<KekId>, StoreError>;
    /// Records them: before such a key is written to the keychain, so that no crash leaves one unknown.
    fn set_kek_litter(&mut self, litter: &[KekId]) -> Result<(), StoreError>;
    /// Whether an anchor was ever written: from then on there must be one.
    fn anchored(&mut self) -> Result<bool, StoreError>;
    /// Remembers that an anchor was written.
    fn set_anchored(&mut self) -> Result<(), StoreError>;
    /// Whether the stop mark was ever made: from then on a missing one means stopped.
    fn marked(&mut self) -> Result<bool, StoreError>;
    /// Remembers that it was made.
    fn set_marked(&mut self) -> Result<(), StoreError>;
    /// Since when every agent is stopped, if they are.
    fn agents_stopped(&mut self) -> Result<Option<Timestamp>, StoreError>;
    /// Records that every agent is stopped, or that they go on.
    fn set_agents_stopped(&mut self, since: Option<Timestamp>) -> Result<(), StoreError>;
    /// What the person has chosen about the lock.
    fn lock_settings(&mut self) -> Result<LockSettings, StoreError>;
    /// Records it.
    fn set_lock_settings(&mut self, settings: LockSettings) -> Result<(), StoreError>;

    /// All agents whose rows can be read, oldest first.
    fn agents(&mut self) -> Result<Vec<Agent>, StoreError>;
    /// The other ones.
    fn damaged_agents(&mut self) -> Result<Vec<DamagedRow>, StoreError>;
    /// Adds an agent. `Exists` if the key or the name is taken.
    fn insert_agent(&mut self, agent: &Agent) -> Result<(), StoreError>;

    /// The agent with a key, removed or not.
    fn agent_by_key(&mut self, key: &AgentKey) -> Result<Option<Agent>, StoreError>;
    /// When an agent's last calls went to banks, newest first.
    fn call_times(&mut self, agent: AgentId, most: u16) -> Result<Vec<Timestamp>, StoreError>;
    /// When an agent last got or was refused something.
    fn agent_seen(&mut self, agent: AgentId) -> Result<Option<Timestamp>, StoreError>;
    /// Holds an agent back, or lets it go on; `Missing` if there is none, or it was removed.
    fn set_agent_paused(&mut self, agent: AgentId, paused: Option<&AgentPaused>) -> Result<(), StoreError>;
    /// Removes an agent for ever, and what was chosen for it: its key stays known, its name is free again. `Missing` as
    /// above.
    fn remove_agent(&mut self, agent: AgentId, at: Timestamp) -> Result<(), StoreError>;

    /// Remembers a task that was presented, until it could not be any more. `Exists` if it was presented before.
    fn insert_task(&mut self, id: &[u8; 32], ends_at: Timestamp) -> Result<(), StoreError>;
    /// Whether there are tasks that ended before a moment.
    fn has_tasks_before(&mut self, before: Timestamp) -> Result<bool, StoreError>;
    /// Forgets the tasks that ended before a moment.
    fn forget_tasks(&mut self, before: Timestamp) -> Result<(), StoreError>;

    /// What the person said once for a while, oldest first.
    fn choices(&mut self) -> Result<Vec<Choice>, StoreError>;
    /// The same of one agent under one grant.
    fn choices_of(&mut self, agent: AgentId, grant: GrantId) -> Result<Vec<Choice>, StoreError>;
    /// Adds a choice, in place of one for the same agent, grant, operation and purposes.
    fn put_choice(&mut self, choice: &Choice) -> Result<(), StoreError>;
    /// Deletes one; `Missing` if there is none.
    fn delete_choice(&mut self, choice: ChoiceId) -> Result<(), StoreError>;
    /// Deletes all under a grant.
    fn delete_choices_of(&mut self, grant: GrantId) -> Result<(), StoreError>;

    /// Counts a call of a grant's agent, or a refused one.
    fn count_use(&mut self, grant: GrantId, at: Timestamp, refused: bool) -> Result<(), StoreError>;
    /// The counts from a day on (days since 1970, UTC), of one grant or of all, oldest first.
    fn uses_since(&mut self, grant: Option<GrantId>, day: i64) -> Result<Vec<DayOfUse>, StoreError>;
    /// When each grant was last used, where it was.
    fn last_uses(&mut self) -> Result<Vec<(GrantId, Timestamp)>, StoreError>;

    /// The rules that the person has set; those that are not among them are as usual.
    fn rules(&mut self) -> Result<Vec<Rule>, StoreError>;
    /// Records them.
    fn set_rules(&mut self, rules: &[Rule]) -> Result<(), StoreError>;

    /// One attempt.
    fn attempt(&mut self, id: AttemptId) -> Result<Option<Attempt>, StoreError>;
    /// Attempts that have not ended and can be read, oldest first.
    fn open_attempts(&mut self) -> Result<Vec<Attempt>, StoreError>;
    /// The last attempts that can be read, newest first.
    fn recent_attempts(&mut self, most: u16) -> Result<Vec<Attempt>, StoreError>;
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
    /// Replaces what may change of a grant while it lives: accounts, holder, scopes and what they allow, when it was
    /// confirmed, narrowing, pause, reconnect, reminder. `Missing` if it is revoked, or its generation is not the one given.
    fn update_grant(&mut self, grant: &Grant) -> Result<(), StoreError>;
    /// Moves a grant on by one generation; `Missing` if it is revoked, or the stored generation is not `from`.
    fn advance_grant(
        &mut self,
        grant: GrantId,
        from: u32,
        access_token_ends_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// Records when the access token of a generation ends, once it may be used; `Missing` as above.
    fn set_access_end(
        &mut self,
        grant: GrantId,
        generation: u32,
        ends_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// Records what is known of a grant's end. A revoked grant never becomes unrevoked, nor its cut-off time another.
    fn set_revocation(
        &mut self,
        grant: GrantId,
        revocation: &domain::grant::Revocation,
    ) -> Result<(), StoreError>;

    /// Opens the question again whether the bank has revoked everything, for tokens that arrived after the end: what
    /// [`Tx::set_revocation`] would refuse. `Missing` if the grant is not revoked.
    fn reopen_revocation(
        &mut self,
        grant: GrantId,
        pending: &domain::grant::TokenRevocation,
    ) -> Result<(), StoreError>;

    /// The newest sealed record of a kind.
    fn sealed(&mut self, grant: GrantId, kind: Kind) -> Result<Option<SealedRow>, StoreError>;
    /// All sealed records of a kind, newest first.
    fn sealed_of(&mut self, grant: GrantId, kind: Kind) -> Result<Vec<SealedRow>, StoreError>;
    /// Every sealed record there is.
    fn all_sealed(&mut self) -> Result<Vec<SealedRow>, StoreError>;
    /// Adds a sealed record. `Exists` if there is one of this kind and generation.
    fn insert_sealed(&mut self, row: &SealedRow) -> Result<(), StoreError>;
    /// Puts other bytes in place of a sealed record's; `Missing` if there is no such record.
    fn replace_sealed(&mut self, row: &SealedRow) -> Result<(), StoreError>;
    /// Deletes one sealed record; done is done.
    fn delete_sealed_row(&mut self, grant: GrantId, kind: Kind, generation: u32) -> Result<(), StoreError>;
    /// Deletes all sealed records of a grant.
    fn delete_sealed(&mut self, grant: GrantId) -> Result<(), StoreError>;

    /// What is known of a grant's refreshes since its last generation.
    fn refresh(&mut self, grant: GrantId) -> Result<Option<Refresh>, StoreError>;
    /// Every grant with a refresh that is under way, was lost or did not work yet.
    fn refreshes(&mut self) -> Result<Vec<(GrantId, Refresh)>, StoreError>;
    /// Records it.
    fn set_refresh(&mut self, grant: GrantId, refresh: &Refresh) -> Result<(), StoreError>;
    /// Forgets it: the refresh worked, or the grant is over.
    fn delete_refresh(&mut self, grant: GrantId) -> Result<(), StoreError>;

    /// Grants whose revocation the bank has not confirmed: the outbox, oldest first.
    fn outbox(&mut self) -> Result<Vec<GrantId>, StoreError>;
    /// Puts a grant into the outbox.
    fn insert_outbox(&mut self, grant: GrantId) -> Result<(), StoreError>;
    /// Takes a grant out of it.
    fn delete_outbox(&mut self, grant: GrantId) -> Result<(), StoreError>;

    /// Adds a receipt.
    fn insert_receipt(&mut self, receipt: &ReceiptRow) -> Result<(), StoreError>;
    /// One receipt.
    fn receipt(&mut self, id: ReceiptId) -> Result<Option<ReceiptRow>, StoreError>;
    /// The receipts of a grant, oldest first.
    fn receipts_of(&mut self, grant: GrantId) -> Result<Vec<ReceiptRow>, StoreError>;

    /// Appends to the audit log.
    fn append_audit(&mut self, at: Timestamp, event: &AuditEvent) -> Result<(), StoreError>;
    /// The whole audit log in order.
    fn audit(&mut self) -> Result<Vec<AuditRecord>, StoreError>;
    /// The newest record's number and hash; none while the log is empty.
    fn audit_head(&mut self) -> Result<Option<Anchor>, StoreError>;
    /// The hash of one record.
    fn audit_hash(&mut self, seq: u64) -> Result<Option<[u8; 32]>, StoreError>;
    /// Records about one grant's life, oldest first; not what its agent did day by day.
    fn audit_of(&mut self, grant: GrantId) -> Result<Vec<AuditRecord>, StoreError>;
    /// Records of a kind before a number, newest first.
    fn audit_before(
        &mut self,
        of: &RecordsOf,
        before: Option<u64>,
        most: u16,
    ) -> Result<Vec<AuditRecord>, StoreError>;
    /// Records after a number, oldest first.
    fn audit_after(&mut self, seq: u64, most: u16) -> Result<Vec<AuditRecord>, StoreError>;
    /// The records that are about a grant's calls, after a number, oldest first.
    fn answers_after(&mut self, grant: GrantId, seq: u64, most: u16) -> Result<Vec<AuditRecord>, StoreError>;
    /// The grants of an agent, or at a bank, newest first; no more than so many.
    fn grant_ids(
        &mut self,
        agent: Option<AgentId>,
        provider: Option<&ProviderId>,
        most: u16,
    ) -> Result<Vec<GrantId>, StoreError>;
}
