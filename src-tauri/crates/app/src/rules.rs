//! The rules that watch over agents, as the window shows and sets them.

use contract::ui::{AlertRef, RuleAlertView, RuleFact, RuleFactName, RuleView, SetRule};
use domain::agent::Agent;
use domain::rule::{Rule, RuleAct, RuleKind};

use crate::port::{Events as _, Ports};
use crate::report::{Refusal, Thing};
use crate::start::App;
use crate::view;
use crate::watch_agents::Alert;

/// No threshold is higher: nothing counts further.
const HIGHEST: u32 = 10_000;

impl<P: Ports> App<P> {
    /// The rules that watch over agents.
    ///
    /// # Errors
    /// The store; so for every method here.
    pub async fn list_rules(&self) -> Result<Vec<RuleView>, Refusal> {
        let view = |rule: Rule| RuleView {
            id: kind_view(rule.kind),
            threshold: rule.threshold,
            act: act_view(rule.act),
        };
        Ok(self.rules_in_force().await?.into_iter().map(view).collect())
    }

    /// Changes a rule.
    ///
    /// # Errors
    /// The threshold is out of range, or the store failed.
    pub async fn set_rule(&self, set: SetRule) -> Result<Vec<RuleView>, Refusal> {
        if !(1..=HIGHEST).contains(&set.threshold) {
            return Err(Refusal::Malformed);
        }
        self.must_be_open()?;
        self.put_rule(Rule { kind: kind(set.id), threshold: set.threshold, act: act(set.act) }).await?;
        self.list_rules().await
    }

    /// Puts away what a rule has noticed.
    ///
    /// # Errors
    /// Nothing has such an id.
    pub fn dismiss_alert(&self, alert: &AlertRef) -> Result<(), Refusal> {
        let id = alert.alert.parse().map_err(|_| Refusal::Unknown(Thing::Alert))?;
        if !self.0.broker.watch().dismiss(id) {
            return Err(Refusal::Unknown(Thing::Alert));
        }
        self.0.ports.events().send(contract::ui::Event::AppChanged);
        Ok(())
    }
}

/// What a rule has noticed, with the facts that it saw.
pub(crate) fn alert_view(alert: &Alert, agents: &[Agent]) -> RuleAlertView {
    let name = match alert.rule.kind {
        RuleKind::Replays => RuleFactName::Replays,
        RuleKind::TooManyCalls | RuleKind::UnusualHours => RuleFactName::Calls,
        RuleKind::TooManyRefusals => RuleFactName::Refusals,
        RuleKind::UnknownOperations => RuleFactName::Operation,
    };
    let fact = |name, value: u32| RuleFact { name, value: value.to_string() };
    RuleAlertView {
        id: alert.id.to_string(),
        at: alert.at.millis(),
        agent: view::agent_mark(agents, alert.agent),
        rule: kind_view(alert.rule.kind),
        act: act_view(alert.rule.act),
        facts: vec![fact(name, alert.seen), fact(RuleFactName::Threshold, alert.rule.threshold)],
    }
}

/// The rule's name on the border.
pub(crate) fn kind_view(kind: RuleKind) -> contract::ui::RuleKind {
    match kind {
        RuleKind::Replays => contract::ui::RuleKind::Replays,
        RuleKind::TooManyCalls => contract::ui::RuleKind::TooManyCalls,
        RuleKind::TooManyRefusals => contract::ui::RuleKind::TooManyRefusals,
        RuleKind::UnknownOperations => contract::ui::RuleKind::UnknownOperation,
        RuleKind::UnusualHours => contract::ui::RuleKind::UnusualHours,
    }
}

fn kind(kind: contract::ui::RuleKind) -> RuleKind {
    match kind {
        contract::ui::RuleKind::Replays => RuleKind::Replays,
        contract::ui::RuleKind::TooManyCalls => RuleKind::TooManyCalls,
        contract::ui::RuleKind::TooManyRefusals => RuleKind::TooManyRefusals,
        contract::ui::RuleKind::UnknownOperation => RuleKind::UnknownOperations,
        contract::ui::RuleKind::UnusualHours => RuleKind::UnusualHours,
    }
}

/// What follows, as the border names it.
pub(crate) fn act_view(act: RuleAct) -> contract::ui::RuleAct {
    match act {
        RuleAct::Nothing => contract::ui::RuleAct::Nothing,
        RuleAct::Notify => contract::ui::RuleAct::Notify,
        RuleAct::Pause => contract::ui::RuleAct::Pause,
        RuleAct::StopAll => contract::ui::RuleAct::StopAll,
    }
}

fn act(act: contract::ui::RuleAct) -> RuleAct {
    match act {
        contract::ui::RuleAct::Nothing => RuleAct::Nothing,
        contract::ui::RuleAct::Notify => RuleAct::Notify,
        contract::ui::RuleAct::Pause => RuleAct::Pause,
        contract::ui::RuleAct::StopAll => RuleAct::StopAll,
    }
}
