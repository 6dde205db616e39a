//! One transaction: the port's words, each handed to its table.

use app::port::{
    Anchor, DamagedRow, DayOfUse, KekRow, ReceiptRow, RecordsOf, Rows, SealedRow, StoreError, Tx,
};
use domain::agent::{Agent, AgentKey, AgentPaused};
use domain::attempt::Attempt;
use domain::audit::{AuditEvent, AuditRecord};
use domain::grant::{Grant, Revocation, TokenRevocation};
use domain::id::{AgentId, AttemptId, ChoiceId, GrantId, InstallId, KekId, ProviderId, ReceiptId};
use domain::lock::LockSettings;
use domain::policy::Choice;
use domain::refresh::Refresh;
use domain::rule::Rule;
use domain::time::Timestamp;
use rusqlite::Connection;
use vault::label::Kind;

use crate::{
    agents, attempts, audit, choices, grants, keys, outbox, receipts, refreshes, sealed, tasks, uses,
};

/// A transaction that has begun.
pub(crate) struct SqliteTx<'c>(&'c Connection);

impl<'c> SqliteTx<'c> {
    /// Speaks for the transaction that is open on a connection.
    pub(crate) fn on(conn: &'c Connection) -> Self {
        Self(conn)
    }

    /// The connection, while the transaction is open. SQLite ends one by itself after some faults, and what a job did
    /// after that would be committed statement by statement.
    fn conn(&self) -> Result<&'c Connection, StoreError> {
        if self.0.is_autocommit() { Err(StoreError::Io) } else { Ok(self.0) }
    }
}

impl Tx for SqliteTx<'_> {
    fn install(&mut self) -> Result<InstallId, StoreError> {
        keys::install(self.conn()?)
    }

    fn kek(&mut self) -> Result<Option<KekRow>, StoreError> {
        keys::kek(self.conn()?)
    }

    fn insert_kek(&mut self, kek: &KekRow) -> Result<(), StoreError> {
        keys::insert_kek(self.conn()?, kek)
    }

    fn replace_kek(&mut self, old: KekId, kek: &KekRow) -> Result<(), StoreError> {
        keys::replace_kek(self.conn()?, old, kek)
    }

    fn kek_litter(&mut self) -> Result<Vec<KekId>, StoreError> {
        keys::kek_litter(self.conn()?)
    }

    fn set_kek_litter(&mut self, litter: &[KekId]) -> Result<(), StoreError> {
        keys::set_kek_litter(self.conn()?, litter)
    }

    fn anchored(&mut self) -> Result<bool, StoreError> {
        keys::anchored(self.conn()?)
    }

    fn set_anchored(&mut self) -> Result<(), StoreError> {
        keys::set_anchored(self.conn()?)
    }

    fn marked(&mut self) -> Result<bool, StoreError> {
        keys::marked(self.conn()?)
    }

    fn set_marked(&mut self) -> Result<(), StoreError> {
        keys::set_marked(self.conn()?)
    }

    fn agents_stopped(&mut self) -> Result<Option<Timestamp>, StoreError> {
        keys::agents_stopped(self.conn()?)
    }

    fn set_agents_stopped(&mut self, since: Option<Timestamp>) -> Result<(), StoreError> {
        keys::set_agents_stopped(self.conn()?, since)
    }

    fn lock_settings(&mut self) -> Result<LockSettings, StoreError> {
        keys::lock_settings(self.conn()?)
    }

    fn set_lock_settings(&mut self, settings: LockSettings) -> Result<(), StoreError> {
        keys::set_lock_settings(self.conn()?, settings)
    }

    fn agents(&mut self) -> Result<Vec<Agent>, StoreError> {
        agents::all_agents(self.conn()?).map(|rows| rows.sound)
    }

    fn damaged_agents(&mut self) -> Result<Vec<DamagedRow>, StoreError> {
        agents::all_agents(self.conn()?).map(|rows| rows.damaged)
    }

    fn insert_agent(&mut self, agent: &Agent) -> Result<(), StoreError> {
        agents::insert(self.conn()?, agent)
    }

    fn agent_by_key(&mut self, key: &AgentKey) -> Result<Option<Agent>, StoreError> {
        agents::by_key(self.conn()?, key)
    }

    fn call_times(&mut self, agent: AgentId, most: u16) -> Result<Vec<Timestamp>, StoreError> {
        audit::call_times(self.conn()?, agent, most)
    }

    fn agent_seen(&mut self, agent: AgentId) -> Result<Option<Timestamp>, StoreError> {
        audit::seen(self.conn()?, agent)
    }

    fn set_agent_paused(&mut self, agent: AgentId, paused: Option<&AgentPaused>) -> Result<(), StoreError> {
        agents::set_paused(self.conn()?, agent, paused)
    }

    fn remove_agent(&mut self, agent: AgentId, at: Timestamp) -> Result<(), StoreError> {
        agents::remove(self.conn()?, agent, at)
    }

    fn insert_task(&mut self, id: &[u8; 32], ends_at: Timestamp) -> Result<(), StoreError> {
        tasks::insert(self.conn()?, id, ends_at)
    }

    fn has_tasks_before(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        tasks::any_before(self.conn()?, before)
    }

    fn forget_tasks(&mut self, before: Timestamp) -> Result<(), StoreError> {
        tasks::forget(self.conn()?, before)
    }

    fn choices(&mut self) -> Result<Vec<Choice>, StoreError> {
        choices::all_choices(self.conn()?)
    }

    fn choices_of(&mut self, agent: AgentId, grant: GrantId) -> Result<Vec<Choice>, StoreError> {
        choices::of(self.conn()?, agent, grant)
    }

    fn put_choice(&mut self, choice: &Choice) -> Result<(), StoreError> {
        choices::put(self.conn()?, choice)
    }

    fn delete_choice(&mut self, choice: ChoiceId) -> Result<(), StoreError> {
        choices::delete(self.conn()?, choice)
    }

    fn delete_choices_of(&mut self, grant: GrantId) -> Result<(), StoreError> {
        choices::delete_of(self.conn()?, grant)
    }

    fn count_use(&mut self, grant: GrantId, at: Timestamp, refused: bool) -> Result<(), StoreError> {
        uses::count(self.conn()?, grant, at, refused)
    }

    fn uses_since(&mut self, grant: Option<GrantId>, day: i64) -> Result<Vec<DayOfUse>, StoreError> {
        uses::since(self.conn()?, grant, day)
    }

    fn last_uses(&mut self) -> Result<Vec<(GrantId, Timestamp)>, StoreError> {
        uses::last(self.conn()?)
    }

    fn rules(&mut self) -> Result<Vec<Rule>, StoreError> {
        keys::rules(self.conn()?)
    }

    fn set_rules(&mut self, rules: &[Rule]) -> Result<(), StoreError> {
        keys::set_rules(self.conn()?, rules)
    }

    fn attempt(&mut self, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
        attempts::by_id(self.conn()?, id)
    }

    fn open_attempts(&mut self) -> Result<Vec<Attempt>, StoreError> {
        attempts::open(self.conn()?)
    }

    fn recent_attempts(&mut self, most: u16) -> Result<Vec<Attempt>, StoreError> {
        attempts::recent(self.conn()?, most)
    }

    fn attempt_of(&mut self, grant: GrantId) -> Result<Option<Attempt>, StoreError> {
        attempts::of_grant(self.conn()?, grant)
    }

    fn insert_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        attempts::insert(self.conn()?, attempt)
    }

    fn update_attempt(&mut self, attempt: &Attempt) -> Result<(), StoreError> {
        attempts::update(self.conn()?, attempt)
    }

    fn grant(&mut self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        grants::by_id(self.conn()?, id)
    }

    fn grants(&mut self) -> Result<Rows<Grant>, StoreError> {
        grants::all_grants(self.conn()?)
    }

    fn insert_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        grants::insert(self.conn()?, grant)
    }

    fn update_grant(&mut self, grant: &Grant) -> Result<(), StoreError> {
        grants::update(self.conn()?, grant)
    }

    fn advance_grant(
        &mut self,
        grant: GrantId,
        from: u32,
        access_token_ends_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        grants::advance(self.conn()?, grant, from, access_token_ends_at)
    }

    fn set_access_end(
        &mut self,
        grant: GrantId,
        generation: u32,
        ends_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        grants::set_access_end(self.conn()?, grant, generation, ends_at)
    }

    fn set_revocation(&mut self, grant: GrantId, revocation: &Revocation) -> Result<(), StoreError> {
        grants::set_revocation(self.conn()?, grant, revocation)
    }

    fn reopen_revocation(&mut self, grant: GrantId, pending: &TokenRevocation) -> Result<(), StoreError> {
        grants::reopen(self.conn()?, grant, pending)
    }

    fn sealed(&mut self, grant: GrantId, kind: Kind) -> Result<Option<SealedRow>, StoreError> {
        Ok(sealed::of_kind(self.conn()?, grant, kind)?.into_iter().next())
    }

    fn sealed_of(&mut self, grant: GrantId, kind: Kind) -> Result<Vec<SealedRow>, StoreError> {
        sealed::of_kind(self.conn()?, grant, kind)
    }

    fn all_sealed(&mut self) -> Result<Vec<SealedRow>, StoreError> {
        sealed::every(self.conn()?)
    }

    fn insert_sealed(&mut self, row: &SealedRow) -> Result<(), StoreError> {
        sealed::insert(self.conn()?, row)
    }

    fn replace_sealed(&mut self, row: &SealedRow) -> Result<(), StoreError> {
        sealed::replace(self.conn()?, row)
    }

    fn delete_sealed_row(&mut self, grant: GrantId, kind: Kind, generation: u32) -> Result<(), StoreError> {
        sealed::delete_row(self.conn()?, grant, kind, generation)
    }

    fn delete_sealed(&mut self, grant: GrantId) -> Result<(), StoreError> {
        sealed::delete(self.conn()?, grant)
    }

    fn refresh(&mut self, grant: GrantId) -> Result<Option<Refresh>, StoreError> {
        refreshes::of_grant(self.conn()?, grant)
    }

    fn refreshes(&mut self) -> Result<Vec<(GrantId, Refresh)>, StoreError> {
        refreshes::every(self.conn()?)
    }

    fn set_refresh(&mut self, grant: GrantId, refresh: &Refresh) -> Result<(), StoreError> {
        refreshes::set(self.conn()?, grant, refresh)
    }

    fn delete_refresh(&mut self, grant: GrantId) -> Result<(), StoreError> {
        refreshes::delete(self.conn()?, grant)
    }

    fn outbox(&mut self) -> Result<Vec<GrantId>, StoreError> {
        outbox::waiting(self.conn()?)
    }

    fn insert_outbox(&mut self, grant: GrantId) -> Result<(), StoreError> {
        outbox::insert(self.conn()?, grant)
    }

    fn delete_outbox(&mut self, grant: GrantId) -> Result<(), StoreError> {
        outbox::delete(self.conn()?, grant)
    }

    fn insert_receipt(&mut self, receipt: &ReceiptRow) -> Result<(), StoreError> {
        receipts::insert(self.conn()?, receipt)
    }

    fn receipt(&mut self, id: ReceiptId) -> Result<Option<ReceiptRow>, StoreError> {
        receipts::by_id(self.conn()?, id)
    }

    fn receipts_of(&mut self, grant: GrantId) -> Result<Vec<ReceiptRow>, StoreError> {
        receipts::of_grant(self.conn()?, grant)
    }

    fn append_audit(&mut self, at: Timestamp, event: &AuditEvent) -> Result<(), StoreError> {
        audit::append(self.conn()?, at, event)
    }

    fn audit(&mut self) -> Result<Vec<AuditRecord>, StoreError> {
        audit::whole(self.conn()?)
    }

    fn audit_head(&mut self) -> Result<Option<Anchor>, StoreError> {
        audit::head(self.conn()?)
    }

    fn audit_hash(&mut self, seq: u64) -> Result<Option<[u8; 32]>, StoreError> {
        audit::hash_of(self.conn()?, seq)
    }

    fn audit_of(&mut self, grant: GrantId) -> Result<Vec<AuditRecord>, StoreError> {
        audit::of_grant(self.conn()?, grant)
    }

    fn audit_before(
        &mut self,
        of: &RecordsOf,
        before: Option<u64>,
        most: u16,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        audit::before(self.conn()?, of, before, most)
    }

    fn audit_after(&mut self, seq: u64, most: u16) -> Result<Vec<AuditRecord>, StoreError> {
        audit::after(self.conn()?, seq, most)
    }

    fn answers_after(&mut self, grant: GrantId, seq: u64, most: u16) -> Result<Vec<AuditRecord>, StoreError> {
        audit::answers(self.conn()?, grant, seq, most)
    }

    fn grant_ids(
        &mut self,
        agent: Option<AgentId>,
        provider: Option<&ProviderId>,
        most: u16,
    ) -> Result<Vec<GrantId>, StoreError> {
        grants::ids(self.conn()?, agent, provider, most)
    }
}
