//! Monitoring: rules over what agents do. Pure: what was seen is handed in.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

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
    /// A call at an hour of the day at which the agent has not called before, once its habits are known.
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

/// So many calls over so many days make a habit.
const HABIT_CALLS: usize = 20;
const HABIT_DAYS: i64 = 7;

/// Whether a call comes at an hour that is strange for an agent: its earlier calls make a habit, and none of them came
/// within an hour of this time of the day. Hours are UTC's: a habit looks the same in each zone.
#[must_use]
pub fn is_unusual_hour(now: Timestamp, earlier: &[Timestamp]) -> bool {
    let first = earlier.iter().min().map_or(now, |first| *first);
    let is_habit = earlier.len() >= HABIT_CALLS && now.day() - first.day() >= HABIT_DAYS;
    let near = |at: &Timestamp| {
        let apart = (hour(now) - hour(*at)).rem_euclid(24);
        apart <= 1 || apart == 23
    };
    is_habit && !earlier.iter().any(near)
}

/// The hour of the day.
fn hour(at: Timestamp) -> i64 {
    at.millis().div_euclid(3_600_000).rem_euclid(24)
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

    #[test]
    fn a_strange_hour_is_one_away_from_every_habit() {
        let at = |day: i64, hour: i64| Timestamp::from_millis((day * 24 + hour) * 3_600_000);
        let habit: Vec<Timestamp> = (0..20).map(|n| at(n / 2, 9 + n % 2)).collect();
        for (hour, strange) in
            [(3, true), (7, true), (8, false), (9, false), (11, false), (12, true), (23, true)]
        {
            assert_eq!(is_unusual_hour(at(10, hour), &habit), strange, "{hour}");
        }
        assert!(!is_unusual_hour(at(5, 3), &habit), "a week makes a habit");
        assert!(!is_unusual_hour(at(10, 3), &habit[..19]), "and twenty calls");
        assert!(!is_unusual_hour(at(0, 0), &[]));
        let late: Vec<Timestamp> = (0..20).map(|n| at(n / 2, 23)).collect();
        assert!(!is_unusual_hour(at(10, 0), &late), "midnight is an hour after eleven");
    }
}
