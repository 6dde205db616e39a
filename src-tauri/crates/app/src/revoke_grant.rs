//! Revoke: cut off here at once, then the bank, however long that takes.

use std::sync::atomic::Ordering;

use domain::audit::AuditEvent;
use domain::grant::{Grant, Revocation, TokenRevocation, WaitsFor};
use domain::id::{GrantId, ReceiptId};
use domain::provider::RevocationHabit;
use domain::time::Timestamp;
use serde_json::json;

use crate::port::{Clock as _, Ports, ReceiptRow, Store as _, StoreError};
use crate::report::{Refusal, Thing};
use crate::start::App;

impl<P: Ports> App<P> {
    /// Revokes a grant. When this returns it is cut off here, durably; the bank is told in the background.
    ///
    /// # Errors
    /// There is no such grant, it is revoked already, or the disk failed.
    pub async fn revoke_grant(&self, id: GrantId) -> Result<(), Refusal> {
        let grant = self.known_grant(id).await?;
        self.0.cut_off(&grant, CutOff::Person).await
    }

    /// Stops the tries to tell the bank and deletes the sealed token.
    ///
    /// # Errors
    /// There is no such grant, nothing is being tried, or the disk failed.
    pub async fn stop_telling_bank(&self, id: GrantId) -> Result<(), Refusal> {
        let grant = self.known_grant(id).await?;
        let Some(Revocation { cut_off_at, token: TokenRevocation::Pending { .. } }) = grant.revocation else {
            return Err(Refusal::Revoked);
        };
        let now = self.0.ports.clock().now();
        let given_up = Revocation { cut_off_at, token: TokenRevocation::GivenUp { at: now } };
        self.0.close_outbox(id, given_up, AuditEvent::RevocationGivenUp { grant: id }).await?;
        Ok(())
    }

    pub(crate) async fn known_grant(&self, id: GrantId) -> Result<Grant, Refusal> {
        self.0.ports.store().read(move |tx| tx.grant(id)).await?.ok_or(Refusal::Unknown(Thing::Grant))
    }
}

/// The bank has not been told yet; it is about to be.
pub(crate) fn first_try(now: Timestamp) -> TokenRevocation {
    TokenRevocation::Pending { tries: 0, last_try: None, next_try: now, waits_for: WaitsFor::FirstTry }
}

/// Why a grant is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CutOff {
    /// The person wants it.
    Person,
    /// Its time is over.
    TimeOver,
}

impl CutOff {
    /// The word of its receipt.
    fn word(self) -> &'static str {
        match self {
            Self::Person => "revoked",
            Self::TimeOver => "ended",
        }
    }

    fn event(self, grant: GrantId) -> AuditEvent {
        match self {
            Self::Person => AuditEvent::GrantRevoked { grant },
            Self::TimeOver => AuditEvent::GrantEnded { grant },
        }
    }
}

impl<P: Ports> crate::start::Inner<P> {
    /// Cuts a grant off, durably when this returns, and has the bank told in the background.
    pub(crate) async fn cut_off(&self, grant: &Grant, why: CutOff) -> Result<(), Refusal> {
        if grant.revocation.is_some() {
            return Err(Refusal::Revoked);
        }
        let (id, now) = (grant.id, self.ports.clock().now());
        let can_tell = self.can_tell(grant);
        let token = if can_tell { first_try(now) } else { TokenRevocation::NotOffered };
        let revocation = Revocation { cut_off_at: now, token };
        let body = json!({"what": why.word(), "at": now.millis(), "bank": grant.provider_name, "cut_off_here": true});
        let receipt = ReceiptRow {
            id: ReceiptId::make_from(now, self.random()?),
            grant: id,
            at: now,
            body: body.to_string(),
        };
        let cut_off = self.ports.store().write(move |tx| {
            tx.set_revocation(id, &revocation)?;
            tx.delete_refresh(id)?;
            tx.insert_receipt(&receipt)?;
            tx.append_audit(now, &why.event(id))?;
            if can_tell { tx.insert_outbox(id) } else { tx.delete_sealed(id) }
        });
        match cut_off.await {
            Ok(()) => {}
            // Another click was faster.
            Err(StoreError::Missing | StoreError::Exists) => return Err(Refusal::Revoked),
            Err(err @ (StoreError::Damaged | StoreError::Io | StoreError::Stopped)) => return Err(err.into()),
        }
        // Durable: from here on nothing may turn the answer into a failure.
        self.grants_changed();
        if !can_tell {
            self.forget.store(true, Ordering::Relaxed);
        }
        self.outbox.notify_one();
        Ok(())
    }

    /// Whether this bank takes revocations from us; a bank that has left the catalogue may come back, so it counts.
    pub(crate) fn can_tell(&self, grant: &Grant) -> bool {
        self.catalogue.provider(&grant.provider).is_none_or(|provider| {
            provider.server.revocation_endpoint.is_some()
                && !matches!(
                    provider.behaviour.revocation,
                    RevocationHabit::Absent | RevocationHabit::Refused
                )
        })
    }

    /// Ends the tries for a grant: the sealed records go, from the write-ahead log too.
    pub(crate) async fn close_outbox(
        &self,
        id: GrantId,
        end: Revocation,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let now = self.ports.clock().now();
        let closed = self.ports.store().write(move |tx| {
            tx.set_revocation(id, &end)?;
            tx.delete_outbox(id)?;
            tx.delete_sealed(id)?;
            tx.append_audit(now, &event)
        });
        closed.await?;
        self.grants_changed();
        self.forget.store(true, Ordering::Relaxed);
        self.forget_deleted().await;
        Ok(())
    }

    /// Truncates the write-ahead log if deleted records may stand in it; what fails is tried again with the outbox.
    pub(crate) async fn forget_deleted(&self) {
        if !self.forget.swap(false, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.ports.store().forget_deleted().await {
            self.forget.store(true, Ordering::Relaxed);
            tracing::warn!(%error, "deleted records may still stand in the write-ahead log");
        }
    }
}
