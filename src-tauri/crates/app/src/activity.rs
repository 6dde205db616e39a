//! Records of the audit log, as the window shows them.

use std::collections::BTreeMap;

use contract::ui::{
    AccessRefusedWhy, ActivityEntry, ActivityKind, ActivityOutcome, ActivityWhat, AgentPausedWhy, DeniedBy,
};
use domain::agent::{Agent, PauseWhy};
use domain::attempt::Attempt;
use domain::audit::{AuditEvent, AuditRecord, QuestionEnd};
use domain::grant::Grant;
use domain::id::{AgentId, AttemptId, GrantId, OperationId, ProviderId};
use domain::provider::Provider;

use crate::catalogue::Catalogue;
use crate::port::{RecordsOf, StoreError, Tx};
use crate::{rules, view};

const MILLIS_OF_DAY: i64 = 24 * 60 * 60 * 1000;
/// How many records are looked through for the answer that belongs to a call.
const NEAR: u16 = 50;
/// How many choices are looked through for the one that was forgotten.
const CHOICES: u16 = 500;

/// What records name, read once each.
#[derive(Default)]
pub(crate) struct Named {
    agents: Vec<Agent>,
    grants: BTreeMap<GrantId, Option<Grant>>,
    attempts: BTreeMap<AttemptId, Option<Attempt>>,
}

/// Which things a record names.
#[derive(Clone, Default)]
pub(crate) struct Names {
    pub(crate) agent: Option<AgentId>,
    pub(crate) grant: Option<GrantId>,
    pub(crate) bank: Option<ProviderId>,
}

impl Named {
    pub(crate) fn of(agents: Vec<Agent>) -> Self {
        Self { agents, ..Self::default() }
    }

    pub(crate) fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == id)
    }

    pub(crate) fn grant(&mut self, tx: &mut dyn Tx, id: GrantId) -> Result<Option<&Grant>, StoreError> {
        if let std::collections::btree_map::Entry::Vacant(place) = self.grants.entry(id) {
            place.insert(sound(tx.grant(id))?);
        }
        Ok(self.grants.get(&id).and_then(Option::as_ref))
    }

    fn attempt(&mut self, tx: &mut dyn Tx, id: AttemptId) -> Result<Option<&Attempt>, StoreError> {
        if let std::collections::btree_map::Entry::Vacant(place) = self.attempts.entry(id) {
            place.insert(sound(tx.attempt(id))?);
        }
        Ok(self.attempts.get(&id).and_then(Option::as_ref))
    }

    /// What a record is about: what it names itself, and what that belongs to.
    pub(crate) fn names(&mut self, tx: &mut dyn Tx, event: &AuditEvent) -> Result<Names, StoreError> {
        let (agent, grant, bank, attempt) = own_names(event);
        let mut names = Names { agent, grant, bank };
        if let Some(grant) = grant.map(|id| self.grant(tx, id)).transpose()?.flatten() {
            names.agent.get_or_insert(grant.agent);
            names.bank.get_or_insert_with(|| grant.provider.clone());
        }
        if let Some(attempt) = attempt.map(|id| self.attempt(tx, id)).transpose()?.flatten() {
            names.agent.get_or_insert(attempt.agent);
            names.bank.get_or_insert_with(|| attempt.provider.clone());
        }
        Ok(names)
    }

    /// A record as it is shown; none for what another record tells as well.
    pub(crate) fn entry(
        &mut self,
        tx: &mut dyn Tx,
        record: &AuditRecord,
        catalogue: &Catalogue,
    ) -> Result<Option<ActivityEntry>, StoreError> {
        let Some(event) = record.event() else { return Ok(Some(unknown(record))) };
        let names = self.names(tx, &event)?;
        let provider = names.bank.as_ref().and_then(|id| catalogue.provider(id));
        let Some((what, outcome)) = what(tx, record, &event, provider)? else { return Ok(None) };
        let agent = names.agent.map(|id| view::agent_mark(&self.agents, id));
        let grant = names.grant.map(|id| self.grant(tx, id)).transpose()?.flatten();
        let bank = match (grant, &names.bank) {
            (Some(grant), _) => {
                Some(view::bank_mark(provider, &grant.provider, &grant.provider_name, &grant.issuer))
            }
            (None, Some(id)) => Some(view::bank_mark(provider, id, id.as_str(), "")),
            (None, None) => None,
        };
        Ok(Some(ActivityEntry {
            seq: record.seq,
            at: record.at.millis(),
            kind: kind(&event),
            agent,
            bank,
            grant: names.grant.map(|id| id.to_string()),
            what,
            quoted: purpose(&event).map(str::to_owned),
            outcome,
        }))
    }
}

/// A row that cannot be read is named by its id; the record about it is shown all the same.
fn sound<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Damaged) => Ok(None),
        read => read,
    }
}

/// An event of another version: what there is of it is its own word.
fn unknown(record: &AuditRecord) -> ActivityEntry {
    let body: Option<serde_json::Value> = serde_json::from_str(&record.body).ok();
    let name = body.as_ref().and_then(|body| body.get("event")?.as_str()).unwrap_or_default();
    ActivityEntry {
        seq: record.seq,
        at: record.at.millis(),
        kind: ActivityKind::Security,
        agent: None,
        bank: None,
        grant: None,
        what: ActivityWhat::Other { name: domain::text::quoted(name, 40) },
        quoted: None,
        outcome: ActivityOutcome::Done,
    }
}

/// The agent's own words in a record.
pub(crate) fn purpose(event: &AuditEvent) -> Option<&str> {
    if let AuditEvent::LeaseGiven { purpose, .. } | AuditEvent::QuestionAsked { purpose, .. } = event {
        Some(purpose.as_str())
    } else {
        None
    }
}

type OwnNames = (Option<AgentId>, Option<GrantId>, Option<ProviderId>, Option<AttemptId>);

fn own_names(event: &AuditEvent) -> OwnNames {
    use AuditEvent as E;
    match event {
        E::AgentAdded { agent, .. }
        | E::AgentPaused { agent, .. }
        | E::AgentRemoved { agent }
        | E::AgentResumed { agent }
        | E::RuleTriggered { agent, .. } => (Some(*agent), None, None, None),
        E::AttemptStarted { attempt, provider, agent, .. } => {
            (Some(*agent), None, Some(provider.clone()), Some(*attempt))
        }
        E::AttemptEnded { attempt, .. } | E::CallbackInterference { attempt, .. } => {
            (None, None, None, Some(*attempt))
        }
        E::CallAnswered { grant, agent, .. }
        | E::CallMade { grant, agent, .. }
        | E::CallRefused { grant, agent, .. }
        | E::ChoiceForgotten { grant, agent, .. }
        | E::ChoiceMade { grant, agent, .. }
        | E::LeaseGiven { grant, agent, .. }
        | E::LeaseReturned { grant, agent, .. }
        | E::QuestionAnswered { grant, agent, .. }
        | E::QuestionAsked { grant, agent, .. } => (Some(*agent), Some(*grant), None, None),
        E::GrantConnected { grant, provider, agent, .. } => {
            (Some(*agent), Some(*grant), Some(provider.clone()), None)
        }
        E::GrantEnded { grant }
        | E::GrantNarrowed { grant, .. }
        | E::GrantNotKept { grant, .. }
        | E::GrantPaused { grant }
        | E::GrantReplaced { grant, .. }
        | E::GrantResumed { grant }
        | E::GrantRevoked { grant }
        | E::GrantWidened { grant }
        | E::LateTokens { grant }
        | E::ReconnectNeeded { grant, .. }
        | E::RefreshUnanswered { grant, .. }
        | E::Reminded { grant, .. }
        | E::RevocationConfirmed { grant }
        | E::RevocationGivenUp { grant }
        | E::SealedForgotten { grant }
        | E::TokensRefreshed { grant, .. } => (None, Some(*grant), None, None),
        E::TaskRefused { grant, agent, .. } => (Some(*agent), *grant, None, None),
        E::AgentAsked { .. }
        | E::AgentNotAdded { .. }
        | E::AgentsResumed
        | E::AgentsStopped
        | E::KeyMade { .. }
        | E::KeyReplaced { .. }
        | E::RuleSet { .. }
        | E::StoreRestored { .. }
        | E::VaultLocked { .. }
        | E::VaultOpened => (None, None, None, None),
    }
}

/// What a record is about.
pub(crate) fn kind(event: &AuditEvent) -> ActivityKind {
    use AuditEvent as E;
    match event {
        E::LeaseGiven { .. } | E::LeaseReturned { .. } => ActivityKind::Access,
        E::ChoiceForgotten { .. }
        | E::ChoiceMade { .. }
        | E::QuestionAnswered { .. }
        | E::QuestionAsked { .. } => ActivityKind::Approvals,
        E::CallAnswered { .. } | E::CallMade { .. } => ActivityKind::Calls,
        E::AttemptEnded { .. }
        | E::AttemptStarted { .. }
        | E::CallbackInterference { .. }
        | E::GrantConnected { .. }
        | E::GrantEnded { .. }
        | E::GrantNarrowed { .. }
        | E::GrantNotKept { .. }
        | E::GrantPaused { .. }
        | E::GrantReplaced { .. }
        | E::GrantResumed { .. }
        | E::GrantRevoked { .. }
        | E::GrantWidened { .. }
        | E::LateTokens { .. }
        | E::ReconnectNeeded { .. }
        | E::RefreshUnanswered { .. }
        | E::Reminded { .. }
        | E::RevocationConfirmed { .. }
        | E::RevocationGivenUp { .. }
        | E::SealedForgotten { .. }
        | E::TokensRefreshed { .. } => ActivityKind::Connections,
        E::CallRefused { .. } | E::TaskRefused { .. } => ActivityKind::Refusals,
        E::AgentAdded { .. }
        | E::AgentAsked { .. }
        | E::AgentNotAdded { .. }
        | E::AgentPaused { .. }
        | E::AgentRemoved { .. }
        | E::AgentResumed { .. }
        | E::AgentsResumed
        | E::AgentsStopped
        | E::KeyMade { .. }
        | E::KeyReplaced { .. }
        | E::RuleSet { .. }
        | E::RuleTriggered { .. }
        | E::StoreRestored { .. }
        | E::VaultLocked { .. }
        | E::VaultOpened => ActivityKind::Security,
    }
}

/// The words of the events of a kind: the index leads to them.
pub(crate) fn words(kind: ActivityKind) -> &'static [&'static str] {
    match kind {
        ActivityKind::Access => &["lease_given", "lease_returned"],
        ActivityKind::Approvals => {
            &["choice_forgotten", "choice_made", "question_answered", "question_asked"]
        }
        ActivityKind::Calls => &["call_made"],
        ActivityKind::Connections => &[
            "attempt_ended",
            "attempt_started",
            "callback_interference",
            "grant_connected",
            "grant_ended",
            "grant_narrowed",
            "grant_not_kept",
            "grant_paused",
            "grant_replaced",
            "grant_resumed",
            "grant_revoked",
            "grant_widened",
            "late_tokens",
            "reconnect_needed",
            "refresh_unanswered",
            "reminded",
            "revocation_confirmed",
            "revocation_given_up",
            "sealed_forgotten",
            "tokens_refreshed",
        ],
        ActivityKind::Refusals => &["call_refused", "task_refused"],
        ActivityKind::Security => &[
            "agent_added",
            "agent_not_added",
            "agent_paused",
            "agent_removed",
            "agent_resumed",
            "agents_resumed",
            "agents_stopped",
            "key_made",
            "key_replaced",
            "rule_set",
            "rule_triggered",
            "store_restored",
            "vault_locked",
            "vault_opened",
        ],
    }
}

type Shown = Option<(ActivityWhat, ActivityOutcome)>;

/// What happened, and how it went; none for what another record tells as well.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the events that need nothing more are all named in `plain`"
)]
fn what(
    tx: &mut dyn Tx,
    record: &AuditRecord,
    event: &AuditEvent,
    provider: Option<&Provider>,
) -> Result<Shown, StoreError> {
    use ActivityOutcome::{Done, Failed, Refused, Waiting};
    use AuditEvent as E;
    let says = |ids: &[OperationId]| ids.iter().map(|id| view::operation_says(provider, id)).collect();
    Ok(Some(match event {
        E::CallAnswered { .. } | E::AgentAsked { .. } => return Ok(None),
        E::CallMade { grant, lease, operation, .. } => {
            let answers = tx.answers_after(*grant, record.seq, NEAR)?;
            let status = answers.iter().find_map(|answer| {
                let Some(E::CallAnswered { lease: of, status, .. }) = answer.event() else { return None };
                (of == *lease).then_some(status)
            });
            let outcome = match status {
                None => Waiting,
                Some(200..=299) => Done,
                Some(_) => Failed,
            };
            let status = status.filter(|status| *status != 0);
            (ActivityWhat::Called { operation: view::operation_says(provider, operation), status }, outcome)
        }
        E::CallRefused { why, .. } => {
            (ActivityWhat::CallRefused { operation: None, why: refused(why, true) }, Refused)
        }
        E::ChoiceForgotten { choice, .. } => {
            let made = tx.audit_before(&RecordsOf::Event("choice_made"), Some(record.seq), CHOICES)?;
            let operation = made.iter().find_map(|made| {
                let Some(E::ChoiceMade { choice: id, operation, .. }) = made.event() else { return None };
                (id == *choice).then_some(operation)
            });
            let operation = operation.map(|id| view::operation_says(provider, &id)).unwrap_or_default();
            (ActivityWhat::ChoiceForgotten { operation }, Done)
        }
        E::ChoiceMade { until, .. } => {
            let days = until.millis().saturating_sub(record.at.millis() - MILLIS_OF_DAY / 2) / MILLIS_OF_DAY;
            (ActivityWhat::Approved { days: Some(u16::try_from(days).unwrap_or(u16::MAX)) }, Done)
        }
        E::LeaseGiven { operations, accounts, uses, ends_at, .. } => {
            let operations = says(operations);
            let (accounts, uses, until) = (*accounts, *uses, ends_at.millis());
            (ActivityWhat::AccessGiven { operations, accounts, uses, until }, Done)
        }
        E::LeaseReturned { .. } => (ActivityWhat::AccessReturned, Done),
        E::QuestionAnswered { answer, .. } => match answer {
            // The choices that were made say so, and for how long.
            QuestionEnd::AllowedFor => return Ok(None),
            QuestionEnd::AllowedOnce => (ActivityWhat::Approved { days: None }, Done),
            QuestionEnd::Denied => (ActivityWhat::Denied { by: DeniedBy::Person }, Refused),
            QuestionEnd::NotMine => (ActivityWhat::Denied { by: DeniedBy::NotMine }, Refused),
            QuestionEnd::RanOut => (ActivityWhat::Denied { by: DeniedBy::TimeOut }, Refused),
            QuestionEnd::Withdrawn => (ActivityWhat::Denied { by: DeniedBy::Withdrawn }, Refused),
        },
        E::QuestionAsked { operations, .. } => {
            (ActivityWhat::ApprovalAsked { operations: says(operations) }, Done)
        }
        E::TaskRefused { why, .. } => (ActivityWhat::AccessRefused { why: refused(why, false) }, Refused),
        E::AttemptEnded { ending, .. } => {
            let connected = matches!(ending, domain::attempt::Ending::Connected { .. });
            let outcome = if connected { Done } else { Failed };
            (ActivityWhat::AttemptEnded { ending: view::ending(ending, provider) }, outcome)
        }
        E::ReconnectNeeded { why, .. } => (ActivityWhat::ReconnectNeeded { why: view::why(*why) }, Failed),
        E::RefreshUnanswered { .. } => (ActivityWhat::RefreshUnanswered, Failed),
        event => return Ok(plain(event, provider).map(|what| (what, Done))),
    }))
}

/// What needs nothing but the event.
fn plain(event: &AuditEvent, provider: Option<&Provider>) -> Option<ActivityWhat> {
    use AuditEvent as E;
    Some(match event {
        E::AgentAdded { .. } => ActivityWhat::AgentAdded,
        E::AgentNotAdded { .. } => ActivityWhat::AgentDeclined { by_person: true },
        E::AgentPaused { why, .. } => ActivityWhat::AgentPaused {
            why: match why {
                PauseWhy::NotMine => AgentPausedWhy::NotMine,
                PauseWhy::Person => AgentPausedWhy::Person,
                PauseWhy::Rule { .. } => AgentPausedWhy::Rule,
            },
        },
        E::AgentRemoved { .. } => ActivityWhat::AgentRemoved,
        E::AgentResumed { .. } => ActivityWhat::AgentResumed,
        E::AgentsResumed => ActivityWhat::AgentsResumed,
        E::AgentsStopped => ActivityWhat::AgentsStopped,
        E::AttemptStarted { .. } => ActivityWhat::AttemptStarted,
        E::CallbackInterference { strays, .. } => ActivityWhat::Interference { strays: *strays },
        E::GrantConnected { permissions, accounts, renews, .. } => ActivityWhat::Connected {
            permissions: view::permissions(provider, permissions.iter())
                .into_iter()
                .map(|p| p.short)
                .collect(),
            accounts: *accounts,
            renewed: renews.is_some(),
        },
        E::GrantEnded { .. } => ActivityWhat::Ended,
        E::GrantNarrowed { .. } => ActivityWhat::Narrowed,
        E::GrantNotKept { .. } => ActivityWhat::NotKept,
        E::GrantPaused { .. } => ActivityWhat::Paused,
        E::GrantReplaced { .. } => ActivityWhat::Replaced,
        E::GrantResumed { .. } => ActivityWhat::Resumed,
        E::GrantRevoked { .. } => ActivityWhat::Revoked,
        E::GrantWidened { .. } => ActivityWhat::Widened,
        E::KeyMade { .. } => ActivityWhat::KeyMade,
        E::KeyReplaced { protection, .. } => {
            ActivityWhat::KeyReplaced { protection: view::protection(*protection) }
        }
        E::LateTokens { .. } => ActivityWhat::LateTokens,
        E::Reminded { .. } => ActivityWhat::Reminded,
        E::RevocationConfirmed { .. } => ActivityWhat::BankConfirmed,
        E::RevocationGivenUp { .. } => ActivityWhat::GivenUp,
        E::RuleSet { rule, act, .. } => {
            ActivityWhat::RuleChanged { rule: rules::kind_view(*rule), act: rules::act_view(*act) }
        }
        E::RuleTriggered { rule, act, .. } => {
            ActivityWhat::RuleTriggered { rule: rules::kind_view(*rule), act: rules::act_view(*act) }
        }
        E::SealedForgotten { .. } => ActivityWhat::Forgotten,
        E::StoreRestored { .. } => ActivityWhat::Restored,
        E::TokensRefreshed { .. } => ActivityWhat::Refreshed,
        E::VaultLocked { by } => ActivityWhat::VaultLocked { by: view::locked_by(*by) },
        E::VaultOpened => ActivityWhat::VaultOpened,
        E::AgentAsked { .. }
        | E::AttemptEnded { .. }
        | E::CallAnswered { .. }
        | E::CallMade { .. }
        | E::CallRefused { .. }
        | E::ChoiceForgotten { .. }
        | E::ChoiceMade { .. }
        | E::LeaseGiven { .. }
        | E::LeaseReturned { .. }
        | E::QuestionAnswered { .. }
        | E::QuestionAsked { .. }
        | E::ReconnectNeeded { .. }
        | E::RefreshUnanswered { .. }
        | E::TaskRefused { .. } => return None,
    })
}

/// Why something was refused: the word that [`crate::refused::Refused::word`] gave it.
fn refused(word: &str, at_call: bool) -> AccessRefusedWhy {
    match word {
        "agent_paused" | "agent_removed" => AccessRefusedWhy::AgentPaused,
        "account_outside" | "dates_outside" | "operation_outside" | "payment_differs"
        | "insufficient_scope"
            if at_call =>
        {
            AccessRefusedWhy::NotThisAccess
        }
        "account_outside" | "operation_outside" | "operation_unknown" | "invalid_scope" => {
            AccessRefusedWhy::NotAllowed
        }
        "invalid_token" => AccessRefusedWhy::NotThisAccess,
        "grant_ended" | "grant_paused" | "grant_revoked" | "needs_reconnect" => {
            AccessRefusedWhy::ConnectionNotUsable
        }
        "not_this_agents" | "invalid_target" => AccessRefusedWhy::UnknownConnection,
        "replayed" => AccessRefusedWhy::Replay,
        "access_denied" => AccessRefusedWhy::Person,
        "bad_gateway" => AccessRefusedWhy::BankFailed,
        "slow_down" => AccessRefusedWhy::TooMany,
        "temporarily_unavailable" => AccessRefusedWhy::AgentsStopped,
        _ => AccessRefusedWhy::BadTask,
    }
}
