//! Views: domain words turned into what the window shows.

use std::collections::BTreeSet;

use contract::ui::{
    AccountView, AgentMark, AgentPausedView, AgentPausedWhy, AgentView, AttemptStep, AttemptView, BankMark,
    BankTold, BrowserView, ChoiceView, ConsentTold, DamagedKind, DamagedRecord, EndingView, EnrolmentView,
    GrantRow, GrantState, LockedByView, PermissionGroup, PermissionView, ProtectionView, ProviderView,
    PurposeClassView, ReceiptEntry, ReceiptKind, ReconnectWhyView, RevocationView, RiskView, TroubleKind,
    TroubleView, WaitsForView,
};
use domain::agent::{Agent, AgentPaused, PauseWhy};
use domain::attempt::{Attempt, Browser, Ending};
use domain::grant::{Grant, ReconnectWhy, Reminder, Revocation, Standing, TokenRevocation, WaitsFor};
use domain::id::{AgentId, GrantId, OperationId, PermissionId, ProviderId};
use domain::lock::{LockedBy, Protection};
use domain::permission::{PermissionSet, Risk};
use domain::policy::Choice;
use domain::profile::{Permission, Profile};
use domain::provider::{ConsentWithdrawal, Consents, Provider};
use domain::reference::Stage;
use domain::refresh::{Refresh, Trouble};
use domain::task::PurposeClass;
use domain::text::quoted;
use domain::time::Timestamp;
use oauth::refusal::OAuthCode;

use crate::enrol_agent::Waiting;
use crate::port::{DamagedRow, ReceiptRow};

/// Seven days: from then on a grant "ends soon".
const SOON_DAYS: u16 = 7;

pub(crate) fn provider(provider: &Provider) -> ProviderView {
    ProviderView {
        id: provider.id.to_string(),
        name: provider.name.clone(),
        monogram: provider.monogram.clone(),
        colour: provider.colour.clone(),
        host: sign_in_host(provider),
        unverified: provider.unverified,
        shared_consents: provider.behaviour.consents == Consents::Shared,
        max_days: provider.behaviour.consent_days,
        permissions: provider.profile.permissions.iter().map(|p| permission(&provider.profile, p)).collect(),
    }
}

/// Where the browser is about to go, which need not be where the issuer is (RFC 9728 §7.8); ASCII, as it is opened.
fn sign_in_host(provider: &Provider) -> String {
    let url = provider.server.authorization_endpoint.url();
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn permission(profile: &Profile, permission: &Permission) -> PermissionView {
    let (group, text) = match (&permission.can_see, &permission.can_do) {
        (Some(text), _) => (PermissionGroup::See, text.clone()),
        (None, text) => (PermissionGroup::Do, text.clone().unwrap_or_default()),
    };
    PermissionView {
        id: permission.id.to_string(),
        short: permission.short.clone(),
        text,
        cannot: permission.cannot.clone(),
        group,
        risk: risk(permission.risk),
        needs: profile.needs(&permission.id).map(ToString::to_string).collect(),
    }
}

/// Permissions in words; where the bank has left the catalogue, the ids must do.
pub(crate) fn permissions<'i>(
    provider: Option<&Provider>,
    ids: impl Iterator<Item = &'i PermissionId>,
) -> Vec<PermissionView> {
    let wanted: BTreeSet<&PermissionId> = ids.collect();
    let Some(provider) = provider else { return wanted.into_iter().map(unknown_permission).collect() };
    let known = provider.profile.permissions.iter().filter(|p| wanted.contains(&p.id));
    let gone = wanted.iter().filter(|id| provider.profile.permission(id).is_none());
    known.map(|p| permission(&provider.profile, p)).chain(gone.map(|id| unknown_permission(id))).collect()
}

fn unknown_permission(id: &PermissionId) -> PermissionView {
    PermissionView {
        id: id.to_string(),
        short: id.to_string(),
        text: id.to_string(),
        cannot: id.to_string(),
        group: PermissionGroup::See,
        risk: RiskView::Personal,
        needs: Vec::new(),
    }
}

/// What this bank offers and is not in the set.
pub(crate) fn others(provider: Option<&Provider>, chosen: &PermissionSet) -> Vec<PermissionView> {
    let Some(provider) = provider else { return Vec::new() };
    let rest = provider.profile.permissions.iter().filter(|p| !chosen.contains(&p.id));
    rest.map(|p| permission(&provider.profile, p)).collect()
}

pub(crate) fn agent(
    agent: &Agent,
    connections: u32,
    last_seen: Option<Timestamp>,
    choices: Vec<ChoiceView>,
) -> AgentView {
    AgentView {
        id: agent.id.to_string(),
        name: agent.name.as_str().to_owned(),
        thumbprint: agent.key.thumbprint(),
        added_at: agent.added_at.millis(),
        connections,
        paused: agent.paused.as_ref().map(paused),
        removed_at: agent.removed_at.map(Timestamp::millis),
        last_seen: last_seen.map(Timestamp::millis),
        choices,
    }
}

fn paused(paused: &AgentPaused) -> AgentPausedView {
    let (why, rule) = match paused.why {
        PauseWhy::NotMine => (AgentPausedWhy::NotMine, None),
        PauseWhy::Person => (AgentPausedWhy::Person, None),
        PauseWhy::Rule { rule } => (AgentPausedWhy::Rule, Some(crate::rules::kind_view(rule))),
    };
    AgentPausedView { at: paused.at.millis(), why, rule }
}

/// What the person said once for a while.
pub(crate) fn choice(choice: &Choice, provider: Option<&Provider>, grant: &Grant) -> ChoiceView {
    ChoiceView {
        id: choice.id.to_string(),
        grant: grant.id.to_string(),
        bank: bank_mark(provider, &grant.provider, &grant.provider_name, &grant.issuer),
        operation: operation_says(provider, &choice.operation),
        purpose_class: purpose_class(choice.purpose_class),
        until: choice.until.millis(),
    }
}

/// What an operation does, in plain words; where the bank has left the catalogue, its id must do.
pub(crate) fn operation_says(provider: Option<&Provider>, id: &OperationId) -> String {
    let says = provider.and_then(|provider| {
        let permission = provider.profile.permission(&provider.profile.operation(id)?.permission)?;
        permission.can_see.as_ref().map(|sees| format!("see {sees}")).or_else(|| permission.can_do.clone())
    });
    says.unwrap_or_else(|| id.to_string())
}

pub(crate) fn purpose_class(class: PurposeClass) -> PurposeClassView {
    match class {
        PurposeClass::Bookkeeping => PurposeClassView::Bookkeeping,
        PurposeClass::Budgeting => PurposeClassView::Budgeting,
        PurposeClass::Lending => PurposeClassView::Lending,
        PurposeClass::Other => PurposeClassView::Other,
        PurposeClass::Payments => PurposeClassView::Payments,
        PurposeClass::Support => PurposeClassView::Support,
        PurposeClass::Taxes => PurposeClassView::Taxes,
    }
}

/// A program that asks to be added; one that calls itself as an agent is called is said to.
pub(crate) fn enrolment(waiting: &Waiting, agents: &[Agent]) -> EnrolmentView {
    let same = |agent: &&Agent| {
        agent.removed_at.is_none() && agent.name.as_str().to_lowercase() == waiting.name.to_lowercase()
    };
    EnrolmentView {
        id: waiting.id.to_string(),
        code: waiting.code.clone(),
        thumbprint: waiting.key.thumbprint(),
        suggested_name: waiting.name.clone(),
        program: waiting.program.clone(),
        at: waiting.at.millis(),
        runs_out_at: waiting.runs_out_at.millis(),
        same_name_as: agents.iter().find(same).map(|agent| agent_mark(agents, agent.id)),
    }
}

pub(crate) fn risk(risk: Risk) -> RiskView {
    match risk {
        Risk::Money => RiskView::Money,
        Risk::Personal => RiskView::Personal,
        Risk::Read => RiskView::Read,
    }
}

/// An agent that is not among those known has a damaged record: its id must do.
pub(crate) fn agent_mark(agents: &[Agent], id: AgentId) -> AgentMark {
    let known = agents.iter().find(|agent| agent.id == id);
    AgentMark {
        id: id.to_string(),
        name: known.map_or_else(|| id.to_string(), |agent| agent.name.as_str().to_owned()),
        thumbprint: known.map_or_else(String::new, |agent| agent.key.thumbprint()),
    }
}

pub(crate) fn bank_mark(provider: Option<&Provider>, id: &ProviderId, name: &str, issuer: &str) -> BankMark {
    match provider {
        Some(provider) => BankMark {
            id: provider.id.to_string(),
            name: provider.name.clone(),
            monogram: provider.monogram.clone(),
            colour: provider.colour.clone(),
            host: sign_in_host(provider),
            help: provider.help.as_ref().map(|help| help.as_str().to_owned()),
        },
        None => BankMark {
            id: id.to_string(),
            name: name.to_owned(),
            monogram: name.chars().take(1).collect(),
            colour: "#5c6670".to_owned(),
            host: issuer.trim_start_matches("https://").to_owned(),
            help: None,
        },
    }
}

pub(crate) fn attempt(attempt: &Attempt, provider: Option<&Provider>, agents: &[Agent]) -> AttemptView {
    AttemptView {
        id: attempt.id.to_string(),
        reference: attempt.reference().to_string(),
        revision: attempt.revision,
        bank: bank_mark(provider, &attempt.provider, attempt.provider.as_str(), ""),
        agent: agent_mark(agents, attempt.agent),
        permissions: permissions(provider, attempt.permissions.iter()),
        not_chosen: others(provider, &attempt.permissions),
        until: attempt.until.millis(),
        started_at: attempt.started_at.millis(),
        waiting_until: attempt.deadline.map(Timestamp::millis),
        browser: match attempt.browser {
            Browser::Failed => BrowserView::Failed,
            Browser::LinkCopied => BrowserView::LinkCopied,
            Browser::NotYet => BrowserView::NotYet,
            Browser::Opened => BrowserView::Opened,
        },
        step: step(attempt),
        ending: attempt.ending.as_ref().map(|e| ending(e, provider)),
        grant: attempt.grant.map(|id| id.to_string()),
        renews: attempt.renews.map(|id| id.to_string()),
        other: None,
    }
}

fn step(attempt: &Attempt) -> AttemptStep {
    if attempt.ending.is_some() {
        return AttemptStep::Ended;
    }
    match attempt.stage {
        Stage::Start | Stage::Keychain | Stage::Metadata | Stage::Browser => AttemptStep::Preparing,
        Stage::Bank => AttemptStep::AtBank,
        Stage::Callback | Stage::Exchange | Stage::Identity => AttemptStep::Answered,
        Stage::Accounts => AttemptStep::ReadingAccounts,
        Stage::Decision => AttemptStep::OtherAccount,
        // No attempt stands at a task: that is where references of refused tasks do.
        Stage::Save | Stage::Revoke | Stage::Task => AttemptStep::Saving,
    }
}

pub(crate) fn ending(ending: &Ending, provider: Option<&Provider>) -> EndingView {
    match ending {
        Ending::AddressesChanged { member } => EndingView::AddressesChanged { member: member.clone() },
        Ending::BankMisbehaved { rule } => EndingView::BankMisbehaved { rule: rule.clone() },
        Ending::BankRefused { code } => {
            EndingView::BankRefused { code: code.clone(), retry: OAuthCode::parse(code).is_transient() }
        }
        Ending::BankUnreachable => EndingView::BankUnreachable,
        Ending::Cancelled => EndingView::Cancelled,
        Ending::Connected { missing, extra } => {
            EndingView::Connected { missing: permissions(provider, missing.iter()), extra: extra.clone() }
        }
        Ending::Declined => EndingView::Declined,
        Ending::Interrupted => EndingView::Interrupted,
        Ending::KeychainKeyLost => EndingView::KeychainKeyLost,
        Ending::KeychainLocked => EndingView::KeychainLocked,
        Ending::KeychainUnavailable => EndingView::KeychainUnavailable,
        Ending::NothingAllowed => EndingView::NothingAllowed,
        Ending::OtherAccount => EndingView::OtherAccount,
        Ending::NotSaved { bank_told } => EndingView::NotSaved { bank_told: *bank_told },
        Ending::PortTaken => EndingView::PortTaken,
        Ending::TimedOut => EndingView::TimedOut,
        Ending::UnexpectedServer => EndingView::UnexpectedServer,
    }
}

/// What a row shows besides the grant itself.
pub(crate) struct Known<'k> {
    /// The bank, if it is in the catalogue.
    pub(crate) provider: Option<&'k Provider>,
    /// The agents.
    pub(crate) agents: &'k [Agent],
    /// What is known of its refreshes.
    pub(crate) refresh: Option<&'k Refresh>,
    /// The grant that took its place.
    pub(crate) replaced_by: Option<GrantId>,
    /// When it was last used, and how often in the last seven days.
    pub(crate) used: (Option<Timestamp>, u32),
    /// Now.
    pub(crate) now: Timestamp,
}

pub(crate) fn grant_row(grant: &Grant, known: &Known<'_>) -> GrantRow {
    let state = state(grant, known);
    let lives = !matches!(state, GrantState::Ended { .. } | GrantState::Revoked { .. });
    GrantRow {
        id: grant.id.to_string(),
        bank: bank_mark(known.provider, &grant.provider, &grant.provider_name, &grant.issuer),
        agent: agent_mark(known.agents, grant.agent),
        permissions: permissions(known.provider, grant.allowed_permissions().iter()),
        accounts: u32::try_from(grant.allowed_accounts().count()).unwrap_or(u32::MAX),
        created_at: grant.created_at.millis(),
        ends_at: grant.allowed_until().millis(),
        last_used_at: known.used.0.map(Timestamp::millis),
        used_this_week: known.used.1,
        confirmed_at: grant.confirmed_at.millis(),
        narrowed: grant.narrowing.is_some(),
        trouble: known.refresh.filter(|_| lives).and_then(trouble),
        no_reminders: grant.reminded == Some(Reminder::NoMore),
        state,
        has_extra: !grant.extra.is_empty(),
    }
}

fn trouble(refresh: &Refresh) -> Option<TroubleView> {
    let (what, detail) = match refresh.trouble.as_ref()? {
        Trouble::BankBusy => (TroubleKind::BankBusy, None),
        Trouble::BankMisbehaved { rule } => (TroubleKind::BankMisbehaved, Some(rule.clone())),
        Trouble::BankRefused { code } => (TroubleKind::BankRefused, Some(code.clone())),
        Trouble::BankUnreachable => (TroubleKind::BankUnreachable, None),
        Trouble::Keychain => (TroubleKind::Keychain, None),
        Trouble::KnownAddress => (TroubleKind::KnownAddress, None),
        Trouble::Locked => (TroubleKind::Locked, None),
    };
    Some(TroubleView {
        what,
        detail,
        tried_at: refresh.tried_at.map(Timestamp::millis),
        next_try: refresh.next_try.map(Timestamp::millis),
    })
}

fn state(grant: &Grant, known: &Known<'_>) -> GrantState {
    let ends_soon = grant.allowed_until() <= known.now.plus_days(SOON_DAYS);
    let standing = grant.standing(known.now);
    match (standing, &grant.revocation, &grant.reconnect, &grant.paused) {
        // Cut off because its time was over.
        (Standing::Revoked, Some(revocation), ..) if grant.ran_out() => {
            GrantState::Ended { facts: Some(facts(grant, revocation, known.provider, known.now)) }
        }
        (Standing::Revoked, Some(revocation), ..) => GrantState::Revoked {
            facts: facts(grant, revocation, known.provider, known.now),
            replaced_by: known.replaced_by.map(|id| id.to_string()),
        },
        (Standing::Reconnect, _, Some(reconnect), _) => {
            GrantState::Reconnect { since: reconnect.since.millis(), why: why(reconnect.why) }
        }
        (Standing::Paused, _, _, Some(paused)) => GrantState::Paused { since: paused.at.millis(), ends_soon },
        (Standing::Ended, ..) => GrantState::Ended { facts: None },
        (Standing::Active | Standing::Paused | Standing::Reconnect | Standing::Revoked, ..) => {
            GrantState::Active { ends_soon }
        }
    }
}

pub(crate) fn why(why: ReconnectWhy) -> ReconnectWhyView {
    match why {
        ReconnectWhy::AnotherPerson => ReconnectWhyView::AnotherPerson,
        ReconnectWhy::AnswerLost => ReconnectWhyView::AnswerLost,
        ReconnectWhy::DamagedRecord => ReconnectWhyView::DamagedRecord,
        ReconnectWhy::EndedAtBank => ReconnectWhyView::EndedAtBank,
        ReconnectWhy::NoRefreshToken => ReconnectWhyView::NoRefreshToken,
        ReconnectWhy::RefusedAtBank => ReconnectWhyView::RefusedAtBank,
        ReconnectWhy::StoreRestored => ReconnectWhyView::StoreRestored,
    }
}

/// The consent ends with the token only where the bank says so, and then with its yes.
fn consent(revocation: &Revocation, provider: Option<&Provider>) -> ConsentTold {
    let habit = provider.map_or(ConsentWithdrawal::AtBank, |provider| provider.behaviour.consent_withdrawal);
    match (habit, &revocation.token) {
        (ConsentWithdrawal::WithToken, TokenRevocation::Confirmed { at }) => {
            ConsentTold::Withdrawn { at: at.millis() }
        }
        (ConsentWithdrawal::WithToken, TokenRevocation::Pending { .. }) => ConsentTold::NotYet,
        (
            ConsentWithdrawal::WithToken,
            TokenRevocation::GivenUp { .. } | TokenRevocation::NotOffered | TokenRevocation::Replaced { .. },
        )
        | (ConsentWithdrawal::AtBank, _) => ConsentTold::AtBank,
    }
}

pub(crate) fn facts(
    grant: &Grant,
    revocation: &Revocation,
    provider: Option<&Provider>,
    now: Timestamp,
) -> RevocationView {
    let confirmed = matches!(revocation.token, TokenRevocation::Confirmed { .. });
    RevocationView {
        cut_off_at: revocation.cut_off_at.millis(),
        consent: consent(revocation, provider),
        bank: match &revocation.token {
            TokenRevocation::Confirmed { at } => BankTold::Confirmed { at: at.millis() },
            TokenRevocation::GivenUp { at } => BankTold::GivenUp { at: at.millis() },
            TokenRevocation::NotOffered => BankTold::NotOffered,
            TokenRevocation::Replaced { at } => BankTold::Replaced { at: at.millis() },
            TokenRevocation::Pending { tries, last_try, next_try, waits_for } => BankTold::NotYet {
                tries: *tries,
                last_try: last_try.map(Timestamp::millis),
                next_try: next_try.millis(),
                waits_for: match waits_for {
                    WaitsFor::BankToAccept => WaitsForView::BankToAccept,
                    WaitsFor::BankToAnswer => WaitsForView::BankToAnswer,
                    WaitsFor::DamagedRecord => WaitsForView::DamagedRecord,
                    WaitsFor::FirstTry => WaitsForView::FirstTry,
                    WaitsFor::Keychain => WaitsForView::Keychain,
                    WaitsFor::KnownAddress => WaitsForView::KnownAddress,
                    WaitsFor::LostKey => WaitsForView::LostKey,
                },
            },
        },
        valid_until: grant.access_token_ends_at.filter(|end| !confirmed && *end > now).map(Timestamp::millis),
    }
}

pub(crate) fn locked_by(by: LockedBy) -> LockedByView {
    match by {
        LockedBy::Idle => LockedByView::Idle,
        LockedBy::Person => LockedByView::Person,
        LockedBy::Screen => LockedByView::Screen,
        LockedBy::Start => LockedByView::Start,
    }
}

pub(crate) fn protection(protection: Protection) -> ProtectionView {
    match protection {
        Protection::Keychain => ProtectionView::Keychain,
        Protection::KeychainAndPassphrase => ProtectionView::KeychainAndPassphrase,
        Protection::Passphrase => ProtectionView::Passphrase,
    }
}

/// A record that cannot be read. Its name may be anybody's words.
pub(crate) fn damaged(what: DamagedKind, row: DamagedRow) -> DamagedRecord {
    let name = row.name.map(|name| quoted(&name, 80)).filter(|name| !name.is_empty());
    DamagedRecord { what, id: row.id, name }
}

pub(crate) fn accounts(grant: &Grant) -> Vec<AccountView> {
    let left = |id: &str| grant.narrowing.as_ref().is_none_or(|narrowing| narrowing.allows_account(id));
    grant.accounts.iter().map(|a| AccountView { allowed: left(&a.id), ..account(a) }).collect()
}

/// An account that an agent may use.
pub(crate) fn account(account: &domain::grant::Account) -> AccountView {
    AccountView {
        id: account.id.clone(),
        allowed: true,
        name: account.name.clone(),
        masked: account.masked.clone(),
        currency: account.currency.clone(),
    }
}

/// A receipt in the list; one of a kind that this version does not know is left out.
pub(crate) fn receipt_entry(receipt: &ReceiptRow) -> Option<ReceiptEntry> {
    let body: serde_json::Value = serde_json::from_str(&receipt.body).ok()?;
    let what: ReceiptKind = serde_json::from_value(body.get("what")?.clone()).ok()?;
    Some(ReceiptEntry { id: receipt.id.to_string(), at: receipt.at.millis(), what })
}
