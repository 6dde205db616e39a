//! What the window shows and asks. Times are milliseconds since 1970; texts are drawn as text, never as markup.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// No request data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Names an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AttemptRef {
    /// Its id.
    pub attempt: String,
}

/// Names a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct GrantRef {
    /// Its id.
    pub grant: String,
}

/// Adds an agent by its public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AddAgent {
    /// What the person calls it.
    pub name: String,
    /// A JWK or 43 base64url characters.
    pub key: String,
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

/// The whole app in a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppState {
    /// This build talks to sandbox banks: the window is marked.
    pub sandbox: bool,
    /// The data folder, where it is not the platform's own.
    pub home: Option<String>,
    /// The program's version.
    pub version: String,
    /// How the keychain is.
    pub keychain: KeychainState,
    /// Provider or agent files that could not be read.
    pub catalogue_problems: Vec<CatalogueProblem>,
    /// The person asked to quit in the tray: ask once more, saying what it means.
    pub quit_asked: bool,
    /// The desktop has no tray: closing the window hides everything until Countersign is started again.
    pub no_tray: bool,
}

/// How the keychain is; each has its own words and way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeychainState {
    /// There is none, or one that would forget.
    Absent,
    /// It does not answer.
    Blocked,
    /// Our key is gone although sealed records exist.
    KeyMissing,
    /// There is a key, but not the one that sealed the records.
    KeyReplaced,
    /// It must be unlocked first.
    Locked,
    /// It works.
    Ready,
}

/// A file of the catalogue that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CatalogueProblem {
    /// The file's name, without its folder.
    pub file: String,
    /// The rule it breaks, for support; names and positions, no content.
    pub rule: String,
}

/// A bank to connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProviderView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Letters for its tile.
    pub monogram: String,
    /// The tile's colour, `#rrggbb`.
    pub colour: String,
    /// The host name where the person signs in, in ASCII.
    pub host: String,
    /// Added by address, not from the catalogue.
    pub unverified: bool,
    /// Revoking one agent's consent ends the others' too.
    pub shared_consents: bool,
    /// The longest the bank allows.
    pub max_days: u16,
    /// What an agent can be allowed.
    pub permissions: Vec<PermissionView>,
}

/// One thing an agent can be allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PermissionView {
    /// Its id.
    pub id: String,
    /// One or two words: "balances".
    pub short: String,
    /// The whole line: "your balances: what is in each account now".
    pub text: String,
    /// What the agent cannot do without it: "move money".
    pub cannot: String,
    /// Can see, or can do.
    pub group: PermissionGroup,
    /// How much harm it can do.
    pub risk: RiskView,
    /// Other permissions it makes no sense without.
    pub needs: Vec<String>,
}

/// The two groups on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PermissionGroup {
    /// What the agent can do.
    Do,
    /// What the agent can see.
    See,
}

/// How much harm a permission can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RiskView {
    /// Moves money.
    Money,
    /// Reads who the person is.
    Personal,
    /// Reads account data.
    Read,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentView {
    /// Its id.
    pub id: String,
    /// The name the person gave it.
    pub name: String,
    /// Its key's thumbprint, from which its mark is drawn.
    pub thumbprint: String,
    /// When it was added.
    #[ts(type = "number")]
    pub added_at: i64,
    /// How many connections it has now.
    pub connections: u32,
}

/// The bank as a row shows it; true even if it has left the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BankMark {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Letters for its tile.
    pub monogram: String,
    /// The tile's colour.
    pub colour: String,
    /// The host name where the person signs in.
    pub host: String,
    /// Where a customer withdraws consent at the bank; shown as text, to be typed or copied.
    pub help: Option<String>,
}

/// The agent as a row shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AgentMark {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its key's thumbprint.
    pub thumbprint: String,
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
    /// What the agent may use.
    pub permissions: Vec<PermissionView>,
    /// How many accounts.
    pub accounts: u32,
    /// When it was made.
    #[ts(type = "number")]
    pub created_at: i64,
    /// When it ends by itself.
    #[ts(type = "number")]
    pub ends_at: i64,
    /// When the agent last used it.
    #[ts(type = "number | null")]
    pub last_used_at: Option<i64>,
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
    Ended,
    /// The person ended it.
    Revoked {
        /// What is known of that.
        facts: RevocationView,
    },
}

/// What is known of a connection's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RevocationView {
    /// Cut off here.
    #[ts(type = "number")]
    pub cut_off_at: i64,
    /// The bank.
    pub bank: BankTold,
    /// Access that the bank handed out earlier may work there until then, unless the bank has confirmed.
    #[ts(type = "number | null")]
    pub valid_until: Option<i64>,
}

/// Whether the bank has ended it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BankTold {
    /// The bank confirmed.
    Confirmed {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
    /// The person stopped the tries.
    GivenUp {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
    /// The bank offers no way; the person withdraws consent there.
    NotOffered,
    /// Not done yet; tried until it is.
    NotYet {
        /// How often it was tried.
        tries: u32,
        /// When it was last tried.
        #[ts(type = "number | null")]
        last_try: Option<i64>,
        /// When it is tried next.
        #[ts(type = "number")]
        next_try: i64,
        /// What is in the way.
        waits_for: WaitsForView,
    },
}

/// What stands between a revocation and the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WaitsForView {
    /// The bank answered something other than done.
    BankToAccept,
    /// The bank could not be reached.
    BankToAnswer,
    /// What was sealed for it is damaged.
    DamagedRecord,
    /// It is about to be tried.
    FirstTry,
    /// The keychain is locked or does not answer.
    Keychain,
    /// The bank's addresses are not known any more, or changed.
    KnownAddress,
    /// The key that opens the sealed access is gone.
    LostKey,
}

/// A connection's own page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct GrantView {
    /// What the list shows.
    pub row: GrantRow,
    /// The accounts.
    pub accounts: Vec<AccountView>,
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
    /// The reference of the attempt that made it.
    pub reference: Option<String>,
}

/// An account as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccountView {
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
    /// The person stopped the tries to tell the bank.
    GivenUp,
    /// Connecting was not completed; what the bank had issued by then is taken back.
    NotKept,
    /// It was cut off here.
    Revoked,
}

/// What happened; the window reads again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An agent was added.
    AgentsChanged,
    /// The keychain or another part of [`AppState`] changed.
    AppChanged,
    /// An attempt moved on.
    AttemptChanged {
        /// Which.
        id: String,
        /// Its revision now.
        revision: u32,
    },
    /// A grant was made or changed.
    GrantsChanged {
        /// The list's revision now.
        revision: u32,
    },
    /// The host has stopped, from the window process itself.
    HostGone,
}
