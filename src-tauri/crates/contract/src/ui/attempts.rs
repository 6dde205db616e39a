//! Runs of Connect Account.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::AgentMark;
use super::grants::AccountView;
use super::providers::{BankMark, PermissionView};

/// Names an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AttemptRef {
    /// Its id.
    pub attempt: String,
}

/// Starts Connect Account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ConnectAccount {
    /// Which bank.
    pub provider: String,
    /// Which agent.
    pub agent: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Until when.
    #[ts(type = "number")]
    pub until: i64,
}

/// Renews a grant: the same bank and agent, a new consent. The old one lives until the new one is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct RenewGrant {
    /// Which.
    pub grant: String,
    /// What the agent may do from then on.
    pub permissions: Vec<String>,
    /// Until when.
    #[ts(type = "number")]
    pub until: i64,
}

/// Decides about accounts that a renewal brought and nobody expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct DecideAccount {
    /// Which attempt.
    pub attempt: String,
    /// Keep them as a connection of its own; the old one stays as it is either way.
    pub keep: bool,
}

/// One run of Connect Account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AttemptView {
    /// Its id.
    pub id: String,
    /// What the person can read to support.
    pub reference: String,
    /// Counts every change.
    pub revision: u32,
    /// Which bank.
    pub bank: BankMark,
    /// Which agent.
    pub agent: AgentMark,
    /// What was chosen.
    pub permissions: Vec<PermissionView>,
    /// What the bank offers and was not chosen.
    pub not_chosen: Vec<PermissionView>,
    /// Until when.
    #[ts(type = "number")]
    pub until: i64,
    /// When it began.
    #[ts(type = "number")]
    pub started_at: i64,
    /// When waiting for the bank ends.
    #[ts(type = "number | null")]
    pub waiting_until: Option<i64>,
    /// What became of the last try to open the browser.
    pub browser: BrowserView,
    /// Where it stands.
    pub step: AttemptStep,
    /// How it ended, if it has.
    pub ending: Option<EndingView>,
    /// The grant it made.
    pub grant: Option<String>,
    /// The grant it renews.
    pub renews: Option<String>,
    /// What a renewal came back with instead of the accounts it was for; the person decides.
    pub other: Option<OtherAccountView>,
}

/// Somebody else's accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct OtherAccountView {
    /// Whose they are, as the bank says.
    pub holder: Option<String>,
    /// The accounts.
    pub accounts: Vec<AccountView>,
    /// Until when the person can decide; after that the answer is no.
    #[ts(type = "number")]
    pub until: i64,
}

/// What became of the last try to open the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum BrowserView {
    /// It could not be opened; the link can be copied.
    Failed,
    /// The person took the link.
    LinkCopied,
    /// Not tried yet.
    NotYet,
    /// The system took the address.
    Opened,
}

/// The live steps, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStep {
    /// The keychain and the bank's addresses are checked.
    Preparing,
    /// The person is at the bank.
    AtBank,
    /// The bank's answer is checked and exchanged.
    Answered,
    /// Holder and accounts are read.
    ReadingAccounts,
    /// A renewal came back with other accounts: the person decides.
    OtherAccount,
    /// Sealed and stored.
    Saving,
    /// Over.
    Ended,
}

/// Every named ending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EndingView {
    /// The bank's addresses are not the ones we know. Nothing was sent.
    AddressesChanged {
        /// Which metadata member differs, for support.
        member: String,
    },
    /// The bank's answer broke a rule. Nothing was connected.
    BankMisbehaved {
        /// The rule, for support.
        rule: String,
    },
    /// The bank refused, in its own registered code.
    BankRefused {
        /// The code.
        code: String,
        /// Whether trying again later makes sense.
        retry: bool,
    },
    /// The bank could not be reached.
    BankUnreachable,
    /// The person stopped it here.
    Cancelled,
    /// A grant was made.
    Connected {
        /// Chosen, but not allowed at the bank.
        missing: Vec<PermissionView>,
        /// Allowed by the bank without being asked, in the bank's words; never used.
        extra: Vec<String>,
    },
    /// The person said no at the bank.
    Declined,
    /// Countersign stopped while waiting.
    Interrupted,
    /// The key is gone or another one.
    KeychainKeyLost,
    /// The keychain is locked.
    KeychainLocked,
    /// There is no keychain, or it does not answer.
    KeychainUnavailable,
    /// The person allowed none of what was asked.
    NothingAllowed,
    /// A renewal came back with somebody else's accounts, which the person did not want. Nothing changed.
    OtherAccount,
    /// Nothing could be saved.
    NotSaved {
        /// Whether the bank confirmed that it has forgotten the access.
        bank_told: bool,
    },
    /// No local port could be opened for the answer.
    PortTaken,
    /// Nobody came back in time.
    TimedOut,
    /// The answer did not come from the bank we asked.
    UnexpectedServer,
}
