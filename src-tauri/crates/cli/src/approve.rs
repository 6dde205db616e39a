//! What agents ask, answered from a terminal, and what is done with an agent.

use contract::support::{self, EnrolmentRef, Wanted};
use contract::ui::{AgentRef, AgentView, AgentsView, ApprovalRef, ApprovalView, EnrolmentView, Nothing};
use serde::Serialize;

use crate::arguments::{AgentVerb, Approve, Arguments, Confirm};
use crate::choose::{self, Unclear};
use crate::exit::Exit;
use crate::run::{Session, Stop, write};
use crate::{output, render};

/// Everything that waits for an answer.
#[derive(Debug, Serialize)]
struct Open {
    questions: Vec<ApprovalView>,
    enrolments: Vec<EnrolmentView>,
}

/// What was named.
enum Named<'o> {
    Enrolment(&'o EnrolmentView),
    Question(&'o ApprovalView),
}

impl Session {
    /// Lists what is open, or answers one of it.
    pub(crate) async fn approve(&self, arguments: &Arguments, approve: &Approve) -> Result<Exit, Stop> {
        let open = self.open().await?;
        let Some(which) = &approve.which else {
            return Ok(write(arguments, &open, |open| render::open(&open.questions, &open.enrolments)));
        };
        let named = find(&open, which).map_err(|unclear| Stop::unclear("question", unclear))?;
        if approve.deny {
            return self.deny(arguments, named).await;
        }
        if arguments.confirm == Confirm::Click {
            self.host.show().await?;
            output::complain("Answer this in Countersign's window. Without a screen, use --passphrase.");
            return Ok(Exit::Waiting);
        }
        let wanted = match named {
            Named::Question(asked) => {
                if !arguments.json {
                    output::say(&render::question(asked));
                }
                Wanted::Approve { id: asked.id.clone(), drawn: asked.drawn.clone(), days: approve.days }
            }
            Named::Enrolment(asked) => Wanted::Enrol {
                id: asked.id.clone(),
                name: approve.name.clone().unwrap_or_else(|| asked.suggested_name.clone()),
                replaces: None,
            },
        };
        let started = self.start(arguments, wanted).await?;
        Ok(self.tell(arguments, &started))
    }

    async fn open(&self) -> Result<Open, Stop> {
        let questions = self.host.ask(support::APPROVALS, &Nothing {}).await?;
        let agents: AgentsView = self.host.ask(support::AGENTS, &Nothing {}).await?;
        Ok(Open { questions, enrolments: agents.enrolments })
    }

    /// A no needs nothing.
    async fn deny(&self, arguments: &Arguments, named: Named<'_>) -> Result<Exit, Stop> {
        match named {
            Named::Question(asked) => {
                let id = ApprovalRef { id: asked.id.clone() };
                let left: Vec<ApprovalView> = self.host.ask(support::ANSWER_APPROVAL, &id).await?;
                Ok(write(arguments, &left, |_| "Denied. Nothing was allowed.".to_owned()))
            }
            Named::Enrolment(asked) => {
                let id = EnrolmentRef { id: asked.id.clone() };
                let agents: AgentsView = self.host.ask(support::ANSWER_ENROLMENT, &id).await?;
                Ok(write(arguments, &agents, |_| "Declined. Nothing was added.".to_owned()))
            }
        }
    }

    /// Holds one agent back, lets it go on, or removes it.
    pub(crate) async fn agent(
        &self,
        arguments: &Arguments,
        verb: AgentVerb,
        named: &str,
    ) -> Result<Exit, Stop> {
        let agents: AgentsView = self.host.ask(support::AGENTS, &Nothing {}).await?;
        let present: Vec<AgentView> =
            agents.agents.into_iter().filter(|agent| agent.removed_at.is_none()).collect();
        let agent = choose::agent(&present, named).map_err(|unclear| Stop::unclear("agent", unclear))?;
        let id = AgentRef { agent: agent.id.clone() };
        let path = match verb {
            AgentVerb::Pause => support::PAUSE_AGENT,
            AgentVerb::Remove => support::REMOVE_AGENT,
            AgentVerb::Resume => {
                let started = self.start(arguments, Wanted::ResumeAgent { agent: id.agent }).await?;
                return Ok(self.tell(arguments, &started));
            }
        };
        let agent: AgentView = self.host.ask(path, &id).await?;
        Ok(write(arguments, &agent, |agent| render::agents(std::slice::from_ref(agent))))
    }
}

/// A question by the beginning of its id, or a program that asks to be added by the code that it shows.
fn find<'o>(open: &'o Open, which: &str) -> Result<Named<'o>, Unclear> {
    let wanted = which.to_uppercase();
    if let Some(asked) = open.enrolments.iter().find(|asked| asked.code == wanted) {
        return Ok(Named::Enrolment(asked));
    }
    choose::question(&open.questions, which).map(Named::Question)
}
