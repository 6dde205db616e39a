//! Receipts.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::revocation::RevocationView;

/// Names a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRef {
    /// Its id.
    pub receipt: String,
}

/// A receipt in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptEntry {
    /// Its id.
    pub id: String,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// About what.
    pub what: ReceiptKind,
}

/// What a receipt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// A connection was made.
    Connected,
    /// Its time was over.
    Ended,
    /// The person took something back.
    Narrowed,
    /// It was renewed.
    Renewed,
    /// It was ended.
    Revoked,
    /// What was taken back was given again.
    Widened,
}

/// A receipt, whole: what the person keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptView {
    /// Its id.
    pub id: String,
    /// About what.
    pub what: ReceiptKind,
    /// When.
    #[ts(type = "number")]
    pub at: i64,
    /// The bank's name.
    pub bank: String,
    /// Where it is on the net: the issuer.
    pub issuer: String,
    /// The agent's name.
    pub agent: String,
    /// The agent's key's thumbprint.
    pub thumbprint: String,
    /// Whose accounts.
    pub holder: Option<String>,
    /// What the agent may do, in plain words, after what the receipt is about.
    pub permissions: Vec<String>,
    /// Name and masked number of each account.
    pub accounts: Vec<ReceiptAccount>,
    /// Until when.
    #[ts(type = "number | null")]
    pub until: Option<i64>,
    /// For an end: what is known of it now, not when the receipt was made.
    pub facts: Option<RevocationView>,
    /// The whole receipt for programs.
    pub json: String,
}

/// An account on a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ReceiptAccount {
    /// Its name.
    pub name: String,
    /// Its masked number.
    pub number: String,
}
