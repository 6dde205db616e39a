//! Add an agent by its public key.

use contract::ui::{AddAgent, AgentView, Event};
use domain::agent::{Agent, AgentKey, AgentName};
use domain::id::AgentId;

use crate::port::{Clock as _, Events as _, Ports, Store as _, StoreError};
use crate::report::{AgentFault, Refusal};
use crate::start::App;
use crate::view;

impl<P: Ports> App<P> {
    /// Adds an agent. Its key is what it is known by; its name is the person's.
    ///
    /// # Errors
    /// Not a key or a name, or one that is taken.
    pub async fn add_agent(&self, request: &AddAgent) -> Result<AgentView, Refusal> {
        let name = AgentName::parse(&request.name)?;
        let key = AgentKey::parse(&request.key)?;
        let known = self.0.ports.store().read(|tx| tx.agents()).await?;
        if known.iter().any(|agent| agent.key == key) {
            return Err(AgentFault::KeyKnown.into());
        }
        let id = AgentId::make_from(self.0.ports.clock().now(), self.0.random()?);
        let added_at = self.0.ports.clock().now();
        let agent = Agent { id, name, key, added_at, paused: None, removed_at: None };
        match self.0.add(agent.clone()).await {
            Ok(()) => {}
            Err(StoreError::Exists) => return Err(AgentFault::NameKnown.into()),
            Err(err @ (StoreError::Damaged | StoreError::Io | StoreError::Missing | StoreError::Stopped)) => {
                return Err(err.into());
            }
        }
        self.0.ports.events().send(Event::AgentsChanged);
        Ok(view::agent(&agent, 0, None, Vec::new()))
    }
}
