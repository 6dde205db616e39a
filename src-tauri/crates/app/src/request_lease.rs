//! A task in, a lease out: verified, decided, written down, and only then given.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::agent::{LEASE_TYPE, LeaseText, TokenAnswer};
use domain::agent::{Agent, AgentKey};
use domain::audit::AuditEvent;
use domain::grant::Grant;
use domain::id::{LeaseId, QuestionId, hex};
use domain::lease::Terms;
use domain::lock::Lock;
use domain::policy::{Decision, Denial, Ground, decide};
use domain::reference::{RandomPart, Reference, Stage};
use domain::task::Task;
use domain::time::Timestamp;
use oauth::proof::{Proof, Proven};
use oauth::task::verify;
use url::Url;

use crate::lease_words::{details, operations, resource};
use crate::leases::{Lease, Moment};
use crate::port::{Clock as _, Dice as _, Ports, Store as _, StoreError, Tx};
use crate::refused::Refused;
use crate::start::{App, Inner};

/// Why a request of an agent was refused, and what a person can read to support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedTask {
    /// Why.
    pub why: Refused,
    /// Where there is a record of it.
    pub reference: Option<String>,
}

impl From<Refused> for RefusedTask {
    fn from(why: Refused) -> Self {
        Self { why, reference: None }
    }
}

/// What the store said to a task.
pub(crate) enum Outcome {
    /// Written down, to be given.
    Allow { agent: Agent, terms: Terms, lease: LeaseId, ends_at: Timestamp },
    /// The person has to be asked.
    Ask { agent: Agent, terms: Terms },
    /// Not this.
    Refuse { agent: Option<Agent>, why: Refused },
}

/// What a task brings to the store.
#[derive(Clone)]
pub(crate) struct Presented {
    pub(crate) task: Task,
    pub(crate) key: AgentKey,
    pub(crate) lease: LeaseId,
    pub(crate) reference: Reference,
    pub(crate) now: Timestamp,
    /// The question that was answered with yes, and what was allowed.
    pub(crate) allowed: Option<(QuestionId, Terms)>,
}

impl<P: Ports> App<P> {
    /// The first look at a request of an agent: agents are served, it does not ask too often, its proof is fresh.
    ///
    /// # Errors
    /// What speaks against it.
    pub fn greet_agent(
        &self,
        proof: &str,
        method: &str,
        path: &str,
        lease: Option<&str>,
    ) -> Result<Proof, Refused> {
        let address = Url::parse(&format!("{}{path}", self.issuer())).map_err(|_| Refused::Malformed)?;
        let now = self.0.ports.clock().now();
        let proof = Proof::check(proof, &Proven { method, address: &address, lease, now })?;
        self.0.broker.paces.count(&proof.key, self.0.ports.clock().monotonic())?;
        self.0.broker.paces.once(&proof, now)?;
        Ok(proof)
    }

    /// Whether a key is an enrolled agent's.
    pub async fn is_enrolled(&self, key: AgentKey) -> bool {
        let known = self.0.ports.store().read(move |tx| tx.agent_by_key(&key)).await;
        known.is_ok_and(|agent| agent.is_some_and(|agent| agent.removed_at.is_none()))
    }

    /// Gives a lease for a task, where that was agreed, or once the person says yes. Keeps the caller waiting for
    /// twenty seconds at most; dropped, it withdraws the question.
    ///
    /// # Errors
    /// Why not. Nothing was given.
    pub async fn request_lease(
        &self,
        proof: &Proof,
        assertion: &str,
        program: Option<String>,
    ) -> Result<TokenAnswer, RefusedTask> {
        self.0.may_give()?;
        let now = self.0.ports.clock().now();
        let task = match verify(assertion, &proof.key, &self.issuer(), now) {
            Ok(task) => task,
            Err(error) => return Err(self.0.refuse_unverified(&proof.key, error.into()).await),
        };
        let presented = Presented {
            lease: LeaseId::make_from(now, self.0.random().map_err(Refused::from)?),
            reference: self.0.new_reference(Stage::Task)?,
            key: proof.key,
            allowed: None,
            now,
            task,
        };
        match self.0.decide_and_record(&presented).await? {
            Outcome::Allow { agent, terms, lease, ends_at } => {
                self.0.give(&presented, &agent, terms, lease, ends_at)
            }
            Outcome::Refuse { agent, why } => Err(self.0.has_refused(&presented, agent.as_ref(), why).await),
            Outcome::Ask { agent, terms } => self.ask_and_wait(presented, agent, terms, program).await,
        }
    }

    /// Gives a lease back.
    ///
    /// # Errors
    /// The store.
    pub async fn return_lease(&self, proof: &Proof, handle: &str) -> Result<(), Refused> {
        let Some(lease) = self.0.broker.leases.give_back(handle, &proof.key) else { return Ok(()) };
        let event = AuditEvent::LeaseReturned { grant: lease.grant, agent: lease.agent, lease: lease.id };
        let now = self.0.ports.clock().now();
        Ok(self.0.ports.store().write(move |tx| tx.append_audit(now, &event)).await?)
    }

    /// The broker's issuer: the audience of every task, and the authority of every address on the socket.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.0.issuer()
    }
}

impl<P: Ports> Inner<P> {
    /// Whether anything may be given now.
    pub(crate) fn may_give(&self) -> Result<(), Refused> {
        if self.switch.is_stopped() {
            return Err(Refused::AgentsStopped);
        }
        match self.lock_state() {
            Lock::Locked { .. } => Err(Refused::Locked),
            Lock::Open => Ok(()),
        }
    }

    fn issuer(&self) -> String {
        format!("http://{}.countersign.localhost", self.install)
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { wall: self.ports.clock().now(), steady: self.ports.clock().monotonic() }
    }

    pub(crate) fn new_reference(&self, stage: Stage) -> Result<Reference, Refused> {
        let mut random = [0; 8];
        self.ports.dice().fill(&mut random)?;
        Ok(Reference { stage, cause: 0, random: RandomPart::make_from(random) })
    }

    /// Decides and writes it down, in one transaction with everything that the decision rests on.
    pub(crate) async fn decide_and_record(
        self: &Arc<Self>,
        presented: &Presented,
    ) -> Result<Outcome, Refused> {
        let (inner, presented) = (Arc::clone(self), presented.clone());
        Ok(self.ports.store().write(move |tx| inner.decided(tx, &presented)).await?)
    }

    fn decided(&self, tx: &mut dyn Tx, presented: &Presented) -> Result<Outcome, StoreError> {
        let Presented { task, key, now, .. } = presented;
        let Some(agent) = tx.agent_by_key(key)? else {
            return Ok(Outcome::Refuse { agent: None, why: Refused::AgentUnknown });
        };
        if agent.removed_at.is_some() {
            return Ok(Outcome::Refuse { agent: Some(agent), why: Refused::Denied(Denial::AgentRemoved) });
        }
        // A question's own task was presented when it was asked.
        if presented.allowed.is_none() {
            match tx.insert_task(&task.id, task.ends_at) {
                Ok(()) => {}
                Err(StoreError::Exists) => {
                    return Ok(Outcome::Refuse { agent: Some(agent), why: Refused::TaskUsed });
                }
                Err(error) => return Err(error),
            }
        }
        let Some(grant) = tx.grant(task.grant)?.filter(|grant| grant.agent == agent.id) else {
            return Ok(Outcome::Refuse { agent: Some(agent), why: Refused::GrantUnknown });
        };
        let provider = self.catalogue.provider(&grant.provider);
        let Some(provider) = provider.filter(|provider| provider.server.issuer.as_str() == grant.issuer)
        else {
            return Ok(Outcome::Refuse { agent: Some(agent), why: Refused::Denied(Denial::NeedsReconnect) });
        };
        let choices = tx.choices_of(agent.id, grant.id)?;
        let ground =
            Ground { agent: &agent, grant: &grant, profile: &provider.profile, choices: &choices, now: *now };
        match (decide(task, &ground), &presented.allowed) {
            (Decision::Deny(denial), _) => Ok(Outcome::Refuse { agent: Some(agent), why: denial.into() }),
            (Decision::Ask(terms), Some((_, allowed))) if terms == *allowed => {
                record_lease(tx, presented, agent, &grant, terms)
            }
            (Decision::Allow(terms), _) => record_lease(tx, presented, agent, &grant, terms),
            (Decision::Ask(terms), _) => Ok(Outcome::Ask { agent, terms }),
        }
    }

    /// Hands out what was written down, unless everything was stopped meanwhile.
    pub(crate) fn give(
        &self,
        presented: &Presented,
        agent: &Agent,
        terms: Terms,
        id: LeaseId,
        ends_at: Timestamp,
    ) -> Result<TokenAnswer, RefusedTask> {
        let mut random = [0; 32];
        self.ports.dice().fill(&mut random).map_err(Refused::from)?;
        let handle = LeaseText::new(URL_SAFE_NO_PAD.encode(random));
        let now = self.moment();
        let left = u64::try_from(ends_at.millis().saturating_sub(now.wall.millis())).unwrap_or(0);
        let (task, operations) = (&presented.task, operations(terms.operations()));
        let lease = Lease {
            id,
            agent: agent.id,
            key: presented.key,
            grant: task.grant,
            terms,
            ends_at,
            ends: now.steady + Duration::from_millis(left),
        };
        let details = details(&lease.terms);
        self.broker.leases.keep(handle.as_str(), lease, task.uses, now)?;
        // Whoever stops everything ends the leases after it has set its mark: one of us sees the other.
        if let Err(refused) = self.may_give() {
            self.broker.leases.give_back(handle.as_str(), &presented.key);
            return Err(refused.into());
        }
        Ok(TokenAnswer {
            lease: handle,
            lease_type: LEASE_TYPE.to_owned(),
            expires_in: u32::try_from((left + 500) / 1000).unwrap_or(u32::MAX),
            scope: operations,
            resource: resource(&self.issuer(), task.grant),
            authorization_details: details,
        })
    }

    /// What follows a refusal: it is written down, with its reference, and looked at.
    pub(crate) async fn has_refused(
        self: &Arc<Self>,
        presented: &Presented,
        agent: Option<&Agent>,
        why: Refused,
    ) -> RefusedTask {
        let Some(agent) = agent else { return why.into() };
        let reference = Reference { cause: why.cause(), ..presented.reference };
        let foreign = why == Refused::GrantUnknown || why == Refused::TaskUsed;
        let event = AuditEvent::TaskRefused {
            grant: Some(presented.task.grant).filter(|_| !foreign),
            agent: agent.id,
            why: why.word(),
            reference: reference.to_string(),
        };
        self.record_refusal(agent.id, event, why.rule()).await;
        RefusedTask { why, reference: Some(reference.to_string()) }
    }

    /// A task that does not verify is recorded for the agent whose key presents it, if there is one.
    async fn refuse_unverified(self: &Arc<Self>, key: &AgentKey, why: Refused) -> RefusedTask {
        let key = *key;
        let known = self.ports.store().read(move |tx| tx.agent_by_key(&key)).await;
        let (Ok(Some(agent)), Ok(reference)) = (known, self.new_reference(Stage::Task)) else {
            return why.into();
        };
        let reference = Reference { cause: why.cause(), ..reference }.to_string();
        let event = AuditEvent::TaskRefused {
            grant: None,
            agent: agent.id,
            why: why.word(),
            reference: reference.clone(),
        };
        self.record_refusal(agent.id, event, why.rule()).await;
        RefusedTask { why, reference: Some(reference) }
    }
}

fn record_lease(
    tx: &mut dyn Tx,
    presented: &Presented,
    agent: Agent,
    grant: &Grant,
    terms: Terms,
) -> Result<Outcome, StoreError> {
    let (task, now) = (&presented.task, presented.now);
    let ends_at = now.plus_millis(i64::from(task.lifetime) * 1000).min(grant.allowed_until());
    let accounts = match &terms {
        Terms::Look(scopes) => scopes.iter().map(|scope| scope.accounts.len()).max().unwrap_or(0),
        Terms::Pay { debtor, .. } => usize::from(debtor.is_some()),
    };
    let event = AuditEvent::LeaseGiven {
        grant: grant.id,
        agent: agent.id,
        lease: presented.lease,
        task: hex(&task.content),
        operations: terms.operations().cloned().collect(),
        accounts: u32::try_from(accounts).unwrap_or(u32::MAX),
        uses: task.uses,
        ends_at,
        question: presented.allowed.as_ref().map(|(id, _)| *id),
        purpose: task.purpose.clone(),
        purpose_class: task.purpose_class,
    };
    tx.append_audit(now, &event)?;
    Ok(Outcome::Allow { agent, terms, lease: presented.lease, ends_at })
}
