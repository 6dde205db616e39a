//! The Activity page: the audit log, in words that a person can read.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::agents::{AgentMark, AgentPausedWhy};
use super::attempts::EndingView;
use super::grants::ReconnectWhyView;
use super::lock::{LockedByView, ProtectionView};
use super::providers::BankMark;
use super::rules::{RuleAct, RuleKind};

/// What is to be listed: what is named narrows it down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ActivityFilter {
    /// Of one agent.
    pub agent: Option<String>,
    /// Of one connection.
    pub grant: Option<String>,
    /// At one bank.
    pub bank: Option<String>,
    /// Of these kinds; all, where none is named.
    pub kinds: Vec<ActivityKind>,
    /// Before this record.
    #[ts(type = "number | null")]
    pub before: Option<u64>,
    /// With these words in it.
    pub text: Option<String>,
    /// As many at most.
    pub most: u16,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Access that was given, returned or has run out.
    Access,
    /// What the person was asked, and answered.
    Approvals,
    /// Calls to banks.
    Calls,
    /// Connections in the course of their lives.
    Connections,
    /// What was refused.
    Refusals,
    /// Agents, rules, the lock and the key.
    Security,
}

/// Records, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ActivityPage {
    /// The records.
    pub entries: Vec<ActivityEntry>,
    /// There are older ones that fit.
    pub more: bool,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ActivityEntry {
    /// Its number.
    #[ts(type = "number")]
    pub seq: u64,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// What it is about.
    pub kind: ActivityKind,
    /// Which agent.
    pub agent: Option<AgentMark>,
    /// Which bank.
    pub bank: Option<BankMark>,
    /// Which connection.
    pub grant: Option<String>,
    /// What happened.
    pub what: ActivityWhat,
    /// What the agent said it was for.
    pub quoted: Option<String>,
    /// How it went.
    pub outcome: ActivityOutcome,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ActivityOutcome {
    /// As it should.
    Done,
    /// It did not work.
    Failed,
    /// It was not done: somebody said no.
    Refused,
    /// It is not decided yet.
    Waiting,
}

/// What happened; the window makes the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ActivityWhat {
    /// An agent was given access for one task.
    AccessGiven {
        /// What it may do, in plain words.
        operations: Vec<String>,
        /// On how many accounts.
        accounts: u32,
        /// How many calls.
        uses: u16,
        /// Until when.
        #[ts(type = "number")]
        until: i64,
    },
    /// An agent gave its access back.
    AccessReturned,
    /// An agent asked and was refused.
    AccessRefused {
        /// Why.
        why: AccessRefusedWhy,
    },
    /// An agent was added by its key.
    AgentAdded,
    /// A program's request to be added was declined, or ran out.
    AgentDeclined {
        /// The person said no; else nobody answered.
        by_person: bool,
    },
    /// A program was added after the person compared the code.
    AgentEnrolled {
        /// It took another agent's place.
        replaces: bool,
    },
    /// An agent was held back.
    AgentPaused {
        /// By whom.
        why: AgentPausedWhy,
    },
    /// An agent was removed.
    AgentRemoved,
    /// An agent goes on.
    AgentResumed,
    /// All agents go on.
    AgentsResumed,
    /// All agents were stopped.
    AgentsStopped,
    /// The person was asked.
    ApprovalAsked {
        /// For what, in plain words.
        operations: Vec<String>,
    },
    /// The person said yes.
    Approved {
        /// For how many days it is not asked again; none for once.
        days: Option<u16>,
    },
    /// Connecting ended.
    AttemptEnded {
        /// How.
        ending: EndingView,
    },
    /// The person began to connect.
    AttemptStarted,
    /// The bank confirmed the revocation.
    BankConfirmed,
    /// An agent called the bank.
    Called {
        /// What it did, in plain words.
        operation: String,
        /// The bank's HTTP status, where it answered.
        status: Option<u16>,
    },
    /// An agent's call was refused before it reached the bank.
    CallRefused {
        /// What it wanted to do, in plain words, where that is known.
        operation: Option<String>,
        /// Why.
        why: AccessRefusedWhy,
    },
    /// The person forgot what they had allowed for longer.
    ChoiceForgotten {
        /// What, in plain words.
        operation: String,
    },
    /// An agent asked the person to connect a bank.
    ConnectAsked,
    /// A connection was made.
    Connected {
        /// What it allows, in one or two words each.
        permissions: Vec<String>,
        /// How many accounts.
        accounts: u32,
        /// It took an older one's place.
        renewed: bool,
    },
    /// A question ended with no.
    Denied {
        /// By whom.
        by: DeniedBy,
    },
    /// A connection's time was over.
    Ended,
    /// What was kept sealed of a connection was deleted.
    Forgotten,
    /// The person stopped the tries to tell the bank.
    GivenUp,
    /// False answers came while the bank was waited for.
    Interference {
        /// How many.
        strays: u32,
    },
    /// The first key was made.
    KeyMade,
    /// Everything was sealed under another key.
    KeyReplaced {
        /// How it is kept.
        protection: ProtectionView,
    },
    /// The bank gave something after the end; it is being taken back.
    LateTokens,
    /// The person took something back from a connection.
    Narrowed,
    /// Connecting was not completed.
    NotKept,
    /// A record of another version of Countersign.
    Other {
        /// Its own name for it.
        name: String,
    },
    /// A connection was held back.
    Paused,
    /// A connection stopped working.
    ReconnectNeeded {
        /// Why.
        why: ReconnectWhyView,
    },
    /// The bank gave fresh access.
    Refreshed,
    /// The bank's answer was lost.
    RefreshUnanswered,
    /// The person was reminded of an end.
    Reminded,
    /// A new connection took this one's place.
    Replaced,
    /// Countersign's data was put back from an older copy.
    Restored,
    /// A connection goes on.
    Resumed,
    /// A connection was cut off here.
    Revoked,
    /// The person changed a rule.
    RuleChanged {
        /// Which.
        rule: RuleKind,
        /// What it does from then on.
        act: RuleAct,
    },
    /// A rule noticed something.
    RuleTriggered {
        /// Which.
        rule: RuleKind,
        /// What it did.
        act: RuleAct,
    },
    /// Countersign was locked.
    VaultLocked {
        /// By whom.
        by: LockedByView,
    },
    /// Countersign was unlocked.
    VaultOpened,
    /// What was taken back from a connection was given again.
    Widened,
}

/// Why an agent got nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AccessRefusedWhy {
    /// The agent is held back.
    AgentPaused,
    /// All agents are stopped.
    AgentsStopped,
    /// The bank did not answer, or its answer could not be used.
    BankFailed,
    /// The request does not hold: its signature, its times or its shape.
    BadTask,
    /// The connection is held back, over, or has to be connected again.
    ConnectionNotUsable,
    /// Countersign is locked.
    Locked,
    /// More than the person allowed.
    NotAllowed,
    /// Not what the access was given for, or it is over.
    NotThisAccess,
    /// The person said no, or nothing.
    Person,
    /// The same request came a second time.
    Replay,
    /// Too many requests.
    TooMany,
    /// A connection of another agent, or none.
    UnknownConnection,
}

/// Who ended a question with no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DeniedBy {
    /// The person, who had not asked for this.
    NotMine,
    /// The person.
    Person,
    /// All agents were stopped.
    Stopped,
    /// Nobody answered in time.
    TimeOut,
    /// The agent went away.
    Withdrawn,
}

/// Names a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ActivityRef {
    /// Its number.
    #[ts(type = "number")]
    pub seq: u64,
}

/// A record, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ActivityDetails {
    /// What the list shows.
    pub entry: ActivityEntry,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// The hash of the record before it.
    pub before: String,
    /// What is stored, as JSON that is laid out for reading.
    pub body: String,
}

/// Whether the log is what was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ActivityVerdict {
    /// How many records there are.
    #[ts(type = "number")]
    pub records: u64,
    /// Each follows from the one before it.
    pub sound: bool,
    /// The first that does not.
    #[ts(type = "number | null")]
    pub first_bad: Option<u64>,
    /// What the keychain says to it.
    pub anchored: AnchoredView,
    /// When this was checked.
    #[ts(type = "number")]
    pub checked_at: i64,
}

/// What the anchor in the keychain says to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum AnchoredView {
    /// It knows the newest record.
    Agrees,
    /// It knows an older one: what came after it could be cut off unseen.
    Behind,
    /// It knows one that is not there any more.
    Cut,
    /// There is none, or the keychain does not answer.
    None,
}
