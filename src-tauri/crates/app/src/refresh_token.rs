//! Refresh: one at a time for each grant; the intent is stored before the request goes out, and what the bank gave
//! before it is used.
//!
//! A request whose outcome nobody knows may have replaced the token at the bank. It is sent again, by and by; the first
//! answer then decides: fresh tokens, or *reconnect needed* with the reason. Nothing else changes a grant's state.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use domain::audit::AuditEvent;
use domain::grant::{Grant, Reconnect, ReconnectWhy, Standing, TokenRevocation};
use domain::id::GrantId;
use domain::lock::Lock;
use domain::provider::{Provider, RevocationHabit};
use domain::refresh::{Refresh, Trouble};
use domain::secret::{AccessToken, Nonce, RefreshToken};
use domain::text::quoted;
use domain::time::Timestamp;
use oauth::id_token::{self, KnownIdentity};
use oauth::message::Request;
use oauth::refresh::{ExpectRefreshed, Granted, RefreshError, RefreshRequest, Refreshed};
use oauth::refusal::ProviderRule;
use vault::envelope::{Opened, open};
use vault::label::Kind;

use crate::ask_bank::{LONGEST, back_off};
use crate::key::Key;
use crate::port::{
    Clock as _, DiceError, HttpError, Note, Notify as _, Ports, SealedRow, Store as _, StoreError, Tx,
};
use crate::report::{Refusal, Thing};
use crate::start::Inner;

/// A token that ends sooner is replaced before it is used.
const LIFE_LEFT: i64 = 30_000;
/// A token whose end the bank does not say is replaced after this long.
const UNSAID_LIFE: i64 = 10 * 60_000;
/// How soon what may have been lost is sent again, once.
const AGAIN: Duration = Duration::from_millis(500);

/// When the newest access token of a grant ends, by the clock that nobody moves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    generation: u32,
    ends: Duration,
}

/// Why a refresh is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Because {
    /// The access token has run out: one that lives after all will do.
    RanOut,
    /// The bank refused the access token, or is to be asked in any case.
    Wanted,
}

/// What one request came to.
enum Outcome {
    /// The bank gave fresh tokens.
    Fresh(Refreshed),
    /// The bank says that it is over.
    Over,
    /// The bank said something else, or nothing was sent: the token is as it was.
    NotYet { trouble: Trouble, retry_after: Option<u32> },
    /// Nobody knows: the bank may have replaced the token.
    Unanswered { trouble: Trouble, retry_after: Option<u32> },
}

/// What a refresh takes from the store and the vault.
struct Ready {
    grant: Grant,
    provider: Provider,
    key: Key,
    token: RefreshToken,
    identity: Option<KnownIdentity>,
    state: Refresh,
}

impl<P: Ports> Inner<P> {
    /// An access token that still lives for a while: the stored one, or a fresh one.
    ///
    /// # Errors
    /// The grant is over or needs the person, the vault is locked, or the bank is not available.
    pub(crate) async fn access_token(self: &Arc<Self>, id: GrantId) -> Result<(Grant, AccessToken), Refusal> {
        let grant = self.living(id).await?;
        if self.still_good(&grant) {
            return self.open_access(id).await;
        }
        self.refresh_because(id, grant.generation, Because::RanOut).await?;
        self.open_access(id).await
    }

    /// A fresh access token in place of one that the bank has refused.
    ///
    /// # Errors
    /// As [`Self::access_token`].
    pub(crate) async fn fresh_token(
        self: &Arc<Self>,
        id: GrantId,
        refused: u32,
    ) -> Result<(Grant, AccessToken), Refusal> {
        self.refresh(id, refused).await?;
        self.open_access(id).await
    }

    /// Moves a grant on from a generation. Whoever comes while another is at it waits and takes over what that one got.
    /// The work itself is nobody's to drop: between the request and the store only a crash can come.
    ///
    /// # Errors
    /// As [`Self::access_token`].
    pub(crate) async fn refresh(self: &Arc<Self>, id: GrantId, from: u32) -> Result<(), Refusal> {
        self.refresh_because(id, from, Because::Wanted).await
    }

    async fn refresh_because(
        self: &Arc<Self>,
        id: GrantId,
        from: u32,
        because: Because,
    ) -> Result<(), Refusal> {
        let one = Arc::clone(self.refreshing().entry(id).or_default());
        let inner = Arc::clone(self);
        let busy = self.busy();
        let work = tokio::spawn(async move {
            let _one = one.lock_owned().await;
            let outcome = inner.refresh_alone(id, from, because).await;
            drop(busy);
            outcome
        });
        // A panic in there is a fault of ours; the intent is stored, so nothing is forgotten.
        work.await.unwrap_or(Err(Refusal::BankUnavailable))
    }

    /// The grant, if anything can still be asked of the bank by it.
    pub(crate) async fn living(&self, id: GrantId) -> Result<Grant, Refusal> {
        let read = self.ports.store().read(move |tx| tx.grant(id)).await?;
        let grant = read.ok_or(Refusal::Unknown(Thing::Grant))?;
        match grant.standing(self.ports.clock().now()) {
            Standing::Active | Standing::Paused => Ok(grant),
            Standing::Ended => Err(Refusal::GrantOver),
            Standing::Reconnect => Err(Refusal::NeedsReconnect),
            Standing::Revoked => Err(Refusal::Revoked),
        }
    }

    /// Whether the stored access token lives for a while yet. By the clock that nobody moves, where the token came in
    /// this run; else by the date, unless that was moved back behind the token's birth.
    fn still_good(&self, grant: &Grant) -> bool {
        let known = self.deadlines().get(&grant.id).copied();
        if let Some(deadline) = known.filter(|deadline| deadline.generation == grant.generation) {
            let left = deadline.ends.saturating_sub(self.ports.clock().monotonic());
            return left > Duration::from_millis(LIFE_LEFT.unsigned_abs());
        }
        let now = self.ports.clock().now();
        let ends = grant.access_token_ends_at.unwrap_or(grant.confirmed_at.plus_millis(UNSAID_LIFE));
        ends > now.plus_millis(LIFE_LEFT) && grant.confirmed_at <= now.plus_millis(LIFE_LEFT)
    }

    async fn open_access(&self, id: GrantId) -> Result<(Grant, AccessToken), Refusal> {
        // The key first: with its first use it may turn out that the store was put back, and what was read before is
        // not so.
        let key = self.usable_key().await?;
        let grant = self.living(id).await?;
        let read = move |tx: &mut dyn Tx| tx.sealed(id, Kind::AccessToken);
        let Some(row) = self.ports.store().read(read).await? else { return Err(Refusal::NeedsReconnect) };
        let opened = self.open_row(&grant, &row, &key).and_then(|opened| {
            AccessToken::parse(std::str::from_utf8(opened.expose_bytes()).ok()?.to_owned()).ok()
        });
        match opened {
            Some(token) => Ok((grant, token)),
            None => {
                self.need_reconnect(id, grant.generation, ReconnectWhy::DamagedRecord).await?;
                Err(Refusal::NeedsReconnect)
            }
        }
    }

    /// The key, if the vault is open.
    pub(crate) async fn usable_key(&self) -> Result<Key, Refusal> {
        match self.lock_state() {
            Lock::Locked { .. } => Err(Refusal::Locked),
            Lock::Open => Ok(self.existing_key().await?),
        }
    }

    fn open_row(&self, grant: &Grant, row: &SealedRow, key: &Key) -> Option<Opened> {
        let label = self.label(grant.id, &grant.issuer, row.kind, row.generation);
        open(&row.blob, &label, &key.0, key.1).ok()
    }

    /// One refresh, with the grant's lock held.
    async fn refresh_alone(
        self: &Arc<Self>,
        id: GrantId,
        from: u32,
        because: Because,
    ) -> Result<(), Refusal> {
        // What was lost is sent again once at once: some banks give the lost answer anew for a short while.
        for again in [true, false] {
            let grant = self.living(id).await?;
            // Whoever looked between the store and the check of the id_token saw a token that did not count yet.
            let counts_by_now = because == Because::RanOut && self.still_good(&grant);
            if grant.generation != from || counts_by_now {
                return Ok(());
            }
            let Some(ready) = self.make_ready(grant).await? else { return Err(Refusal::NeedsReconnect) };
            let expect = self.state_intent(&ready).await?;
            let outcome = self.send_refresh(&ready, expect).await;
            match outcome {
                Outcome::Fresh(refreshed) => return self.take_over(ready, refreshed).await,
                Outcome::Over => {
                    let lost = ready.state.unanswered > 0;
                    let why = if lost { ReconnectWhy::AnswerLost } else { ReconnectWhy::EndedAtBank };
                    self.need_reconnect(id, from, why).await?;
                    // Where another was faster, the end was that of a token which is no longer ours: its own is taken over.
                    return self.living(id).await.map(drop);
                }
                Outcome::NotYet { trouble, retry_after } => {
                    self.wait_and_see(&ready, trouble, retry_after, false).await?;
                    return Err(Refusal::BankUnavailable);
                }
                Outcome::Unanswered { trouble, retry_after } => {
                    let first = ready.state.unanswered == 0;
                    self.wait_and_see(&ready, trouble, retry_after, true).await?;
                    if !(again && first && retry_after.is_none()) {
                        return Err(Refusal::BankUnavailable);
                    }
                    self.ports.clock().sleep(AGAIN).await;
                }
            }
        }
        Err(Refusal::BankUnavailable)
    }

    /// Everything a refresh needs; none where the grant cannot go on without the person, which is then recorded.
    async fn make_ready(&self, grant: Grant) -> Result<Option<Ready>, Refusal> {
        let id = grant.id;
        let read = self.ports.store().read(move |tx| {
            let token = tx.sealed(id, Kind::RefreshToken)?;
            let identity = (tx.sealed(id, Kind::Subject)?, tx.sealed(id, Kind::Nonce)?);
            Ok((token, identity, tx.refresh(id)?.unwrap_or_default()))
        });
        let (token, (subject, nonce), mut state) = read.await?;
        // A mark that nobody took away: the process that made it is gone, and what came of its request is not known.
        if state.in_flight.take().is_some() {
            state.unanswered = state.unanswered.saturating_add(1);
        }
        let provider = self.catalogue.provider(&grant.provider).cloned();
        let Some(provider) = provider.filter(|p| p.server.issuer.as_str() == grant.issuer) else {
            self.note_trouble(id, state, Trouble::KnownAddress).await?;
            return Err(Refusal::BankUnavailable);
        };
        let key = match self.usable_key().await {
            Ok(key) => key,
            Err(refusal @ Refusal::Store(_)) => return Err(refusal),
            Err(refusal) => {
                let trouble = if refusal == Refusal::Locked { Trouble::Locked } else { Trouble::Keychain };
                self.note_trouble(id, state, trouble).await?;
                return Err(refusal);
            }
        };
        let Some(token) = token else {
            self.need_reconnect(id, grant.generation, ReconnectWhy::NoRefreshToken).await?;
            return Ok(None);
        };
        let open = |row: &SealedRow| self.open_row(&grant, row, &key).and_then(|opened| text(&opened));
        let token = open(&token).and_then(|token| RefreshToken::parse(token).ok());
        let subject = subject.as_ref().map(open);
        let (Some(token), None | Some(Some(_))) = (token, &subject) else {
            self.need_reconnect(id, grant.generation, ReconnectWhy::DamagedRecord).await?;
            return Ok(None);
        };
        let nonce = nonce.as_ref().and_then(open).and_then(|nonce| Nonce::parse(nonce).ok());
        let identity = subject.flatten().map(|subject| KnownIdentity { subject, nonce });
        Ok(Some(Ready { grant, provider, key, token, identity, state }))
    }

    /// Stores that a request is about to go out, and makes what will judge its answer.
    async fn state_intent(&self, ready: &Ready) -> Result<(Option<Request>, ExpectRefreshed), Refusal> {
        let granted = Granted {
            scopes: scopes_of(&ready.grant, &ready.provider),
            identity: ready.identity.as_ref().map(copy),
        };
        let (request, expect) = RefreshRequest::new(&ready.provider, granted);
        let request = request.build(&ready.token);
        let (id, from, now) = (ready.grant.id, ready.grant.generation, self.ports.clock().now());
        let state = Refresh { in_flight: Some(now), tried_at: Some(now), ..ready.state.clone() };
        let stored = self.ports.store().write(move |tx| {
            let grant = tx.grant(id)?.ok_or(StoreError::Missing)?;
            if grant.revocation.is_some() || grant.generation != from {
                return Err(StoreError::Missing);
            }
            // Found to be put back in this moment: the token may be one that was replaced.
            if grant.reconnect.is_some() {
                return Ok(false);
            }
            tx.set_refresh(id, &state).map(|()| true)
        });
        match stored.await {
            Ok(true) => Ok((request, expect)),
            Ok(false) => Err(Refusal::NeedsReconnect),
            // Revoked in this moment.
            Err(StoreError::Missing) => Err(Refusal::Revoked),
            Err(err) => Err(err.into()),
        }
    }

    /// Sends it, once, and says what came of it.
    async fn send_refresh(
        &self,
        ready: &Ready,
        (request, expect): (Option<Request>, ExpectRefreshed),
    ) -> Outcome {
        let Some(request) = request else {
            return Outcome::NotYet { trouble: Trouble::KnownAddress, retry_after: None };
        };
        let id = ready.grant.id;
        let reply = match self.ask_bank(request).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::warn!(grant = %id, %error, "a refresh got no answer");
                return unheard(error);
            }
        };
        let (status, retry_after) = (reply.status, reply.retry_after);
        match expect.accept(&reply) {
            Ok(refreshed) => Outcome::Fresh(refreshed),
            Err(RefreshError::Ended) => Outcome::Over,
            Err(RefreshError::Transient { retry_after }) if matches!(status, 429 | 503) || status < 500 => {
                Outcome::NotYet { trouble: Trouble::BankBusy, retry_after }
            }
            // What a gateway says need not be what the server behind it did.
            Err(RefreshError::Transient { retry_after }) => {
                Outcome::Unanswered { trouble: Trouble::BankBusy, retry_after }
            }
            Err(RefreshError::Refused(code)) => {
                tracing::warn!(grant = %id, %code, "the bank refused a refresh");
                Outcome::NotYet { trouble: Trouble::BankRefused { code: code.to_string() }, retry_after }
            }
            Err(RefreshError::Misbehaved(rule)) => {
                tracing::warn!(grant = %id, %rule, "the answer to a refresh broke a rule");
                let trouble = Trouble::BankMisbehaved { rule: rule.to_string() };
                if (200..300).contains(&status) {
                    Outcome::Unanswered { trouble, retry_after }
                } else {
                    Outcome::NotYet { trouble, retry_after }
                }
            }
        }
    }

    /// Not this time. The grant is as it was; when it is tried again is stored, and shown.
    async fn wait_and_see(
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
    async fn note_trouble(&self, id: GrantId, state: Refresh, trouble: Trouble) -> Result<(), StoreError> {
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
    async fn take_over(self: &Arc<Self>, ready: Ready, mut refreshed: Refreshed) -> Result<(), Refusal> {
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

    fn refreshing(&self) -> MutexGuard<'_, BTreeMap<GrantId, Arc<tokio::sync::Mutex<()>>>> {
        self.refreshing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deadlines(&self) -> MutexGuard<'_, BTreeMap<GrantId, Deadline>> {
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

/// No answer was heard: was anything sent?
fn unheard(error: HttpError) -> Outcome {
    let misbehaved = |rule: &str| Trouble::BankMisbehaved { rule: rule.to_owned() };
    match error {
        HttpError::NoConnection => Outcome::NotYet { trouble: Trouble::BankUnreachable, retry_after: None },
        HttpError::NotPublic => {
            Outcome::NotYet { trouble: misbehaved("address_not_public"), retry_after: None }
        }
        HttpError::Tls => {
            Outcome::NotYet { trouble: misbehaved("certificate_not_trusted"), retry_after: None }
        }
        HttpError::Closed | HttpError::TimedOut => {
            Outcome::Unanswered { trouble: Trouble::BankUnreachable, retry_after: None }
        }
        HttpError::NotWellFormed => {
            Outcome::Unanswered { trouble: misbehaved("reply_malformed"), retry_after: None }
        }
        HttpError::TooLarge => {
            Outcome::Unanswered { trouble: misbehaved("reply_too_large"), retry_after: None }
        }
    }
}

/// What the bank granted, in its words; of an early grant, what stands for its permissions.
fn scopes_of(grant: &Grant, provider: &Provider) -> Vec<String> {
    grant.scopes.clone().unwrap_or_else(|| {
        let chosen = provider.profile.scopes_of(&grant.permissions);
        provider.always_scopes.iter().cloned().chain(chosen).collect()
    })
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

fn copy(known: &KnownIdentity) -> KnownIdentity {
    let nonce = known.nonce.as_ref().and_then(|nonce| Nonce::parse(nonce.expose_secret().to_owned()).ok());
    KnownIdentity { subject: known.subject.clone(), nonce }
}

fn text(opened: &Opened) -> Option<String> {
    std::str::from_utf8(opened.expose_bytes()).ok().map(str::to_owned)
}
