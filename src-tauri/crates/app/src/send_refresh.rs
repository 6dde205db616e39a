//! A refresh on its way: what it takes, the intent that is stored first, and what the bank's answer comes to.

use domain::grant::{Grant, ReconnectWhy};
use domain::provider::Provider;
use domain::refresh::{Refresh, Trouble};
use domain::secret::{Nonce, RefreshToken};
use oauth::id_token::KnownIdentity;
use oauth::message::Request;
use oauth::refresh::{ExpectRefreshed, Granted, RefreshError, RefreshRequest, Refreshed};
use vault::envelope::Opened;
use vault::label::Kind;

use crate::key::Key;
use crate::port::{Clock as _, HttpError, Ports, SealedRow, Store as _, StoreError};
use crate::report::Refusal;
use crate::start::Inner;

/// What one request came to.
pub(crate) enum Outcome {
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
pub(crate) struct Ready {
    pub(crate) grant: Grant,
    pub(crate) provider: Provider,
    pub(crate) key: Key,
    pub(crate) token: RefreshToken,
    pub(crate) identity: Option<KnownIdentity>,
    pub(crate) state: Refresh,
}

impl<P: Ports> Inner<P> {
    /// Everything a refresh needs; none where the grant cannot go on without the person, which is then recorded.
    pub(crate) async fn make_ready(&self, grant: Grant) -> Result<Option<Ready>, Refusal> {
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
    pub(crate) async fn state_intent(
        &self,
        ready: &Ready,
    ) -> Result<(Option<Request>, ExpectRefreshed), Refusal> {
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
    pub(crate) async fn send_refresh(
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
pub(crate) fn scopes_of(grant: &Grant, provider: &Provider) -> Vec<String> {
    grant.scopes.clone().unwrap_or_else(|| {
        let chosen = provider.profile.scopes_of(&grant.permissions);
        provider.always_scopes.iter().cloned().chain(chosen).collect()
    })
}

fn copy(known: &KnownIdentity) -> KnownIdentity {
    let nonce = known.nonce.as_ref().and_then(|nonce| Nonce::parse(nonce.expose_secret().to_owned()).ok());
    KnownIdentity { subject: known.subject.clone(), nonce }
}

fn text(opened: &Opened) -> Option<String> {
    std::str::from_utf8(opened.expose_bytes()).ok().map(str::to_owned)
}
