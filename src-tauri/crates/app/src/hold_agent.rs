//! Pause, resume and remove an agent.

use contract::ui::{AgentView, Event};
use domain::agent::{Agent, AgentPaused, PauseWhy};
use domain::audit::AuditEvent;
use domain::id::{AgentId, ChoiceId};
use domain::time::Timestamp;

use crate::port::{Clock as _, Events as _, Ports, Store as _, StoreError, Tx};
use crate::report::{Refusal, Thing};
use crate::start::App;

impl<P: Ports> App<P> {
    /// Holds an agent back: it gets nothing more, and what it had is over. One that is held back stays as it is.
    ///
    /// # Errors
    /// There is no such agent, or the store failed.
    pub async fn pause_agent(&self, id: AgentId) -> Result<(), Refusal> {
        self.known_agent(id).await?;
        let now = self.0.ports.clock().now();
        self.0.ports.store().write(move |tx| pause(tx, id, PauseWhy::Person, now)).await?;
        self.0.broker.leases.end_of(id);
        self.agents_changed();
        Ok(())
    }

    /// Lets an agent go on.
    ///
    /// # Errors
    /// There is no such agent, the vault is locked, or the store failed.
    pub async fn resume_agent(&self, id: AgentId) -> Result<(), Refusal> {
        self.must_be_open()?;
        let agent = self.known_agent(id).await?;
        if agent.paused.is_some() {
            let now = self.0.ports.clock().now();
            let stored = self.0.ports.store().write(move |tx| {
                tx.set_agent_paused(id, None)?;
                tx.append_audit(now, &AuditEvent::AgentResumed { agent: id })
            });
            stored.await?;
            self.agents_changed();
        }
        Ok(())
    }

    /// Removes an agent for ever: its key is good for nothing any more, and each of its connections is revoked.
    ///
    /// # Errors
    /// There is no such agent, or something could not be written; what was revoked stays so.
    pub async fn remove_agent(&self, id: AgentId) -> Result<(), Refusal> {
        self.known_agent(id).await?;
        let now = self.0.ports.clock().now();
        let stored = self.0.ports.store().write(move |tx| {
            tx.remove_agent(id, now)?;
            tx.append_audit(now, &AuditEvent::AgentRemoved { agent: id })
        });
        stored.await?;
        self.0.broker.leases.end_of(id);
        self.agents_changed();
        let grants = self.0.ports.store().read(|tx| tx.grants()).await?.sound;
        for grant in grants.iter().filter(|grant| grant.agent == id && grant.revocation.is_none()) {
            match self.revoke_grant(grant.id).await {
                Ok(()) | Err(Refusal::Revoked) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }

    /// Takes back what was said once for a while.
    ///
    /// # Errors
    /// There is no such choice, or the store failed.
    pub async fn forget_choice(&self, agent: AgentId, id: ChoiceId) -> Result<(), Refusal> {
        let now = self.0.ports.clock().now();
        let stored = self.0.ports.store().write(move |tx| {
            let choice = tx.choices()?.into_iter().find(|choice| choice.id == id && choice.agent == agent);
            let Some(choice) = choice else { return Ok(false) };
            tx.delete_choice(id)?;
            tx.append_audit(now, &AuditEvent::ChoiceForgotten { agent, grant: choice.grant, choice: id })?;
            Ok(true)
        });
        if !stored.await? {
            return Err(Refusal::Unknown(Thing::Choice));
        }
        self.agents_changed();
        Ok(())
    }

    /// One agent, as the list shows it.
    ///
    /// # Errors
    /// It is not there, or the store failed.
    pub async fn show_agent(&self, id: AgentId) -> Result<AgentView, Refusal> {
        let id = id.to_string();
        let agents = self.list_agents().await?.agents;
        agents.into_iter().find(|agent| agent.id == id).ok_or(Refusal::Unknown(Thing::Agent))
    }

    /// The agent, if it is there and was not removed.
    pub(crate) async fn known_agent(&self, id: AgentId) -> Result<Agent, Refusal> {
        let agents = self.0.ports.store().read(|tx| tx.agents()).await?;
        let agent = agents.into_iter().find(|agent| agent.id == id).ok_or(Refusal::Unknown(Thing::Agent))?;
        if agent.removed_at.is_some() { Err(Refusal::AgentRemoved) } else { Ok(agent) }
    }

    pub(crate) fn agents_changed(&self) {
        self.0.ports.events().send(Event::AgentsChanged);
    }
}

/// Holds an agent back, in a transaction; one that is held back already stays as it is.
pub(crate) fn pause(tx: &mut dyn Tx, id: AgentId, why: PauseWhy, now: Timestamp) -> Result<(), StoreError> {
    let agent = tx.agents()?.into_iter().find(|agent| agent.id == id).ok_or(StoreError::Missing)?;
    if agent.paused.is_some() || agent.removed_at.is_some() {
        return Ok(());
    }
    tx.set_agent_paused(id, Some(&AgentPaused { at: now, why }))?;
    tx.append_audit(now, &AuditEvent::AgentPaused { agent: id, why })
}
