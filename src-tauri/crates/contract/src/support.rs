//! `/support/…` on the public socket: what the command line and support may ask. Any program of the person's own
//! account can ask it, so nothing here can carry a token, a code, a verifier or a key, and nothing that starts
//! something happens without the person.
//!
//! Every route is a `POST` with a JSON object of at most [`MAX_REQUEST`] bytes. A refusal is a
//! [`CommandError`](crate::error_code::CommandError) with status 422.

use serde::{Deserialize, Serialize};

use crate::ui::{
    AgentView, AppState, AttemptView, ConnectAccount, GrantView, GrantsView, PassphraseText, ProtectionView,
    RenewGrant, StoppedView,
};

/// The longest body of a request.
pub const MAX_REQUEST: usize = 4096;
/// The longest that a request is kept open for the person, in seconds.
pub const WAIT_SECONDS: u64 = 20;

/// Reads: the whole app in a glance, as [`Status`].
pub const STATUS: &str = "/support/status";
/// Reads: every connection, as [`GrantsView`].
pub const GRANTS: &str = "/support/grants";
/// Reads: one connection by its id, as [`GrantView`]. Takes a `GrantRef`.
pub const GRANT: &str = "/support/grant";
/// Reads: the agents, and who asks to be added, as `AgentsView`.
pub const AGENTS: &str = "/support/agents";
/// Reads: the questions that agents have for the person, oldest first, as a list of `ApprovalView`.
pub const APPROVALS: &str = "/support/approvals";
/// Reads: the banks that can be connected.
pub const PROVIDERS: &str = "/support/providers";
/// Reads: the last attempts, newest first, as a list of [`AttemptRow`].
pub const ATTEMPTS: &str = "/support/attempts";
/// Reads: one attempt by its id. Takes an `AttemptRef`.
pub const ATTEMPT: &str = "/support/attempt";

/// Reads: a part of the audit log, as an exported file has it. Takes an [`AuditFrom`]; [`AuditPart`].
pub const AUDIT: &str = "/support/audit";

/// Reads, at the bank: whether a connection still works. Takes a `GrantRef`; `GrantView`.
pub const CHECK: &str = "/support/check";

/// Stops: holds a connection back. Takes a `GrantRef`.
pub const PAUSE: &str = "/support/pause";
/// Stops: takes something back from a connection. Takes a `NarrowGrant`.
pub const NARROW: &str = "/support/narrow";
/// Stops: locks.
pub const LOCK: &str = "/support/lock";
/// Stops: ends a connection. Takes a `GrantRef`.
pub const REVOKE: &str = "/support/revoke";
/// Stops: an attempt that goes on. Takes an `AttemptRef`.
pub const CANCEL: &str = "/support/cancel";
/// Stops: a question, with a no. Takes an `ApprovalRef`; the list of [`APPROVALS`]. A yes takes a [`Start`].
pub const ANSWER_APPROVAL: &str = "/support/answer_approval";
/// Stops: a program's request to be added, with a no. Takes an `EnrolmentRef`; `AgentsView`. A yes takes a [`Start`].
pub const ANSWER_ENROLMENT: &str = "/support/answer_enrolment";
/// Stops: holds an agent back. Takes an `AgentRef`; `AgentView`.
pub const PAUSE_AGENT: &str = "/support/pause_agent";
/// Stops: removes an agent, and ends its connections. Takes an `AgentRef`; `AgentView`.
pub const REMOVE_AGENT: &str = "/support/remove_agent";
/// Stops: every agent; [`Killed`].
pub const KILL: &str = "/support/kill";

/// Starts: Connect Account. Takes a [`Start`] with [`Wanted::Connect`]; so do all that start something: [`Started`].
pub const START: &str = "/support/start";
/// Starts: opens the lock, with the passphrase alone. Takes an `Unlock`.
pub const UNLOCK: &str = "/support/unlock";
/// Asks again what became of something that waits for the person. Takes an [`AskedRef`]; [`Started`].
pub const ASKED: &str = "/support/asked";

/// The whole app in a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What the window shows of itself.
    pub app: AppState,
    /// How many connections there are.
    pub counts: Counts,
    /// The host's own time; what is asked for is counted from it.
    pub now: i64,
}

/// How many connections there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Now.
    pub connections: u32,
    /// Of these, how many cannot be used without the person.
    pub reconnect: u32,
    /// How many were ended here and the bank has not confirmed it.
    pub untold: u32,
}

/// An attempt, and how far it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRow {
    /// The attempt.
    pub attempt: AttemptView,
    /// The stage it stands at or ended at, in the word that stands in references.
    pub stage: String,
}

/// Every agent is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Killed {
    /// It outlives a restart already; else it is written again and again until it does.
    pub recorded: bool,
}

/// Asks for something that only the person may start.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// What.
    pub wanted: Wanted,
    /// The host's passphrase, typed at a terminal by a person who has no window. Without it, a click decides.
    pub passphrase: Option<PassphraseText>,
    /// Without asking anybody: for scripts, and refused by all but sandbox builds.
    #[serde(default)]
    pub unasked: bool,
}

/// What only the person may start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wanted {
    /// To say yes to an agent's question; with a passphrase alone, since the window asks by itself.
    Approve {
        /// Which question.
        id: String,
        /// What was drawn of it.
        drawn: String,
        /// For how many days it is not asked again; none for once.
        days: Option<u16>,
    },
    /// To connect an agent to a bank.
    Connect {
        /// What is to be connected.
        connect: ConnectAccount,
    },
    /// To add a program that asks for it; with a passphrase alone, since the window asks by itself.
    Enrol {
        /// Which request.
        id: String,
        /// What the person calls it.
        name: String,
        /// The agent whose key it takes the place of.
        replaces: Option<String>,
    },
    /// To connect anew what a connection allows; it lives until the new one is there.
    Renew {
        /// What is to be connected.
        renew: RenewGrant,
    },
    /// To let a connection go on.
    Resume {
        /// Which.
        grant: String,
    },
    /// To let an agent go on.
    ResumeAgent {
        /// Which.
        agent: String,
    },
    /// To let all agents go on.
    ResumeAgents {},
    /// To give back what was taken from a connection.
    Widen {
        /// Which.
        grant: String,
    },
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Started {
    /// The agent is as wanted.
    Agent {
        /// As it stands.
        agent: Box<AgentView>,
    },
    /// The question is answered with yes.
    Approved,
    /// The attempt goes on; how is told by [`ATTEMPT`].
    Attempt {
        /// As it stands.
        attempt: Box<AttemptRow>,
    },
    /// The person said no, or nothing for five minutes.
    Declined,
    /// The connection is as wanted.
    Grant {
        /// As it stands.
        grant: Box<GrantView>,
    },
    /// All agents go on.
    Resumed,
    /// The person has not answered yet: [`ASKED`] waits on.
    Waiting {
        /// Which question.
        asked: String,
    },
}

/// Names a program's request to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRef {
    /// Its id.
    pub id: String,
}

/// Names a question that waits for the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedRef {
    /// Its id.
    pub asked: String,
}

/// `countersignd --report`: what is stored, without secrets, where no host runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// This build talks to sandbox banks.
    pub sandbox: bool,
    /// How the key is kept.
    pub protection: ProtectionView,
    /// Whether every agent would be stopped at the next start.
    pub stopped: Option<StoppedView>,
    /// How many connections there are.
    pub counts: Counts,
    /// Every connection.
    pub grants: GrantsView,
    /// The agents.
    pub agents: Vec<AgentView>,
    /// The last attempts, newest first.
    pub attempts: Vec<AttemptRow>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Object;

    #[test]
    fn a_start_says_exactly_what_is_wanted() {
        let read = |text: &str| serde_json::from_str::<Object<Start>>(text).map(|read| read.0);
        let resume = r#"{"wanted":{"kind":"resume","grant":"g"},"passphrase":null}"#;
        assert_eq!(read(resume).unwrap().wanted, Wanted::Resume { grant: "g".into() });
        let all = r#"{"wanted":{"kind":"resume_agents"}}"#;
        assert_eq!(read(all).unwrap().wanted, Wanted::ResumeAgents {});
        for text in [
            "{}",
            r#"{"wanted":{"kind":"resume"}}"#,
            r#"{"wanted":{"kind":"resume","grant":"g","token":"t"}}"#,
            r#"{"wanted":{"kind":"resume_agents","grant":"g"}}"#,
            r#"{"wanted":{"kind":"revoke_all"}}"#,
            r#"{"wanted":{"kind":"resume","grant":"g"},"yes":true}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_passphrase_is_not_printed() {
        let wanted = Wanted::ResumeAgents {};
        let start =
            Start { wanted, passphrase: Some(PassphraseText::new("correct horse".into())), unasked: false };
        assert!(!format!("{start:?}").contains("horse"));
    }
}

/// Asks for a part of the audit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditFrom {
    /// From the record after this one; 0 for the beginning.
    pub after: u64,
    /// Up to this one, as the first part said; up to the newest, where none is named.
    pub through: Option<u64>,
}

/// A part of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPart {
    /// Lines of the file, each without its end: at the beginning the header, then a record each.
    pub lines: Vec<String>,
    /// The number of the last record in it.
    pub after: u64,
    /// The number of the last record of the file.
    pub through: u64,
}
