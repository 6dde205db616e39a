//! Tokens that were issued and will not be kept: revoked at once, or put into the outbox until the bank confirms.

use std::time::Duration;

use domain::attempt::Attempt;
use domain::audit::AuditEvent;
use domain::grant::{Grant, Revocation, TokenRevocation, WaitsFor};
use domain::id::GrantId;
use domain::permission::PermissionSet;
use domain::provider::{Consents, Provider, RevocationHabit};
use domain::secret::{AccessToken, RefreshToken};
use oauth::metadata::Endpoints;
use oauth::revoke::{self, Revoked, TokenKind};
use oauth::token::Leftover;
use vault::label::Kind;

use crate::key::Key;
use crate::port::{Clock as _, Http as _, Ports, SealedRow, Store as _};
use crate::start::Inner;

impl<P: Ports> Inner<P> {
    /// Revokes what will not be kept; true if the bank confirmed it now. What it does not confirm is sealed and shown
    /// as an ended connection that the bank has not been told of, and the outbox goes on trying.
    pub(crate) async fn discard(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        attempt: &Attempt,
        leftover: Leftover,
    ) -> bool {
        if provider.behaviour.consents == Consents::Shared && self.another_lives(provider).await {
            // Revoking it would end the consent that the other one lives by. It is forgotten here.
            tracing::warn!(attempt = %attempt.id, "an access that was not kept is left to run out at the bank");
            return false;
        }
        if self.revoke_now(provider, endpoints, &leftover).await {
            return true;
        }
        if endpoints.revocation.is_some() && self.keep_for_outbox(provider, attempt, &leftover).await {
            self.grants_changed();
            self.outbox.notify_one();
            return false;
        }
        // Without keychain or disk there is nowhere to keep it: what is left are a few tries while we run.
        for pause in [1, 3] {
            self.ports.clock().sleep(Duration::from_secs(pause)).await;
            if self.revoke_now(provider, endpoints, &leftover).await {
                return true;
            }
        }
        tracing::error!(attempt = %attempt.id, "the bank was not told to forget an access that was not kept");
        false
    }

    /// Whether another connection lives by this bank's one consent; one that cannot be read may.
    async fn another_lives(&self, provider: &Provider) -> bool {
        let Ok(grants) = self.ports.store().read(|tx| tx.grants()).await else { return true };
        let issuer = provider.server.issuer.as_str();
        !grants.damaged.is_empty()
            || grants.sound.iter().any(|grant| grant.issuer == issuer && grant.revocation.is_none())
    }

    async fn revoke_now(&self, provider: &Provider, endpoints: &Endpoints, leftover: &Leftover) -> bool {
        let Some(endpoint) = &endpoints.revocation else { return false };
        let refresh = leftover.refresh.as_ref().map(|token| (TokenKind::Refresh, token.expose_secret()));
        let access = leftover.access.as_ref().map(|token| (TokenKind::Access, token.expose_secret()));
        let cascades = provider.behaviour.revocation == RevocationHabit::Cascades && refresh.is_some();
        for (kind, token) in refresh.into_iter().chain(access.filter(|_| !cascades)) {
            let Some(request) = revoke::request(endpoint.url(), &provider.client_id, kind, token) else {
                return false;
            };
            match self.ports.http().send(request).await.map(|reply| revoke::judge(&reply)) {
                Ok(Revoked::Done) => {}
                Ok(Revoked::Later { .. } | Revoked::Refused(_)) | Err(_) => return false,
            }
        }
        true
    }

    /// A connection that is over before it began: no permission, no account, only what has to be revoked.
    async fn keep_for_outbox(&self, provider: &Provider, attempt: &Attempt, leftover: &Leftover) -> bool {
        let Ok(key) = self.existing_key().await else { return false };
        let now = self.ports.clock().now();
        let Ok(random) = self.random() else { return false };
        let id = GrantId::make_from(now, random);
        let sealed = self.seal_leftover(provider, id, 1, leftover, &key);
        drop(key);
        let Some(sealed) = sealed else { return false };
        let token = TokenRevocation::Pending {
            tries: 1,
            last_try: Some(now),
            next_try: now,
            waits_for: WaitsFor::BankToAnswer,
        };
        let revocation = Revocation { cut_off_at: now, token };
        let grant = Grant {
            id,
            provider: provider.id.clone(),
            provider_name: provider.name.clone(),
            issuer: provider.server.issuer.as_str().to_owned(),
            agent: attempt.agent,
            permissions: PermissionSet::default(),
            missing: Vec::new(),
            extra: Vec::new(),
            accounts: Vec::new(),
            holder: None,
            created_at: now,
            ends_at: attempt.until,
            scopes: None,
            access_token_ends_at: None,
            generation: 1,
            confirmed_at: now,
            narrowing: None,
            paused: None,
            reconnect: None,
            renews: None,
            reminded: None,
            revocation: None,
        };
        let not_kept = AuditEvent::GrantNotKept { grant: id, attempt: attempt.id };
        let kept = self.ports.store().write(move |tx| {
            tx.insert_grant(&grant)?;
            sealed.iter().try_for_each(|row| tx.insert_sealed(row))?;
            tx.set_revocation(id, &revocation)?;
            tx.insert_outbox(id)?;
            tx.append_audit(now, &not_kept)
        });
        kept.await.is_ok()
    }

    /// Seals tokens that are to be revoked and nothing else.
    pub(crate) fn seal_leftover(
        &self,
        provider: &Provider,
        grant: GrantId,
        generation: u32,
        leftover: &Leftover,
        key: &Key,
    ) -> Option<Vec<SealedRow>> {
        let refresh =
            leftover.refresh.as_ref().map(|token| (Kind::RefreshToken, RefreshToken::expose_secret(token)));
        let access =
            leftover.access.as_ref().map(|token| (Kind::AccessToken, AccessToken::expose_secret(token)));
        let seal = |(kind, token): (Kind, &str)| {
            let label = self.label(grant, provider.server.issuer.as_str(), kind, generation);
            self.seal(&label, token.as_bytes(), None, key)
        };
        refresh.into_iter().chain(access).map(seal).collect()
    }
}
