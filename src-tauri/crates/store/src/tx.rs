//! One transaction: the port's words, each handed to its table.

use app::port::{DamagedRow, KekRow, ReceiptRow, Rows, SealedRow, StoreError, Tx};
use domain::agent::Agent;
use domain::attempt::Attempt;
use domain::audit::{AuditEvent, AuditRecord};
use domain::grant::{Grant, Revocation};
use domain::id::{AttemptId, GrantId, InstallId};
use domain::time::Timestamp;
use rusqlite::Connection;
use vault::label::Kind;

use crate::{agents, attempts, audit, grants, keys, outbox, receipts, sealed};

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

    fn agents(&mut self) -> Result<Vec<Agent>, StoreError> {
        agents::all_agents(self.conn()?).map(|rows| rows.sound)
    }

    fn damaged_agents(&mut self) -> Result<Vec<DamagedRow>, StoreError> {
        agents::all_agents(self.conn()?).map(|rows| rows.damaged)
    }

    fn insert_agent(&mut self, agent: &Agent) -> Result<(), StoreError> {
        agents::insert(self.conn()?, agent)
    }

    fn attempt(&mut self, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
        attempts::by_id(self.conn()?, id)
    }

    fn open_attempts(&mut self) -> Result<Vec<Attempt>, StoreError> {
        attempts::open(self.conn()?)
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

    fn set_revocation(&mut self, grant: GrantId, revocation: &Revocation) -> Result<(), StoreError> {
        grants::set_revocation(self.conn()?, grant, revocation)
    }

    fn sealed(&mut self, grant: GrantId, kind: Kind) -> Result<Option<SealedRow>, StoreError> {
        sealed::by_kind(self.conn()?, grant, kind)
    }

    fn insert_sealed(&mut self, row: &SealedRow) -> Result<(), StoreError> {
        sealed::insert(self.conn()?, row)
    }

    fn delete_sealed(&mut self, grant: GrantId) -> Result<(), StoreError> {
        sealed::delete(self.conn()?, grant)
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

    fn append_audit(&mut self, at: Timestamp, event: &AuditEvent) -> Result<(), StoreError> {
        audit::append(self.conn()?, at, event)
    }

    fn audit(&mut self) -> Result<Vec<AuditRecord>, StoreError> {
        audit::whole(self.conn()?)
    }

    fn audit_of(&mut self, grant: GrantId) -> Result<Vec<AuditRecord>, StoreError> {
        audit::of_grant(self.conn()?, grant)
    }
}
