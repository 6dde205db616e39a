//! Seals what the bank issued and stores the grant: one transaction, or nothing.

use std::sync::atomic::Ordering;

use contract::ui::ReceiptKind;
use domain::attempt::Ending;
use domain::audit::AuditEvent;
use domain::grant::{Grant, Revocation, TokenRevocation};
use domain::id::{GrantId, PermissionId, ReceiptId};
use domain::provider::{Consents, Provider};
use domain::reference::Stage;
use domain::time::Timestamp;
use oauth::token::Issued;
use vault::envelope::Fresh;
use vault::envelope::seal;
use vault::label::{Kind, Label};

use crate::accounts::Holdings;
use crate::endings;
use crate::key::Key;
use crate::port::{Clock as _, Ports, ReceiptRow, SealedRow, Store as _, StoreError, Tx};
use crate::receipt;
use crate::remind;
use crate::revoke_grant::{can_tell, first_try};
use crate::running::Running;
use crate::start::Inner;

/// The first generation of a grant's tokens.
const FIRST: u32 = 1;

impl<P: Ports> Running<P> {
    /// Stores the grant, its sealed tokens, the receipt, the audit records and the attempt's end together.
    pub(crate) async fn save(
        &mut self,
        provider: &Provider,
        issued: &Issued,
        holdings: Holdings,
        renews: Option<GrantId>,
    ) -> Result<(), Ending> {
        self.reach(Stage::Save).await?;
        let (key, kek) = self.inner.existing_key().await.map_err(endings::of_key)?;
        let now = self.inner.ports.clock().now();
        let not_saved = Ending::NotSaved { bank_told: false };
        let random = self.inner.random().map_err(|_| not_saved.clone())?;
        let id = GrantId::make_from(now, random);
        let sealed = self
            .inner
            .seal_all(provider, id, issued, &holdings, now, &(key, kek))
            .ok_or(not_saved.clone())?;
        let lifetime = issued.lifetime.and_then(|l| i64::try_from(l.as_millis()).ok());
        let missing: Vec<PermissionId> = holdings.missing.iter().cloned().collect();
        let grant = Grant {
            id,
            provider: provider.id.clone(),
            provider_name: provider.name.clone(),
            issuer: provider.server.issuer.as_str().to_owned(),
            agent: self.attempt.agent,
            permissions: holdings.permissions,
            missing: missing.clone(),
            extra: holdings.extra.clone(),
            accounts: holdings.accounts,
            holder: holdings.holder,
            created_at: now,
            ends_at: self.attempt.until,
            scopes: Some(issued.scopes.clone()),
            access_token_ends_at: lifetime.map(|l| now.plus_millis(l)),
            generation: FIRST,
            confirmed_at: now,
            narrowing: None,
            paused: None,
            reconnect: None,
            renews,
            reminded: remind::passed(self.attempt.until, now),
            revocation: None,
        };
        let random = self.inner.random().map_err(|_| not_saved.clone())?;
        let receipt_id = ReceiptId::make_from(now, random);
        let ending = Ending::Connected { missing, extra: holdings.extra };
        let old = renews.map(|old| OldGrant::replaced(provider, old, now));
        match self.store(provider, Made { grant, sealed, receipt_id, old }, ending).await {
            Ok(true) => Ok(()),
            // The person ended the old one in the meantime.
            Ok(false) => Err(Ending::Cancelled),
            Err(_) => Err(not_saved),
        }
    }

    /// Stores it all, or nothing: false where the old grant was revoked in the meantime.
    async fn store(&mut self, provider: &Provider, made: Made, ending: Ending) -> Result<bool, StoreError> {
        let Made { grant, sealed, receipt_id, old } = made;
        let now = grant.created_at;
        let mut next = self.attempt.clone();
        next.ending = Some(ending.clone());
        next.ended_at = Some(now);
        next.grant = Some(grant.id);
        next.revision += 1;
        let connected = AuditEvent::GrantConnected {
            grant: grant.id,
            attempt: next.id,
            provider: grant.provider.clone(),
            agent: grant.agent,
            permissions: grant.permissions.iter().cloned().collect(),
            accounts: u32::try_from(grant.accounts.len()).unwrap_or(u32::MAX),
            ends_at: grant.ends_at,
            renews: grant.renews,
        };
        let ended = AuditEvent::AttemptEnded { attempt: next.id, ending };
        let (stored, provider) = (next.clone(), provider.clone());
        let forget = old.as_ref().is_some_and(|old| !old.is_to_be_told());
        let written = self.inner.ports.store().write(move |tx| {
            let before = old.as_ref().map(|old| tx.grant(old.id)).transpose()?.flatten();
            if before.as_ref().is_some_and(|before| before.revocation.is_some() && !before.ran_out()) {
                return Ok(false);
            }
            let what = if old.is_some() { ReceiptKind::Renewed } else { ReceiptKind::Connected };
            let body = receipt::body(what, &grant, &tx.agents()?, Some(&provider), now);
            tx.insert_grant(&grant)?;
            sealed.iter().try_for_each(|row| tx.insert_sealed(row))?;
            tx.insert_receipt(&ReceiptRow { id: receipt_id, grant: grant.id, at: now, body })?;
            tx.append_audit(now, &connected)?;
            if let (Some(old), Some(before)) = (&old, &before) {
                replace(tx, old, before, grant.id)?;
            }
            tx.append_audit(now, &ended)?;
            tx.update_attempt(&stored)?;
            Ok(true)
        });
        if !written.await? {
            return Ok(false);
        }
        tracing::info!(attempt = %next.id, reference = %next.reference(), "connected");
        self.show(next);
        self.inner.grants_changed();
        self.inner.upkeep.notify_one();
        if forget {
            self.inner.forget.store(true, Ordering::Relaxed);
        }
        self.inner.outbox.notify_one();
        Ok(true)
    }
}

/// What one transaction stores.
struct Made {
    grant: Grant,
    sealed: Vec<SealedRow>,
    receipt_id: ReceiptId,
    old: Option<OldGrant>,
}

/// The grant whose place is taken, and how it ends.
struct OldGrant {
    id: GrantId,
    end: Revocation,
}

impl OldGrant {
    /// Where the bank keeps one consent for all, revoking the old token would end the new consent: it is forgotten
    /// here, and that is all that can be done.
    fn replaced(provider: &Provider, id: GrantId, now: Timestamp) -> Self {
        let token = match provider.behaviour.consents {
            Consents::Shared => TokenRevocation::Replaced { at: now },
            Consents::Independent if can_tell(provider) => first_try(now),
            Consents::Independent => TokenRevocation::NotOffered,
        };
        Self { id, end: Revocation { cut_off_at: now, token } }
    }

    fn is_to_be_told(&self) -> bool {
        matches!(self.end.token, TokenRevocation::Pending { .. })
    }
}

/// Ends the grant whose place is taken, unless its time was over while the person was at the bank.
fn replace(tx: &mut dyn Tx, old: &OldGrant, before: &Grant, by: GrantId) -> Result<(), StoreError> {
    tx.append_audit(old.end.cut_off_at, &AuditEvent::GrantReplaced { grant: old.id, by })?;
    if before.revocation.is_some() {
        return Ok(());
    }
    tx.set_revocation(old.id, &old.end)?;
    tx.delete_refresh(old.id)?;
    if old.is_to_be_told() { tx.insert_outbox(old.id) } else { tx.delete_sealed(old.id) }
}

impl<P: Ports> Inner<P> {
    /// The label of a grant's sealed record.
    pub(crate) fn label(&self, grant: GrantId, issuer: &str, kind: Kind, generation: u32) -> Label {
        Label {
            schema: 1,
            install: self.install.clone(),
            grant: Some(grant),
            issuer: issuer.to_owned(),
            kind,
            generation,
        }
    }

    /// Seals one secret of a grant. Nothing where the randomness is none.
    pub(crate) fn seal(
        &self,
        label: &Label,
        secret: &[u8],
        ends_at: Option<Timestamp>,
        (key, kek): &Key,
    ) -> Option<SealedRow> {
        let fresh = Fresh::from_random(self.random().ok()?);
        let blob = seal(secret, label, key, *kek, fresh).ok()?;
        Some(SealedRow { grant: label.grant?, kind: label.kind, generation: label.generation, ends_at, blob })
    }

    fn seal_all(
        &self,
        provider: &Provider,
        grant: GrantId,
        issued: &Issued,
        holdings: &Holdings,
        now: Timestamp,
        key: &Key,
    ) -> Option<Vec<SealedRow>> {
        let lifetime = issued.lifetime.and_then(|l| i64::try_from(l.as_millis()).ok());
        let refresh = issued.refresh.as_ref().map(|token| (Kind::RefreshToken, token.expose_secret()));
        let subject = holdings.subject.as_ref().map(|subject| (Kind::Subject, subject.as_str()));
        let nonce = holdings.nonce.as_ref().map(|nonce| (Kind::Nonce, nonce.expose_secret()));
        let always = [
            (Kind::AccessToken, issued.access.expose_secret()),
            (Kind::AccountNumbers, holdings.numbers.as_str()),
        ];
        always
            .into_iter()
            .chain(refresh)
            .chain(subject)
            .chain(nonce)
            .map(|(kind, secret)| {
                let label = self.label(grant, provider.server.issuer.as_str(), kind, FIRST);
                let ends_at = lifetime.filter(|_| kind == Kind::AccessToken).map(|l| now.plus_millis(l));
                self.seal(&label, secret.as_bytes(), ends_at, key)
            })
            .collect()
    }
}
