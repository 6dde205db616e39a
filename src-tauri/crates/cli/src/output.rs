//! What stands in the terminal. Names that a bank or an agent chose are in it, so nothing that a terminal would obey
//! is let through.

use std::io::Write as _;

use serde::Serialize;

/// Says something to the person.
pub(crate) fn say(text: &str) {
    // Where nobody reads any more there is nobody to tell.
    let _ = writeln!(std::io::stdout(), "{}", tame(text));
}

/// Says what went wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", tame(text));
}

/// Writes a value for programs.
pub(crate) fn json<T: Serialize>(value: &T) {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(std::io::stdout(), "{}", escaped(&text));
}

/// Text without what a terminal obeys or draws in another order.
fn tame(text: &str) -> String {
    text.chars().map(|c| if is_wild(c) && c != '\n' { '\u{b7}' } else { c }).collect()
}

/// JSON in which such signs are escaped; they stand in its texts alone.
fn escaped(json: &str) -> String {
    let escape = |c: char| {
        if is_wild(c) && c != '\n' { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }
    };
    json.chars().map(escape).collect()
}

fn is_wild(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_by_a_name() {
        let name = "Bank\u{1b}[2J\u{9b}31m\r\u{202e}x";
        assert_eq!(tame(name), "Bank·[2J·31m··x");
        let text = serde_json::to_string(name).unwrap();
        assert!(escaped(&text).is_ascii());
        assert_eq!(
            serde_json::from_str::<String>(&escaped(&text)).unwrap(),
            name,
            "a program reads what it was"
        );
    }
}
