//! What an agent is told of its own grants, and of nobody else's.

use contract::agent::{Account, Asks, Grants, Operation, Provider, Risk, State};
use domain::agent::AgentKey;
use domain::grant::{Grant, Standing};
use domain::lock::Lock;
use domain::permission;
use domain::policy::risk;
use domain::profile::Profile;
use domain::time::Timestamp;

use crate::port::{Clock as _, Ports, Store as _};
use crate::refused::Refused;
use crate::start::App;

impl<P: Ports> App<P> {
    /// The grants of the agent with this key, newest first.
    ///
    /// # Errors
    /// No agent has this key, or the store failed.
    pub async fn grants_of_agent(&self, key: AgentKey) -> Result<Grants, Refused> {
        let read = self.0.ports.store().read(move |tx| {
            let agent = tx.agent_by_key(&key)?.filter(|agent| agent.removed_at.is_none());
            Ok((agent, tx.grants()?.sound))
        });
        let (agent, grants) = read.await?;
        let agent = agent.ok_or(Refused::AgentUnknown)?;
        let now = self.0.ports.clock().now();
        let held = self.held(agent.paused.is_some());
        let own = grants.iter().filter(|grant| grant.agent == agent.id && grant.revocation.is_none());
        let view = |grant: &Grant| {
            let provider = self.0.catalogue.provider(&grant.provider);
            let provider = provider.filter(|provider| provider.server.issuer.as_str() == grant.issuer)?;
            Some(view(grant, &provider.profile, held.unwrap_or(state(grant, now))))
        };
        Ok(Grants { grants: own.filter_map(view).collect() })
    }

    /// What holds back every grant of an agent.
    fn held(&self, paused: bool) -> Option<State> {
        if self.0.switch.is_stopped() {
            return Some(State::Stopped);
        }
        match self.0.lock_state() {
            Lock::Locked { .. } => Some(State::Locked),
            Lock::Open => Some(State::Paused).filter(|_| paused),
        }
    }
}

fn state(grant: &Grant, now: Timestamp) -> State {
    match grant.standing(now) {
        Standing::Active => State::Active,
        Standing::Paused => State::Paused,
        Standing::Reconnect => State::Reconnect,
        Standing::Ended | Standing::Revoked => State::Ended,
    }
}

fn view(grant: &Grant, profile: &Profile, state: State) -> contract::agent::Grant {
    let allowed = grant.allowed_permissions();
    let operations = profile.operations.iter().filter(|operation| allowed.contains(&operation.permission));
    contract::agent::Grant {
        id: grant.id.to_string(),
        provider: Provider { id: grant.provider.to_string(), name: grant.provider_name.clone() },
        state,
        until: grant.allowed_until().secs(),
        operations: operations.map(|operation| operation_view(profile, operation)).collect(),
        accounts: grant
            .allowed_accounts()
            .map(|account| Account {
                id: account.id.clone(),
                name: account.name.clone(),
                number: account.masked.clone(),
                currency: account.currency.clone(),
            })
            .collect(),
    }
}

fn operation_view(profile: &Profile, operation: &domain::profile::Operation) -> Operation {
    let (risk, asks) = match risk(profile, operation) {
        permission::Risk::Read => (Risk::Read, Asks::Never),
        permission::Risk::Personal => (Risk::Personal, Asks::Once),
        permission::Risk::Money => (Risk::Money, Asks::Always),
    };
    Operation {
        id: operation.id.to_string(),
        method: operation.method.clone(),
        path: operation.path.clone(),
        query: operation.query.clone(),
        body: operation.members().map(str::to_owned).collect(),
        risk,
        asks,
    }
}
