//! Sums of money as whole hundredths: a number of a bank's JSON is read by its digits, and never becomes a float.

use std::fmt;

use anyhow::Context as _;

/// So many hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hundredths(pub(crate) i64);

impl Hundredths {
    /// Reads a JSON number, or a text that holds one, with at most two digits after the point.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let number = text.trim().trim_matches('"');
        let read = || {
            let (sign, digits) = number.strip_prefix('-').map_or((1, number), |digits| (-1, digits));
            let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
            let are_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            if whole.is_empty() || rest.len() > 2 || !are_digits(whole) || !are_digits(rest) {
                return None;
            }
            let padded = format!("{whole}{rest:0<2}");
            Some(Self(padded.parse::<i64>().ok()?.checked_mul(sign)?))
        };
        read().with_context(|| format!("an amount of the bank's cannot be read: {number}"))
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> anyhow::Result<Self> {
        self.0.checked_add(other.0).map(Self).context("the amounts are too large to be added")
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", all / 100, all % 100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_stand() {
        let check =
            |text: &str, expected: i64| assert_eq!(Hundredths::parse(text).unwrap().0, expected, "{text}");
        check("12.5", 1250);
        check("12.50", 1250);
        check("\"12.05\"", 1205);
        check("0.29", 29);
        check("-0.07", -7);
        check("7", 700);
        // Nine and a half quadrillion is beyond what a float can count.
        check("90071992547409.93", 9_007_199_254_740_993);
        for text in ["", ".", ".5", "1.234", "1e3", "1,5", "+1", "--1", "92233720368547758.08", "null"] {
            assert!(Hundredths::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sums_are_written_with_two_digits() {
        assert_eq!(Hundredths(-7).to_string(), "-0.07");
        assert_eq!(format!("{:>8}", Hundredths(120_500)), " 1205.00");
        assert!(Hundredths(i64::MAX).plus(Hundredths(1)).is_err());
    }
}
