//! The outbox: what the banks have not confirmed is tried until they do, across restarts and outages.

use std::time::Duration;

use domain::grant::{Grant, Revocation, TokenRevocation, WaitsFor};
use domain::id::GrantId;
use domain::provider::{Provider, RevocationHabit};
use domain::time::Timestamp;
use oauth::revoke::{self, Revoked, TokenKind};
use tokio::task::JoinSet;
use vault::envelope::{Opened, open};
use vault::label::Kind;

use crate::ask_bank::{FARTHEST, LONGEST, back_off};
use crate::key::KeyError;
use crate::port::{Clock as _, Http as _, Ports, SealedRow, Store as _, StoreError, Tx};
use crate::start::App;

/// How often a keychain that was locked is looked at again; looking never prompts.
const KEYCHAIN_PAUSE: i64 = 10_000;

/// What came of one try.
enum Outcome {
    Done,
    NotYet { waits_for: WaitsFor, retry_after: Option<u32> },
}

impl<P: Ports> App<P> {
    /// Runs for as long as the host does.
    pub(crate) async fn tell_banks(self) {
        let mut first = true;
        loop {
            let pause = match self.tell_due(std::mem::take(&mut first)).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, "the outbox could not be read");
                    Duration::from_secs(10)
                }
            };
            self.0.forget_deleted().await;
            tokio::select! {
                () = self.0.outbox.notified() => {}
                () = self.0.ports.clock().sleep(pause) => {}
            }
        }
    }

    /// Tries what is due, each bank for itself, and says how long nothing else is.
    async fn tell_due(&self, all: bool) -> Result<Duration, StoreError> {
        let ids = self.0.ports.store().read(|tx| tx.outbox()).await?;
        let mut tries = JoinSet::new();
        for id in ids {
            let app = self.clone();
            tries.spawn(async move { (id, app.tell_if_due(id, all).await) });
        }
        let mut next: Option<Timestamp> = None;
        let now = self.0.ports.clock().now();
        while let Some(done) = tries.join_next().await {
            let this = match done {
                Ok((_, Ok(this))) => this,
                // One record that cannot be read or written keeps no other from being told.
                Ok((grant, Err(error))) => {
                    tracing::error!(%grant, %error, "a revocation could not be tried");
                    Some(now.plus_millis(10_000))
                }
                Err(_) => Some(now.plus_millis(10_000)),
            };
            next = next.into_iter().chain(this).min();
        }
        let now = self.0.ports.clock().now();
        let pause = next.map_or(LONGEST, |next| (next.millis() - now.millis()).clamp(50, LONGEST));
        Ok(Duration::from_millis(pause.unsigned_abs()))
    }

    /// One entry of the outbox; the time of its next try, if there is one.
    async fn tell_if_due(&self, id: GrantId, all: bool) -> Result<Option<Timestamp>, StoreError> {
        let Some(grant) = self.0.ports.store().read(move |tx| tx.grant(id)).await? else { return Ok(None) };
        let Some(Revocation { cut_off_at, token }) = grant.revocation.clone() else { return Ok(None) };
        let TokenRevocation::Pending { tries, next_try, waits_for, .. } = token else { return Ok(None) };
        let now = self.0.ports.clock().now();
        // A click on "Unlock" or "Try again" wakes us before the time: what waits for the keychain is worth a look then.
        // A time further off than any pause was set by a clock that was wrong.
        let due =
            all || next_try <= now || waits_for == WaitsFor::Keychain || next_try > now.plus_millis(FARTHEST);
        if due { self.tell(&grant, cut_off_at, tries).await } else { Ok(Some(next_try)) }
    }

    /// One try; the time of the next one, if there is one.
    async fn tell(
        &self,
        grant: &Grant,
        cut_off_at: Timestamp,
        tries: u32,
    ) -> Result<Option<Timestamp>, StoreError> {
        let id = grant.id;
        // What is there before the bank is asked. Tokens can arrive late, while it answers: its yes is not about them.
        let asked_about = self.0.ports.store().read(move |tx| token_rows(tx, id)).await?;
        let outcome = self.try_bank(grant).await?;
        let now = self.0.ports.clock().now();
        match outcome {
            Outcome::Done => {
                if self.0.confirm_revocation(id, cut_off_at, asked_about).await? {
                    tracing::info!(grant = %id, "the bank confirmed the revocation");
                    return Ok(None);
                }
                Ok(Some(now))
            }
            Outcome::NotYet { waits_for, retry_after } => {
                let asked_bank =
                    matches!(waits_for, WaitsFor::FirstTry | WaitsFor::BankToAnswer | WaitsFor::BankToAccept);
                let tries = if asked_bank { tries.saturating_add(1) } else { tries };
                // Without chance every install would come back to a bank that was down in the same second.
                let [chance] = self.0.random().unwrap_or([0]);
                let next_try = now.plus_millis(pause(waits_for, tries, retry_after, chance));
                let last_try = Some(now).filter(|_| asked_bank).or_else(|| last_try(grant));
                let token = TokenRevocation::Pending { tries, last_try, next_try, waits_for };
                self.store_pending(id, grant, Revocation { cut_off_at, token }).await?;
                Ok(Some(next_try))
            }
        }
    }

    async fn store_pending(
        &self,
        id: GrantId,
        grant: &Grant,
        revocation: Revocation,
    ) -> Result<(), StoreError> {
        let changed = waits_for(grant.revocation.as_ref()) != waits_for(Some(&revocation))
            || tries(grant) != tries_of(&revocation);
        match self.0.ports.store().write(move |tx| tx.set_revocation(id, &revocation)).await {
            // The person gave up in this moment: nothing more is tried.
            Err(StoreError::Missing) => Ok(()),
            Err(err) => Err(err),
            Ok(()) => {
                if changed {
                    self.0.grants_changed();
                }
                Ok(())
            }
        }
    }

    /// Sends the sealed token to the pinned revocation endpoint, and nowhere else.
    async fn try_bank(&self, grant: &Grant) -> Result<Outcome, StoreError> {
        let not_yet = |waits_for| Ok(Outcome::NotYet { waits_for, retry_after: None });
        let provider = self.0.catalogue.provider(&grant.provider);
        let provider = provider.filter(|provider| provider.server.issuer.as_str() == grant.issuer);
        let Some(provider) = provider else { return not_yet(WaitsFor::KnownAddress) };
        let Some(endpoint) = &provider.server.revocation_endpoint else {
            return not_yet(WaitsFor::KnownAddress);
        };
        let key = match self.0.existing_key().await {
            Ok(key) => key,
            Err(KeyError::Store(err)) => return Err(err),
            Err(KeyError::Missing | KeyError::Replaced) => return not_yet(WaitsFor::LostKey),
            Err(
                KeyError::Keychain(_)
                | KeyError::Dice(_)
                | KeyError::Locked
                | KeyError::Restored
                | KeyError::Unstretched,
            ) => return not_yet(WaitsFor::Keychain),
        };
        let tokens = match self.tokens(grant, provider).await {
            Err(StoreError::Damaged) => return not_yet(WaitsFor::DamagedRecord),
            tokens => tokens?,
        };
        if tokens.is_empty() {
            // Nothing left to send: the person gave up in this moment, or the records are lost. That is no confirmation.
            return not_yet(WaitsFor::DamagedRecord);
        }
        for (kind, sealed) in tokens {
            let label = self.0.label(grant.id, &grant.issuer, sealed.kind, sealed.generation);
            // The key has shown that it is the right one: what does not open under it was changed, or belongs elsewhere.
            let Ok(opened) = open(&sealed.blob, &label, &key.0, key.1) else {
                return not_yet(WaitsFor::DamagedRecord);
            };
            let request = text(&opened)
                .and_then(|token| revoke::request(endpoint.url(), &provider.client_id, kind, token));
            drop(opened);
            let Some(request) = request else { return not_yet(WaitsFor::DamagedRecord) };
            match self.0.ports.http().send(request).await.map(|reply| revoke::judge(&reply)) {
                Ok(Revoked::Done) => {}
                Ok(Revoked::Later { retry_after }) => {
                    return Ok(Outcome::NotYet { waits_for: WaitsFor::BankToAccept, retry_after });
                }
                Ok(Revoked::Refused(code)) => {
                    tracing::warn!(grant = %grant.id, %code, "the bank refused a revocation");
                    return not_yet(WaitsFor::BankToAccept);
                }
                Err(error) => {
                    tracing::warn!(grant = %grant.id, %error, "the bank could not be told of a revocation");
                    return not_yet(WaitsFor::BankToAnswer);
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// The tokens to revoke: refresh tokens first, newest first; then every access token that may still live, where its
    /// end does not follow.
    async fn tokens(
        &self,
        grant: &Grant,
        provider: &Provider,
    ) -> Result<Vec<(TokenKind, SealedRow)>, StoreError> {
        let id = grant.id;
        let (refresh, access) = self
            .0
            .ports
            .store()
            .read(move |tx| Ok((tx.sealed_of(id, Kind::RefreshToken)?, tx.sealed_of(id, Kind::AccessToken)?)))
            .await?;
        let cascades = provider.behaviour.revocation == RevocationHabit::Cascades && !refresh.is_empty();
        // An access token that has run out needs no revoking, and a bank may refuse to revoke any (RFC 7009 §2.2.1).
        let now = self.0.ports.clock().now();
        let alone = refresh.is_empty();
        let over = |row: &SealedRow| !alone && row.ends_at.is_some_and(|end| end <= now);
        let access = access.into_iter().filter(|row| !cascades && !over(row));
        let refresh = refresh.into_iter().map(|row| (TokenKind::Refresh, row));
        Ok(refresh.chain(access.map(|row| (TokenKind::Access, row))).collect())
    }
}

/// Kind and generation of every token that is kept of a grant.
pub(crate) fn token_rows(tx: &mut dyn Tx, id: GrantId) -> Result<Vec<(Kind, u32)>, StoreError> {
    let mut rows = tx.sealed_of(id, Kind::RefreshToken)?;
    rows.extend(tx.sealed_of(id, Kind::AccessToken)?);
    Ok(rows.into_iter().map(|row| (row.kind, row.generation)).collect())
}

fn text(opened: &Opened) -> Option<&str> {
    std::str::from_utf8(opened.expose_bytes()).ok()
}

/// How long until the next try: a bank is left alone more and more, a keychain that may open is looked at soon.
fn pause(waits_for: WaitsFor, tries: u32, retry_after: Option<u32>, chance: u8) -> i64 {
    match waits_for {
        WaitsFor::Keychain => KEYCHAIN_PAUSE,
        WaitsFor::DamagedRecord | WaitsFor::LostKey | WaitsFor::KnownAddress => LONGEST,
        WaitsFor::FirstTry | WaitsFor::BankToAnswer | WaitsFor::BankToAccept => {
            back_off(tries, retry_after, chance)
        }
    }
}

fn waits_for(revocation: Option<&Revocation>) -> Option<WaitsFor> {
    match revocation.map(|r| &r.token) {
        Some(TokenRevocation::Pending { waits_for, .. }) => Some(*waits_for),
        Some(
            TokenRevocation::Confirmed { .. }
            | TokenRevocation::GivenUp { .. }
            | TokenRevocation::NotOffered
            | TokenRevocation::Replaced { .. },
        )
        | None => None,
    }
}

fn tries_of(revocation: &Revocation) -> u32 {
    match &revocation.token {
        TokenRevocation::Pending { tries, .. } => *tries,
        TokenRevocation::Confirmed { .. }
        | TokenRevocation::GivenUp { .. }
        | TokenRevocation::NotOffered
        | TokenRevocation::Replaced { .. } => 0,
    }
}

fn tries(grant: &Grant) -> u32 {
    grant.revocation.as_ref().map_or(0, tries_of)
}

fn last_try(grant: &Grant) -> Option<Timestamp> {
    match grant.revocation.as_ref().map(|r| &r.token) {
        Some(TokenRevocation::Pending { last_try, .. }) => *last_try,
        Some(
            TokenRevocation::Confirmed { .. }
            | TokenRevocation::GivenUp { .. }
            | TokenRevocation::NotOffered
            | TokenRevocation::Replaced { .. },
        )
        | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_heed_the_bank() {
        let to_answer = |tries| pause(WaitsFor::BankToAnswer, tries, None, 0);
        assert_eq!([1, 2, 3, 20].map(to_answer), [2000, 4000, 8000, LONGEST]);
        assert_eq!(pause(WaitsFor::BankToAccept, 1, Some(7), 0), 7000);
        for chance in [0, u8::MAX] {
            assert_eq!(pause(WaitsFor::BankToAccept, 1, Some(u32::MAX), chance), FARTHEST, "a day at most");
            assert_eq!(pause(WaitsFor::Keychain, 9, None, chance), KEYCHAIN_PAUSE);
        }
        let by_chance = [0, 64, 128, u8::MAX].map(|chance| pause(WaitsFor::BankToAccept, 3, Some(9), chance));
        assert_eq!(by_chance, [9000, 9500, 10_000, 10_992], "later, never sooner");
    }
}
