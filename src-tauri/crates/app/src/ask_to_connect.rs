//! An agent asks the person to connect a bank for it: a note in the window, and nothing that opens by itself.

use std::time::Duration;

use contract::agent::{ConnectWish, Connecting};
use contract::ui::ConnectAccount;
use domain::agent::AgentKey;
use domain::attempt::Ending;
use domain::id::{AskedId, PermissionId, ProviderId};
use domain::permission::Risk;
use domain::task::Purpose;

use crate::asked::{Begun, Said, Wanted};
use crate::port::{Clock as _, Ports, Store as _};
use crate::refused::Refused;
use crate::report::Refusal;
use crate::start::App;

/// How often the agent asks what became of it, in seconds.
const INTERVAL: u32 = 5;
/// Until when, where the agent does not say.
const USUAL_DAYS: u16 = 90;

impl<P: Ports> App<P> {
    /// Puts an agent's wish before the person.
    ///
    /// # Errors
    /// It is no agent, the wish does not fit the bank, or too much was asked.
    pub async fn ask_to_connect(&self, key: AgentKey, wish: &ConnectWish) -> Result<Connecting, Refused> {
        if self.0.switch.is_stopped() {
            return Err(Refused::AgentsStopped);
        }
        let agent = self.0.ports.store().read(move |tx| tx.agent_by_key(&key)).await?;
        let agent = agent.filter(|agent| agent.removed_at.is_none()).ok_or(Refused::AgentUnknown)?;
        if agent.paused.is_some() {
            return Err(Refused::Denied(domain::policy::Denial::AgentPaused));
        }
        let provider = ProviderId::parse(&wish.provider).ok();
        let provider = provider.and_then(|id| self.0.catalogue.provider(&id)).ok_or(Refused::Malformed)?;
        let profile = &provider.profile;
        let reads = |id: &PermissionId| profile.permission(id).is_some_and(|p| p.risk != Risk::Money);
        let permissions: Vec<PermissionId> = match &wish.permissions {
            None => {
                profile.permissions.iter().filter(|p| p.risk == Risk::Read).map(|p| p.id.clone()).collect()
            }
            Some(named) => named
                .iter()
                .map(|id| PermissionId::parse(id).ok().filter(|id| profile.permission(id).is_some()))
                .collect::<Option<_>>()
                .ok_or(Refused::Malformed)?,
        };
        // Money is never preselected: the person chooses it in the window, or not.
        let permissions = permissions.iter().filter(|id| reads(id)).map(ToString::to_string).collect();
        let days = wish.days.unwrap_or(USUAL_DAYS).min(provider.behaviour.consent_days);
        let request = ConnectAccount {
            provider: provider.id.to_string(),
            agent: agent.id.to_string(),
            permissions,
            until: self.0.ports.clock().now().plus_days(days.max(1)).millis(),
        };
        let purpose = wish.purpose.as_deref().map(|words| Purpose::parse(words).ok_or(Refused::Malformed));
        let asked = self.ask_for(Wanted::Connect(request), purpose.transpose()?).await?;
        Ok(Connecting::Waiting { asked: asked.to_string(), interval: INTERVAL })
    }

    /// What became of an agent's wish.
    ///
    /// # Errors
    /// The store.
    pub async fn asked_to_connect(&self, key: AgentKey, asked: &str) -> Result<Connecting, Refused> {
        let agent = self.0.ports.store().read(move |tx| tx.agent_by_key(&key)).await?;
        let agent = agent.ok_or(Refused::AgentUnknown)?;
        let Ok(id) = AskedId::parse(asked) else { return Ok(Connecting::Expired) };
        if !self.0.asked().is_of(id, &agent.id.to_string()) {
            return Ok(Connecting::Expired);
        }
        let waiting = Connecting::Waiting { asked: asked.to_owned(), interval: INTERVAL };
        match self.said(id, Duration::ZERO).await {
            Ok(None) => Ok(waiting),
            Ok(Some(Said::No)) => Ok(Connecting::Declined),
            Ok(Some(Said::Yes(Ok(Begun::Attempt(attempt))))) => {
                let attempt = self.0.ports.store().read(move |tx| tx.attempt(attempt)).await?;
                let Some(attempt) = attempt else { return Ok(waiting) };
                match (&attempt.ending, attempt.grant) {
                    (Some(Ending::Connected { .. }), Some(grant)) => {
                        Ok(Connecting::Connected { grant: grant.to_string() })
                    }
                    (None, _) => Ok(waiting),
                    (Some(_), _) => Ok(Connecting::Declined),
                }
            }
            Ok(Some(Said::Yes(
                Ok(Begun::Agent(_) | Begun::Agents | Begun::Approved | Begun::Grant(_)) | Err(_),
            ))) => Ok(Connecting::Declined),
            Err(Refusal::AskedUnknown) => Ok(Connecting::Expired),
            Err(refusal) => Err(refusal.into()),
        }
    }
}
