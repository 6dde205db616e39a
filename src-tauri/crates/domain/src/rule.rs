//! Monitoring: rules over what agents do. Pure: what was seen is handed in.

use serde::{Deserialize, Serialize};

/// What a rule looks at. Counts are for one agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// Tasks or proofs that were used before, within an hour.
    Replays,
    /// Calls to banks within an hour.
    TooManyCalls,
    /// Refusals within ten minutes.
    TooManyRefusals,
    /// Operations outside of what was allowed, or that the bank does not have, within an hour.
    UnknownOperations,
    /// Calls between midnight and five, by the computer's clock, of an agent that never called then before.
    UnusualHours,
}

/// What follows when a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAct {
    /// Nothing.
    Nothing,
    /// The person is told.
    Notify,
    /// The agent is paused, and the person is told.
    Pause,
    /// Every agent is stopped, and the person is told.
    StopAll,
}

/// One rule as the person has set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it looks at.
    pub kind: RuleKind,
    /// From how many on it applies; 0 is as 1.
    pub threshold: u32,
    /// What follows.
    pub act: RuleAct,
}

impl RuleKind {
    /// All rules.
    pub const ALL: [Self; 5] = [
        Self::Replays,
        Self::TooManyCalls,
        Self::TooManyRefusals,
        Self::UnknownOperations,
        Self::UnusualHours,
    ];

    /// How long something counts, in milliseconds.
    #[must_use]
    pub fn span(self) -> i64 {
        match self {
            Self::TooManyRefusals => 10 * 60_000,
            Self::Replays | Self::TooManyCalls | Self::UnknownOperations | Self::UnusualHours => 60 * 60_000,
        }
    }
}

impl Rule {
    /// The rules until the person sets others: quiet unless something is clearly wrong.
    #[must_use]
    pub fn usual(kind: RuleKind) -> Self {
        let (threshold, act) = match kind {
            RuleKind::Replays => (3, RuleAct::Pause),
            RuleKind::TooManyCalls => (1_000, RuleAct::Notify),
            RuleKind::TooManyRefusals => (60, RuleAct::Pause),
            RuleKind::UnknownOperations => (20, RuleAct::Pause),
            RuleKind::UnusualHours => (1, RuleAct::Nothing),
        };
        Self { kind, threshold, act }
    }

    /// Whether it applies now and did not with one less: once for each time the threshold is reached.
    #[must_use]
    pub fn is_reached(self, seen: u32) -> bool {
        self.act != RuleAct::Nothing && seen == self.threshold.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_applies_once_at_its_threshold() {
        let rule = Rule { kind: RuleKind::Replays, threshold: 3, act: RuleAct::Notify };
        assert_eq!((0..6).filter(|seen| rule.is_reached(*seen)).collect::<Vec<_>>(), [3]);
        assert!(Rule { threshold: 0, ..rule }.is_reached(1));
        assert!(!Rule { act: RuleAct::Nothing, ..rule }.is_reached(3));
    }
}
