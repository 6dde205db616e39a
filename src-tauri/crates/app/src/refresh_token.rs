//! Refresh: one at a time for each grant; the intent is stored before the request goes out, and what the bank gave
//! before it is used.
//!
//! A request whose outcome nobody knows may have replaced the token at the bank. It is sent again, by and by; the first
//! answer then decides: fresh tokens, or *reconnect needed* with the reason. Nothing else changes a grant's state.

use std::sync::Arc;
use std::time::Duration;

use domain::grant::{Grant, ReconnectWhy, Standing};
use domain::id::GrantId;
use domain::lock::Lock;
use domain::secret::AccessToken;
use vault::envelope::{Opened, open};
use vault::label::Kind;

use crate::key::Key;
use crate::port::{Clock as _, Ports, SealedRow, Store as _, Tx};
use crate::report::{Refusal, Thing};
use crate::send_refresh::Outcome;
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
    pub(crate) generation: u32,
    pub(crate) ends: Duration,
}

/// Why a refresh is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Because {
    /// The access token has run out: one that lives after all will do.
    RanOut,
    /// The bank refused the access token, or is to be asked in any case.
    Wanted,
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

    pub(crate) fn open_row(&self, grant: &Grant, row: &SealedRow, key: &Key) -> Option<Opened> {
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
}
