//! What the window reads: banks, agents, attempts, connections.

use std::collections::{BTreeMap, BTreeSet};

use contract::ui::{
    AgentsView, AttemptView, DamagedKind, DayCount, GrantState, GrantView, GrantsView, HistoryEntry,
    HistoryKind, OtherAccountView, ProviderView,
};
use domain::agent::Agent;
use domain::attempt::Attempt;
use domain::audit::{AuditEvent, AuditRecord};
use domain::grant::Grant;
use domain::id::{AttemptId, GrantId};
use domain::policy::Choice;
use domain::provider::Consents;
use domain::refresh::Refresh;
use domain::time::Timestamp;

use crate::enrol_agent::Waiting;
use crate::port::{Clock as _, DayOfUse, Ports, Store as _};
use crate::report::{Refusal, Thing};
use crate::start::App;
use crate::view::{self, Known};

const DAYS_OF_A_WEEK: i64 = 7;
/// So many days are shown of a connection.
const DAYS_SHOWN: i64 = 30;
const MILLIS_OF_DAY: i64 = 24 * 60 * 60 * 1000;

impl<P: Ports> App<P> {
    /// The banks of the catalogue, by name.
    #[must_use]
    pub fn list_providers(&self) -> Vec<ProviderView> {
        self.0.catalogue.providers().iter().map(view::provider).collect()
    }

    /// The agents, and who asks to be added, oldest first.
    ///
    /// # Errors
    /// The store; so for every method here.
    pub async fn list_agents(&self) -> Result<AgentsView, Refusal> {
        let read = self.0.ports.store().read(|tx| {
            let agents = tx.agents()?;
            let seen: Vec<Option<Timestamp>> =
                agents.iter().map(|agent| tx.agent_seen(agent.id)).collect::<Result<_, _>>()?;
            Ok((agents, seen, tx.grants()?.sound, tx.choices()?))
        });
        let (agents, seen, grants, choices) = read.await?;
        let now = self.0.ports.clock().now();
        let current = |agent: &Agent| {
            let is_current = |g: &&Grant| g.agent == agent.id && g.revocation.is_none() && g.ends_at > now;
            u32::try_from(grants.iter().filter(is_current).count()).unwrap_or(u32::MAX)
        };
        let choice = |choice: &Choice| {
            let grant = grants.iter().find(|grant| grant.id == choice.grant && grant.revocation.is_none())?;
            Some(view::choice(choice, self.0.catalogue.provider(&grant.provider), grant))
        };
        let view = |(agent, seen): (&Agent, &Option<Timestamp>)| {
            let of_agent = choices.iter().filter(|choice| choice.agent == agent.id && choice.until > now);
            view::agent(agent, current(agent), *seen, of_agent.filter_map(choice).collect())
        };
        let waiting: Vec<Waiting> = self.0.broker.enrolments().open_ones().cloned().collect();
        Ok(AgentsView {
            agents: agents.iter().zip(&seen).map(view).collect(),
            enrolments: waiting.iter().map(|waiting| view::enrolment(waiting, &agents)).collect(),
        })
    }

    /// Attempts that go on, oldest first.
    pub async fn list_attempts(&self) -> Result<Vec<AttemptView>, Refusal> {
        let open: Vec<(Attempt, Option<OtherAccountView>)> = self
            .0
            .live()
            .values()
            .filter(|l| l.attempt.ending.is_none())
            .map(|l| (l.attempt.clone(), l.other.clone()))
            .collect();
        let agents = self.0.ports.store().read(|tx| tx.agents()).await?;
        Ok(open.into_iter().map(|(attempt, other)| self.attempt_view(&attempt, other, &agents)).collect())
    }

    /// One attempt: as it runs, or as it was stored.
    pub async fn show_attempt(&self, id: AttemptId) -> Result<AttemptView, Refusal> {
        let (attempt, other, agents) = self.attempt_and_agents(id).await?;
        Ok(self.attempt_view(&attempt, other, &agents))
    }

    /// One attempt with what a renewal came back with, and the agents.
    pub(crate) async fn attempt_and_agents(
        &self,
        id: AttemptId,
    ) -> Result<(Attempt, Option<OtherAccountView>, Vec<Agent>), Refusal> {
        let live = self.0.live().get(&id).map(|live| (live.attempt.clone(), live.other.clone()));
        let (stored, agents) =
            self.0.ports.store().read(move |tx| Ok((tx.attempt(id)?, tx.agents()?))).await?;
        let attempt = live.or(stored.map(|stored| (stored, None)));
        let (attempt, other) = attempt.ok_or(Refusal::Unknown(Thing::Attempt))?;
        Ok((attempt, other, agents))
    }

    /// The connections page.
    pub async fn list_grants(&self) -> Result<GrantsView, Refusal> {
        let revision = self.0.grants_revision();
        let now = self.0.ports.clock().now();
        let read = self.0.ports.store().read(move |tx| {
            let uses = (tx.last_uses()?, tx.uses_since(None, now.day() - (DAYS_OF_A_WEEK - 1))?);
            let refreshes = tx.refreshes()?.into_iter().collect();
            Ok((tx.agents()?, tx.damaged_agents()?, tx.grants()?, refreshes, uses))
        });
        let (agents, damaged_agents, grants, refreshes, (last, week)) = read.await?;
        let refreshes: BTreeMap<GrantId, Refresh> = refreshes;
        let last: BTreeMap<GrantId, Timestamp> = last.into_iter().collect();
        let mut calls: BTreeMap<GrantId, u32> = BTreeMap::new();
        for day in week {
            let so_far = calls.entry(day.grant).or_default();
            *so_far = so_far.saturating_add(day.calls);
        }
        let successors: BTreeMap<GrantId, GrantId> =
            grants.sound.iter().filter_map(|grant| Some((grant.renews?, grant.id))).collect();
        let row = |grant: &Grant| {
            let known = Known {
                provider: self.0.catalogue.provider(&grant.provider),
                agents: &agents,
                refresh: refreshes.get(&grant.id),
                replaced_by: successors.get(&grant.id).copied(),
                used: (last.get(&grant.id).copied(), calls.get(&grant.id).copied().unwrap_or_default()),
                now,
            };
            view::grant_row(grant, &known)
        };
        let rows = grants.sound.iter().map(|grant| (grant, row(grant)));
        let (current, history): (Vec<_>, Vec<_>) = rows.partition(|(_, row)| {
            !matches!(row.state, GrantState::Ended { .. } | GrantState::Revoked { .. })
        });
        let held = |grant: &Grant| {
            agents.iter().any(|agent| {
                agent.id == grant.agent && (agent.paused.is_some() || agent.removed_at.is_some())
            })
        };
        let working = || {
            current
                .iter()
                .filter(|(grant, row)| matches!(row.state, GrantState::Active { .. }) && !held(grant))
        };
        let seeing: BTreeSet<_> = working().map(|(grant, _)| grant.agent.to_string()).collect();
        let accounts: BTreeSet<_> = working()
            .flat_map(|(grant, _)| grant.allowed_accounts().map(move |a| (&grant.issuer, &a.id)))
            .collect();
        Ok(GrantsView {
            agents: u32::try_from(seeing.len()).unwrap_or(u32::MAX),
            accounts: u32::try_from(accounts.len()).unwrap_or(u32::MAX),
            current: current.into_iter().map(|(_, row)| row).collect(),
            history: history.into_iter().map(|(_, row)| row).collect(),
            damaged: grants
                .damaged
                .into_iter()
                .map(|row| view::damaged(DamagedKind::Connection, row))
                .chain(damaged_agents.into_iter().map(|row| view::damaged(DamagedKind::Agent, row)))
                .collect(),
            revision,
        })
    }

    /// A connection's own page.
    pub async fn show_grant(&self, id: GrantId) -> Result<GrantView, Refusal> {
        let grant = self.known_grant(id).await?;
        let now = self.0.ports.clock().now();
        let first = now.day() - (DAYS_SHOWN - 1);
        let read = self.0.ports.store().read(move |tx| {
            let uses = tx.uses_since(Some(id), first)?;
            let successor = tx.grants()?.sound.into_iter().find(|grant| grant.renews == Some(id));
            let about = (tx.audit_of(id)?, tx.attempt_of(id)?, tx.receipts_of(id)?, tx.refresh(id)?);
            Ok((tx.agents()?, successor.map(|grant| grant.id), about, uses))
        });
        let (agents, replaced_by, (records, attempt, receipts, refresh), uses) = read.await?;
        let provider = self.0.catalogue.provider(&grant.provider);
        let week = uses.iter().filter(|day| day.day > now.day() - DAYS_OF_A_WEEK);
        let used = (
            uses.iter().filter_map(|day| day.last_at).max(),
            week.fold(0_u32, |calls, day| calls.saturating_add(day.calls)),
        );
        let known = Known { provider, agents: &agents, refresh: refresh.as_ref(), replaced_by, used, now };
        let mut history: Vec<HistoryEntry> = records.iter().filter_map(entry).collect();
        history.reverse();
        Ok(GrantView {
            row: view::grant_row(&grant, &known),
            accounts: view::accounts(&grant),
            consented: view::permissions(provider, grant.permissions.iter()),
            consent_ends_at: grant.ends_at.millis(),
            receipts: receipts.iter().rev().filter_map(view::receipt_entry).collect(),
            renews: grant.renews.map(|id| id.to_string()),
            holder: grant.holder.clone(),
            missing: view::permissions(provider, grant.missing.iter()),
            extra: grant.extra.clone(),
            cannot: view::others(provider, &grant.allowed_permissions()),
            shared_consents: provider.is_some_and(|p| p.behaviour.consents == Consents::Shared),
            history,
            days: (first..=now.day()).map(|day| count_of(&uses, day)).collect(),
            reference: attempt.map(|attempt| attempt.reference().to_string()),
        })
    }

    pub(crate) fn attempt_view(
        &self,
        attempt: &Attempt,
        other: Option<OtherAccountView>,
        agents: &[Agent],
    ) -> AttemptView {
        let view = view::attempt(attempt, self.0.catalogue.provider(&attempt.provider), agents);
        AttemptView { other: other.filter(|_| attempt.ending.is_none()), ..view }
    }
}

/// What the agent did on a day.
fn count_of(uses: &[DayOfUse], day: i64) -> DayCount {
    let found = uses.iter().find(|of| of.day == day);
    let (calls, refused) = found.map_or((0, 0), |of| (of.calls, of.refused));
    DayCount { day: day * MILLIS_OF_DAY, calls, refused }
}

fn entry(record: &AuditRecord) -> Option<HistoryEntry> {
    let what = match record.event()? {
        AuditEvent::GrantConnected { .. } => HistoryKind::Connected,
        AuditEvent::GrantEnded { .. } => HistoryKind::Ended,
        AuditEvent::GrantNarrowed { .. } => HistoryKind::Narrowed,
        AuditEvent::GrantNotKept { .. } => HistoryKind::NotKept,
        AuditEvent::GrantPaused { .. } => HistoryKind::Paused,
        AuditEvent::GrantReplaced { .. } => HistoryKind::Replaced,
        AuditEvent::GrantResumed { .. } => HistoryKind::Resumed,
        AuditEvent::GrantRevoked { .. } => HistoryKind::Revoked,
        AuditEvent::GrantWidened { .. } => HistoryKind::Widened,
        AuditEvent::LateTokens { .. } => HistoryKind::LateTokens,
        AuditEvent::ReconnectNeeded { .. } => HistoryKind::ReconnectNeeded,
        AuditEvent::RefreshUnanswered { .. } => HistoryKind::RefreshUnanswered,
        AuditEvent::Reminded { .. } => HistoryKind::Reminded,
        AuditEvent::RevocationConfirmed { .. } => HistoryKind::BankConfirmed,
        AuditEvent::RevocationGivenUp { .. } => HistoryKind::GivenUp,
        AuditEvent::SealedForgotten { .. } => HistoryKind::Forgotten,
        AuditEvent::TokensRefreshed { .. } => HistoryKind::Refreshed,
        AuditEvent::AgentAdded { .. }
        | AuditEvent::AgentAsked { .. }
        | AuditEvent::AgentNotAdded { .. }
        | AuditEvent::AgentPaused { .. }
        | AuditEvent::AgentRemoved { .. }
        | AuditEvent::AgentResumed { .. }
        | AuditEvent::AgentsResumed
        | AuditEvent::AgentsStopped
        | AuditEvent::AttemptEnded { .. }
        | AuditEvent::AttemptStarted { .. }
        | AuditEvent::CallAnswered { .. }
        | AuditEvent::CallMade { .. }
        | AuditEvent::CallRefused { .. }
        | AuditEvent::CallbackInterference { .. }
        | AuditEvent::ChoiceForgotten { .. }
        | AuditEvent::ChoiceMade { .. }
        | AuditEvent::KeyMade { .. }
        | AuditEvent::KeyReplaced { .. }
        | AuditEvent::LeaseGiven { .. }
        | AuditEvent::LeaseReturned { .. }
        | AuditEvent::QuestionAnswered { .. }
        | AuditEvent::QuestionAsked { .. }
        | AuditEvent::RuleSet { .. }
        | AuditEvent::RuleTriggered { .. }
        | AuditEvent::TaskRefused { .. }
        | AuditEvent::StoreRestored { .. }
        | AuditEvent::VaultLocked { .. }
        | AuditEvent::VaultOpened => return None,
    };
    Some(HistoryEntry { at: record.at.millis(), what })
}
