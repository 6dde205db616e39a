//! Monitoring: what agents do is held against the rules; a rule that applies is written down with what it saw.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use contract::ui::Event;
use domain::agent::PauseWhy;
use domain::audit::AuditEvent;
use domain::id::AgentId;
use domain::rule::{Rule, RuleAct, RuleKind, is_unusual_hour};
use domain::time::Timestamp;

use crate::hold_agent;
use crate::port::{Clock as _, Events as _, Note, Notify as _, Ports, Store as _};
use crate::report::Refusal;
use crate::start::{App, Inner};

/// More than any threshold that counts: what is beyond is forgotten first.
const MOST: usize = 10_000;
/// Alerts that wait to be looked at.
const MOST_ALERTS: usize = 50;

/// Earlier calls that say when an agent usually calls.
const HABIT: u16 = 2_000;

/// What the rules have seen in this run.
#[derive(Default)]
pub(crate) struct Watch {
    /// The hour since 1970 in which an agent's habits were last looked at: once an hour is enough.
    hours: BTreeMap<AgentId, i64>,
    seen: BTreeMap<(AgentId, RuleKind), VecDeque<i64>>,
    alerts: VecDeque<Alert>,
    next: u64,
}

/// A rule that applied, until the person has seen it.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) agent: AgentId,
    pub(crate) rule: Rule,
    pub(crate) seen: u32,
}

impl Watch {
    /// Counts one more, by the clock that nobody moves; how many there were within the rule's span.
    fn count(&mut self, agent: AgentId, kind: RuleKind, now: i64) -> u32 {
        let seen = self.seen.entry((agent, kind)).or_default();
        while seen.front().is_some_and(|at| *at <= now - kind.span()) || seen.len() >= MOST {
            seen.pop_front();
        }
        seen.push_back(now);
        u32::try_from(seen.len()).unwrap_or(u32::MAX)
    }

    /// Whether this is an agent's first call in an hour.
    fn begins_hour(&mut self, agent: AgentId, now: Timestamp) -> bool {
        let hour = now.millis().div_euclid(3_600_000);
        self.hours.insert(agent, hour) != Some(hour)
    }

    fn alert(&mut self, at: Timestamp, agent: AgentId, rule: Rule, seen: u32) {
        self.next += 1;
        if self.alerts.len() >= MOST_ALERTS {
            self.alerts.pop_front();
        }
        self.alerts.push_back(Alert { id: self.next, at, agent, rule, seen });
    }

    /// What waits to be looked at, oldest first.
    pub(crate) fn alerts(&self) -> Vec<Alert> {
        self.alerts.iter().cloned().collect()
    }

    /// The person has seen it. False if there was nothing to be seen.
    pub(crate) fn dismiss(&mut self, id: u64) -> bool {
        let before = self.alerts.len();
        self.alerts.retain(|alert| alert.id != id);
        self.alerts.len() < before
    }
}

impl<P: Ports> App<P> {
    /// The rules as they hold now.
    pub(crate) async fn rules_in_force(&self) -> Result<Vec<Rule>, Refusal> {
        let set = self.0.ports.store().read(|tx| tx.rules()).await?;
        Ok(in_force(&set))
    }

    /// Sets a rule.
    pub(crate) async fn put_rule(&self, rule: Rule) -> Result<(), Refusal> {
        let now = self.0.ports.clock().now();
        let stored = self.0.ports.store().write(move |tx| {
            let mut rules = tx.rules()?;
            rules.retain(|known| known.kind != rule.kind);
            rules.push(rule);
            tx.set_rules(&rules)?;
            let Rule { kind, threshold, act } = rule;
            tx.append_audit(now, &AuditEvent::RuleSet { rule: kind, threshold, act })
        });
        stored.await?;
        Ok(())
    }
}

/// Every rule once: as set, or as usual.
fn in_force(set: &[Rule]) -> Vec<Rule> {
    let of = |kind: RuleKind| set.iter().find(|rule| rule.kind == kind).copied();
    RuleKind::ALL.into_iter().map(|kind| of(kind).unwrap_or(Rule::usual(kind))).collect()
}

impl<P: Ports> Inner<P> {
    /// Writes a refusal down, and holds it against the rules.
    pub(crate) async fn record_refusal(self: &Arc<Self>, agent: AgentId, event: AuditEvent, rule: RuleKind) {
        let now = self.ports.clock().now();
        if let Err(error) = self.ports.store().write(move |tx| tx.append_audit(now, &event)).await {
            tracing::error!(%error, "a refusal could not be recorded");
        }
        self.saw(agent, rule).await;
        if rule != RuleKind::TooManyRefusals {
            self.saw(agent, RuleKind::TooManyRefusals).await;
        }
    }

    /// Holds something that an agent did against a rule.
    pub(crate) async fn saw(self: &Arc<Self>, agent: AgentId, kind: RuleKind) {
        let steady = i64::try_from(self.ports.clock().monotonic().as_millis()).unwrap_or(i64::MAX);
        let seen = self.broker.watch().count(agent, kind, steady);
        let Ok(set) = self.ports.store().read(|tx| tx.rules()).await else { return };
        let Some(rule) = in_force(&set).into_iter().find(|rule| rule.kind == kind) else { return };
        if rule.is_reached(seen) {
            self.follow(agent, rule, seen).await;
        }
    }

    /// Holds a call that went to a bank against the rules.
    pub(crate) async fn saw_call(self: &Arc<Self>, agent: AgentId) {
        self.saw(agent, RuleKind::TooManyCalls).await;
        let now = self.ports.clock().now();
        if !self.broker.watch().begins_hour(agent, now) {
            return;
        }
        let Ok(times) = self.ports.store().read(move |tx| tx.call_times(agent, HABIT)).await else { return };
        // This hour's own calls are no habit yet.
        let earlier: Vec<Timestamp> =
            times.into_iter().filter(|at| now.millis() - at.millis() > 3_600_000).collect();
        if is_unusual_hour(now, &earlier) {
            self.saw(agent, RuleKind::UnusualHours).await;
        }
    }

    /// What a rule says.
    async fn follow(self: &Arc<Self>, agent: AgentId, rule: Rule, seen: u32) {
        let now = self.ports.clock().now();
        tracing::warn!(agent = %agent, rule = ?rule.kind, seen, "a rule applies");
        let event = AuditEvent::RuleTriggered { agent, rule: rule.kind, act: rule.act, seen };
        let pauses = rule.act == RuleAct::Pause;
        let stored = self.ports.store().write(move |tx| {
            tx.append_audit(now, &event)?;
            if pauses {
                hold_agent::pause(tx, agent, PauseWhy::Rule { rule: rule.kind }, now)?;
            }
            Ok(tx.agents()?.into_iter().find(|known| known.id == agent))
        });
        let name = match stored.await {
            Ok(agent) => agent.map(|agent| agent.name.as_str().to_owned()),
            Err(error) => {
                tracing::error!(%error, "a rule could not be followed");
                None
            }
        };
        if pauses {
            self.broker.leases.end_of(agent);
        }
        self.broker.watch().alert(now, agent, rule, seen);
        self.ports.events().send(Event::AppChanged);
        self.ports.events().send(Event::AgentsChanged);
        if rule.act == RuleAct::StopAll {
            let app = App(Arc::clone(self));
            tokio::spawn(async move { app.stop_agents().await });
        }
        if let Some(agent) = name {
            let note = if pauses { Note::AgentPaused { agent } } else { Note::RuleNoticed { agent } };
            self.ports.notify().notify(note).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_a_rule_looks_at_does_not_count() {
        let mut watch = Watch::default();
        let agent = AgentId::make_from(Timestamp::from_millis(0), [1; 10]);
        let other = AgentId::make_from(Timestamp::from_millis(0), [2; 10]);
        let span = RuleKind::TooManyRefusals.span();
        assert_eq!(watch.count(agent, RuleKind::TooManyRefusals, 0), 1);
        assert_eq!(watch.count(agent, RuleKind::TooManyRefusals, 1), 2);
        assert_eq!(watch.count(other, RuleKind::TooManyRefusals, 1), 1);
        assert_eq!(watch.count(agent, RuleKind::Replays, 1), 1);
        assert_eq!(watch.count(agent, RuleKind::TooManyRefusals, span), 2);
        assert_eq!(watch.count(agent, RuleKind::TooManyRefusals, 3 * span), 1);
    }
}
