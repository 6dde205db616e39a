//! What other programs ask for and only the person may start: asked in the window, forgotten as a no.

use std::sync::Arc;
use std::time::Duration;

use contract::ui::{
    AnswerEnrolment, AskedView, AskedWhat, ConnectAccount, Event, PassphraseText, RenewGrant,
};
use domain::agent::Agent;
use domain::grant::Grant;
use domain::id::{AgentId, AskedId, AttemptId, GrantId, PermissionId, ProviderId, QuestionId};
use domain::secret::Passphrase;
use domain::task::Purpose;
use domain::time::Timestamp;
use tokio::sync::watch;

use crate::port::{Clock as _, Events as _, Ports, Rows, Store as _};
use crate::report::{Refusal, Thing};
use crate::start::{App, Inner};
use crate::view;

/// How many questions may wait for the person at once.
const MOST: usize = 8;
/// How many may be asked in a minute: a program that asks for ever is not heard for ever.
const PACE: usize = 20;
const MINUTE: Duration = Duration::from_secs(60);
/// How long a question waits; then it is a no. What became of it can be asked for as long again.
const WAITS: Duration = Duration::from_secs(5 * 60);
/// How many requests are kept open for the person at once.
const WAITING: usize = 16;
/// How many passphrases are looked at in a minute.
const GUESSES: usize = 5;

/// What only the person may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// To say yes to an agent's question; never by a click on this list, since the question has a window of its own.
    Approve {
        /// Which question.
        question: QuestionId,
        /// What was drawn of it.
        drawn: String,
        /// For how many days it is not asked again; none for once.
        days: Option<u16>,
    },
    /// To connect an agent to a bank.
    Connect(ConnectAccount),
    /// To add a program that asks for it; never by a click on this list, since it has its own place in the window.
    Enrol(AnswerEnrolment),
    /// To connect anew what a connection allows.
    Renew(RenewGrant),
    /// To let a connection go on.
    Resume(GrantId),
    /// To let an agent go on.
    ResumeAgent(AgentId),
    /// To let all agents go on.
    ResumeAgents,
    /// To give back what was taken from a connection.
    Widen(GrantId),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The agent is as wanted.
    Agent(AgentId),
    /// The question is answered.
    Approved,
    /// An attempt goes on.
    Attempt(AttemptId),
    /// The connection is as wanted.
    Grant(GrantId),
    /// All agents go on.
    Agents,
}

/// What the person said to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// No, or nothing in time.
    No,
    /// Yes; and this came of it.
    Yes(Result<Begun, Refusal>),
}

/// The questions of this run, and how often was asked.
#[derive(Default)]
pub(crate) struct AskedList {
    questions: Vec<Question>,
    /// When was asked, by the monotonic clock.
    asked_at: Vec<Duration>,
    /// When a passphrase came.
    guessed_at: Vec<Duration>,
    /// When a bank was asked.
    checked_at: Vec<Duration>,
    /// Held by each request that is kept open for the person.
    waiting: Arc<()>,
}

struct Question {
    id: AskedId,
    at: Timestamp,
    wanted: Wanted,
    /// The agent's own words, where an agent asks.
    by_agent: Option<Option<Purpose>>,
    /// When it turns into a no, and when it is forgotten.
    ends: Duration,
    state: State,
    said: watch::Sender<Option<Said>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The person has answered; what came of a yes may not be known yet.
    Answered,
}

impl AskedList {
    fn open(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(|question| question.state == State::Open)
    }

    /// What is over becomes a no; what has been over for long is forgotten.
    fn expire(&mut self, now: Duration) -> bool {
        let mut changed = false;
        for question in &mut self.questions {
            if question.state == State::Open && question.ends <= now {
                question.close(Said::No);
                changed = true;
            }
        }
        self.questions.retain(|question| now < question.ends + WAITS);
        changed
    }

    /// Whether a question is an agent's own wish to be connected.
    pub(crate) fn is_of(&self, id: AskedId, agent: &str) -> bool {
        let is = |wanted: &Wanted| matches!(wanted, Wanted::Connect(request) if request.agent == agent);
        self.questions
            .iter()
            .any(|question| question.id == id && question.by_agent.is_some() && is(&question.wanted))
    }

    /// Closes every open question with a no.
    pub(crate) fn refuse_all(&mut self) {
        for question in self.questions.iter_mut().filter(|question| question.state == State::Open) {
            question.close(Said::No);
        }
    }
}

impl Question {
    fn close(&mut self, said: Said) {
        self.state = State::Answered;
        self.said.send_replace(Some(said));
    }
}

fn made_anew(old: &Grant, request: &RenewGrant) -> ConnectAccount {
    ConnectAccount {
        provider: old.provider.to_string(),
        agent: old.agent.to_string(),
        permissions: request.permissions.clone(),
        until: request.until,
    }
}

/// Whether one more in a minute is too many; if not, it is counted.
pub(crate) fn too_many(times: &mut Vec<Duration>, now: Duration, most: usize) -> bool {
    times.retain(|at| now < *at + MINUTE);
    if times.len() >= most {
        return true;
    }
    times.push(now);
    false
}

impl<P: Ports> App<P> {
    /// Puts a question before the person. The same question, asked again while it is open, is the same question.
    ///
    /// # Errors
    /// It does not fit, or too much was asked. Nothing was started.
    pub async fn ask(&self, wanted: Wanted) -> Result<AskedId, Refusal> {
        self.put(wanted, None).await
    }

    /// The same for an agent, with its words.
    pub(crate) async fn ask_for(&self, wanted: Wanted, purpose: Option<Purpose>) -> Result<AskedId, Refusal> {
        self.put(wanted, Some(purpose)).await
    }

    async fn put(&self, wanted: Wanted, by_agent: Option<Option<Purpose>>) -> Result<AskedId, Refusal> {
        self.fits(&wanted).await?;
        let at = self.0.ports.clock().now();
        let id = AskedId::make_from(at, self.0.random()?);
        let now = self.0.ports.clock().monotonic();
        {
            let mut asked = self.0.asked();
            asked.expire(now);
            if let Some(question) = asked.open().find(|question| question.wanted == wanted) {
                return Ok(question.id);
            }
            if asked.open().count() >= MOST || too_many(&mut asked.asked_at, now, PACE) {
                return Err(Refusal::TooMany);
            }
            let (state, said) = (State::Open, watch::Sender::new(None));
            asked.questions.push(Question { id, at, wanted, by_agent, ends: now + WAITS, state, said });
        }
        self.0.ports.events().send(Event::AppChanged);
        let app = self.clone();
        tokio::spawn(async move {
            app.0.ports.clock().sleep(WAITS).await;
            app.expire_asked();
        });
        Ok(id)
    }

    /// What the person said to a question, waiting no longer than this; none if they have said nothing yet.
    ///
    /// # Errors
    /// There is no such question (any more).
    pub async fn said(&self, id: AskedId, patience: Duration) -> Result<Option<Said>, Refusal> {
        self.expire_asked();
        let (mut said, waiting) = {
            let asked = self.0.asked();
            let question = asked.questions.iter().find(|question| question.id == id);
            (question.ok_or(Refusal::AskedUnknown)?.said.subscribe(), Arc::clone(&asked.waiting))
        };
        // Who keeps more requests open than that must not keep others out.
        let patience = if Arc::strong_count(&waiting) > WAITING + 1 { Duration::ZERO } else { patience };
        let heard = tokio::select! {
            heard = said.wait_for(Option::is_some) => heard.map(|said| *said).map_err(|_| Refusal::AskedUnknown)?,
            () = self.0.ports.clock().sleep(patience) => None,
        };
        Ok(heard)
    }

    /// The person answers. A yes is carried out as if they had asked for it themselves.
    ///
    /// # Errors
    /// Nobody asks that any more, or what was wanted is refused.
    pub async fn answer_asked(&self, id: AskedId, yes: bool) -> Result<(), Refusal> {
        self.expire_asked();
        let (wanted, said) = {
            let mut asked = self.0.asked();
            let question = asked.questions.iter_mut().find(|q| q.id == id && q.state == State::Open);
            let question = question.ok_or(Refusal::AskedUnknown)?;
            question.state = State::Answered;
            (question.wanted.clone(), question.said.clone())
        };
        self.0.ports.events().send(Event::AppChanged);
        if !yes {
            said.send_replace(Some(Said::No));
            return Ok(());
        }
        let begun = self.begin(wanted).await;
        said.send_replace(Some(Said::Yes(begun)));
        begun.map(drop)
    }

    /// Starts what is wanted without a click: by the host's passphrase, typed at a terminal.
    ///
    /// # Errors
    /// The passphrase is another one, or what was wanted is refused.
    pub async fn begin_with_passphrase(
        &self,
        wanted: Wanted,
        passphrase: PassphraseText,
    ) -> Result<Begun, Refusal> {
        self.may_guess()?;
        self.confirm(passphrase).await?;
        self.begin(wanted).await
    }

    /// Counts a passphrase that a program hands over, before it is looked at.
    ///
    /// # Errors
    /// Too many came in the last minute.
    pub fn may_guess(&self) -> Result<(), Refusal> {
        let now = self.0.ports.clock().monotonic();
        let too_many = too_many(&mut self.0.asked().guessed_at, now, GUESSES);
        if too_many { Err(Refusal::TooMany) } else { Ok(()) }
    }

    /// Starts what is wanted without asking anybody: only in a sandbox build.
    ///
    /// # Errors
    /// This is no sandbox build, or what was wanted is refused.
    pub async fn begin_in_sandbox(&self, wanted: Wanted) -> Result<Begun, Refusal> {
        if self.is_sandbox() { self.begin(wanted).await } else { Err(Refusal::Malformed) }
    }

    /// What cannot be a passphrase is not the one.
    async fn confirm(&self, mut passphrase: PassphraseText) -> Result<(), Refusal> {
        let passphrase = Passphrase::parse(passphrase.take()).map_err(|_| Refusal::PassphraseWrong)?;
        self.check_passphrase(passphrase).await
    }

    /// Asks the bank about a connection, for a program that wants to know; not as often as it likes.
    ///
    /// # Errors
    /// Too often, or as [`App::check_grant`].
    pub async fn check_for_another(&self, grant: GrantId) -> Result<(), Refusal> {
        let now = self.0.ports.clock().monotonic();
        if too_many(&mut self.0.asked().checked_at, now, PACE) {
            return Err(Refusal::TooMany);
        }
        self.check_grant(grant).await
    }

    async fn begin(&self, wanted: Wanted) -> Result<Begun, Refusal> {
        match wanted {
            Wanted::Approve { question, drawn, days } => {
                self.approve_from_elsewhere(question, &drawn, days).await.map(|()| Begun::Approved)
            }
            Wanted::Connect(request) => self.connect_account(&request).await.map(|a| Begun::Attempt(a.id)),
            Wanted::Enrol(answer) => self.enrol(&answer).await.map(Begun::Agent),
            Wanted::Renew(request) => self.renew_grant(&request).await.map(|a| Begun::Attempt(a.id)),
            Wanted::Resume(grant) => self.resume_grant(grant).await.map(|()| Begun::Grant(grant)),
            Wanted::ResumeAgent(agent) => self.resume_agent(agent).await.map(|()| Begun::Agent(agent)),
            Wanted::ResumeAgents => self.resume_agents().await.map(|()| Begun::Agents),
            Wanted::Widen(grant) => self.widen_grant(grant).await.map(|()| Begun::Grant(grant)),
        }
    }

    /// What would be refused anyway is not put before the person.
    async fn fits(&self, wanted: &Wanted) -> Result<(), Refusal> {
        match wanted {
            // The window asks these by itself.
            Wanted::Approve { .. } | Wanted::Enrol(_) => Err(Refusal::Malformed),
            Wanted::Connect(request) => self.draft_attempt(request).await.map(drop),
            Wanted::Renew(request) => self.draft_attempt(&self.anew(request).await?).await.map(drop),
            Wanted::Resume(grant) | Wanted::Widen(grant) => {
                let grant = self.known_grant(*grant).await?;
                if grant.revocation.is_some() { Err(Refusal::Revoked) } else { Ok(()) }
            }
            Wanted::ResumeAgent(id) => {
                let agents = self.0.ports.store().read(|tx| tx.agents()).await?;
                let known = agents.iter().any(|agent| agent.id == *id);
                if known { Ok(()) } else { Err(Refusal::Unknown(Thing::Agent)) }
            }
            Wanted::ResumeAgents => Ok(()),
        }
    }

    /// A renewal, as the connection that it makes.
    async fn anew(&self, request: &RenewGrant) -> Result<ConnectAccount, Refusal> {
        let id = GrantId::parse(&request.grant).map_err(|_| Refusal::Malformed)?;
        Ok(made_anew(&self.known_grant(id).await?, request))
    }

    fn expire_asked(&self) {
        let now = self.0.ports.clock().monotonic();
        if self.0.asked().expire(now) {
            self.0.ports.events().send(Event::AppChanged);
        }
    }

    /// The open questions, as the window shows them.
    pub(crate) async fn asked_views(&self) -> Result<Vec<AskedView>, Refusal> {
        let open: Vec<_> =
            self.0.asked().open().map(|q| (q.id, q.at, q.wanted.clone(), q.by_agent.clone())).collect();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let (agents, grants) = self.0.ports.store().read(|tx| Ok((tx.agents()?, tx.grants()?))).await?;
        let view = |(id, at, wanted, by): (AskedId, Timestamp, Wanted, Option<Option<Purpose>>)| {
            let mut what = self.0.asked_what(wanted, &agents, &grants)?;
            if let (AskedWhat::Connect { by_agent, purpose, .. }, Some(words)) = (&mut what, by) {
                *by_agent = true;
                *purpose = words.map(|words| words.as_str().to_owned());
            }
            Some(AskedView { id: id.to_string(), at: at.millis(), what })
        };
        Ok(open.into_iter().filter_map(view).collect())
    }
}

impl<P: Ports> Inner<P> {
    /// The questions; a poisoned lock still holds valid data, since every change is whole.
    pub(crate) fn asked(&self) -> std::sync::MutexGuard<'_, AskedList> {
        self.asked.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn connection_asked(&self, request: &ConnectAccount, agents: &[Agent]) -> Option<AskedWhat> {
        let id = ProviderId::parse(&request.provider).ok()?;
        let provider = self.catalogue.provider(&id);
        let chosen: Vec<_> = request.permissions.iter().filter_map(|p| PermissionId::parse(p).ok()).collect();
        Some(AskedWhat::Connect {
            bank: view::bank_mark(provider, &id, id.as_str(), ""),
            agent: view::agent_mark(agents, AgentId::parse(&request.agent).ok()?),
            permissions: view::permissions(provider, chosen.iter()),
            until: request.until,
            by_agent: false,
            purpose: None,
        })
    }

    fn asked_what(&self, wanted: Wanted, agents: &[Agent], grants: &Rows<Grant>) -> Option<AskedWhat> {
        let marks = |id: GrantId| {
            let grant = grants.sound.iter().find(|grant| grant.id == id)?;
            let provider = self.catalogue.provider(&grant.provider);
            let bank = view::bank_mark(provider, &grant.provider, &grant.provider_name, &grant.issuer);
            Some((id.to_string(), bank, view::agent_mark(agents, grant.agent)))
        };
        Some(match wanted {
            Wanted::Approve { .. } | Wanted::Enrol(_) => return None,
            Wanted::Connect(request) => self.connection_asked(&request, agents)?,
            // Shown as what it is: a connection made anew, at the bank.
            Wanted::Renew(request) => {
                let old = grants.sound.iter().find(|grant| grant.id.to_string() == request.grant)?;
                self.connection_asked(&made_anew(old, &request), agents)?
            }
            Wanted::Resume(id) => {
                let (grant, bank, agent) = marks(id)?;
                AskedWhat::Resume { grant, bank, agent }
            }
            Wanted::ResumeAgent(id) => AskedWhat::ResumeAgent { agent: view::agent_mark(agents, id) },
            Wanted::ResumeAgents => AskedWhat::ResumeAgents,
            Wanted::Widen(id) => {
                let (grant, bank, agent) = marks(id)?;
                AskedWhat::Widen { grant, bank, agent }
            }
        })
    }
}
