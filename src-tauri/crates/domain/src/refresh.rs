//! What is known of a grant's refreshes between two generations.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A refresh that is under way, was lost, or did not work yet. A grant whose last refresh worked has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refresh {
    /// A request may be out since then: stored before it is sent, cleared when its outcome is known.
    pub in_flight: Option<Timestamp>,
    /// How many requests of this generation went out whose outcome nobody knows: the bank may have replaced the token.
    pub unanswered: u8,
    /// How many did not work, one after the other.
    pub failures: u32,
    /// What went wrong the last time.
    pub trouble: Option<Trouble>,
    /// When that was.
    pub tried_at: Option<Timestamp>,
    /// Not before then.
    pub next_try: Option<Timestamp>,
}

/// What can stand between a grant and a fresh token. None of it says anything about the grant itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
pub enum Trouble {
    /// The bank asks to come back later.
    BankBusy,
    /// The bank's answer broke a rule of the protocol.
    BankMisbehaved {
        /// The rule's name.
        rule: String,
    },
    /// The bank refused, in its own registered code.
    BankRefused {
        /// The code.
        code: String,
    },
    /// The bank could not be reached, or its answer was lost.
    BankUnreachable,
    /// The keychain is locked or does not answer.
    Keychain,
    /// The bank's file is no longer in the catalogue, or its addresses changed.
    KnownAddress,
    /// The vault is locked.
    Locked,
}
