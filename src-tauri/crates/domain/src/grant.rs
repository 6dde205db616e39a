//! Grants: what the person allowed one agent at one bank, and what became of it.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, GrantId, PermissionId, ProviderId};
use crate::permission::PermissionSet;
use crate::time::Timestamp;

/// One provider, one agent, one consent.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// Which bank.
    pub provider: ProviderId,
    /// The bank's name when it was made, so that the list is true even if the catalogue changes.
    pub provider_name: String,
    /// The issuer, exactly as pinned.
    pub issuer: String,
    /// Which agent.
    pub agent: AgentId,
    /// What the agent may use: asked and allowed.
    pub permissions: PermissionSet,
    /// Chosen, but not allowed at the bank.
    pub missing: Vec<PermissionId>,
    /// Allowed by the bank without being asked; never used, always shown.
    pub extra: Vec<String>,
    /// The accounts it covers, as last read.
    pub accounts: Vec<Account>,
    /// Whose accounts these are, as the bank says.
    pub holder: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
    /// When the access token that is stored ends.
    pub access_token_ends_at: Option<Timestamp>,
    /// The newest refresh token the bank gave.
    pub generation: u32,
    /// Whether it was ended, and what is known of that.
    pub revocation: Option<Revocation>,
}

/// An account, as much of it as may stand in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The bank's opaque id.
    pub id: String,
    /// Its name, cleaned.
    pub name: String,
    /// The number with all but the last four signs hidden.
    pub masked: String,
    /// ISO 4217 code, if the bank said one.
    pub currency: Option<String>,
}

/// What is known of a grant's end: three facts, each with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Cut off here: at once, always.
    pub cut_off_at: Timestamp,
    /// The token at the bank.
    pub token: TokenRevocation,
}

/// Whether the bank has revoked the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TokenRevocation {
    /// The bank answered 200.
    Confirmed {
        /// When.
        at: Timestamp,
    },
    /// The person stopped the tries; the sealed token is deleted.
    GivenUp {
        /// When.
        at: Timestamp,
    },
    /// The bank offers no way to do it.
    NotOffered,
    /// Not done yet; tried until it is.
    Pending {
        /// How often it was tried.
        tries: u32,
        /// When it was last tried.
        last_try: Option<Timestamp>,
        /// When it is tried next.
        next_try: Timestamp,
        /// What is in the way.
        waits_for: WaitsFor,
    },
}

/// What stands between a revocation and the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitsFor {
    /// Nothing: it is about to be tried, or is being tried.
    FirstTry,
    /// The bank could not be reached.
    BankToAnswer,
    /// The bank answered something other than done.
    BankToAccept,
    /// The sealed token is damaged or was moved: it does not open and cannot be sent any more.
    DamagedRecord,
    /// The keychain is locked or does not answer.
    Keychain,
    /// The key that opens the token is gone: it cannot be sent any more.
    LostKey,
    /// The bank's file is no longer in the catalogue, or its addresses changed: the token goes nowhere.
    KnownAddress,
}

/// Masks an account number: all but the last four letters or digits.
#[must_use]
pub fn mask_number(number: &str) -> String {
    let visible: Vec<char> = number.chars().filter(|c| c.is_alphanumeric()).collect();
    let tail: String = visible.iter().skip(visible.len().saturating_sub(4)).collect();
    // A number of four signs or fewer would be shown whole: hide it.
    if visible.len() <= 4 && !number.chars().any(|c| matches!(c, '•' | '*' | 'x' | 'X' | '.')) {
        return "••••".to_owned();
    }
    format!("••••{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_signs_of_a_number_are_shown() {
        let check = |number: &str, expected: &str| assert_eq!(mask_number(number), expected, "{number:?}");
        check("DE89370400440532013000", "••••3000");
        check("••••4821", "••••4821");
        check("**** 4821", "••••4821");
        check("4821", "••••");
        check("12", "••••");
        check("", "••••");
        check("\u{202e}123456", "••••3456");
    }
}
