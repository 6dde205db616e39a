//! What the person has to say to a task: asked once, waited for, written down before it is heard.

use std::time::Duration;

use contract::agent::{TokenAnswer, WAIT_SECONDS};
use contract::ui::Event;
use domain::agent::{Agent, PauseWhy};
use domain::audit::{AuditEvent, QuestionEnd};
use domain::id::QuestionId;
use domain::lease::Terms;
use domain::task::Wish;
use tokio::sync::watch;

use crate::hold_agent;
use crate::port::{
    ApprovalPrompt as _, AsksFor, Clock as _, Events as _, Note, Notify as _, Ports, Store as _,
};
use crate::questions::{Asked, Met, OUTLIVES, WAITS};
use crate::refused::Refused;
use crate::report::Refusal;
use crate::request_lease::{Outcome, Presented, RefusedTask};
use crate::start::App;

impl<P: Ports> App<P> {
    /// Asks, or takes up what was asked before, and waits for as long as a request may be kept open.
    pub(crate) async fn ask_and_wait(
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
                hold_agent::pause(tx, agent, PauseWhy::NotMine, now)?;
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
