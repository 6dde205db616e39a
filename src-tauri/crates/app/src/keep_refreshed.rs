//! What came of a refresh is stored: fresh tokens before they are used, a try that has to wait, an end with its reason.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use domain::audit::AuditEvent;
use domain::grant::{Grant, Reconnect, ReconnectWhy, TokenRevocation};
use domain::id::GrantId;
use domain::provider::{Provider, RevocationHabit};
use domain::refresh::{Refresh, Trouble};
use domain::text::quoted;
use domain::time::Timestamp;
use oauth::id_token::{self};
use oauth::refresh::Refreshed;
use oauth::refusal::ProviderRule;
use vault::label::Kind;

use crate::ask_bank::{LONGEST, back_off};
use crate::port::{Clock as _, DiceError, Note, Notify as _, Ports, SealedRow, Store as _, StoreError, Tx};
use crate::refresh_token::Deadline;
use crate::report::Refusal;
use crate::send_refresh::{Ready, scopes_of};
use crate::start::Inner;

impl<P: Ports> Inner<P> {
    /// Not this time. The grant is as it was; when it is tried again is stored, and shown.
    pub(crate) async fn wait_and_see(
        &self,
        ready: &Ready,
        trouble: Trouble,
        retry_after: Option<u32>,
        unanswered: bool,
    ) -> Result<(), StoreError> {
        let (id, generation, mut state) = (ready.grant.id, ready.grant.generation, ready.state.clone());
        let now = self.ports.clock().now();
        let [chance] = self.random().unwrap_or([0]);
        state.in_flight = None;
        state.unanswered = state.unanswered.saturating_add(u8::from(unanswered));
        state.failures = state.failures.saturating_add(1);
        state.trouble = Some(trouble);
        state.tried_at = Some(now);
        state.next_try = Some(now.plus_millis(back_off(state.failures, retry_after, chance)));
        let event = AuditEvent::RefreshUnanswered { grant: id, generation };
        let stored = self.ports.store().write(move |tx| {
            if unanswered {
                tx.append_audit(now, &event)?;
            }
            tx.set_refresh(id, &state)
        });
        stored.await?;
        self.grants_changed();
        self.upkeep.notify_one();
        Ok(())
    }

    /// What keeps a refresh from being sent at all is shown, and looked at again with the next reason to.
    pub(crate) async fn note_trouble(
        &self,
        id: GrantId,
        state: Refresh,
        trouble: Trouble,
    ) -> Result<(), StoreError> {
        let now = self.ports.clock().now();
        let known = state.trouble.as_ref() == Some(&trouble);
        let next_try = Some(now.plus_millis(LONGEST));
        let state = Refresh { trouble: Some(trouble), tried_at: Some(now), next_try, ..state };
        self.ports.store().write(move |tx| tx.set_refresh(id, &state)).await?;
        if !known {
            self.grants_changed();
        }
        Ok(())
    }

    /// Stores what the bank gave, then checks whom it is about, and only then lets it be used.
    pub(crate) async fn take_over(
        self: &Arc<Self>,
        ready: Ready,
        mut refreshed: Refreshed,
    ) -> Result<(), Refusal> {
        let check = refreshed.identity.take();
        let lifetime = refreshed.lifetime.and_then(|life| i64::try_from(life.as_millis()).ok());
        let now = self.ports.clock().now();
        let good_until = lifetime.map(|life| now.plus_millis(life));
        // Until the check is made, the access token counts as run out.
        let ends_at = if check.is_some() { Some(now) } else { good_until };
        let (id, generation) = (ready.grant.id, ready.grant.generation.saturating_add(1));
        if !self.store_fresh(&ready, &refreshed, ends_at, good_until).await? {
            return Err(Refusal::Revoked);
        }
        if let Some((token, expect)) = check {
            let jwks =
                ready.provider.server.jwks_uri.as_ref().and_then(|jwks| id_token::jwks_request(jwks.url()));
            let keys = match jwks {
                Some(request) => self.ask_bank(request).await.ok().filter(|reply| reply.status == 200),
                None => None,
            };
            // Without the bank's keys the token is not used; the next refresh brings another.
            let Some(keys) = keys else {
                self.note_trouble(id, Refresh::default(), Trouble::BankUnreachable).await?;
                return Err(Refusal::BankUnavailable);
            };
            // Made just now by the clock of the bank, which ours need not agree with.
            let now = keys.date.unwrap_or_else(|| self.ports.clock().now());
            if let Err(rule) = expect.accept(&token, &keys, now) {
                tracing::warn!(grant = %id, %rule, "the id_token of a refresh does not fit");
                return self.refuse_identity(id, generation, rule).await;
            }
            let stored = self.ports.store().write(move |tx| tx.set_access_end(id, generation, good_until));
            stored.await?;
        }
        if let Some(life) = refreshed.lifetime {
            let ends = self.ports.clock().monotonic() + life;
            self.deadlines().insert(id, Deadline { generation, ends });
        }
        tracing::info!(grant = %id, generation, "refreshed");
        self.grants_changed();
        Ok(())
    }

    /// An id_token about somebody else freezes the grant (Core §12.2). One that breaks another rule is the bank's fault,
    /// and says nothing about the grant: what came with it is not used.
    async fn refuse_identity(&self, id: GrantId, generation: u32, rule: ProviderRule) -> Result<(), Refusal> {
        let another = [
            ProviderRule::AudienceMismatch,
            ProviderRule::AuthorizedPartyMismatch,
            ProviderRule::IssuerMismatch,
            ProviderRule::NonceMismatch,
            ProviderRule::SubjectMismatch,
        ];
        if another.contains(&rule) {
            self.need_reconnect(id, generation, ReconnectWhy::AnotherPerson).await?;
            return Err(Refusal::NeedsReconnect);
        }
        let trouble = Trouble::BankMisbehaved { rule: rule.to_string() };
        self.note_trouble(id, Refresh::default(), trouble).await?;
        Err(Refusal::BankUnavailable)
    }

    /// Seals and stores fresh tokens; false if the grant was revoked meanwhile: they then go to the outbox.
    ///
    /// A full disk is given some time: what is not stored here is lost with the process.
    async fn store_fresh(
        self: &Arc<Self>,
        ready: &Ready,
        refreshed: &Refreshed,
        ends_at: Option<Timestamp>,
        good_until: Option<Timestamp>,
    ) -> Result<bool, Refusal> {
        let (grant, from) = (&ready.grant, ready.grant.generation);
        let generation = from.saturating_add(1);
        let seal = |kind: Kind, secret: &str, ends_at| {
            let label = self.label(grant.id, &grant.issuer, kind, generation);
            self.seal(&label, secret.as_bytes(), ends_at, &ready.key)
        };
        let refresh = refreshed.refresh.as_ref().unwrap_or(&ready.token);
        let rows = seal(Kind::RefreshToken, refresh.expose_secret(), None).zip(seal(
            Kind::AccessToken,
            refreshed.access.expose_secret(),
            good_until,
        ));
        let Some((refresh_row, access_row)) = rows else { return Err(Refusal::Dice(DiceError)) };
        let rows = [refresh_row, access_row];
        let mut next = with_scopes(grant, &ready.provider, &refreshed.scopes);
        next.generation = generation;
        let cascades = ready.provider.behaviour.revocation == RevocationHabit::Cascades;
        for pause in [200, 1000, 3000, 6000, 0] {
            let (next, sealed) = (next.clone(), rows.clone());
            let now = self.ports.clock().now();
            let fresh = Fresh {
                grant: Grant { confirmed_at: now, ..next },
                rows: sealed,
                access_token_ends_at: ends_at,
                cascades,
            };
            let stored = self.ports.store().write(move |tx| fresh.commit(tx, from, now));
            match stored.await {
                Ok(()) => return Ok(true),
                Err(StoreError::Missing) => return self.keep_late(grant.id, from, rows).await,
                Err(StoreError::Io) if pause > 0 => {
                    self.ports.clock().sleep(Duration::from_millis(pause)).await;
                }
                Err(err) => return Err(err.into()),
            }
        }
        Err(StoreError::Io.into())
    }

    /// Tokens that came after the end: the bank is told of them too. False, since nothing may use them.
    async fn keep_late(&self, id: GrantId, from: u32, rows: [SealedRow; 2]) -> Result<bool, Refusal> {
        let now = self.ports.clock().now();
        let stored = self.ports.store().write(move |tx| {
            let Some(grant) = tx.grant(id)? else { return Ok(()) };
            if grant.revocation.is_none() {
                // Another process has moved it on; only its tokens count.
                return if grant.generation == from { Err(StoreError::Missing) } else { Ok(()) };
            }
            if grant.revocation.is_some_and(|end| matches!(end.token, TokenRevocation::Replaced { .. })) {
                // The bank keeps one consent for all: revoking these would end the one that took its place.
                return tx.delete_refresh(id);
            }
            rows.iter().try_for_each(|row| tx.insert_sealed(row))?;
            tx.delete_refresh(id)?;
            tx.reopen_revocation(id, &crate::revoke_grant::first_try(now))?;
            if !tx.outbox()?.contains(&id) {
                tx.insert_outbox(id)?;
            }
            tx.append_audit(now, &AuditEvent::LateTokens { grant: id })
        });
        stored.await?;
        self.grants_changed();
        self.outbox.notify_one();
        Ok(false)
    }

    /// Records that a grant cannot go on without the person, if it is still of this generation, and tells them.
    pub(crate) async fn need_reconnect(
        &self,
        id: GrantId,
        generation: u32,
        why: ReconnectWhy,
    ) -> Result<(), StoreError> {
        let now = self.ports.clock().now();
        let stored = self.ports.store().write(move |tx| {
            let Some(mut grant) = tx.grant(id)? else { return Ok(None) };
            if grant.generation != generation || grant.revocation.is_some() || grant.reconnect.is_some() {
                return Ok(None);
            }
            grant.reconnect = Some(Reconnect { since: now, why });
            tx.update_grant(&grant)?;
            tx.delete_refresh(id)?;
            tx.append_audit(now, &AuditEvent::ReconnectNeeded { grant: id, why })?;
            let agent = tx.agents()?.into_iter().find(|agent| agent.id == grant.agent);
            Ok(Some((grant.provider_name, agent)))
        });
        let Some((bank, agent)) = stored.await? else { return Ok(()) };
        tracing::warn!(grant = %id, ?why, "reconnect needed");
        self.grants_changed();
        if let Some(agent) = agent {
            let note = Note::ReconnectNeeded { agent: agent.name.as_str().to_owned(), bank };
            self.ports.notify().notify(note).await;
        }
        Ok(())
    }

    pub(crate) fn refreshing(&self) -> MutexGuard<'_, BTreeMap<GrantId, Arc<tokio::sync::Mutex<()>>>> {
        self.refreshing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deadlines(&self) -> MutexGuard<'_, BTreeMap<GrantId, Deadline>> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a refresh brought, sealed.
struct Fresh {
    grant: Grant,
    rows: [SealedRow; 2],
    access_token_ends_at: Option<Timestamp>,
    /// Revoking the refresh token ends every access token too, so that no old one has to be kept for that.
    cascades: bool,
}

impl Fresh {
    /// The transaction that moves a grant on: from the generation that was sent, or not at all.
    fn commit(&self, tx: &mut dyn Tx, from: u32, now: Timestamp) -> Result<(), StoreError> {
        let (id, generation) = (self.grant.id, self.grant.generation);
        tx.advance_grant(id, from, self.access_token_ends_at)?;
        // What the person did while the bank was answering stands.
        let Grant { narrowing, paused, reminded, .. } = tx.grant(id)?.ok_or(StoreError::Missing)?;
        tx.update_grant(&Grant { narrowing, paused, reminded, ..self.grant.clone() })?;
        for old in tx.sealed_of(id, Kind::RefreshToken)? {
            tx.delete_sealed_row(id, Kind::RefreshToken, old.generation)?;
        }
        for old in tx.sealed_of(id, Kind::AccessToken)? {
            // One that may still live is kept for the day on which it has to be revoked by itself.
            let lives = old.ends_at.map_or(old.generation == from, |end| end > now);
            if self.cascades || !lives {
                tx.delete_sealed_row(id, Kind::AccessToken, old.generation)?;
            }
        }
        self.rows.iter().try_for_each(|row| tx.insert_sealed(row))?;
        tx.delete_refresh(id)?;
        tx.append_audit(now, &AuditEvent::TokensRefreshed { grant: id, generation })
    }
}

/// What the bank says it grants now: less is less from now on, and more is never used.
fn with_scopes(grant: &Grant, provider: &Provider, scopes: &[String]) -> Grant {
    let (granted, _) = provider.profile.permissions_of(scopes.iter().map(String::as_str));
    let lost = grant.permissions.without(&granted);
    let mut next = grant.clone();
    next.permissions = grant.permissions.both(&granted);
    next.missing.extend(lost.iter().filter(|id| !grant.missing.contains(id)).cloned());
    let known = scopes_of(grant, provider);
    let extra = scopes.iter().filter(|scope| !known.contains(scope));
    next.extra.extend(extra.map(|scope| quoted(scope, 60)));
    next.extra.dedup();
    next.scopes = Some(scopes.to_vec());
    next
}
