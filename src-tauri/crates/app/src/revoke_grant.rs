//! Revoke: cut off here at once, then the bank, however long that takes.

use std::sync::atomic::Ordering;

use domain::audit::AuditEvent;
use domain::grant::{Grant, Revocation, TokenRevocation, WaitsFor};
use domain::id::{GrantId, ReceiptId};
use domain::provider::RevocationHabit;
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
        let now = self.0.ports.clock().now();
        let grant = self.known_grant(id).await?;
        if grant.revocation.is_some() {
            return Err(Refusal::Revoked);
        }
        let can_tell = self.can_tell(&grant);
        let token = if can_tell {
            TokenRevocation::Pending {
                tries: 0,
                last_try: None,
                next_try: now,
                waits_for: WaitsFor::FirstTry,
            }
        } else {
            TokenRevocation::NotOffered
        };
        let revocation = Revocation { cut_off_at: now, token };
        let receipt = ReceiptRow {
            id: ReceiptId::make_from(now, self.0.random()?),
            grant: id,
            at: now,
            body: json!({"what": "revoked", "at": now.millis(), "bank": grant.provider_name, "cut_off_here": true}).to_string(),
        };
        let cut_off = self.0.ports.store().write(move |tx| {
            tx.set_revocation(id, &revocation)?;
            tx.insert_receipt(&receipt)?;
            tx.append_audit(now, &AuditEvent::GrantRevoked { grant: id })?;
            if can_tell { tx.insert_outbox(id) } else { tx.delete_sealed(id) }
        });
        match cut_off.await {
            Ok(()) => {}
            // Another click was faster.
            Err(StoreError::Missing | StoreError::Exists) => return Err(Refusal::Revoked),
            Err(err @ (StoreError::Damaged | StoreError::Io | StoreError::Stopped)) => return Err(err.into()),
        }
        // Durable: from here on nothing may turn the answer into a failure.
        self.0.grants_changed();
        if !can_tell {
            self.0.forget.store(true, Ordering::Relaxed);
        }
        self.0.outbox.notify_one();
        Ok(())
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

    /// Whether this bank takes revocations from us; a bank that has left the catalogue may come back, so it counts.
    fn can_tell(&self, grant: &Grant) -> bool {
        self.0.catalogue.provider(&grant.provider).is_none_or(|provider| {
            provider.server.revocation_endpoint.is_some()
                && !matches!(
                    provider.behaviour.revocation,
                    RevocationHabit::Absent | RevocationHabit::Refused
                )
        })
    }
}

impl<P: Ports> crate::start::Inner<P> {
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
