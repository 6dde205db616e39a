//! Rules that watch over agents, and what they have noticed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::AgentMark;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleView {
    /// Which.
    pub id: RuleKind,
    /// From how many on it acts. What is counted is the rule's own; hours for [`RuleKind::UnusualHours`].
    pub threshold: u32,
    /// What it does then.
    pub act: RuleAct,
}

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Tasks that were presented a second time.
    Replays,
    /// Many calls in an hour.
    TooManyCalls,
    /// Many refusals in an hour.
    TooManyRefusals,
    /// Operations that the bank does not have.
    UnknownOperation,
    /// Use at an hour at which this agent was never seen.
    UnusualHours,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleAct {
    /// It is recorded and no more.
    Nothing,
    /// The person is told.
    Notify,
    /// The agent is held back.
    Pause,
    /// Every agent is stopped.
    StopAll,
}

/// Changes a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct SetRule {
    /// Which.
    pub id: RuleKind,
    /// From how many on it acts.
    pub threshold: u32,
    /// What it does then.
    pub act: RuleAct,
}

/// A rule has noticed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleAlertView {
    /// Its id.
    pub id: String,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// Of which agent.
    pub agent: AgentMark,
    /// Which rule.
    pub rule: RuleKind,
    /// What it did.
    pub act: RuleAct,
    /// What it saw.
    pub facts: Vec<RuleFact>,
}

/// One thing that a rule saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RuleFact {
    /// What was counted or seen.
    pub name: RuleFactName,
    /// A number, an hour or an operation's id.
    pub value: String,
}

/// What a rule can count or see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RuleFactName {
    /// Calls in the last hour.
    Calls,
    /// The hour of the day.
    Hour,
    /// What is usual for this agent.
    Usual,
    /// An operation.
    Operation,
    /// Refusals in the last hour.
    Refusals,
    /// Tasks that came a second time.
    Replays,
    /// The limit that was set.
    Threshold,
}

/// Names what a rule has noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AlertRef {
    /// Its id.
    pub alert: String,
}
