//! Tasks: what an agent says it is about to do. Made by `oauth::task` alone, from what the agent's key has signed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{GrantId, OperationId};
use crate::money::Money;
use crate::text::quoted;
use crate::time::Timestamp;

/// The longest purpose, in characters.
pub const MAX_PURPOSE: usize = 200;
/// The most calls of one task.
pub const MAX_USES: u16 = 100;
/// The longest life of a lease, in seconds.
pub const MAX_LIFETIME: u16 = 900;
/// The life of a lease whose task does not say, in seconds.
pub const USUAL_LIFETIME: u16 = 300;

/// What an agent is about to do, verified to be its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Over the agent and the `jti`: what makes it one task, presented once.
    pub id: [u8; 32],
    /// Over the signed content, all but `iat`, `exp` and `jti`: the same question, asked again.
    pub content: [u8; 32],
    /// Until when the `id` has to be remembered: after that the task could not be presented any more.
    pub ends_at: Timestamp,
    /// By which grant.
    pub grant: GrantId,
    /// What for, in the agent's words.
    pub purpose: Purpose,
    /// What for, in one of our words.
    pub purpose_class: PurposeClass,
    /// What exactly.
    pub wish: Wish,
    /// How many calls.
    pub uses: u16,
    /// How many seconds the lease is to live.
    pub lifetime: u16,
}

/// An agent's own words: data that is shown as theirs, and obeyed by nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purpose(String);

impl Purpose {
    /// Cleans a text for the screen; none if it is longer than [`MAX_PURPOSE`] or nothing is left of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.chars().count() > MAX_PURPOSE {
            return None;
        }
        let clean = quoted(text, MAX_PURPOSE);
        if clean.is_empty() { None } else { Some(Self(clean)) }
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What for, as far as a choice can be remembered for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurposeClass {
    /// Keeping accounts.
    Bookkeeping,
    /// Planning what to spend.
    Budgeting,
    /// Applying for credit.
    Lending,
    /// Something else, or not said.
    #[default]
    Other,
    /// Paying.
    Payments,
    /// Helping the person with a question.
    Support,
    /// Declaring taxes.
    Taxes,
}

/// What a task asks for (RFC 9396 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To look at something: one entry or several.
    Look(Vec<Look>),
    /// To pay once.
    Pay(Payment),
}

/// One entry `account_information`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which operations.
    pub actions: Vec<OperationId>,
    /// At which accounts, by the bank's ids; none for all of the grant.
    pub accounts: Option<BTreeSet<String>>,
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
}

/// The entry `payment_initiation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// By which operation.
    pub action: OperationId,
    /// How much.
    pub amount: Money,
    /// To whom, as the bank knows them.
    pub creditor: String,
    /// To whom, in the agent's words.
    pub creditor_name: Option<String>,
    /// From which account, by the bank's id.
    pub debtor: Option<String>,
    /// What the payee reads.
    pub reference: Option<String>,
}

/// A calendar day, `2026-01-31`. The order is that of time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(String);

impl Day {
    /// Parses a date as RFC 3339 writes it (`full-date`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |text: &str, digits: usize| {
            let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse::<u16>().ok()).flatten()
        };
        let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u16::from(leap),
            _ => return None,
        };
        let real = year >= 1900 && (1..=last).contains(&day) && parts.next().is_none();
        real.then(|| Self(text.to_owned()))
    }

    /// The date.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days_of_the_calendar() {
        for good in ["2026-01-31", "2024-02-29", "2000-02-29", "1999-12-01"] {
            assert!(Day::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2026-1-1",
            "2026-01-01T00:00:00Z",
            "0026-01-01",
            "2026-01-0１",
            "-2026-01-01",
        ] {
            assert!(Day::parse(bad).is_none(), "{bad:?}");
        }
        assert!(Day::parse("2026-02-01") > Day::parse("2026-01-31"));
    }

    #[test]
    fn a_purpose_is_cleaned_and_never_cut() {
        assert_eq!(Purpose::parse("  Sum\u{202e}mary\nof March ").unwrap().as_str(), "Summary of March");
        for bad in ["", " \n", "\u{200b}", &"x".repeat(201)] {
            assert_eq!(Purpose::parse(bad), None, "{bad:?}");
        }
        assert!(Purpose::parse(&"x".repeat(200)).is_some());
    }
}
