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

/// Decides about accounts that a renewal brought and nobody expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct DecideAccount {
    /// Which attempt.
    pub attempt: String,
    /// Keep them as a connection of its own; the old one stays as it is either way.
    pub keep: bool,
}

/// A passphrase on its way from the person to the host; `Debug` does not print it, and it is wiped when dropped.
#[derive(PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct PassphraseText(String);

impl PassphraseText {
    /// Takes what the person typed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Gives it on, leaving nothing here.
    #[must_use]
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Drop for PassphraseText {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl std::fmt::Debug for PassphraseText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassphraseText")
    }
}

/// Opens the lock.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// Where one was chosen.
    pub passphrase: Option<PassphraseText>,
}

/// Keeps the key in another way.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ChangeProtection {
    /// How.
    pub protection: ProtectionView,
    /// The passphrase so far, where there is one.
    pub current: Option<PassphraseText>,
    /// The passphrase from now on, where there is to be one.
    pub new: Option<PassphraseText>,
}

/// Names a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRef {
    /// Its id.
    pub receipt: String,
}

/// Answers what another program asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct AnswerAsked {
    /// Which question.
    pub id: String,
    /// Do it.
    pub yes: bool,
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
    /// Whether the vault is locked.
    pub lock: LockView,
    /// How the key is kept.
    pub protection: ProtectionView,
    /// What the person has chosen about the lock.
    pub lock_settings: LockSettingsView,
    /// Whether every agent is stopped.
    pub stopped: Option<StoppedView>,
    /// When it was noticed in this run that the store was put back from an older copy.
    #[ts(type = "number | null")]
    pub restored_at: Option<i64>,
    /// How many seconds this computer's clock is ahead of the banks', where that is worth telling; negative for behind.
    #[ts(type = "number | null")]
    pub clock_ahead: Option<i64>,
    /// What other programs of this computer have asked for, oldest first; nothing of it happens without a click.
    pub asked: Vec<AskedView>,
    /// Provider or agent files that could not be read.
    pub catalogue_problems: Vec<CatalogueProblem>,
    /// The person asked to quit in the tray: ask once more, saying what it means.
    pub quit_asked: bool,
    /// The desktop has no tray: closing the window hides everything until Countersign is started again.
    pub no_tray: bool,
}

/// Whether the vault is locked. While it is, no agent gets anything; stopping and revoking work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LockView {
    /// Locked.
    Locked {
        /// Since when.
        #[ts(type = "number")]
        since: i64,
        /// By whom.
        by: LockedByView,
    },
    /// Open.
    Open,
}

/// Who locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LockedByView {
    /// Nobody used the computer for some time.
    Idle,
    /// The person.
    Person,
    /// The screen was locked, or the computer slept.
    Screen,
    /// It was started anew.
    Start,
}

/// How the key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionView {
    /// In the keychain.
    Keychain,
    /// It takes the keychain and a passphrase.
    KeychainAndPassphrase,
    /// It takes a passphrase; no keychain is used.
    Passphrase,
}

/// What the person has chosen about the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct LockSettingsView {
    /// After how many minutes without use it locks; none for never.
    pub idle_minutes: Option<u16>,
    /// Whether it locks with the screen, where the system tells.
    pub with_screen: bool,
}

/// Every agent is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StoppedView {
    /// Since when, where that could be recorded.
    #[ts(type = "number | null")]
    pub since: Option<i64>,
    /// Whether it outlives a restart; written again and again until it does.
    pub recorded: bool,
}

/// What another program has asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AskedView {
    /// Its id.
    pub id: String,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// What.
    pub what: AskedWhat,
}

/// What a program can ask for that only the person may start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskedWhat {
    /// To connect an agent to a bank.
    Connect {
        /// Which bank.
        bank: BankMark,
        /// Which agent.
        agent: AgentMark,
        /// What it may do.
        permissions: Vec<PermissionView>,
        /// Until when.
        #[ts(type = "number")]
        until: i64,
    },
    /// To let a connection go on.
    Resume {
        /// Which.
        grant: String,
        /// Its bank.
        bank: BankMark,
        /// Its agent.
        agent: AgentMark,
    },
    /// To let all agents go on.
    ResumeAgents,
    /// To give back what was taken from a connection.
    Widen {
        /// Which.
        grant: String,
        /// Its bank.
        bank: BankMark,
        /// Its agent.
        agent: AgentMark,
    },
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

/// What is known of a connection's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RevocationView {
    /// Cut off here.
    #[ts(type = "number")]
    pub cut_off_at: i64,
    /// The token at the bank.
    pub bank: BankTold,
    /// The consent at the bank.
    pub consent: ConsentTold,
    /// Access that the bank handed out earlier may work there until then, unless the bank has confirmed.
    #[ts(type = "number | null")]
    pub valid_until: Option<i64>,
}

/// Whether the consent is withdrawn at the bank, which is another fact than the token's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsentTold {
    /// Only the person can withdraw it, at the bank; whether it is, nobody can ask.
    AtBank,
    /// At this bank it ends with the token, which is not revoked yet.
    NotYet,
    /// At this bank it ended with the token.
    Withdrawn {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
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
    /// The bank keeps one consent for all: the new one took its place, and revoking the old would end both.
    Replaced {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
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

/// A receipt in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptEntry {
    /// Its id.
    pub id: String,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// About what.
    pub what: ReceiptKind,
}

/// What a receipt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A connection was made.
    Connected,
    /// Its time was over.
    Ended,
    /// The person took something back.
    Narrowed,
    /// It was renewed.
    Renewed,
    /// It was ended.
    Revoked,
    /// What was taken back was given again.
    Widened,
}

/// A receipt, whole: what the person keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptView {
    /// Its id.
    pub id: String,
    /// About what.
    pub what: ReceiptKind,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// The bank's name.
    pub bank: String,
    /// Where it is on the net: the issuer.
    pub issuer: String,
    /// The agent's name.
    pub agent: String,
    /// The agent's key's thumbprint.
    pub thumbprint: String,
    /// Whose accounts.
    pub holder: Option<String>,
    /// What the agent may do, in plain words, after what the receipt is about.
    pub permissions: Vec<String>,
    /// Name and masked number of each account.
    pub accounts: Vec<ReceiptAccount>,
    /// Until when.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    /// For an end: what is known of it now, not when the receipt was made.
    pub facts: Option<RevocationView>,
    /// The whole receipt for programs.
    pub json: String,
}

/// An account on a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptAccount {
    /// Its name.
    pub name: String,
    /// Its masked number.
    pub number: String,
}

/// A file that was written for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SavedFile {
    /// Where it is.
    pub path: String,
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
