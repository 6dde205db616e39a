//! What an agent does: asks for leases, calls, gives leases back; and, before all that, asks to be added and connected.

use std::path::PathBuf;
use std::time::Duration;

use contract::agent::{
    AGENTS, CALL, CALL_SECONDS, CONNECT, Connect, ConnectAgain, ConnectWish, Connecting, Enrol, Enrolment,
    GRANTS, Grants, JWT_BEARER, LEASE_TYPE, LeaseText, MAX_ANSWER, METADATA, Metadata, QUESTION_SECONDS,
    REVOKE, Refusal, RefusalCode, TOKEN, TokenAnswer, WAIT_SECONDS,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::clock::{self, Deadline};
use crate::dice::{self, NoRandomness};
use crate::endpoint::EndpointError;
use crate::environment;
use crate::exchange::{Answer, ExchangeError};
use crate::key::AgentKey;
use crate::place::DialError;
use crate::proof::{self, Proven};
use crate::task::Task;

mod line;
mod request;

pub use line::HangUp;
use line::{Line, Sent};
pub use request::Request;

/// How long what waits for nobody may take.
const LIMIT: Duration = Duration::from_secs(10);
/// The longest answer of Countersign itself.
const MAX_OWN: usize = 4 * 1024 * 1024;
/// How long is waited before asking again, where the answer does not say; a question outlives its asker for ten seconds.
const INTERVAL: u32 = 5;
const LONGEST_INTERVAL: u32 = 8;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Why something was not done.
#[derive(Debug, Error)]
pub enum AgentError {
    /// Countersign's answer is not of the right shape.
    #[error("Countersign's answer is not of the right shape")]
    AnswerMalformed,
    /// Countersign was not reached.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It is not known where Countersign listens.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// There is no whole answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// [`HangUp::now`] was called.
    #[error("the agent hung up")]
    HungUp,
    /// No proof could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// Countersign said no.
    #[error("{}", .0.refusal.error.as_str())]
    Refused(Box<Refused>),
    /// The method or the path cannot stand in a request.
    #[error("the request cannot be written")]
    RequestUnfit,
    /// The person did not answer in five minutes.
    #[error("the person has not answered")]
    Unanswered,
}

/// A refusal, and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// What Countersign said.
    pub refusal: Refusal,
    /// How many seconds to wait before trying again, where that helps.
    pub retry_after: Option<u64>,
}

/// A lease: one task's worth of access, for some minutes. It opens nothing without the agent's key.
#[derive(Debug)]
pub struct Lease {
    grant: String,
    answer: TokenAnswer,
}

impl Lease {
    /// A lease that was got before, to be used or given back.
    #[must_use]
    pub fn of(grant: &str, answer: TokenAnswer) -> Self {
        Self { grant: grant.to_owned(), answer }
    }

    /// The grant it is under.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.grant
    }

    /// What Countersign answered.
    #[must_use]
    pub fn answer(&self) -> &TokenAnswer {
        &self.answer
    }
}

/// An agent, as Countersign knows it by its key.
#[derive(Debug)]
pub struct Agent {
    key: AgentKey,
    line: Line,
}

impl Agent {
    /// An agent of the person's own Countersign. Nothing is asked yet.
    #[must_use]
    pub fn of_person(key: AgentKey) -> Self {
        Self::at(key, environment::data_folder())
    }

    /// An agent of the Countersign with this data folder.
    #[must_use]
    pub fn at(key: AgentKey, data_folder: PathBuf) -> Self {
        Self { key, line: Line::of(data_folder) }
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &AgentKey {
        &self.key
    }

    /// Ends, from another thread, whatever this agent waits for.
    #[must_use]
    pub fn hang_up(&self) -> HangUp {
        self.line.hang_up()
    }

    /// A proof for a request that another program sends, good for a minute and once. The path has no query.
    ///
    /// # Errors
    /// It is not known where Countersign listens, or the system gave no randomness.
    pub fn proof(&self, method: &str, path: &str, lease: Option<&LeaseText>) -> Result<String, AgentError> {
        let address = format!("{}{path}", self.line.issuer()?);
        let proven = Proven { method, address: &address, lease };
        let proof = proof::sign(&self.key, &proven, clock::now(), dice::make_jti()?);
        proof.map_err(|_| AgentError::RequestUnfit)
    }

    /// What Countersign says of itself.
    ///
    /// # Errors
    /// It was not reached, or said no.
    pub fn metadata(&mut self) -> Result<Metadata, AgentError> {
        let request = Request::get(METADATA);
        own(&self.line.send(&self.key, &Sent::plain(&request, LIMIT))?)
    }

    /// What the person has connected for this agent.
    ///
    /// # Errors
    /// Countersign was not reached, or said no.
    pub fn grants(&mut self) -> Result<Grants, AgentError> {
        let request = Request::get(GRANTS);
        own(&self.line.send(&self.key, &Sent::plain(&request, LIMIT))?)
    }

    /// Gets a lease for a task. Where the person has to be asked, it waits for five minutes.
    ///
    /// # Errors
    /// Countersign was not reached or said no, or the person did not answer.
    pub fn lease(&mut self, task: &Task) -> Result<Lease, AgentError> {
        self.lease_telling(task, &mut || {})
    }

    /// The same, and tells each time that the person has not answered yet: first after 20 seconds.
    ///
    /// # Errors
    /// As [`Agent::lease`].
    pub fn lease_telling(&mut self, task: &Task, waits: &mut dyn FnMut()) -> Result<Lease, AgentError> {
        let deadline = Deadline::after(Duration::from_secs(QUESTION_SECONDS));
        loop {
            let interval = match self.lease_at_once(task) {
                Err(AgentError::Refused(refused)) => pending(&refused).ok_or(AgentError::Refused(refused))?,
                other => return other,
            };
            if deadline.left().is_none() {
                return Err(AgentError::Unanswered);
            }
            waits();
            self.line.wait(interval)?;
        }
    }

    /// Asks for a lease once. Where the person has not answered within 20 seconds, that is a refusal with
    /// [`RefusalCode::AuthorizationPending`]: ask again with the same task.
    ///
    /// # Errors
    /// Countersign was not reached, or said no.
    pub fn lease_at_once(&mut self, task: &Task) -> Result<Lease, AgentError> {
        // Each time it is sent it has a `jti` of its own: one that was heard before is refused.
        let body = |key: &AgentKey, issuer: &str| {
            let signed = task.sign(key, issuer, clock::now(), dice::make_jti()?);
            let signed = signed.map_err(|_| AgentError::RequestUnfit)?;
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", JWT_BEARER).append_pair("assertion", &signed);
            form.append_pair("client_id", key.thumbprint());
            Ok(Zeroizing::new(form.finish().into_bytes()))
        };
        let request = Request::of("POST", TOKEN);
        let mut sent = Sent::plain(&request, Duration::from_secs(WAIT_SECONDS) + LIMIT);
        (sent.content_type, sent.body) = (Some(FORM), &body);
        let answer: TokenAnswer = own(&self.line.send(&self.key, &sent)?)?;
        if answer.lease_type.eq_ignore_ascii_case(LEASE_TYPE) {
            Ok(Lease { grant: task.grant().to_owned(), answer })
        } else {
            Err(AgentError::AnswerMalformed)
        }
    }

    /// Calls the bank under a lease. What comes back is the bank's own answer, whatever its status.
    ///
    /// # Errors
    /// Countersign was not reached, or it said no itself.
    pub fn call(&mut self, lease: &Lease, request: &Request) -> Result<Answer, AgentError> {
        let below = request.below(&format!("{CALL}/{}", lease.grant));
        let json = below.body.clone();
        let body = |_: &AgentKey, _: &str| Ok(Zeroizing::new(json.clone().unwrap_or_default()));
        let mut sent = Sent::plain(&below, Duration::from_secs(CALL_SECONDS) + LIMIT);
        sent.lease = Some(&lease.answer.lease);
        sent.content_type = below.body.as_ref().map(|_| JSON);
        sent.body = &body;
        sent.max_answer = MAX_ANSWER;
        // What changes something at the bank is not sent twice.
        sent.again = matches!(below.method.as_str(), "GET" | "HEAD");
        let answer = self.line.send(&self.key, &sent)?;
        if answer.is_of_bank { Ok(answer) } else { Err(refused(&answer)) }
    }

    /// Gives a lease back, so that nobody can use what is left of it.
    ///
    /// # Errors
    /// Countersign was not reached, or said no; then it runs out by itself.
    pub fn give_back(&mut self, lease: &Lease) -> Result<(), AgentError> {
        let body = |_: &AgentKey, _: &str| {
            let text = form_urlencoded::byte_serialize(lease.answer.lease.as_str().as_bytes());
            let mut form = Zeroizing::new(Vec::with_capacity(1024));
            form.extend_from_slice(b"token=");
            text.for_each(|part| form.extend_from_slice(part.as_bytes()));
            Ok(form)
        };
        let request = Request::of("POST", REVOKE);
        let mut sent = Sent::plain(&request, LIMIT);
        (sent.content_type, sent.body) = (Some(FORM), &body);
        let answer = self.line.send(&self.key, &sent)?;
        if answer.status == 200 { Ok(()) } else { Err(refused(&answer)) }
    }

    /// Asks the person to add this agent, once.
    ///
    /// # Errors
    /// Countersign was not reached, or said no.
    pub fn enrol_at_once(&mut self, name: &str) -> Result<Enrolment, AgentError> {
        let enrol = Enrol { name: name.to_owned(), key: self.key.public().clone() };
        self.post(AGENTS, &enrol)
    }

    /// Asks the person to add this agent, and waits until that is settled. Each answer that it is not is told: it has
    /// the code that the person compares.
    ///
    /// # Errors
    /// Countersign was not reached, or said no.
    pub fn enrol(&mut self, name: &str, waits: &mut dyn FnMut(&Enrolment)) -> Result<Enrolment, AgentError> {
        loop {
            let enrolment = self.enrol_at_once(name)?;
            let Enrolment::Waiting { interval, .. } = &enrolment else { return Ok(enrolment) };
            waits(&enrolment);
            self.line.wait(*interval)?;
        }
    }

    /// Asks the person to connect a bank for this agent, or asks again, once.
    ///
    /// # Errors
    /// Countersign was not reached, or said no.
    pub fn connect_at_once(&mut self, connect: &Connect) -> Result<Connecting, AgentError> {
        self.post(CONNECT, connect)
    }

    /// Asks the person to connect a bank for this agent, and waits until that is settled.
    ///
    /// # Errors
    /// Countersign was not reached, or said no.
    pub fn connect(
        &mut self,
        wish: &ConnectWish,
        waits: &mut dyn FnMut(&Connecting),
    ) -> Result<Connecting, AgentError> {
        let mut connect = Connect::Ask(wish.clone());
        loop {
            let connecting = self.connect_at_once(&connect)?;
            let Connecting::Waiting { asked, interval } = &connecting else { return Ok(connecting) };
            connect = Connect::Again(ConnectAgain { asked: asked.clone() });
            waits(&connecting);
            self.line.wait(*interval)?;
        }
    }

    fn post<A: DeserializeOwned>(&mut self, path: &str, content: &impl Serialize) -> Result<A, AgentError> {
        let json = serde_json::to_vec(content).map_err(|_| AgentError::RequestUnfit)?;
        let body = |_: &AgentKey, _: &str| Ok(Zeroizing::new(json.clone()));
        let request = Request::of("POST", path);
        let mut sent = Sent::plain(&request, Duration::from_secs(WAIT_SECONDS) + LIMIT);
        (sent.content_type, sent.body) = (Some(JSON), &body);
        own(&self.line.send(&self.key, &sent)?)
    }
}

/// Reads an answer of Countersign's own.
fn own<A: DeserializeOwned>(answer: &Answer) -> Result<A, AgentError> {
    match answer.status {
        200 | 202 => serde_json::from_slice(&answer.body).map_err(|_| AgentError::AnswerMalformed),
        _ => Err(refused(answer)),
    }
}

fn refused(answer: &Answer) -> AgentError {
    match serde_json::from_slice::<Refusal>(&answer.body) {
        Ok(refusal) => AgentError::Refused(Box::new(Refused {
            status: answer.status,
            refusal,
            retry_after: answer.retry_after,
        })),
        Err(_) => AgentError::AnswerMalformed,
    }
}

/// How many seconds to wait where the person has not answered; nothing where the refusal is one.
fn pending(refused: &Refused) -> Option<u32> {
    let is_pending = refused.refusal.error == RefusalCode::AuthorizationPending;
    is_pending.then(|| refused.refusal.interval.unwrap_or(INTERVAL).min(LONGEST_INTERVAL))
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
