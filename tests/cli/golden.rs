//! Golden files, and what differs from run to run masked in them.

use std::path::PathBuf;

use support::process::root;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn place(name: &str) -> PathBuf {
    root().join("tests/cli/golden").join(format!("{name}.txt"))
}

/// Compares with the file of this name.
pub(crate) fn golden(name: &str, actual: &str) {
    let actual = masked(actual);
    if std::env::var_os("COUNTERSIGN_GOLDEN").is_some_and(|how| how == "write") {
        std::fs::write(place(name), &actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(place(name)).unwrap_or_default();
    assert_eq!(actual, expected, "tests/cli/golden/{name}.txt");
}

/// Days, times, ids and references as words that are the same in every run.
fn masked(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let mut out: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let (day, month, year) = (word, words.get(at + 1), words.get(at + 2));
            if day.parse::<u8>().is_ok() && month.is_some_and(|month| MONTHS.contains(month)) {
                let year = year.unwrap();
                let timed = year.ends_with(',');
                let end = year.trim_start_matches(|c: char| c.is_ascii_digit());
                let end = if timed { words[at + 4].trim_start_matches("UTC") } else { end };
                out.push(format!("{}{end}", if timed { "<time>" } else { "<day>" }));
                at += if timed { 5 } else { 3 };
                continue;
            }
            out.push(masked_word(word));
            at += 1;
        }
        lines.push(out.join(" "));
    }
    lines.join("\n") + "\n"
}

fn masked_word(word: &str) -> String {
    let core = word.trim_end_matches(['.', ',']);
    let end = &word[core.len()..];
    let hex = core.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let is_id = hex && core.len() >= 8 && core.starts_with("01");
    let parts: Vec<usize> = core.split('-').map(str::len).collect();
    let is_reference = parts == [2, 3, 2] && core.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match (is_id, is_reference) {
        (true, _) => format!("<id>{end}"),
        (_, true) => format!("<reference>{end}"),
        (false, false) => word.to_owned(),
    }
}

#[test]
fn what_differs_from_run_to_run_is_masked() {
    assert_eq!(
        masked("0193a2b4-1  A at B\n  until 21 February 2027. K7-4MQ-2P, 1 May 2026, 14:02 UTC."),
        "<id>  A at B\n  until <day>. <reference>, <time>.\n"
    );
}
