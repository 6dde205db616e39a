//! Why an agent's request is not carried out, and what the agent and the person are told of it.

use contract::agent::RefusalCode;
use domain::call::CallError;
use domain::lease::Beyond;
use domain::policy::Denial;
use domain::rule::RuleKind;
use oauth::proof::ProofError;
use oauth::task::TaskError;
use thiserror::Error;

use crate::port::{DiceError, StoreError};
use crate::report::Refusal;

/// Why. Nothing was given, and nothing went to a bank that is not said here.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// The key is none of an enrolled agent.
    #[error("the agent is not known")]
    AgentUnknown,
    /// Every agent is stopped.
    #[error("every agent is stopped")]
    AgentsStopped,
    /// The bank gave an answer that is not passed on.
    #[error("the bank's answer cannot be used")]
    BadAnswer,
    /// The bank could not be reached, or is busy.
    #[error("the bank is not available")]
    BankUnavailable,
    /// The call is not part of the lease.
    #[error(transparent)]
    Beyond(#[from] Beyond),
    /// The call is none of the API's.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The grant is not for this, or not now.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The source of randomness failed.
    #[error(transparent)]
    Dice(#[from] DiceError),
    /// No grant of this agent.
    #[error("no such grant of this agent")]
    GrantUnknown,
    /// Another grant type than the one there is.
    #[error("another grant type")]
    GrantType,
    /// No such lease of this key, or it is over.
    #[error("no such lease")]
    LeaseUnknown,
    /// The vault is locked, or the keychain is.
    #[error("the vault is locked")]
    Locked,
    /// The request is not of the right shape.
    #[error("the request is malformed")]
    Malformed,
    /// There is not exactly one proof.
    #[error("there is not exactly one DPoP header")]
    NoProof,
    /// Nobody answered in time.
    #[error("nobody answered")]
    NobodyAnswered,
    /// The person has not answered yet.
    #[error("the person has not answered yet")]
    Pending,
    /// The person said no.
    #[error("the person said no")]
    PersonSaidNo,
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The proof was used before.
    #[error("the proof was used before")]
    ProofUsed,
    /// The disk, or the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task does not verify.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The task was presented before.
    #[error("the task was presented before")]
    TaskUsed,
    /// Too many requests, or too many questions.
    #[error("too many requests")]
    TooMany,
}

impl Refused {
    /// The OAuth error.
    #[must_use]
    pub fn code(self) -> RefusalCode {
        match self {
            Self::AgentUnknown | Self::Denied(Denial::AgentRemoved) => RefusalCode::InvalidClient,
            Self::AgentsStopped
            | Self::BankUnavailable
            | Self::Dice(_)
            | Self::Locked
            | Self::Store(_)
            | Self::Denied(Denial::AgentPaused | Denial::GrantPaused | Denial::NeedsReconnect) => {
                RefusalCode::TemporarilyUnavailable
            }
            Self::BadAnswer => RefusalCode::BadGateway,
            Self::Beyond(_) => RefusalCode::InsufficientScope,
            Self::Denied(Denial::AccountOutside | Denial::OperationOutside) => RefusalCode::InvalidScope,
            Self::Denied(Denial::DatesUnfit | Denial::OperationUnknown | Denial::PaymentUnfit)
            | Self::Task(TaskError::Details | TaskError::Lifetime | TaskError::Uses) => {
                RefusalCode::InvalidAuthorizationDetails
            }
            Self::GrantUnknown
            | Self::Denied(Denial::NotThisAgents | Denial::GrantEnded | Denial::GrantRevoked) => {
                RefusalCode::InvalidTarget
            }
            Self::GrantType => RefusalCode::UnsupportedGrantType,
            Self::LeaseUnknown => RefusalCode::InvalidToken,
            Self::Call(_) | Self::Malformed => RefusalCode::InvalidRequest,
            Self::Pending => RefusalCode::AuthorizationPending,
            Self::NobodyAnswered | Self::PersonSaidNo => RefusalCode::AccessDenied,
            Self::NoProof | Self::Proof(_) | Self::ProofUsed => RefusalCode::InvalidDpopProof,
            Self::Task(_) | Self::TaskUsed => RefusalCode::InvalidGrant,
            Self::TooMany => RefusalCode::SlowDown,
        }
    }

    /// What the agent can do. It tells nothing that the agent may not know.
    #[must_use]
    pub fn for_agent(self) -> String {
        match self {
            Self::AgentUnknown | Self::Denied(Denial::AgentRemoved) => {
                "This key is not an enrolled agent's. Enrol it, and let the person compare the code."
                    .to_owned()
            }
            Self::AgentsStopped => {
                "The person has stopped every agent. Do not retry; ask the person.".to_owned()
            }
            Self::BadAnswer => {
                "The bank's answer could not be passed on. Do not repeat what moves money.".to_owned()
            }
            Self::BankUnavailable => "The bank did not answer. Try again later.".to_owned(),
            Self::Beyond(beyond) => {
                format!("The lease is not for this call: {beyond}. Present a task that is.")
            }
            Self::Call(error) => format!("Not a call of this bank's API: {error}. GET /grants lists them."),
            Self::Denied(Denial::NotThisAgents | Denial::GrantEnded | Denial::GrantRevoked)
            | Self::GrantUnknown => "No such grant. GET /grants lists yours.".to_owned(),
            Self::Denied(denial) => {
                format!("Not under this grant: {denial}. GET /grants says what is allowed.")
            }
            Self::Dice(_) | Self::Store(_) => {
                "Countersign cannot record this now. Try again later.".to_owned()
            }
            Self::GrantType => {
                "The one grant type is urn:ietf:params:oauth:grant-type:jwt-bearer.".to_owned()
            }
            Self::NoProof => "Send one DPoP header, made by the agent's key for this request.".to_owned(),
            Self::LeaseUnknown => "No such lease of this key, or it is over. Present a new task.".to_owned(),
            Self::Locked => "Countersign is locked. Ask the person to unlock it, then try again.".to_owned(),
            Self::Malformed => "The request is not of the right shape, or too long.".to_owned(),
            Self::NobodyAnswered => {
                "Nobody answered in time. Ask the person before you try again.".to_owned()
            }
            Self::Pending => {
                "The person has not answered. Present the same task again, signed anew.".to_owned()
            }
            Self::PersonSaidNo => "The person said no. Do not ask again for the same.".to_owned(),
            Self::Proof(error) => format!("The DPoP proof does not hold: {error}."),
            Self::ProofUsed => "The DPoP proof was used before. Make one for each request.".to_owned(),
            Self::Task(error) => format!("The task does not verify: {error}."),
            Self::TaskUsed => "The task was presented before. Sign a new one for each request.".to_owned(),
            Self::TooMany => "Too many requests. Slow down.".to_owned(),
        }
    }

    /// What the agent may show to the person.
    #[must_use]
    pub fn for_person(self) -> &'static str {
        match self {
            Self::AgentUnknown | Self::Denied(Denial::AgentRemoved) => {
                "Countersign does not know this program. Add it under Agents."
            }
            Self::AgentsStopped => "All agents are stopped. Let them go on in Countersign.",
            Self::BadAnswer => "The bank answered in a way that Countersign does not pass on.",
            Self::BankUnavailable => "The bank does not answer at the moment.",
            Self::Beyond(_)
            | Self::Denied(
                Denial::AccountOutside
                | Denial::DatesUnfit
                | Denial::OperationOutside
                | Denial::OperationUnknown
                | Denial::PaymentUnfit,
            ) => "The program asked for more than you have allowed. Nothing was given.",
            Self::Denied(Denial::AgentPaused) => "This program is paused. Let it go on in Countersign.",
            Self::Denied(Denial::GrantPaused) => "This connection is paused. Let it go on in Countersign.",
            Self::Denied(Denial::NeedsReconnect) => {
                "This connection does not work any more. Connect it again."
            }
            Self::Denied(Denial::NotThisAgents | Denial::GrantEnded | Denial::GrantRevoked)
            | Self::GrantUnknown => "There is no such connection for this program.",
            Self::Dice(_) | Self::Store(_) => "Countersign could not record this. Nothing was given.",
            Self::Locked => "Countersign is locked. Unlock it, then try again.",
            Self::NobodyAnswered => "Nobody answered the question. Nothing was allowed.",
            Self::Pending => "Countersign has asked you something. Answer it in its window.",
            Self::PersonSaidNo => "You said no. Nothing was allowed.",
            Self::Call(_)
            | Self::GrantType
            | Self::LeaseUnknown
            | Self::Malformed
            | Self::NoProof
            | Self::Proof(_)
            | Self::ProofUsed
            | Self::Task(_)
            | Self::TaskUsed => "The program made a mistake. Nothing was given.",
            Self::TooMany => "The program asked too often. It has to wait.",
        }
    }

    /// One word for the audit log.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Denied(denial) => word_of(&denial),
            Self::Beyond(Beyond::Account) => "account_outside".to_owned(),
            Self::Beyond(Beyond::Days) => "dates_outside".to_owned(),
            Self::Beyond(Beyond::Operation) => "operation_outside".to_owned(),
            Self::Beyond(Beyond::Payment) => "payment_differs".to_owned(),
            Self::Call(CallError::Operation) => "operation_unknown".to_owned(),
            Self::TaskUsed | Self::ProofUsed => "replayed".to_owned(),
            Self::AgentUnknown
            | Self::AgentsStopped
            | Self::BadAnswer
            | Self::BankUnavailable
            | Self::Call(CallError::Body | CallError::Path | CallError::Query)
            | Self::Dice(_)
            | Self::GrantType
            | Self::GrantUnknown
            | Self::LeaseUnknown
            | Self::Locked
            | Self::Malformed
            | Self::NoProof
            | Self::NobodyAnswered
            | Self::Pending
            | Self::PersonSaidNo
            | Self::Proof(_)
            | Self::Store(_)
            | Self::Task(_)
            | Self::TooMany => self.code().as_str().to_owned(),
        }
    }

    /// The rule that it is held against.
    pub(crate) fn rule(self) -> RuleKind {
        let beyond = matches!(
            self,
            Self::Beyond(Beyond::Account | Beyond::Operation | Beyond::Payment)
                | Self::Call(_)
                | Self::Denied(Denial::OperationOutside | Denial::OperationUnknown)
        );
        if matches!(self, Self::TaskUsed | Self::ProofUsed) {
            RuleKind::Replays
        } else if beyond {
            RuleKind::UnknownOperations
        } else {
            RuleKind::TooManyRefusals
        }
    }

    /// The cause in a reference: how the person's words and the agent's tell it apart.
    #[must_use]
    pub fn cause(self) -> u8 {
        match self {
            Self::Denied(Denial::AccountOutside | Denial::OperationOutside) => 1,
            Self::Denied(Denial::DatesUnfit | Denial::OperationUnknown | Denial::PaymentUnfit) => 2,
            Self::Denied(Denial::AgentPaused | Denial::AgentRemoved) | Self::AgentUnknown => 3,
            Self::Denied(Denial::GrantPaused) => 4,
            Self::Denied(Denial::NeedsReconnect) => 5,
            Self::Denied(Denial::NotThisAgents | Denial::GrantEnded | Denial::GrantRevoked)
            | Self::GrantUnknown => 6,
            Self::PersonSaidNo => 7,
            Self::NobodyAnswered => 8,
            Self::Task(_) => 9,
            Self::TaskUsed => 10,
            Self::NoProof | Self::Proof(_) | Self::ProofUsed => 11,
            Self::Beyond(_) | Self::Call(_) | Self::GrantType | Self::Malformed => 12,
            Self::LeaseUnknown => 13,
            Self::Locked => 14,
            Self::AgentsStopped => 15,
            Self::BadAnswer | Self::BankUnavailable => 16,
            Self::Dice(_) | Self::Store(_) => 17,
            Self::Pending | Self::TooMany => 18,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AgentRemoved => Self::Denied(Denial::AgentRemoved),
            Refusal::AgentsStopped | Refusal::StillStopped => Self::AgentsStopped,
            Refusal::BankUnavailable => Self::BankUnavailable,
            Refusal::Dice(error) => Self::Dice(error),
            Refusal::GrantOver => Self::Denied(Denial::GrantEnded),
            Refusal::GrantPaused => Self::Denied(Denial::GrantPaused),
            Refusal::Key(_) | Refusal::Keychain(_) | Refusal::Locked | Refusal::RecordDamaged => Self::Locked,
            Refusal::NeedsReconnect => Self::Denied(Denial::NeedsReconnect),
            Refusal::Revoked => Self::Denied(Denial::GrantRevoked),
            Refusal::Store(error) => Self::Store(error),
            Refusal::TooMany => Self::TooMany,
            Refusal::Unknown(_) => Self::GrantUnknown,
            Refusal::Agent(_)
            | Refusal::ApprovalOver
            | Refusal::AskedUnknown
            | Refusal::AttemptEnded
            | Refusal::Browser
            | Refusal::Date
            | Refusal::Malformed
            | Refusal::NotWritten
            | Refusal::PassphraseLater
            | Refusal::PassphraseUnfit
            | Refusal::PassphraseWrong
            | Refusal::Permissions => Self::Malformed,
        }
    }
}

fn word_of(denial: &Denial) -> String {
    match serde_json::to_value(denial) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => "denied".to_owned(),
    }
}
