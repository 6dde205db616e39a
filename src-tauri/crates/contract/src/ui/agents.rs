//! Agents.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::approval::PurposeClassView;
use super::providers::BankMark;
use super::rules::RuleKind;

/// Adds an agent by its public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AddAgent {
    /// What the person calls it.
    pub name: String,
    /// A JWK or 43 base64url characters.
    pub key: String,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentView {
    /// Its id.
    pub id: String,
    /// The name the person gave it.
    pub name: String,
    /// Its key's thumbprint, from which its mark is drawn.
    pub thumbprint: String,
    /// When it was added.
    #[ts(type = "number")]
    pub added_at: i64,
    /// How many connections it has now.
    pub connections: u32,
    /// It is held back.
    pub paused: Option<AgentPausedView>,
    /// When the person removed it.
    #[ts(type = "number | null")]
    pub removed_at: Option<i64>,
    /// When it last asked for something.
    #[ts(type = "number | null")]
    pub last_seen: Option<i64>,
    /// What the person has allowed it for longer than once.
    pub choices: Vec<ChoiceView>,
}

/// Every agent, and who wants to become one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentsView {
    /// The agents, oldest first.
    pub agents: Vec<AgentView>,
    /// Programs that ask to be added, oldest first.
    pub enrolments: Vec<EnrolmentView>,
}

/// Names an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AgentRef {
    /// Its id.
    pub agent: String,
}

/// An agent is held back: it gets nothing until the person lets it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentPausedView {
    /// Since when.
    #[ts(type = "number")]
    pub at: i64,
    /// By whom.
    pub why: AgentPausedWhy,
    /// Which rule, where it was one.
    pub rule: Option<RuleKind>,
}

/// Who holds an agent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AgentPausedWhy {
    /// The person said of a question that they had not asked for this.
    NotMine,
    /// The person.
    Person,
    /// A rule.
    Rule,
}

/// Something that the person has allowed an agent for longer than once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ChoiceView {
    /// Its id.
    pub id: String,
    /// On which connection.
    pub grant: String,
    /// At which bank.
    pub bank: BankMark,
    /// What: "see your name and contact details".
    pub operation: String,
    /// For which class of purposes.
    pub purpose_class: PurposeClassView,
    /// Until when.
    #[ts(type = "number")]
    pub until: i64,
}

/// Names something that was allowed for longer than once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ChoiceRef {
    /// Whose.
    pub agent: String,
    /// Which.
    pub choice: String,
}

/// A program asks to be added as an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EnrolmentView {
    /// Its id.
    pub id: String,
    /// The short code, to be compared with the one that the program shows.
    pub code: String,
    /// Its key's thumbprint.
    pub thumbprint: String,
    /// What it calls itself.
    pub suggested_name: String,
    /// The path of the program that holds the connection, where it is known; shown and no more.
    pub program: Option<String>,
    /// When it asked.
    #[ts(type = "number")]
    pub at: i64,
    /// When this turns into a no.
    #[ts(type = "number")]
    pub runs_out_at: i64,
    /// An agent has this name already, with another key.
    pub same_name_as: Option<AgentMark>,
}

/// Answers a program that asks to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AnswerEnrolment {
    /// Which.
    pub id: String,
    /// Add it.
    pub accept: bool,
    /// What the person calls it; needed to add it.
    pub name: Option<String>,
    /// The agent whose key it takes the place of: that one is removed.
    pub replaces: Option<String>,
}

/// The agent as a row shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentMark {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its key's thumbprint.
    pub thumbprint: String,
}
