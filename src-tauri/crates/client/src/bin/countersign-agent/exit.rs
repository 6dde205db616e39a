//! What the program ends with, so that a script knows what to do next.

use std::process::ExitCode;

use client::agent::{AgentError, Refused};
use client::keys::KeyError;
use contract::agent::RefusalCode;

/// The exit status. The numbers are documented in `--help` and never change; they are those of `countersign`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done = 0,
    /// It was refused; asking otherwise may help.
    Refused = 1,
    /// The command line was not understood.
    Usage = 2,
    /// Countersign is not running.
    NotRunning = 3,
    /// The bank is in the way.
    Bank = 4,
    /// It waits for the person.
    Waiting = 5,
    /// Not now: this computer, or what the person has stopped, is in the way.
    NotNow = 6,
    /// A fault.
    Fault = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The status for what an agent was not given.
pub(crate) fn of_error(error: &AgentError) -> Exit {
    use client::endpoint::EndpointError;
    use client::place::DialError;
    match error {
        AgentError::Refused(refused) => of_refusal(refused),
        AgentError::Unanswered => Exit::Waiting,
        AgentError::Endpoint(EndpointError::Absent) | AgentError::Dial(DialError::Nobody) => Exit::NotRunning,
        AgentError::Dial(_) | AgentError::Endpoint(_) | AgentError::NoRandomness(_) => Exit::NotNow,
        AgentError::RequestUnfit => Exit::Refused,
        AgentError::AnswerMalformed | AgentError::Exchange(_) | AgentError::HungUp => Exit::Fault,
    }
}

fn of_refusal(refused: &Refused) -> Exit {
    match refused.refusal.error {
        RefusalCode::AccessDenied
        | RefusalCode::InsufficientScope
        | RefusalCode::InvalidAuthorizationDetails
        | RefusalCode::InvalidClient
        | RefusalCode::InvalidScope
        | RefusalCode::InvalidTarget
        | RefusalCode::InvalidToken => Exit::Refused,
        RefusalCode::AuthorizationPending => Exit::Waiting,
        RefusalCode::BadGateway => Exit::Bank,
        RefusalCode::SlowDown | RefusalCode::TemporarilyUnavailable => Exit::NotNow,
        RefusalCode::InvalidDpopProof
        | RefusalCode::InvalidGrant
        | RefusalCode::InvalidRequest
        | RefusalCode::Unknown
        | RefusalCode::UnsupportedGrantType => Exit::Fault,
    }
}

/// The status for a key that is not there.
pub(crate) fn of_key(error: &KeyError) -> Exit {
    match error {
        KeyError::NameUnfit | KeyError::NoKey | KeyError::Several(_) => Exit::Refused,
        KeyError::FileTaken
        | KeyError::FileUnfit
        | KeyError::FileUnreadable
        | KeyError::FileUnwritable
        | KeyError::Keychain(_)
        | KeyError::NoRandomness(_)
        | KeyError::Text(_) => Exit::NotNow,
    }
}
