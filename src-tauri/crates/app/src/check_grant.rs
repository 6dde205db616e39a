//! Check: asks the bank whether a connection still works, and takes over what it says.

use std::sync::Arc;

use domain::grant::{Account, Grant, ReconnectWhy};
use domain::id::GrantId;
use domain::refresh::{Refresh, Trouble};
use domain::secret::AccessToken;
use oauth::challenge::{Complaint, complaint};

use crate::accounts::{accounts_request, masked_accounts};
use crate::port::{Clock as _, Ports, Store as _, StoreError};
use crate::report::Refusal;
use crate::start::{App, Inner};

/// What the bank said to a call.
enum Said {
    /// It works; the accounts, where they may be read and could be.
    Works(Option<Vec<Account>>),
    /// The token is none any more.
    Refused,
    /// The person has revoked it in this moment: the call was dropped where it stood.
    CutOff,
    /// Nothing that says anything about the grant.
    Nothing(Trouble),
}

impl<P: Ports> App<P> {
    /// Asks the bank whether a connection still works. What it is found to be is stored and shown; only that nobody
    /// can say is an error.
    ///
    /// # Errors
    /// There is no such grant, it is over, the vault is locked, or the bank is not available.
    pub async fn check_grant(&self, id: GrantId) -> Result<(), Refusal> {
        match self.0.check(id).await {
            // Found out just now, or known before: the list says so, with the reason.
            Err(Refusal::NeedsReconnect) => Ok(()),
            outcome => outcome,
        }
    }
}

impl<P: Ports> Inner<P> {
    /// One call with the token in hand, and where that is refused one more with a fresh one (OAuth 2.1 §5.3.2).
    pub(crate) async fn check(self: &Arc<Self>, id: GrantId) -> Result<(), Refusal> {
        let before = self.living(id).await?.generation;
        let (mut grant, mut access) = self.access_token(id).await?;
        let mut said = self.call(&grant, &access).await;
        if matches!(said, Said::Refused) && grant.generation == before {
            (grant, access) = self.fresh_token(id, grant.generation).await?;
            said = self.call(&grant, &access).await;
        } else if matches!(said, Said::Works(None)) && grant.generation == before {
            // Nothing to call: a refresh is the only question that the bank answers.
            return self.refresh(id, grant.generation).await;
        }
        match said {
            Said::Works(accounts) => self.confirm(&grant, accounts).await.map_err(Refusal::from),
            Said::Refused => {
                self.need_reconnect(id, grant.generation, ReconnectWhy::RefusedAtBank).await?;
                Err(Refusal::NeedsReconnect)
            }
            Said::CutOff => Err(Refusal::Revoked),
            Said::Nothing(trouble) => {
                self.note_call_trouble(&grant, trouble).await?;
                Err(Refusal::BankUnavailable)
            }
        }
    }

    async fn call(&self, grant: &Grant, access: &AccessToken) -> Said {
        let provider = self.catalogue.provider(&grant.provider);
        let Some(provider) = provider.filter(|p| p.server.issuer.as_str() == grant.issuer) else {
            return Said::Nothing(Trouble::KnownAddress);
        };
        let Some(request) = accounts_request(provider, access, &grant.permissions) else {
            return Said::Works(None);
        };
        let reply = match self.uses.unless_cut(grant.id, self.ask_bank(request)).await {
            None => return Said::CutOff,
            Some(Err(_)) => return Said::Nothing(Trouble::BankUnreachable),
            Some(Ok(reply)) => reply,
        };
        match (reply.status, complaint(&reply.challenges)) {
            (200, _) => match masked_accounts(&provider.profile, &reply) {
                Ok(accounts) => Said::Works(Some(accounts)),
                Err(rule) => Said::Nothing(Trouble::BankMisbehaved { rule: rule.to_string() }),
            },
            (401, Complaint::InvalidToken | Complaint::Other) => Said::Refused,
            (401 | 403, Complaint::InsufficientScope) | (403, _) => {
                Said::Nothing(Trouble::BankRefused { code: "insufficient_scope".to_owned() })
            }
            (429 | 503, _) => Said::Nothing(Trouble::BankBusy),
            (500.., _) => Said::Nothing(Trouble::BankUnreachable),
            (_, _) => Said::Nothing(Trouble::BankMisbehaved {
                rule: oauth::refusal::ProviderRule::StatusUnexpected.to_string(),
            }),
        }
    }

    /// The bank has shown that it works.
    async fn confirm(&self, grant: &Grant, accounts: Option<Vec<Account>>) -> Result<(), StoreError> {
        let (id, generation, now) = (grant.id, grant.generation, self.ports.clock().now());
        let stored = self.ports.store().write(move |tx| {
            let Some(mut grant) = tx.grant(id)?.filter(|grant| grant.generation == generation) else {
                return Ok(());
            };
            grant.confirmed_at = now;
            if let Some(accounts) = accounts {
                grant.accounts = accounts;
            }
            tx.delete_refresh(id)?;
            tx.update_grant(&grant)
        });
        match stored.await {
            // Revoked, or moved on, in this moment: what that brought is newer.
            Ok(()) | Err(StoreError::Missing) => {}
            Err(err) => return Err(err),
        }
        self.grants_changed();
        Ok(())
    }

    async fn note_call_trouble(&self, grant: &Grant, trouble: Trouble) -> Result<(), StoreError> {
        let (id, now) = (grant.id, self.ports.clock().now());
        let stored = self.ports.store().write(move |tx| {
            let known = tx.refresh(id)?.unwrap_or_default();
            let refresh = Refresh {
                failures: known.failures.saturating_add(1),
                trouble: Some(trouble),
                tried_at: Some(now),
                ..known
            };
            tx.set_refresh(id, &refresh)
        });
        stored.await?;
        self.grants_changed();
        Ok(())
    }
}
