//! `Retry-After` in seconds (RFC 9110 §10.2.3), and the reply's own `Date`.

use std::time::{Duration, UNIX_EPOCH};

use domain::time::Timestamp;

/// A bank that asks for longer is asked again after a day.
const MAX: u32 = 24 * 60 * 60;

/// Reads a number of seconds, or a date as its distance from the reply's own `Date`, so that a wrong clock here
/// does not matter.
pub(super) fn seconds(text: &str, date: Option<&str>) -> Option<u32> {
    let text = text.trim_ascii();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(MAX).min(MAX));
    }
    let (until, now) =
        (httpdate::parse_http_date(text).ok()?, httpdate::parse_http_date(date?.trim_ascii()).ok()?);
    let span = until.duration_since(now).unwrap_or(Duration::ZERO);
    Some(u32::try_from(span.as_secs()).unwrap_or(MAX).min(MAX))
}

/// Reads a `Date`.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let since = httpdate::parse_http_date(text.trim_ascii()).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    #[test]
    fn numbers_and_dates_become_seconds() {
        for (text, date, expected) in [
            ("0", None, Some(0)),
            ("5", None, Some(5)),
            (" 5 ", None, Some(5)),
            ("86400", None, Some(MAX)),
            ("99999999", None, Some(MAX)),
            ("99999999999999999999999999", None, Some(MAX)),
            ("", None, None),
            ("-5", None, None),
            ("+5", None, None),
            ("5.5", None, None),
            ("0x10", None, None),
            ("5s", None, None),
            ("soon", Some(NOW), None),
            ("Sun, 06 Nov 1994 08:49:44 GMT", Some(NOW), Some(7)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(NOW), Some(0)),
            ("Sat, 06 Nov 2094 08:49:30 GMT", Some(NOW), Some(MAX)),
            ("Sun, 06 Nov 1994 08:49:44 GMT", None, None),
            ("Sun, 06 Nov 1994 08:49:44 GMT", Some("yesterday"), None),
        ] {
            assert_eq!(seconds(text, date), expected, "{text:?} {date:?}");
        }
    }
}
