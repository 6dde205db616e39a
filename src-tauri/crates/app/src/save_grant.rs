//! Seals what the bank issued and stores the grant: one transaction, or nothing.

use domain::attempt::Ending;
use domain::audit::AuditEvent;
use domain::grant::Grant;
use domain::id::{GrantId, PermissionId, ReceiptId};
use domain::provider::Provider;
use domain::reference::Stage;
use domain::time::Timestamp;
use oauth::token::Issued;
use serde_json::json;
use vault::envelope::Fresh;
use vault::envelope::seal;
use vault::label::{Kind, Label};

use crate::accounts::Holdings;
use crate::endings;
use crate::key::Key;
use crate::port::{Clock as _, Ports, ReceiptRow, SealedRow, Store as _};
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
            renews: self.attempt.renews,
            reminded: None,
            revocation: None,
        };
        let random = self.inner.random().map_err(|_| not_saved.clone())?;
        let receipt =
            ReceiptRow { id: ReceiptId::make_from(now, random), grant: id, at: now, body: receipt(&grant) };
        let ending = Ending::Connected { missing, extra: holdings.extra };
        self.store(grant, sealed, receipt, ending).await.map_err(|_| not_saved)
    }

    async fn store(
        &mut self,
        grant: Grant,
        sealed: Vec<SealedRow>,
        receipt: ReceiptRow,
        ending: Ending,
    ) -> Result<(), crate::port::StoreError> {
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
        let stored = next.clone();
        self.inner
            .ports
            .store()
            .write(move |tx| {
                tx.insert_grant(&grant)?;
                sealed.iter().try_for_each(|row| tx.insert_sealed(row))?;
                tx.insert_receipt(&receipt)?;
                tx.append_audit(now, &connected)?;
                tx.append_audit(now, &ended)?;
                tx.update_attempt(&stored)
            })
            .await?;
        tracing::info!(attempt = %next.id, reference = %next.reference(), "connected");
        self.show(next);
        self.inner.grants_changed();
        Ok(())
    }
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

/// What the person keeps: what was allowed, to whom, until when. No secret, no full number.
fn receipt(grant: &Grant) -> String {
    json!({
        "what": "connected",
        "at": grant.created_at.millis(),
        "bank": grant.provider_name,
        "issuer": grant.issuer,
        "agent": grant.agent.to_string(),
        "permissions": grant.permissions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "not_allowed": grant.missing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "not_asked": grant.extra,
        "accounts": grant.accounts.iter().map(|a| json!({"name": a.name, "number": a.masked})).collect::<Vec<_>>(),
        "holder": grant.holder,
        "until": grant.ends_at.millis(),
    })
    .to_string()
}
