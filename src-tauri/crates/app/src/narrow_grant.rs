//! Narrow: take something back from a grant, here and at once. The consent at the bank stays until it is renewed.

use std::collections::BTreeSet;

use contract::ui::{NarrowGrant, ReceiptKind};
use domain::audit::AuditEvent;
use domain::grant::{Grant, Narrowing, Reminder};
use domain::id::{GrantId, PermissionId};
use domain::permission::PermissionSet;
use domain::provider::Provider;
use domain::time::Timestamp;

use crate::change_grant::{Seen, Trace, must_live};
use crate::port::Ports;
use crate::receipt;
use crate::remind;
use crate::report::Refusal;
use crate::start::App;

/// What is to be left, in our own words.
struct Left {
    permissions: PermissionSet,
    accounts: BTreeSet<String>,
    until: Timestamp,
}

impl Left {
    fn parse(request: &NarrowGrant) -> Result<Self, Refusal> {
        let ids = request.permissions.iter().map(|id| PermissionId::parse(id)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            permissions: ids.map_err(|_| Refusal::Permissions)?.into_iter().collect(),
            accounts: request.accounts.iter().cloned().collect(),
            until: Timestamp::from_millis(request.until),
        })
    }
}

impl<P: Ports> App<P> {
    /// Takes something back. What is named is what is left; nothing is ever given that way.
    ///
    /// # Errors
    /// More is named than there is, nothing would be left (that is what revoking is for), a permission without what it
    /// needs, there is nothing to take from, or the store failed.
    pub async fn narrow_grant(&self, request: &NarrowGrant) -> Result<GrantId, Refusal> {
        let id = GrantId::parse(&request.grant).map_err(|_| Refusal::Malformed)?;
        let left = Left::parse(request)?;
        let provider = self.provider_of(id).await?;
        self.change_grant(id, move |grant, seen| {
            must_live(grant, seen.now)?;
            let Some(narrowing) = narrowed(grant, left, provider.as_ref(), seen.now)? else {
                return Ok(None);
            };
            grant.narrowing = Some(narrowing);
            grant.reminded = reminded(grant, seen.now);
            let event = AuditEvent::GrantNarrowed {
                grant: id,
                permissions: grant.allowed_permissions().iter().cloned().collect(),
                accounts: u32::try_from(grant.allowed_accounts().count()).unwrap_or(u32::MAX),
                ends_at: grant.allowed_until(),
            };
            Ok(Some(trace(grant, ReceiptKind::Narrowed, provider.as_ref(), event, seen)))
        })
        .await?;
        Ok(id)
    }

    /// Gives back what was taken: the consent as it is at the bank.
    ///
    /// # Errors
    /// There is nothing to give back to, the vault is locked, or the store failed.
    pub async fn widen_grant(&self, id: GrantId) -> Result<(), Refusal> {
        self.must_be_open()?;
        let provider = self.provider_of(id).await?;
        self.change_grant(id, move |grant, seen| {
            must_live(grant, seen.now)?;
            if grant.narrowing.take().is_none() {
                return Ok(None);
            }
            grant.reminded = reminded(grant, seen.now);
            let event = AuditEvent::GrantWidened { grant: id };
            Ok(Some(trace(grant, ReceiptKind::Widened, provider.as_ref(), event, seen)))
        })
        .await
    }

    async fn provider_of(&self, id: GrantId) -> Result<Option<Provider>, Refusal> {
        let grant = self.known_grant(id).await?;
        Ok(self.0.catalogue.provider(&grant.provider).cloned())
    }
}

fn trace(
    grant: &Grant,
    what: ReceiptKind,
    provider: Option<&Provider>,
    event: AuditEvent,
    seen: &Seen<'_>,
) -> Trace {
    let body = receipt::body(what, grant, seen.agents, provider, seen.now);
    Trace { event: Some(event), receipt: Some(body) }
}

/// The narrowing that leaves this; none where it takes nothing.
fn narrowed(
    grant: &Grant,
    left: Left,
    provider: Option<&Provider>,
    now: Timestamp,
) -> Result<Option<Narrowing>, Refusal> {
    let (allowed, until) = (grant.allowed_permissions(), grant.allowed_until());
    let had: BTreeSet<String> = grant.allowed_accounts().map(|account| account.id.clone()).collect();
    if left.permissions.is_empty() || (left.accounts.is_empty() && !had.is_empty()) {
        return Err(Refusal::Permissions);
    }
    if !left.permissions.without(&allowed).is_empty() || !left.accounts.is_subset(&had) {
        return Err(Refusal::Permissions);
    }
    if lacks(&allowed, &left.permissions, provider) {
        return Err(Refusal::Permissions);
    }
    if left.until <= now || left.until > until {
        return Err(Refusal::Date);
    }
    if left.permissions == allowed && left.accounts == had && left.until == until {
        return Ok(None);
    }
    // Where all are left, those that the person adds to the consent at the bank later are not shut out.
    let before = grant.narrowing.as_ref().and_then(|narrowing| narrowing.accounts.clone());
    let accounts = if left.accounts == had { before } else { Some(left.accounts) };
    Ok(Some(Narrowing { at: now, permissions: left.permissions, accounts, ends_at: left.until }))
}

/// True if something is left without what it needs, though the agent has that now.
fn lacks(allowed: &PermissionSet, left: &PermissionSet, provider: Option<&Provider>) -> bool {
    let Some(provider) = provider else { return false };
    let mut needed = left.iter().flat_map(|id| provider.profile.needs(id));
    needed.any(|id| allowed.contains(id) && !left.contains(id))
}

/// The person has just chosen this end: what is near already needs no reminder.
fn reminded(grant: &Grant, now: Timestamp) -> Option<Reminder> {
    if grant.reminded == Some(Reminder::NoMore) {
        return grant.reminded;
    }
    remind::passed(grant.allowed_until(), now)
}
