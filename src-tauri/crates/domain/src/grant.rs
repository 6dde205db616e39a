//! Grants: what the person allowed one agent at one bank, and what became of it.

use std::collections::BTreeSet;

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
    /// When the consent ends by itself.
    pub ends_at: Timestamp,
    /// The scopes that the bank granted, in its words; none for a grant of an early version, which did not keep them.
    pub scopes: Option<Vec<String>>,
    /// When the access token that is stored ends.
    pub access_token_ends_at: Option<Timestamp>,
    /// The newest refresh token the bank gave.
    pub generation: u32,
    /// When the bank last showed that it works: it was made, refreshed, or answered a call.
    pub confirmed_at: Timestamp,
    /// What the person has taken back since, here alone.
    pub narrowing: Option<Narrowing>,
    /// Whether the person holds it back for now.
    pub paused: Option<Paused>,
    /// Whether it cannot go on without the person, and why.
    pub reconnect: Option<Reconnect>,
    /// The grant whose place it took.
    pub renews: Option<GrantId>,
    /// The last reminder of its end that was given.
    pub reminded: Option<Reminder>,
    /// Whether it was ended, and what is known of that.
    pub revocation: Option<Revocation>,
}

impl Grant {
    /// What the agent may use now: the consent, less what was taken back.
    #[must_use]
    pub fn allowed_permissions(&self) -> PermissionSet {
        self.narrowing.as_ref().map_or_else(
            || self.permissions.clone(),
            |narrowing| self.permissions.both(&narrowing.permissions),
        )
    }

    /// The accounts it may use now.
    pub fn allowed_accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| {
            self.narrowing.as_ref().is_none_or(|narrowing| narrowing.allows_account(&account.id))
        })
    }

    /// Until when it may be used.
    #[must_use]
    pub fn allowed_until(&self) -> Timestamp {
        self.narrowing.as_ref().map_or(self.ends_at, |narrowing| narrowing.ends_at.min(self.ends_at))
    }

    /// Whether it was cut off because its time was over, and by nobody's wish.
    #[must_use]
    pub fn ran_out(&self) -> bool {
        self.revocation.as_ref().is_some_and(|end| end.cut_off_at >= self.allowed_until())
    }

    /// Where it stands at a moment. What an agent may use is *active* and nothing else.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.revocation.is_some() {
            Standing::Revoked
        } else if self.allowed_until() <= now {
            Standing::Ended
        } else if self.reconnect.is_some() {
            Standing::Reconnect
        } else if self.paused.is_some() {
            Standing::Paused
        } else {
            Standing::Active
        }
    }
}

/// Where a grant stands. The order is that of weight: what comes first hides what comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The person ended it, or a new one took its place.
    Revoked,
    /// Its time is over.
    Ended,
    /// The bank does not honour it any more, or nobody knows: the person has to connect again.
    Reconnect,
    /// The person holds it back.
    Paused,
    /// It works, as far as is known.
    Active,
}

/// What a person took back from a consent. The bank may still allow more; an agent never gets more than this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// When.
    pub at: Timestamp,
    /// What is left of the permissions.
    #[serde(with = "permission_list")]
    pub permissions: PermissionSet,
    /// The accounts that are left, by the bank's ids; none where the accounts were not narrowed.
    pub accounts: Option<BTreeSet<String>>,
    /// The end that is left.
    pub ends_at: Timestamp,
}

impl Narrowing {
    /// True if an account is left.
    #[must_use]
    pub fn allows_account(&self, id: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(id))
    }
}

mod permission_list {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::id::PermissionId;
    use crate::permission::PermissionSet;

    pub(super) fn serialize<S: Serializer>(set: &PermissionSet, to: S) -> Result<S::Ok, S::Error> {
        set.iter().collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PermissionSet, D::Error> {
        Vec::<PermissionId>::deserialize(from).map(|ids| ids.into_iter().collect())
    }
}

/// A grant that is held back; the bank knows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Since when.
    pub at: Timestamp,
}

/// A grant that cannot go on without the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconnect {
    /// Since when that is known.
    pub since: Timestamp,
    /// Why.
    pub why: ReconnectWhy,
}

/// Why a grant cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReconnectWhy {
    /// The answer to a refresh was lost, and asking once more did not help: the bank may have replaced the token.
    AnswerLost,
    /// A refreshed id_token names somebody else (OpenID Connect Core §12.2).
    AnotherPerson,
    /// What was sealed for it is damaged, or the key that opens it is gone.
    DamagedRecord,
    /// The bank says that it is over: 400 `invalid_grant`.
    EndedAtBank,
    /// The bank gave no refresh token, and the access token has run out.
    NoRefreshToken,
    /// The bank refuses calls with a token that it has just given: consent was withdrawn there.
    RefusedAtBank,
    /// The store was put back from an older copy: its token may be one that was replaced, or that was revoked.
    StoreRestored,
}

/// A reminder of an end that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reminder {
    /// Seven days before.
    Week,
    /// On the day before.
    Day,
    /// The person wants no more of them.
    NoMore,
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
    /// A new consent took its place at a bank that keeps one for all: revoking the old token would end the new consent.
    Replaced {
        /// When.
        at: Timestamp,
    },
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
