//! Revoke: cut off here at once, then the bank, however long that takes.

use std::sync::atomic::Ordering;

use contract::ui::{GrantsView, ReceiptKind};
use domain::audit::AuditEvent;
use domain::grant::{Grant, Revocation, TokenRevocation, WaitsFor};
use domain::id::{GrantId, ReceiptId};
use domain::provider::{Provider, RevocationHabit};
use domain::time::Timestamp;
use vault::label::Kind;

use crate::port::{Clock as _, Ports, ReceiptRow, Store as _, StoreError, Tx};
use crate::receipt;
use crate::report::{Refusal, Thing};
use crate::running::Control;
use crate::start::App;
use crate::tell_bank::token_rows;

impl<P: Ports> App<P> {
    /// Revokes a grant. When this returns it is cut off here, durably; the bank is told in the background.
    ///
    /// # Errors
    /// There is no such grant, it is revoked already, or the disk failed.
    pub async fn revoke_grant(&self, id: GrantId) -> Result<(), Refusal> {
        let grant = self.known_grant(id).await?;
        self.0.cut_off(&grant, CutOff::Person).await?;
        self.cancel_renewals(id);
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

    /// Revokes every grant that is not revoked, each for itself.
    ///
    /// # Errors
    /// One of them could not be revoked; all others were.
    pub async fn revoke_all(&self) -> Result<GrantsView, Refusal> {
        let grants = self.0.ports.store().read(|tx| tx.grants()).await?.sound;
        let mut failed = None;
        for grant in grants.iter().filter(|grant| grant.revocation.is_none()) {
            match self.revoke_grant(grant.id).await {
                Ok(()) | Err(Refusal::Revoked) => {}
                Err(refusal) => {
                    tracing::error!(grant = %grant.id, %refusal, "a grant could not be revoked");
                    failed = Some(refusal);
                }
            }
        }
        match failed {
            Some(refusal) => Err(refusal),
            None => self.list_grants().await,
        }
    }

    /// Whoever ends a connection does not want the one that was to take its place.
    fn cancel_renewals(&self, id: GrantId) {
        for live in self.0.live().values().filter(|live| live.attempt.renews == Some(id)) {
            // One that cannot hear it finds the old one revoked when it is about to be stored.
            let _ = live.control.try_send(Control::Cancel);
        }
    }

    pub(crate) async fn known_grant(&self, id: GrantId) -> Result<Grant, Refusal> {
        self.0.ports.store().read(move |tx| tx.grant(id)).await?.ok_or(Refusal::Unknown(Thing::Grant))
    }
}

fn close(
    tx: &mut dyn Tx,
    id: GrantId,
    end: &Revocation,
    event: &AuditEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.set_revocation(id, end)?;
    tx.delete_outbox(id)?;
    tx.delete_sealed(id)?;
    tx.append_audit(now, event)
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
    fn receipt(self) -> ReceiptKind {
        match self {
            Self::Person => ReceiptKind::Revoked,
            Self::TimeOver => ReceiptKind::Ended,
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
        let receipt_id = ReceiptId::make_from(now, self.random()?);
        let (grant, provider) = (grant.clone(), self.catalogue.provider(&grant.provider).cloned());
        let cut_off = self.ports.store().write(move |tx| {
            tx.set_revocation(id, &revocation)?;
            tx.delete_refresh(id)?;
            tx.delete_choices_of(id)?;
            let body = receipt::body(why.receipt(), &grant, &tx.agents()?, provider.as_ref(), now);
            let receipt = ReceiptRow { id: receipt_id, grant: id, at: now, body };
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
        // Durable: from here on nothing may turn the answer into a failure. What was under way ends before it is said.
        self.uses.cut(id).await;
        self.grants_changed();
        if !can_tell {
            self.forget.store(true, Ordering::Relaxed);
        }
        self.outbox.notify_one();
        Ok(())
    }

    /// Whether this bank takes revocations from us; a bank that has left the catalogue may come back, so it counts.
    pub(crate) fn can_tell(&self, grant: &Grant) -> bool {
        self.catalogue.provider(&grant.provider).is_none_or(can_tell)
    }

    /// Ends the tries for a grant: the sealed records go, from the write-ahead log too.
    pub(crate) async fn close_outbox(
        &self,
        id: GrantId,
        end: Revocation,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let now = self.ports.clock().now();
        self.ports.store().write(move |tx| close(tx, id, &end, &event, now)).await?;
        self.forget_closed().await;
        Ok(())
    }

    /// Takes over the bank's yes about the tokens that it was asked about. False if others have arrived since: those
    /// it has yet to be told of.
    pub(crate) async fn confirm_revocation(
        &self,
        id: GrantId,
        cut_off_at: Timestamp,
        asked_about: Vec<(Kind, u32)>,
    ) -> Result<bool, StoreError> {
        let now = self.ports.clock().now();
        let closed = self.ports.store().write(move |tx| {
            if token_rows(tx, id)?.iter().all(|row| asked_about.contains(row)) {
                let end = Revocation { cut_off_at, token: TokenRevocation::Confirmed { at: now } };
                close(tx, id, &end, &AuditEvent::RevocationConfirmed { grant: id }, now)?;
                return Ok(true);
            }
            for (kind, generation) in asked_about {
                tx.delete_sealed_row(id, kind, generation)?;
            }
            tx.set_revocation(id, &Revocation { cut_off_at, token: first_try(now) })?;
            Ok(false)
        });
        let closed = closed.await?;
        self.forget_closed().await;
        Ok(closed)
    }

    async fn forget_closed(&self) {
        self.grants_changed();
        self.forget.store(true, Ordering::Relaxed);
        self.forget_deleted().await;
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

/// Whether a bank takes revocations from us.
pub(crate) fn can_tell(provider: &Provider) -> bool {
    let refuses = matches!(provider.behaviour.revocation, RevocationHabit::Absent | RevocationHabit::Refused);
    provider.server.revocation_endpoint.is_some() && !refuses
}
