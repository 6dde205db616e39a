//! Stands in for use cases that are built elsewhere: each answers as on a computer where no agent ever asked.

use contract::ui::{
    ActivityDetails, ActivityFilter, ActivityPage, ActivityVerdict, AgentsView, AlertRef, AnchoredView,
    AnswerApproval, AnswerEnrolment, ApprovalView, PendingApproval, RuleAct, RuleKind, RuleView, SavedFile,
    SetRule,
};
use domain::agent::AgentName;
use domain::id::{AgentId, ChoiceId, EnrolmentId, GrantId, QuestionId};

use crate::port::{Clock as _, Ports, Store as _};
use crate::report::{Refusal, Thing};
use crate::start::App;

impl<P: Ports> App<P> {
    /// The question that is to be drawn now.
    ///
    /// # Errors
    /// The store; so for every method here.
    pub async fn pending_approval(&self) -> Result<PendingApproval, Refusal> {
        self.open_questions().await.map(|open| PendingApproval { question: open.into_iter().next() })
    }

    /// Every open question, oldest first.
    pub async fn open_questions(&self) -> Result<Vec<ApprovalView>, Refusal> {
        Ok(Vec::new())
    }

    /// The person answers in the approval window. The next question, if there is one.
    pub async fn answer_approval(&self, request: AnswerApproval) -> Result<PendingApproval, Refusal> {
        QuestionId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
        Err(Refusal::ApprovalOver)
    }

    /// The person said yes at a terminal, and was asked for the passphrase there.
    pub(crate) async fn approve_from_elsewhere(
        &self,
        _question: QuestionId,
        _drawn: &str,
        _days: Option<u16>,
    ) -> Result<(), Refusal> {
        Err(Refusal::ApprovalOver)
    }

    /// A no without more: the approval window was closed over a question, or somebody said no elsewhere.
    pub async fn approval_closed(&self, _question: QuestionId) -> Result<(), Refusal> {
        Err(Refusal::ApprovalOver)
    }

    /// The person answers a program that asks to be added.
    pub async fn answer_enrolment(&self, request: &AnswerEnrolment) -> Result<AgentsView, Refusal> {
        if request.accept {
            self.enrol(request).await?;
        } else {
            EnrolmentId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
            return Err(Refusal::Unknown(Thing::Enrolment));
        }
        self.list_agents().await
    }

    /// Adds a program that asks for it.
    pub(crate) async fn enrol(&self, request: &AnswerEnrolment) -> Result<AgentId, Refusal> {
        EnrolmentId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
        let replaces = request.replaces.as_deref().map(AgentId::parse);
        replaces.transpose().map_err(|_| Refusal::Malformed)?;
        AgentName::parse(request.name.as_deref().unwrap_or_default())?;
        Err(Refusal::Unknown(Thing::Enrolment))
    }

    /// Holds an agent back.
    pub async fn pause_agent(&self, agent: AgentId) -> Result<(), Refusal> {
        self.is_known(agent).await?;
        Err(Refusal::Malformed)
    }

    /// Lets an agent go on.
    pub async fn resume_agent(&self, agent: AgentId) -> Result<(), Refusal> {
        self.is_known(agent).await?;
        Err(Refusal::Malformed)
    }

    /// Removes an agent, and ends its connections.
    pub async fn remove_agent(&self, agent: AgentId) -> Result<(), Refusal> {
        self.is_known(agent).await?;
        Err(Refusal::Malformed)
    }

    /// Forgets what was allowed for longer than once.
    pub async fn forget_choice(&self, agent: AgentId, _choice: ChoiceId) -> Result<(), Refusal> {
        self.is_known(agent).await?;
        Err(Refusal::Unknown(Thing::Choice))
    }

    /// What happened, newest first.
    pub async fn list_activity(&self, filter: &ActivityFilter) -> Result<ActivityPage, Refusal> {
        filter.agent.as_deref().map(AgentId::parse).transpose().map_err(|_| Refusal::Malformed)?;
        filter.grant.as_deref().map(GrantId::parse).transpose().map_err(|_| Refusal::Malformed)?;
        Ok(ActivityPage { entries: Vec::new(), more: false })
    }

    /// One record, whole.
    pub async fn show_activity(&self, _seq: u64) -> Result<ActivityDetails, Refusal> {
        Err(Refusal::Unknown(Thing::Activity))
    }

    /// Checks that nothing of the log was changed.
    pub async fn check_activity(&self) -> Result<ActivityVerdict, Refusal> {
        let records = self.0.ports.store().read(|tx| tx.audit()).await?;
        let checked_at = self.0.ports.clock().now().millis();
        let records = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let anchored = AnchoredView::None;
        Ok(ActivityVerdict { records, sound: true, first_bad: None, anchored, checked_at })
    }

    /// Writes the log to a file for the person.
    pub async fn export_activity(&self) -> Result<SavedFile, Refusal> {
        Err(Refusal::NotWritten)
    }

    /// The rules that watch over agents.
    pub async fn list_rules(&self) -> Result<Vec<RuleView>, Refusal> {
        let rule = |id, threshold| RuleView { id, threshold, act: RuleAct::Notify };
        Ok(vec![
            rule(RuleKind::TooManyCalls, 300),
            rule(RuleKind::TooManyRefusals, 20),
            rule(RuleKind::UnknownOperation, 5),
            rule(RuleKind::UnusualHours, 3),
            rule(RuleKind::Replays, 3),
        ])
    }

    /// Changes a rule.
    pub async fn set_rule(&self, rule: SetRule) -> Result<Vec<RuleView>, Refusal> {
        if rule.threshold == 0 {
            return Err(Refusal::Malformed);
        }
        self.list_rules().await
    }

    /// Puts away what a rule has noticed.
    pub async fn dismiss_alert(&self, _alert: &AlertRef) -> Result<(), Refusal> {
        Err(Refusal::Unknown(Thing::Alert))
    }

    /// One agent, as the list shows it.
    ///
    /// # Errors
    /// It is not there.
    pub async fn show_agent(&self, agent: AgentId) -> Result<contract::ui::AgentView, Refusal> {
        let agents = self.list_agents().await?.agents;
        let id = agent.to_string();
        agents.into_iter().find(|agent| agent.id == id).ok_or(Refusal::Unknown(Thing::Agent))
    }

    async fn is_known(&self, agent: AgentId) -> Result<(), Refusal> {
        self.show_agent(agent).await.map(drop)
    }
}
