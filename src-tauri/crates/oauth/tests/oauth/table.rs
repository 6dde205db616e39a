//! Reads a table (tests/tables/*.jsonl), judges every row and names each that came out otherwise than it says.
//!
//! A reply stands in a row as `status` (200 if not given), `content_type` (`application/json` if not given, none if
//! null), and its body: `body` as text, `body_hex` where it is not UTF-8, `body_parts` where it is large (a list of
//! texts, or of a text and how often it is repeated).

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use oauth::message::Reply;
use serde_json::Value;

/// The longest that one row may take.
const LIMIT: Duration = Duration::from_secs(1);

pub(crate) type Row = serde_json::Map<String, Value>;

/// The rows of a table; at least so many, each of its own name, a valid one among them.
pub(crate) fn rows(table: &str, at_least: usize) -> Vec<Row> {
    let rows: Vec<Row> = table.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| text(row, "name")).collect();
    assert_eq!(names.len(), rows.len(), "two rows share a name");
    assert!(rows.len() >= at_least, "{} rows", rows.len());
    assert!(rows.iter().any(|row| text(row, "expect") == "ok"), "no valid row");
    assert!(rows.iter().all(|row| row["ids"].as_array().is_some_and(|ids| !ids.is_empty())));
    rows
}

/// Judges every row and compares what it came to.
pub(crate) fn check(rows: &[Row], expected: impl Fn(&Row) -> String, judge: impl Fn(&Row) -> String) {
    let mut wrong = Vec::new();
    for row in rows {
        let begun = spent();
        let (found, expected) = (judge(row), expected(row));
        let took = spent().saturating_sub(begun);
        if took > LIMIT {
            wrong.push(format!("{}: took {took:?}", text(row, "name")));
        }
        if found != expected {
            wrong.push(format!("{}: expected {expected}, found {found}", text(row, "name")));
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What this thread has used of a processor, so that a busy machine fails no row; elsewhere than on Linux, the time.
fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(
        #[expect(clippy::disallowed_methods, reason = "it is the time itself that is measured")]
        Instant::now,
    );
    let used = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = used.and_then(|used| used.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

pub(crate) fn text<'r>(row: &'r Row, member: &str) -> &'r str {
    row.get(member).and_then(Value::as_str).unwrap_or_else(|| panic!("{member} in {row:?}"))
}

pub(crate) fn list(value: &Value) -> Vec<String> {
    let texts = value.as_array().expect("a list").iter();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// The reply of a row.
pub(crate) fn reply(row: &Row) -> Reply {
    let content_type = match row.get("content_type") {
        None => Some("application/json".to_owned()),
        Some(content_type) => content_type.as_str().map(str::to_owned),
    };
    let status = row.get("status").map_or(200, |status| status.as_u64().expect("a status"));
    let retry_after = row.get("retry_after").map(|s| u32::try_from(s.as_u64().expect("seconds")).unwrap());
    Reply {
        status: u16::try_from(status).unwrap(),
        content_type,
        retry_after,
        body: body(row),
        ..Reply::default()
    }
}

/// The body of a row.
pub(crate) fn body(row: &Row) -> Vec<u8> {
    match (row.get("body"), row.get("body_hex"), row.get("body_parts")) {
        (Some(body), None, None) => body.as_str().expect("a text").as_bytes().to_vec(),
        (None, Some(hex), None) => bytes(hex.as_str().expect("a text")),
        (None, None, Some(parts)) => {
            parts.as_array().expect("parts").iter().map(part).collect::<String>().into()
        }
        _ => panic!("one body in {row:?}"),
    }
}

fn part(part: &Value) -> String {
    part.as_str().map_or_else(
        || part[0].as_str().expect("a text").repeat(usize::try_from(part[1].as_u64().unwrap()).unwrap()),
        str::to_owned,
    )
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// A JSON object as text, changed as the row says: `set` writes a member's value, `without` leaves one out, `before`
/// and `beside` add text in front and behind.
pub(crate) fn members(row: &Row, good: &[(&str, Value)]) -> String {
    let set = row.get("set").map(list);
    let mut parts = Vec::new();
    parts.extend(row.get("before").map(|text| text.as_str().unwrap().to_owned()));
    let mut found = set.is_none() && !row.contains_key("without");
    for (name, value) in good {
        if row.get("without").is_some_and(|without| without == name) {
            found = true;
            continue;
        }
        match set.as_deref() {
            Some([member, raw]) if member == name => {
                parts.push(format!("\"{name}\":{raw}"));
                found = true;
            }
            _ => parts.push(format!("\"{name}\":{value}")),
        }
    }
    assert!(found, "nothing to change in {row:?}");
    parts.extend(row.get("beside").map(|text| text.as_str().unwrap().to_owned()));
    format!("{{{}}}", parts.join(","))
}
