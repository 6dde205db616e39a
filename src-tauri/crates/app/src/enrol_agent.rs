//! Enrolment: a program asks to be added; the person compares a short code, and gives the agent its name.

use std::time::Duration;

use contract::agent::Enrolment;
use contract::ui::{AgentsView, AnswerEnrolment, Event};
use domain::agent::{Agent, AgentKey, AgentName};
use domain::audit::AuditEvent;
use domain::id::{AgentId, EnrolmentId};
use domain::text::quoted;
use domain::time::Timestamp;

use crate::asked::too_many;
use crate::port::{Clock as _, Dice as _, Events as _, Note, Notify as _, Ports, Store as _, StoreError};
use crate::refused::Refused;
use crate::report::{AgentFault, Refusal, Thing};
use crate::start::App;

/// How long a request waits.
const WAITS: Duration = Duration::from_secs(5 * 60);
/// How many wait at once.
const MOST: usize = 4;
/// How many come in a minute, from whomever.
const PACE: usize = 6;
/// How often the program asks what became of it, in seconds.
const INTERVAL: u32 = 2;
/// Signs that are not taken for each other, read or spoken.
const SIGNS: &[u8; 27] = b"23456789ACDEFHJKLMNPQRTVWXY";
/// Signs of a code: 27⁸ are more than anyone can try in five minutes by asking the person.
const CODE: usize = 8;

/// The requests of this run.
#[derive(Default)]
pub(crate) struct Enrolments {
    list: Vec<Waiting>,
    asked_at: Vec<Duration>,
}

/// A program that asks to be added.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) id: EnrolmentId,
    pub(crate) key: AgentKey,
    /// What it calls itself, cleaned.
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) program: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) runs_out_at: Timestamp,
    ends: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Declined,
    Expired,
}

impl Enrolments {
    /// The open ones, in the order in which they came.
    pub(crate) fn open_ones(&self) -> impl Iterator<Item = &Waiting> {
        self.list.iter().filter(|waiting| waiting.state == State::Open)
    }

    /// What is over is a no; what became of it can be asked for as long again.
    fn expire(&mut self, now: Duration) {
        for waiting in self.list.iter_mut().filter(|w| w.state == State::Open && w.ends <= now) {
            waiting.state = State::Expired;
        }
        self.list.retain(|waiting| now < waiting.ends + WAITS);
    }
}

impl<P: Ports> App<P> {
    /// A program asks to be added, or what became of that.
    ///
    /// # Errors
    /// It asks too often, or the store failed.
    pub async fn enrol_agent(
        &self,
        key: AgentKey,
        name: &str,
        program: Option<String>,
    ) -> Result<Enrolment, Refused> {
        if self.0.switch.is_stopped() {
            return Err(Refused::AgentsStopped);
        }
        let known = self.0.ports.store().read(move |tx| tx.agent_by_key(&key)).await?;
        match known {
            Some(Agent { removed_at: Some(_), .. }) => return Ok(Enrolment::Declined),
            Some(agent) => {
                let name = agent.name.as_str().to_owned();
                return Ok(Enrolment::Enrolled { agent: key.thumbprint(), name });
            }
            None => {}
        }
        let steady = self.0.ports.clock().monotonic();
        let found = {
            let mut enrolments = self.0.broker.enrolments();
            enrolments.expire(steady);
            enrolments.list.iter().find(|waiting| waiting.key == key).cloned()
        };
        match found {
            Some(waiting) => Ok(answer(&waiting, steady)),
            None => self.open_enrolment(key, name, program).await,
        }
    }

    async fn open_enrolment(
        &self,
        key: AgentKey,
        name: &str,
        program: Option<String>,
    ) -> Result<Enrolment, Refused> {
        let name = quoted(name, 60);
        if name.is_empty() {
            return Err(Refused::Malformed);
        }
        let (at, steady) = (self.0.ports.clock().now(), self.0.ports.clock().monotonic());
        let waiting = Waiting {
            id: EnrolmentId::make_from(at, self.0.random()?),
            key,
            name,
            code: self.make_code()?,
            program,
            at,
            runs_out_at: at.plus_millis(i64::try_from(WAITS.as_millis()).unwrap_or(i64::MAX)),
            ends: steady + WAITS,
            state: State::Open,
        };
        {
            let mut enrolments = self.0.broker.enrolments();
            if enrolments.open_ones().count() >= MOST || too_many(&mut enrolments.asked_at, steady, PACE) {
                return Err(Refused::TooMany);
            }
            enrolments.list.push(waiting.clone());
        }
        let event = AuditEvent::AgentAsked { enrolment: waiting.id, thumbprint: key.thumbprint() };
        if let Err(error) = self.0.ports.store().write(move |tx| tx.append_audit(at, &event)).await {
            self.0.broker.enrolments().list.retain(|other| other.id != waiting.id);
            return Err(error.into());
        }
        self.agents_changed();
        let app = self.clone();
        tokio::spawn(async move {
            app.0.ports.notify().notify(Note::WantsToBeAdded).await;
            app.0.ports.clock().sleep(WAITS).await;
            app.0.broker.enrolments().expire(app.0.ports.clock().monotonic());
            app.agents_changed();
        });
        Ok(answer(&waiting, steady))
    }

    /// A code of signs that are told apart, each as likely as the other.
    fn make_code(&self) -> Result<String, Refused> {
        let mut code = String::new();
        while code.len() < CODE + 1 {
            let mut random = [0; 32];
            self.0.ports.dice().fill(&mut random)?;
            // 243 is the largest multiple of 27 in a byte: what is above would make some signs likelier.
            for byte in random.into_iter().filter(|byte| *byte < 243) {
                if code.len() == CODE / 2 {
                    code.push('-');
                }
                if code.len() <= CODE {
                    code.extend(SIGNS.get(usize::from(byte % 27)).map(|sign| char::from(*sign)));
                }
            }
        }
        Ok(code)
    }

    /// The person answers a program that asks to be added.
    ///
    /// # Errors
    /// Nobody asks that any more, the name is unfit or taken, or the store failed.
    pub async fn answer_enrolment(&self, request: &AnswerEnrolment) -> Result<AgentsView, Refusal> {
        if request.accept {
            self.enrol(request).await?;
        } else {
            let waiting = self.waiting_enrolment(request)?;
            let (id, now) = (waiting.id, self.0.ports.clock().now());
            let event = AuditEvent::AgentNotAdded { enrolment: id, thumbprint: waiting.key.thumbprint() };
            self.0.ports.store().write(move |tx| tx.append_audit(now, &event)).await?;
            for other in self.0.broker.enrolments().list.iter_mut().filter(|other| other.id == id) {
                other.state = State::Declined;
            }
        }
        self.agents_changed();
        self.list_agents().await
    }

    /// Adds a program that asks for it.
    ///
    /// # Errors
    /// As [`Self::answer_enrolment`].
    pub(crate) async fn enrol(&self, request: &AnswerEnrolment) -> Result<AgentId, Refusal> {
        EnrolmentId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
        let replaces = request.replaces.as_deref().map(AgentId::parse).transpose();
        let replaces = replaces.map_err(|_| Refusal::Malformed)?;
        let name = AgentName::parse(request.name.as_deref().unwrap_or_default())?;
        let waiting = self.waiting_enrolment(request)?;
        self.must_be_open()?;
        let agent = self.add_enrolled(&waiting, name, replaces, self.0.ports.clock().now()).await?;
        self.0.broker.enrolments().list.retain(|other| other.id != waiting.id);
        self.agents_changed();
        Ok(agent)
    }

    fn waiting_enrolment(&self, request: &AnswerEnrolment) -> Result<Waiting, Refusal> {
        let id = EnrolmentId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
        let mut enrolments = self.0.broker.enrolments();
        enrolments.expire(self.0.ports.clock().monotonic());
        let waiting = enrolments.open_ones().find(|waiting| waiting.id == id).cloned();
        waiting.ok_or(Refusal::Unknown(Thing::Enrolment))
    }

    /// Adds the agent; the one whose place it takes is removed first, with its connections.
    async fn add_enrolled(
        &self,
        waiting: &Waiting,
        name: AgentName,
        replaces: Option<AgentId>,
        now: Timestamp,
    ) -> Result<AgentId, Refusal> {
        if let Some(old) = replaces {
            self.remove_agent(old).await?;
        }
        let id = AgentId::make_from(now, self.0.random()?);
        let agent = Agent { id, name, key: waiting.key, added_at: now, paused: None, removed_at: None };
        match self.0.add(agent).await {
            Ok(()) => Ok(id),
            Err(StoreError::Exists) => Err(AgentFault::NameKnown.into()),
            Err(
                error @ (StoreError::Damaged | StoreError::Io | StoreError::Missing | StoreError::Stopped),
            ) => Err(error.into()),
        }
    }

    /// Whoever stops everything does not add anyone.
    pub(crate) fn decline_enrolments(&self) {
        for waiting in self.0.broker.enrolments().list.iter_mut().filter(|w| w.state == State::Open) {
            waiting.state = State::Declined;
        }
        self.0.ports.events().send(Event::AgentsChanged);
    }
}

fn answer(waiting: &Waiting, now: Duration) -> Enrolment {
    match waiting.state {
        State::Open => Enrolment::Waiting {
            code: waiting.code.clone(),
            interval: INTERVAL,
            expires_in: u32::try_from(waiting.ends.saturating_sub(now).as_secs()).unwrap_or(u32::MAX),
        },
        State::Declined => Enrolment::Declined,
        State::Expired => Enrolment::Expired,
    }
}
