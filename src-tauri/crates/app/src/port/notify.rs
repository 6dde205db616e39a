//! Notices outside of the window.

use std::future::Future;

/// Notices outside of the window, by the system's own means.
pub trait Notify: Send + Sync + 'static {
    /// Shows one; where the system has no such thing, nothing happens.
    fn notify(&self, note: Note) -> impl Future<Output = ()> + Send;
}

/// What the person is told outside of the window. The names are the person's and the catalogue's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A rule holds an agent back.
    AgentPaused {
        /// The agent's name.
        agent: String,
    },
    /// An agent asks for something.
    Asks {
        /// The agent's name.
        agent: String,
        /// The bank's name.
        bank: String,
        /// For what.
        what: AsksFor,
    },
    /// A connection ends soon.
    EndsSoon {
        /// The agent's name.
        agent: String,
        /// The bank's name.
        bank: String,
        /// Days until then; 0 for today.
        days: u16,
    },
    /// A connection does not work any more.
    ReconnectNeeded {
        /// The agent's name.
        agent: String,
        /// The bank's name.
        bank: String,
    },
    /// A rule noticed something about an agent, which goes on.
    RuleNoticed {
        /// The agent's name.
        agent: String,
    },
    /// A program wants to be added as an agent. What it calls itself is not repeated: anybody could choose it.
    WantsToBeAdded,
}

/// What an agent asks for, for a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsksFor {
    /// To connect the bank.
    Connect,
    /// To make a payment.
    Payment,
    /// To use something that it has not used before.
    Reading,
}
