//! What other programs have asked for and only the person may start.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::AgentMark;
use super::providers::{BankMark, PermissionView};

/// Answers what another program asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AnswerAsked {
    /// Which question.
    pub id: String,
    /// Do it.
    pub yes: bool,
}

/// What another program has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AskedView {
    /// Its id.
    pub id: String,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// What.
    pub what: AskedWhat,
}

/// What a program can ask for that only the person may start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskedWhat {
    /// To connect an agent to a bank.
    Connect {
        /// Which bank.
        bank: BankMark,
        /// Which agent.
        agent: AgentMark,
        /// What it may do.
        permissions: Vec<PermissionView>,
        /// Until when.
        #[ts(type = "number")]
        until: i64,
        /// The agent asks for itself; else a program of the person does.
        by_agent: bool,
        /// What it is for, in the agent's words.
        purpose: Option<String>,
    },
    /// To let a connection go on.
    Resume {
        /// Which.
        grant: String,
        /// Its bank.
        bank: BankMark,
        /// Its agent.
        agent: AgentMark,
    },
    /// To let an agent go on.
    ResumeAgent {
        /// Which.
        agent: AgentMark,
    },
    /// To let all agents go on.
    ResumeAgents,
    /// To give back what was taken from a connection.
    Widen {
        /// Which.
        grant: String,
        /// Its bank.
        bank: BankMark,
        /// Its agent.
        agent: AgentMark,
    },
}
