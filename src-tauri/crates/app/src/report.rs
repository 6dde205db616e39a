//! Refusals of the use cases, and the codes that front doors turn into words.

use contract::error_code::ErrorCode;
use domain::agent::AgentError;
use thiserror::Error;

use crate::key::KeyError;
use crate::port::{DiceError, KeychainError, StoreError};

/// Why a request was not carried out. Nothing was changed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// The text is not an agent's name or key.
    #[error(transparent)]
    Agent(#[from] AgentFault),
    /// The agent was removed.
    #[error("the agent was removed")]
    AgentRemoved,
    /// Every agent is stopped.
    #[error("every agent is stopped")]
    AgentsStopped,
    /// The question is over, or another one than was drawn.
    #[error("the question is over")]
    ApprovalOver,
    /// Nobody asked that, or it was answered already.
    #[error("nobody asks that any more")]
    AskedUnknown,
    /// The attempt has ended already.
    #[error("the attempt has ended")]
    AttemptEnded,
    /// The bank is busy, could not be reached, or refused for now.
    #[error("the bank is not available")]
    BankUnavailable,
    /// The system's browser could not be opened.
    #[error("the browser could not be opened")]
    Browser,
    /// The source of randomness failed.
    #[error(transparent)]
    Dice(#[from] DiceError),
    /// The end date is out of range.
    #[error("the date is out of range")]
    Date,
    /// The grant's time is over.
    #[error("the grant is over")]
    GrantOver,
    /// The person holds the grant back.
    #[error("the grant is paused")]
    GrantPaused,
    /// The key of the vault.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keychain.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The vault is locked.
    #[error("the vault is locked")]
    Locked,
    /// The grant has to be connected again.
    #[error("the grant has to be connected again")]
    NeedsReconnect,
    /// A file for the person could not be written.
    #[error("a file could not be written")]
    NotWritten,
    /// After a wrong passphrase, the next one is looked at after a pause.
    #[error("a passphrase was wrong a moment ago")]
    PassphraseLater,
    /// The passphrase is too short or too long.
    #[error("the passphrase is unfit")]
    PassphraseUnfit,
    /// The passphrase is another one.
    #[error("the passphrase is another one")]
    PassphraseWrong,
    /// Nothing was chosen, or something this bank does not have.
    #[error("the permissions do not fit")]
    Permissions,
    /// A sealed record does not open: the key was not replaced.
    #[error("a sealed record does not open")]
    RecordDamaged,
    /// The grant was revoked already.
    #[error("the grant is revoked")]
    Revoked,
    /// An id that is not one.
    #[error("the request is malformed")]
    Malformed,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Every agent is still stopped.
    #[error("every agent is still stopped")]
    StillStopped,
    /// Too many attempts at once.
    #[error("too many attempts")]
    TooMany,
    /// The thing named is not there.
    #[error("{0:?} is not known")]
    Unknown(Thing),
}

/// What an agent's name or key may not be.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AgentFault {
    /// Another agent has this key.
    #[error("the key is known")]
    KeyKnown,
    /// Not a key.
    #[error("the key is malformed")]
    KeyMalformed,
    /// The private half.
    #[error("the key is private")]
    KeyPrivate,
    /// Another agent has this name.
    #[error("the name is known")]
    NameKnown,
    /// Not a name.
    #[error("the name is unfit")]
    NameUnfit,
}

/// What a request can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A record of what happened.
    Activity,
    /// An agent.
    Agent,
    /// What a rule has noticed.
    Alert,
    /// An attempt.
    Attempt,
    /// Something that was allowed for longer than once.
    Choice,
    /// A program that asks to be added.
    Enrolment,
    /// A grant.
    Grant,
    /// A provider.
    Provider,
    /// A receipt.
    Receipt,
}

impl From<AgentError> for Refusal {
    fn from(err: AgentError) -> Self {
        Self::Agent(match err {
            AgentError::KeyFormat | AgentError::KeyNotEd25519 | AgentError::KeyWeak => {
                AgentFault::KeyMalformed
            }
            AgentError::KeyIsPrivate => AgentFault::KeyPrivate,
            AgentError::NameEmpty | AgentError::NameTooLong | AgentError::NameDeceptive => {
                AgentFault::NameUnfit
            }
        })
    }
}

impl Refusal {
    /// The code for front doors.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Agent(AgentFault::KeyKnown) => ErrorCode::AgentKeyKnown,
            Self::Agent(AgentFault::KeyMalformed) => ErrorCode::AgentKeyMalformed,
            Self::Agent(AgentFault::KeyPrivate) => ErrorCode::AgentKeyPrivate,
            Self::Agent(AgentFault::NameKnown) => ErrorCode::AgentNameKnown,
            Self::Agent(AgentFault::NameUnfit) => ErrorCode::AgentNameUnfit,
            Self::AgentRemoved => ErrorCode::AgentRemoved,
            Self::AgentsStopped => ErrorCode::AgentsStopped,
            Self::ApprovalOver => ErrorCode::ApprovalOver,
            Self::AskedUnknown => ErrorCode::AskedUnknown,
            Self::AttemptEnded => ErrorCode::AttemptEnded,
            Self::BankUnavailable => ErrorCode::BankUnavailable,
            Self::Browser => ErrorCode::BrowserNotOpened,
            Self::Dice(DiceError) => ErrorCode::Internal,
            Self::Date => ErrorCode::DateOutOfRange,
            Self::GrantOver => ErrorCode::GrantOver,
            Self::GrantPaused => ErrorCode::GrantPaused,
            Self::Key(err) => key_code(err),
            Self::Keychain(err) => keychain_code(*err),
            Self::Locked => ErrorCode::Locked,
            Self::NeedsReconnect => ErrorCode::GrantNeedsReconnect,
            Self::NotWritten => ErrorCode::NotWritten,
            Self::PassphraseLater => ErrorCode::PassphraseLater,
            Self::PassphraseUnfit => ErrorCode::PassphraseUnfit,
            Self::PassphraseWrong => ErrorCode::PassphraseWrong,
            Self::StillStopped => ErrorCode::StillStopped,
            Self::Permissions => ErrorCode::PermissionsUnfit,
            Self::RecordDamaged => ErrorCode::RecordDamaged,
            Self::Revoked => ErrorCode::GrantRevoked,
            Self::Malformed => ErrorCode::RequestMalformed,
            Self::Store(err) => store_code(*err),
            Self::TooMany => ErrorCode::TooManyAttempts,
            Self::Unknown(Thing::Activity) => ErrorCode::ActivityUnknown,
            Self::Unknown(Thing::Alert) => ErrorCode::AlertUnknown,
            Self::Unknown(Thing::Choice) => ErrorCode::ChoiceUnknown,
            Self::Unknown(Thing::Enrolment) => ErrorCode::EnrolmentUnknown,
            Self::Unknown(Thing::Agent) => ErrorCode::AgentUnknown,
            Self::Unknown(Thing::Attempt) => ErrorCode::AttemptUnknown,
            Self::Unknown(Thing::Grant) => ErrorCode::GrantUnknown,
            Self::Unknown(Thing::Provider) => ErrorCode::ProviderUnknown,
            Self::Unknown(Thing::Receipt) => ErrorCode::ReceiptUnknown,
        }
    }
}

fn key_code(err: &KeyError) -> ErrorCode {
    match err {
        KeyError::Dice(DiceError) | KeyError::Unstretched => ErrorCode::Internal,
        KeyError::Keychain(err) => keychain_code(*err),
        KeyError::Locked => ErrorCode::Locked,
        KeyError::Restored => ErrorCode::GrantNeedsReconnect,
        KeyError::Missing | KeyError::Replaced => ErrorCode::KeychainKeyLost,
        KeyError::Store(err) => store_code(*err),
    }
}

fn keychain_code(err: KeychainError) -> ErrorCode {
    match err {
        KeychainError::Locked => ErrorCode::KeychainLocked,
        KeychainError::Malformed => ErrorCode::KeychainKeyLost,
        KeychainError::Absent | KeychainError::Blocked | KeychainError::NotLasting => {
            ErrorCode::KeychainUnavailable
        }
    }
}

fn store_code(err: StoreError) -> ErrorCode {
    match err {
        StoreError::Io | StoreError::Stopped | StoreError::Damaged => ErrorCode::StoreFailed,
        StoreError::Exists | StoreError::Missing => ErrorCode::Internal,
    }
}
