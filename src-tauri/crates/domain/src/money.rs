//! Sums of money, exact to the digit: no floating point anywhere.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Why a text is no sum of money.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Not 1 to 12 digits, with up to three more after a point; or nothing at all.
    #[error("not a sum")]
    Amount,
    /// Not three capital letters (ISO 4217).
    #[error("not a currency")]
    Currency,
}

/// A positive decimal number as its writer wrote it. Equality is of value: `12.5` is `12.50`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(String);

impl Amount {
    /// Parses digits with at most one point between them; no sign, no exponent, no needless zero in front.
    ///
    /// # Errors
    /// [`MoneyError::Amount`] for anything else, and for nought.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let whole_ok = digits(whole) && whole.len() <= 12 && (whole == "0" || !whole.starts_with('0'));
        let part_ok = part.is_none_or(|part| digits(part) && part.len() <= 3);
        let something = text.bytes().any(|b| (b'1'..=b'9').contains(&b));
        if whole_ok && part_ok && something { Ok(Self(text.to_owned())) } else { Err(MoneyError::Amount) }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One spelling for each value.
    fn plain(&self) -> &str {
        if self.0.contains('.') { self.0.trim_end_matches('0').trim_end_matches('.') } else { &self.0 }
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.plain() == other.plain()
    }
}

impl Eq for Amount {}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Amount {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// A currency by its code (ISO 4217).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

impl Currency {
    /// Parses three capital letters.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] for anything else.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let ok = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
        if ok { Ok(Self(text.to_owned())) } else { Err(MoneyError::Currency) }
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

/// So much of a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_sums_are_sums() {
        for good in ["1", "0.01", "12.50", "999999999999.999", "10"] {
            assert_eq!(Amount::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "0",
            "0.00",
            "-1",
            "+1",
            "1e3",
            "01",
            ".5",
            "5.",
            "1.2345",
            "1,5",
            " 1",
            "1 ",
            "1000000000000",
            "１",
            "NaN",
        ] {
            assert_eq!(Amount::parse(bad), Err(MoneyError::Amount), "{bad:?}");
        }
        for bad in ["", "usd", "US", "USDX", "U$D", "ÜSD"] {
            assert_eq!(Currency::parse(bad), Err(MoneyError::Currency), "{bad:?}");
        }
    }

    #[test]
    fn sums_are_equal_by_value() {
        let same = |one: &str, two: &str| Amount::parse(one).unwrap() == Amount::parse(two).unwrap();
        assert!(same("12.5", "12.50") && same("12", "12.000") && same("100", "100"));
        assert!(!same("12.5", "12.05") && !same("10", "1") && !same("100", "1"));
    }
}
