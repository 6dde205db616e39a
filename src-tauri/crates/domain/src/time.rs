//! Points in time and spans, in milliseconds. Nothing here reads a clock.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// From seconds since 1970, as JWT claims count.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The day since 1970 in UTC.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// This point moved by some milliseconds, kept within range.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// This point moved by some days of 24 hours.
    #[must_use]
    pub const fn plus_days(self, days: u16) -> Self {
        self.plus_millis(days as i64 * 86_400_000)
    }

    /// Whole days until another point, rounded to the nearest; none into the past.
    #[must_use]
    pub const fn days_until(self, later: Self) -> u16 {
        let days = later.0.saturating_sub(self.0).saturating_add(HALF_A_DAY) / DAY;
        if days <= 0 {
            0
        } else if days > u16::MAX as i64 {
            u16::MAX
        } else {
            days as u16
        }
    }

    /// The moment in UTC, as RFC 3339 writes it, to the second.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let (days, second) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY) / 1000);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

const DAY: i64 = 86_400_000;
const HALF_A_DAY: i64 = DAY / 2;

/// Year, month and day of a day since 1970, in the Gregorian calendar. Years are counted from March, so that the leap
/// day is the last of a year, and in eras of 400 years, which are all alike.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_era_begin = days + 719_468;
    let (era, day_of_era) = (from_era_begin.div_euclid(146_097), from_era_begin.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_people_and_programs_read_it() {
        let check = |secs: i64, expected: &str| {
            assert_eq!(Timestamp::from_secs(secs).rfc3339(), expected, "{secs}");
        };
        check(0, "1970-01-01T00:00:00Z");
        check(-1, "1969-12-31T23:59:59Z");
        check(951_782_399, "2000-02-28T23:59:59Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(1_772_236_800, "2026-02-28T00:00:00Z");
        check(1_772_323_200, "2026-03-01T00:00:00Z");
        check(1_795_703_523, "2026-11-26T14:32:03Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
    }

    #[test]
    fn days_are_counted_to_the_nearest() {
        let now = Timestamp::from_secs(1_000_000);
        let check = |hours: i64, expected: u16| {
            assert_eq!(now.days_until(now.plus_millis(hours * 3_600_000)), expected, "{hours} hours");
        };
        for (hours, days) in [(-99, 0), (0, 0), (11, 0), (13, 1), (24, 1), (35, 1), (37, 2), (168, 7)] {
            check(hours, days);
        }
        assert_eq!(now.days_until(Timestamp::from_millis(i64::MAX)), u16::MAX);
    }
}
