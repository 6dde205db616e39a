//! A task in, a lease out: verified, decided, written down, and only then given.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use contract::agent::{LEASE_TYPE, LeaseText, TokenAnswer, WAIT_SECONDS};
use contract::ui::Event;
use domain::agent::{Agent, AgentKey};
use domain::audit::{AuditEvent, QuestionEnd};
use domain::grant::Grant;
use domain::id::{GrantId, LeaseId, OperationId, QuestionId, hex};
use domain::lease::{Scope, Terms};
use domain::lock::Lock;
use domain::policy::{Decision, Denial, Ground, decide};
use domain::reference::{RandomPart, Reference, Stage};
use domain::task::{Payment, Task, Wish};
use domain::time::Timestamp;
use oauth::proof::{Proof, Proven};
use oauth::task::verify;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use url::Url;

use crate::leases::{Lease, Moment};
use crate::port::{
    ApprovalPrompt as _, AsksFor, Clock as _, Dice as _, Events as _, Note, Notify as _, Ports, Store as _,
    StoreError, Tx,
};
use crate::questions::{Asked, Met, OUTLIVES, WAITS};
use crate::refused::Refused;
use crate::report::Refusal;
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
enum Outcome {
    /// Written down, to be given.
    Allow { agent: Agent, terms: Terms, lease: LeaseId, ends_at: Timestamp },
    /// The person has to be asked.
    Ask { agent: Agent, terms: Terms },
    /// Not this.
    Refuse { agent: Option<Agent>, why: Refused },
}

/// What a task brings to the store.
#[derive(Clone)]
struct Presented {
    task: Task,
    key: AgentKey,
    lease: LeaseId,
    reference: Reference,
    now: Timestamp,
    /// The question that was answered with yes, and what was allowed.
    allowed: Option<(QuestionId, Terms)>,
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
        format!("http://{}.countersign.localhost", self.install())
    }

    async fn ask_and_wait(
        &self,
        presented: Presented,
        agent: Agent,
        terms: Terms,
        program: Option<String>,
    ) -> Result<TokenAnswer, RefusedTask> {
        let now = self.0.ports.clock().monotonic();
        let met = self.0.broker.questions().meet(agent.id, &presented.task.content, now)?;
        let id = match met {
            Met::Same(id) => id,
            Met::New => self.ask_person(&presented, &agent, terms, program).await?,
        };
        let (asker, mut said) = Asker::new(self, id).ok_or(Refused::NobodyAnswered)?;
        self.0.ports.approval_prompt().prompt();
        let patience = self.0.ports.clock().sleep(Duration::from_secs(WAIT_SECONDS));
        let end = tokio::select! {
            heard = said.wait_for(Option::is_some) => heard.ok().and_then(|end| *end),
            () = patience => None,
        };
        drop(asker);
        match end {
            None => {
                let reference = Some(presented.reference.to_string());
                Err(RefusedTask { why: Refused::Pending, reference })
            }
            Some(QuestionEnd::AllowedFor | QuestionEnd::AllowedOnce) => {
                self.give_allowed(presented, id).await
            }
            Some(QuestionEnd::Denied | QuestionEnd::NotMine) => {
                self.0.broker.questions().heard(id);
                Err(self.0.has_refused(&presented, Some(&agent), Refused::PersonSaidNo).await)
            }
            Some(QuestionEnd::RanOut | QuestionEnd::Withdrawn) => {
                self.0.broker.questions().heard(id);
                Err(self.0.has_refused(&presented, Some(&agent), Refused::NobodyAnswered).await)
            }
        }
    }

    /// Puts a new question before the person, once it is written down.
    async fn ask_person(
        &self,
        presented: &Presented,
        agent: &Agent,
        terms: Terms,
        program: Option<String>,
    ) -> Result<QuestionId, Refused> {
        let at = self.0.ports.clock().now();
        let id = QuestionId::make_from(at, self.0.random()?);
        let payment = match &terms {
            Terms::Pay { payment, .. } => Some(payment),
            Terms::Look(_) => None,
        };
        let event = AuditEvent::QuestionAsked {
            grant: presented.task.grant,
            agent: agent.id,
            question: id,
            operations: terms.operations().cloned().collect(),
            money: payment.map(|payment| payment.amount.clone()),
            payee: payment.map(|payment| payment.creditor.clone()),
            purpose: presented.task.purpose.clone(),
        };
        self.0.ports.store().write(move |tx| tx.append_audit(at, &event)).await?;
        let asked = Asked {
            id,
            content: presented.task.content,
            agent: agent.id,
            grant: presented.task.grant,
            terms,
            uses: presented.task.uses,
            lifetime: presented.task.lifetime,
            purpose: presented.task.purpose.clone(),
            purpose_class: presented.task.purpose_class,
            program,
            at,
            runs_out_at: at.plus_millis(i64::try_from(WAITS.as_millis()).unwrap_or(i64::MAX)),
        };
        self.0.broker.questions().open(asked, self.0.ports.clock().monotonic());
        self.0.ports.events().send(Event::ApprovalChanged);
        self.notify_question(agent, presented).await;
        let app = self.clone();
        tokio::spawn(async move {
            app.0.ports.clock().sleep(WAITS).await;
            app.end_questions_that_are_over().await;
        });
        Ok(id)
    }

    async fn notify_question(&self, agent: &Agent, presented: &Presented) {
        let id = presented.task.grant;
        let Ok(grant) = self.known_grant(id).await else { return };
        let what = match presented.task.wish {
            Wish::Look(_) => AsksFor::Reading,
            Wish::Pay(_) => AsksFor::Payment,
        };
        let note = Note::Asks { agent: agent.name.as_str().to_owned(), bank: grant.provider_name, what };
        let app = self.clone();
        tokio::spawn(async move { app.0.ports.notify().notify(note).await });
    }

    /// The person said yes: decided once more, since meanwhile anything may have been taken back.
    async fn give_allowed(&self, presented: Presented, id: QuestionId) -> Result<TokenAnswer, RefusedTask> {
        let Some(terms) = self.0.broker.questions().take_yes(id) else {
            return Err(Refused::PersonSaidNo.into());
        };
        self.0.may_give()?;
        let now = self.0.ports.clock().now();
        let presented = Presented { allowed: Some((id, terms)), now, ..presented };
        match self.0.decide_and_record(&presented).await? {
            Outcome::Allow { agent, terms, lease, ends_at } => {
                self.0.give(&presented, &agent, terms, lease, ends_at)
            }
            Outcome::Refuse { agent, why } => Err(self.0.has_refused(&presented, agent.as_ref(), why).await),
            // What was allowed is not what is asked for any more: that takes another question.
            Outcome::Ask { .. } => Err(Refused::PersonSaidNo.into()),
        }
    }

    /// Ends the questions that nobody waits for or answers any more.
    pub(crate) async fn end_questions_that_are_over(&self) {
        let over = self.0.broker.questions().over(self.0.ports.clock().monotonic());
        for (id, end) in over {
            if let Err(refusal) = self.close_question(id, end).await {
                tracing::error!(%refusal, "the end of a question could not be recorded");
            }
        }
    }

    /// Ends a question: written down, and only then heard.
    pub(crate) async fn close_question(&self, id: QuestionId, end: QuestionEnd) -> Result<Asked, Refusal> {
        let asked = self.0.broker.questions().close_begins(id).ok_or(Refusal::AskedUnknown)?;
        let (now, agent) = (self.0.ports.clock().now(), asked.agent);
        let event = AuditEvent::QuestionAnswered { grant: asked.grant, agent, question: id, answer: end };
        let yes = matches!(end, QuestionEnd::AllowedFor | QuestionEnd::AllowedOnce);
        let stored = self.0.ports.store().write(move |tx| {
            if end == QuestionEnd::NotMine {
                crate::hold_agent::pause(tx, agent, domain::agent::PauseWhy::NotMine, now)?;
            }
            tx.append_audit(now, &event)
        });
        match stored.await {
            Ok(()) => self.0.broker.questions().close_ends(id, end),
            // A yes that nobody can look up later is none; a no holds whether it is written down or not.
            Err(error) if yes || end == QuestionEnd::NotMine => {
                self.0.broker.questions().close_fails(id);
                return Err(error.into());
            }
            Err(error) => {
                tracing::error!(%error, "the end of a question could not be recorded");
                self.0.broker.questions().close_ends(id, end);
            }
        }
        self.0.ports.events().send(Event::ApprovalChanged);
        Ok(asked)
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

    pub(crate) fn moment(&self) -> Moment {
        Moment { wall: self.ports.clock().now(), steady: self.ports.clock().monotonic() }
    }

    pub(crate) fn new_reference(&self, stage: Stage) -> Result<Reference, Refused> {
        let mut random = [0; 8];
        self.ports.dice().fill(&mut random)?;
        Ok(Reference { stage, cause: 0, random: RandomPart::make_from(random) })
    }

    /// Decides and writes it down, in one transaction with everything that the decision rests on.
    async fn decide_and_record(self: &Arc<Self>, presented: &Presented) -> Result<Outcome, Refused> {
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
    fn give(
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
            resource: resource(&self.install, task.grant),
            authorization_details: details,
        })
    }

    /// What follows a refusal: it is written down, with its reference, and looked at.
    async fn has_refused(
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

/// A request that is kept open; dropped, it leaves its question.
struct Asker<P: Ports> {
    app: App<P>,
    id: QuestionId,
}

impl<P: Ports> Asker<P> {
    fn new(app: &App<P>, id: QuestionId) -> Option<(Self, watch::Receiver<Option<QuestionEnd>>)> {
        let said = app.0.broker.questions().wait(id)?;
        Some((Self { app: app.clone(), id }, said))
    }
}

impl<P: Ports> Drop for Asker<P> {
    fn drop(&mut self) {
        self.app.0.broker.questions().leave(self.id, self.app.0.ports.clock().monotonic());
        let app = self.app.clone();
        tokio::spawn(async move {
            app.0.ports.clock().sleep(OUTLIVES).await;
            app.end_questions_that_are_over().await;
        });
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

/// Where calls under a grant go.
fn resource(install: &domain::id::InstallId, grant: GrantId) -> String {
    format!("http://{install}.countersign.localhost/call/{grant}")
}

fn operations<'o>(ids: impl Iterator<Item = &'o OperationId>) -> String {
    ids.map(OperationId::as_str).collect::<Vec<_>>().join(" ")
}

/// What was given, in the words of the request (RFC 9396 §7).
fn details(terms: &Terms) -> Vec<Value> {
    match terms {
        Terms::Look(scopes) => scopes.iter().map(look_detail).collect(),
        Terms::Pay { payment, .. } => vec![payment_detail(payment)],
    }
}

fn look_detail(scope: &Scope) -> Value {
    let mut detail = Map::new();
    detail.insert("type".to_owned(), "account_information".into());
    detail.insert("actions".to_owned(), scope.actions.iter().map(OperationId::as_str).collect());
    detail.insert("identifier".to_owned(), scope.accounts.iter().map(String::as_str).collect());
    for (name, day) in [("dateFrom", &scope.from), ("dateTo", &scope.to)] {
        if let Some(day) = day {
            detail.insert(name.to_owned(), day.as_str().into());
        }
    }
    detail.into()
}

fn payment_detail(payment: &Payment) -> Value {
    let mut detail = Map::new();
    let sum = json!({"currency": payment.amount.currency.as_str(), "amount": payment.amount.amount.as_str()});
    detail.insert("type".to_owned(), "payment_initiation".into());
    detail.insert("actions".to_owned(), json!([payment.action.as_str()]));
    detail.insert("instructedAmount".to_owned(), sum);
    detail.insert("creditorAccount".to_owned(), json!({"id": payment.creditor}));
    for (name, words) in
        [("creditorName", &payment.creditor_name), ("remittanceInformationUnstructured", &payment.reference)]
    {
        if let Some(words) = words {
            detail.insert(name.to_owned(), words.as_str().into());
        }
    }
    if let Some(debtor) = &payment.debtor {
        detail.insert("debtorAccount".to_owned(), json!({"id": debtor}));
    }
    detail.into()
}
