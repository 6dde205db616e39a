//! Attempts: one run of Connect Account, from the click to a named ending.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, AttemptId, GrantId, PermissionId, ProviderId};
use crate::permission::PermissionSet;
use crate::reference::{RandomPart, Reference, Stage};
use crate::time::Timestamp;

/// One run of Connect Account. It holds no secret, so it is kept in clear.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// The random part of its reference.
    pub random: RandomPart,
    /// Which bank.
    pub provider: ProviderId,
    /// Which agent.
    pub agent: AgentId,
    /// The grant it renews, which lives until the new one is stored.
    pub renews: Option<GrantId>,
    /// What the person chose.
    pub permissions: PermissionSet,
    /// Until when.
    pub until: Timestamp,
    /// When the person clicked Connect.
    pub started_at: Timestamp,
    /// When waiting for the bank ends; set when the browser is opened.
    pub deadline: Option<Timestamp>,
    /// How often the person was sent to the bank (open again, copy link).
    pub openings: u16,
    /// Callbacks that were not ours; they are recorded and never end an attempt.
    pub strays: u32,
    /// Whether the browser could be opened the last time.
    pub browser: Browser,
    /// Where it stands.
    pub stage: Stage,
    /// How it ended, if it has.
    pub ending: Option<Ending>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The grant it made.
    pub grant: Option<GrantId>,
    /// Counts every change, so that the window knows what is newer.
    pub revision: u32,
}

/// What became of the last try to open the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Browser {
    /// Not tried yet.
    NotYet,
    /// The system took the address.
    Opened,
    /// It could not; the link can be copied.
    Failed,
    /// The person took the link instead.
    LinkCopied,
}

/// Every way an attempt can end. The cause numbers are part of references and never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum Ending {
    /// A grant was made.
    Connected {
        /// Chosen, but not allowed at the bank.
        missing: Vec<PermissionId>,
        /// Allowed by the bank without being asked; never used.
        extra: Vec<String>,
    },
    /// The person stopped it here.
    Cancelled,
    /// The person said no at the bank.
    Declined,
    /// Nobody came back in time.
    TimedOut,
    /// The bank could not be reached.
    BankUnreachable,
    /// The bank refused, in its own registered code.
    BankRefused {
        /// A registered OAuth error code, never free text.
        code: String,
    },
    /// The answer did not come from the bank we asked.
    UnexpectedServer,
    /// The bank's answer broke a rule of the protocol.
    BankMisbehaved {
        /// The rule's name.
        rule: String,
    },
    /// The bank's addresses are not the ones we know.
    AddressesChanged {
        /// Which metadata member differs.
        member: String,
    },
    /// The person allowed none of what was asked.
    NothingAllowed,
    /// The keychain is locked.
    KeychainLocked,
    /// There is no keychain, or it does not answer.
    KeychainUnavailable,
    /// The key is gone or another one, while sealed rows exist.
    KeychainKeyLost,
    /// Nothing could be saved.
    NotSaved {
        /// Whether the bank confirmed that it has forgotten the access.
        bank_told: bool,
    },
    /// No local port could be opened for the answer.
    PortTaken,
    /// Countersign stopped while waiting.
    Interrupted,
    /// A renewal came back with somebody else's accounts, and the person did not want them.
    OtherAccount,
}

impl Ending {
    /// The cause number in references.
    #[must_use]
    pub fn cause(&self) -> u8 {
        match self {
            Self::Connected { .. } => 1,
            Self::Cancelled => 2,
            Self::Declined => 3,
            Self::TimedOut => 4,
            Self::BankUnreachable => 5,
            Self::BankRefused { .. } => 6,
            Self::UnexpectedServer => 7,
            Self::BankMisbehaved { .. } => 8,
            Self::AddressesChanged { .. } => 9,
            Self::NothingAllowed => 10,
            Self::KeychainLocked => 11,
            Self::KeychainUnavailable => 12,
            Self::KeychainKeyLost => 13,
            Self::NotSaved { .. } => 14,
            Self::PortTaken => 15,
            Self::Interrupted => 17,
            Self::OtherAccount => 18,
        }
    }
}

impl Attempt {
    /// What the person reads aloud; stage and cause change as it goes on, the random part stays.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference {
            stage: self.stage,
            cause: self.ending.as_ref().map_or(0, Ending::cause),
            random: self.random,
        }
    }
}
