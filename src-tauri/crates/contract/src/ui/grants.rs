//! Connections.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::AgentMark;
use super::providers::{BankMark, PermissionView};
use super::receipts::ReceiptEntry;
use super::revocation::RevocationView;

/// Names a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct GrantRef {
    /// Its id.
    pub grant: String,
}

/// Takes something back from a grant, here and at once. What is named is what is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct NarrowGrant {
    /// Which.
    pub grant: String,
    /// The permissions that are left.
    pub permissions: Vec<String>,
    /// The accounts that are left, by their ids in [`AccountView`].
    pub accounts: Vec<String>,
    /// The end that is left.
    #[ts(type = "number")]
    pub until: i64,
}

/// The connections page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GrantsView {
    /// Agents with at least one current connection.
    pub agents: u32,
    /// Different accounts they can see.
    pub accounts: u32,
    /// Current ones, newest first.
    pub current: Vec<GrantRow>,
    /// Ended ones, newest first.
    pub history: Vec<GrantRow>,
    /// Records that cannot be read; they spoil no other, and nothing acts on them.
    pub damaged: Vec<DamagedRecord>,
    /// Counts every change.
    pub revision: u32,
}

/// A stored record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DamagedRecord {
    /// What it was.
    pub what: DamagedKind,
    /// Its id, if that can be read.
    pub id: Option<String>,
    /// The bank's or the agent's name, if that can be read.
    pub name: Option<String>,
}

/// What a damaged record was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DamagedKind {
    /// An agent.
    Agent,
    /// A connection.
    Connection,
}

/// One connection in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GrantRow {
    /// Its id.
    pub id: String,
    /// Which bank.
    pub bank: BankMark,
    /// Which agent.
    pub agent: AgentMark,
    /// What the agent may use now.
    pub permissions: Vec<PermissionView>,
    /// How many accounts it may use now.
    pub accounts: u32,
    /// When it was made.
    #[ts(type = "number")]
    pub created_at: i64,
    /// Until when the agent may use it.
    #[ts(type = "number")]
    pub ends_at: i64,
    /// When the agent last used it.
    #[ts(type = "number | null")]
    pub last_used_at: Option<i64>,
    /// How often the agent has used it in the last seven days.
    pub used_this_week: u32,
    /// When the bank last showed that it works: how old the knowledge is.
    #[ts(type = "number")]
    pub confirmed_at: i64,
    /// The person has taken something back here; the bank still allows more.
    pub narrowed: bool,
    /// Why the bank could not confirm it lately.
    pub trouble: Option<TroubleView>,
    /// The person wants no more reminders of its end.
    pub no_reminders: bool,
    /// Where it stands.
    pub state: GrantState,
    /// Allowed by the bank without being asked; the person may want to revoke.
    pub has_extra: bool,
}

/// Where a connection stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum GrantState {
    /// It works, as far as was last known.
    Active {
        /// It ends within seven days.
        ends_soon: bool,
    },
    /// Its time is over.
    Ended {
        /// What is known of its end at the bank; none in the moment before that is begun.
        facts: Option<RevocationView>,
    },
    /// The person holds it back.
    Paused {
        /// Since when.
        #[ts(type = "number")]
        since: i64,
        /// It ends within seven days.
        ends_soon: bool,
    },
    /// It does not go on without the person. The agent gets nothing.
    Reconnect {
        /// Since when that is known.
        #[ts(type = "number")]
        since: i64,
        /// Why.
        why: ReconnectWhyView,
    },
    /// It was ended.
    Revoked {
        /// What is known of that.
        facts: RevocationView,
        /// The connection that took its place, if one did.
        replaced_by: Option<String>,
    },
}

/// Why a connection does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReconnectWhyView {
    /// The bank's answer was lost, and asking again did not help.
    AnswerLost,
    /// The bank's answer was about somebody else.
    AnotherPerson,
    /// What was sealed for it is damaged, or its key is gone.
    DamagedRecord,
    /// The bank says that it is over.
    EndedAtBank,
    /// The bank gave access for a short time only, and that is over.
    NoRefreshToken,
    /// The bank refuses what it has just allowed.
    RefusedAtBank,
    /// Countersign's data was put back from an older copy.
    StoreRestored,
}

/// Why the bank could not confirm a connection lately. It says nothing about the connection itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TroubleView {
    /// What.
    pub what: TroubleKind,
    /// The registered code or the rule, for support.
    pub detail: Option<String>,
    /// When it was last tried.
    #[ts(type = "number | null")]
    pub tried_at: Option<i64>,
    /// When it is tried again.
    #[ts(type = "number | null")]
    pub next_try: Option<i64>,
}

/// What can stand between a connection and its bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// The bank asks to come back later.
    BankBusy,
    /// The bank's answer broke a rule.
    BankMisbehaved,
    /// The bank refused, in its own registered code.
    BankRefused,
    /// The bank could not be reached, or its answer was lost.
    BankUnreachable,
    /// The keychain is locked or does not answer.
    Keychain,
    /// The bank's addresses are not known any more, or changed.
    KnownAddress,
    /// Countersign is locked.
    Locked,
}

/// A connection's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GrantView {
    /// What the list shows.
    pub row: GrantRow,
    /// The accounts of the consent.
    pub accounts: Vec<AccountView>,
    /// What the consent at the bank allows, which is more than the row says where something was taken back here.
    pub consented: Vec<PermissionView>,
    /// When the consent ends.
    #[ts(type = "number")]
    pub consent_ends_at: i64,
    /// Receipts, newest first.
    pub receipts: Vec<ReceiptEntry>,
    /// The connection whose place it took.
    pub renews: Option<String>,
    /// Whose accounts these are, as the bank says.
    pub holder: Option<String>,
    /// Chosen, but not allowed at the bank.
    pub missing: Vec<PermissionView>,
    /// Allowed by the bank without being asked, in the bank's words; never used.
    pub extra: Vec<String>,
    /// What this bank offers and the agent may not.
    pub cannot: Vec<PermissionView>,
    /// Revoking one agent's consent at this bank ends the others' too.
    pub shared_consents: bool,
    /// What happened, newest first.
    pub history: Vec<HistoryEntry>,
    /// What the agent did on each of the last thirty days, oldest first.
    pub days: Vec<DayCount>,
    /// The reference of the attempt that made it.
    pub reference: Option<String>,
}

/// An account as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountView {
    /// The bank's opaque id.
    pub id: String,
    /// Whether the agent may use it now.
    pub allowed: bool,
    /// Its name, in the bank's words.
    pub name: String,
    /// The last four signs of its number.
    pub masked: String,
    /// ISO 4217 code.
    pub currency: Option<String>,
}

/// One thing that happened to a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HistoryEntry {
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// What.
    pub what: HistoryKind,
}

/// What can happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// The bank confirmed the revocation.
    BankConfirmed,
    /// It was made.
    Connected,
    /// Its time was over: it was cut off here, and the bank is told.
    Ended,
    /// What was kept sealed of it was deleted.
    Forgotten,
    /// The person stopped the tries to tell the bank.
    GivenUp,
    /// The bank gave something more after the end; it is being taken back too.
    LateTokens,
    /// The person took something back.
    Narrowed,
    /// Connecting was not completed; what the bank had issued by then is taken back.
    NotKept,
    /// The person held it back.
    Paused,
    /// It stopped working.
    ReconnectNeeded,
    /// The bank confirmed that it works, and gave fresh access.
    Refreshed,
    /// The bank's answer was lost.
    RefreshUnanswered,
    /// The person was reminded of its end.
    Reminded,
    /// A new connection took its place.
    Replaced,
    /// The person let it go on.
    Resumed,
    /// It was cut off here.
    Revoked,
    /// What was taken back was given again.
    Widened,
}

/// What an agent did on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct DayCount {
    /// When the day begins, where this computer is.
    #[ts(type = "number")]
    pub day: i64,
    /// Calls that reached the bank.
    pub calls: u32,
    /// Requests that were refused.
    pub refused: u32,
}
