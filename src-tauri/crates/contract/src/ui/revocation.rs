//! What is known of a connection's end.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What is known of a connection's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RevocationView {
    /// Cut off here.
    #[ts(type = "number")]
    pub cut_off_at: i64,
    /// The token at the bank.
    pub bank: BankTold,
    /// The consent at the bank.
    pub consent: ConsentTold,
    /// Access that the bank handed out earlier may work there until then, unless the bank has confirmed.
    #[ts(type = "number | null")]
    pub valid_until: Option<i64>,
}

/// Whether the consent is withdrawn at the bank, which is another fact than the token's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsentTold {
    /// Only the person can withdraw it, at the bank; whether it is, nobody can ask.
    AtBank,
    /// At this bank it ends with the token, which is not revoked yet.
    NotYet,
    /// At this bank it ended with the token.
    Withdrawn {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
}

/// Whether the bank has ended it too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BankTold {
    /// The bank confirmed.
    Confirmed {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
    /// The person stopped the tries.
    GivenUp {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
    /// The bank offers no way; the person withdraws consent there.
    NotOffered,
    /// The bank keeps one consent for all: the new one took its place, and revoking the old would end both.
    Replaced {
        /// When.
        #[ts(type = "number")]
        at: i64,
    },
    /// Not done yet; tried until it is.
    NotYet {
        /// How often it was tried.
        tries: u32,
        /// When it was last tried.
        #[ts(type = "number | null")]
        last_try: Option<i64>,
        /// When it is tried next.
        #[ts(type = "number")]
        next_try: i64,
        /// What is in the way.
        waits_for: WaitsForView,
    },
}

/// What stands between a revocation and the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum WaitsForView {
    /// The bank answered something other than done.
    BankToAccept,
    /// The bank could not be reached.
    BankToAnswer,
    /// What was sealed for it is damaged.
    DamagedRecord,
    /// It is about to be tried.
    FirstTry,
    /// The keychain is locked or does not answer.
    Keychain,
    /// The bank's addresses are not known any more, or changed.
    KnownAddress,
    /// The key that opens the sealed access is gone.
    LostKey,
}
