//! Error codes: what a front door turns into words. One code, one pair of sentences.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No such record of what happened.
    ActivityUnknown,
    /// Another agent has this key already.
    AgentKeyKnown,
    /// The text is no Ed25519 public key.
    AgentKeyMalformed,
    /// The text is a private key.
    AgentKeyPrivate,
    /// Another agent has this name already.
    AgentNameKnown,
    /// Empty, too long, or built to imitate.
    AgentNameUnfit,
    /// No such agent.
    AgentUnknown,
    /// The agent was removed.
    AgentRemoved,
    /// Every agent is stopped.
    AgentsStopped,
    /// No such notice of a rule.
    AlertUnknown,
    /// The question is over, or another one than was drawn.
    ApprovalOver,
    /// Nobody asked that, or it was answered already.
    AskedUnknown,
    /// The attempt has ended already.
    AttemptEnded,
    /// No such attempt.
    AttemptUnknown,
    /// The system's browser could not be opened.
    BrowserNotOpened,
    /// Nothing was allowed for longer under this id.
    ChoiceUnknown,
    /// The data folder, or a file in it, belongs to someone else or is open to others.
    DataFolderUnfit,
    /// The bank is busy, or could not be reached: nothing changed.
    BankUnavailable,
    /// The date is in the past or later than the bank allows.
    DateOutOfRange,
    /// Nobody asks to be added under this id any more.
    EnrolmentUnknown,
    /// The grant does not work any more: it has to be connected again.
    GrantNeedsReconnect,
    /// The grant's time is over.
    GrantOver,
    /// The grant is held back.
    GrantPaused,
    /// The grant was revoked already.
    GrantRevoked,
    /// No such grant.
    GrantUnknown,
    /// The host has stopped.
    HostGone,
    /// A fault of ours.
    Internal,
    /// The keychain's key is gone or another one.
    KeychainKeyLost,
    /// The keychain is locked.
    KeychainLocked,
    /// There is no keychain, or it does not answer.
    KeychainUnavailable,
    /// The vault is locked.
    Locked,
    /// A file could not be written.
    NotWritten,
    /// A passphrase was wrong a moment ago: the next one is looked at after a pause of a minute at most.
    PassphraseLater,
    /// The passphrase is too short or too long.
    PassphraseUnfit,
    /// The passphrase is another one.
    PassphraseWrong,
    /// Nothing was chosen, or something this bank does not have.
    PermissionsUnfit,
    /// No such bank in the catalogue.
    ProviderUnknown,
    /// No such receipt.
    ReceiptUnknown,
    /// A sealed record does not open; its connection is named. Nothing was changed.
    RecordDamaged,
    /// The request was not of the right shape.
    RequestMalformed,
    /// The store is damaged, or another program's: nothing was changed.
    StoreDamaged,
    /// The disk is full, read-only or broken: nothing was changed.
    StoreFailed,
    /// A later version of Countersign has changed the store.
    StoreNewer,
    /// Every agent is still stopped: that could not be undone.
    StillStopped,
    /// Too many attempts at once.
    TooManyAttempts,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The program that asked.
    Agent,
    /// This computer.
    Machine,
    /// The person, by choosing otherwise.
    Person,
    /// The bank.
    Provider,
    /// Countersign.
    Us,
}

impl ErrorCode {
    /// Who can do something about it; sets tone, exit code and routing.
    #[must_use]
    pub fn blame(self) -> Blame {
        match self {
            Self::BankUnavailable => Blame::Provider,
            Self::ActivityUnknown
            | Self::AgentKeyKnown
            | Self::AgentRemoved
            | Self::AgentsStopped
            | Self::AlertUnknown
            | Self::ApprovalOver
            | Self::ChoiceUnknown
            | Self::EnrolmentUnknown
            | Self::AskedUnknown
            | Self::GrantNeedsReconnect
            | Self::GrantOver
            | Self::GrantPaused
            | Self::Locked
            | Self::PassphraseLater
            | Self::PassphraseUnfit
            | Self::PassphraseWrong
            | Self::ReceiptUnknown
            | Self::AgentKeyMalformed
            | Self::AgentKeyPrivate
            | Self::AgentNameKnown
            | Self::AgentNameUnfit
            | Self::AgentUnknown
            | Self::AttemptEnded
            | Self::AttemptUnknown
            | Self::DateOutOfRange
            | Self::GrantRevoked
            | Self::GrantUnknown
            | Self::PermissionsUnfit
            | Self::ProviderUnknown
            | Self::TooManyAttempts => Blame::Person,
            Self::BrowserNotOpened
            | Self::DataFolderUnfit
            | Self::StoreDamaged
            | Self::StoreNewer
            | Self::HostGone
            | Self::NotWritten
            | Self::RecordDamaged
            | Self::StillStopped
            | Self::KeychainKeyLost
            | Self::KeychainLocked
            | Self::KeychainUnavailable
            | Self::StoreFailed => Blame::Machine,
            Self::Internal | Self::RequestMalformed => Blame::Us,
        }
    }
}

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CommandError {
    /// Why.
    pub code: ErrorCode,
    /// What a person can read to support, where there is a record of it.
    pub reference: Option<String>,
}

impl From<ErrorCode> for CommandError {
    fn from(code: ErrorCode) -> Self {
        Self { code, reference: None }
    }
}
