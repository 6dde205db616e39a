//! What the program ends with, so that a script knows what to do next.

use std::process::ExitCode;

use contract::error_code::{Blame, ErrorCode};
use contract::ui::EndingView;

/// The exit status. The numbers are documented in `--help` and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is done.
    Done = 0,
    /// It was refused; choosing otherwise helps.
    Refused = 1,
    /// The command line was not understood.
    Usage = 2,
    /// Countersign is not running.
    NotRunning = 3,
    /// The bank is in the way.
    Bank = 4,
    /// It waits for the person.
    Waiting = 5,
    /// This computer is in the way: its keychain, its disk.
    Machine = 6,
    /// A fault of Countersign.
    Fault = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The status for a refusal.
pub(crate) fn of_code(code: ErrorCode) -> Exit {
    match code.blame() {
        Blame::Agent | Blame::Person => Exit::Refused,
        Blame::Machine if code == ErrorCode::HostGone => Exit::NotRunning,
        Blame::Machine => Exit::Machine,
        Blame::Provider => Exit::Bank,
        Blame::Us => Exit::Fault,
    }
}

/// The status for an attempt that has ended.
pub(crate) fn of_ending(ending: &EndingView) -> Exit {
    match ending {
        EndingView::Connected { .. } => Exit::Done,
        EndingView::Cancelled
        | EndingView::Declined
        | EndingView::NothingAllowed
        | EndingView::OtherAccount
        | EndingView::TimedOut => Exit::Refused,
        EndingView::AddressesChanged { .. }
        | EndingView::BankMisbehaved { .. }
        | EndingView::BankRefused { .. }
        | EndingView::BankUnreachable
        | EndingView::UnexpectedServer => Exit::Bank,
        EndingView::Interrupted
        | EndingView::KeychainKeyLost
        | EndingView::KeychainLocked
        | EndingView::KeychainUnavailable
        | EndingView::NotSaved { .. }
        | EndingView::PortTaken => Exit::Machine,
    }
}
