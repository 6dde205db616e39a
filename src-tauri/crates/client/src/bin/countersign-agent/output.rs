//! What stands in the terminal, and what comes by standard input. Names that a bank chose are in it, so nothing that a terminal would obey is let through.

use std::io::{IsTerminal as _, Read as _, Write as _};

use contract::agent::LeaseText;
use serde::Serialize;

/// Says something.
pub(crate) fn say(text: &str) {
    // Where nobody reads any more there is nobody to tell.
    let _ = writeln!(std::io::stdout(), "{}", tame(text));
}

/// Says what went wrong, or what is waited for.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", tame(text));
}

/// Writes a value for programs.
pub(crate) fn json<T: Serialize>(value: &T) {
    let text = zeroize::Zeroizing::new(serde_json::to_string_pretty(value).unwrap_or_default());
    let _ = writeln!(std::io::stdout(), "{}", escaped(&text).as_str());
}

/// Writes what the bank answered: as it is for a program, without what a terminal would obey for a person.
pub(crate) fn pass_on(body: &[u8]) {
    let mut out = std::io::stdout();
    if out.is_terminal() {
        say(&String::from_utf8_lossy(body));
    } else {
        let _ = out.write_all(body).and_then(|()| out.flush());
    }
}

/// The lease that comes by standard input: no list of processes shows it there.
pub(crate) fn read_lease() -> LeaseText {
    let mut text = zeroize::Zeroizing::new(String::with_capacity(4096));
    // What can't be read is a lease that Countersign does not know.
    let _ = std::io::stdin().take(4096).read_to_string(&mut text);
    LeaseText::new(text.trim().to_owned())
}

/// Text without what a terminal obeys or draws in another order.
fn tame(text: &str) -> String {
    text.chars().map(|c| if is_wild(c) && c != '\n' { '\u{b7}' } else { c }).collect()
}

/// JSON in which such signs are escaped; they stand in its texts alone.
fn escaped(json: &str) -> zeroize::Zeroizing<String> {
    let mut text = zeroize::Zeroizing::new(String::with_capacity(json.len() * 2));
    for c in json.chars() {
        if is_wild(c) && c != '\n' {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
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
        assert_eq!(serde_json::from_str::<String>(&escaped(&text)).unwrap(), name);
    }
}
