//! Text that others wrote, made safe to draw: no control characters, no bidi tricks, no pages of it.

/// Text from a bank or an agent, cleaned and cut; always shown as theirs.
///
/// Control, zero-width and bidirectional formatting characters are dropped, white space is folded,
/// and what is left is cut at `max` characters with an ellipsis.
#[must_use]
pub fn quoted(text: &str, max: usize) -> String {
    let mut clean = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word: String = word.chars().filter(|c| !is_deceptive(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !clean.is_empty() {
            clean.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count >= max {
                clean.push('…');
                return clean;
            }
            clean.push(c);
            count += 1;
        }
    }
    clean
}

/// True for characters that change how others are drawn, or are drawn as nothing.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{1d173}'..='\u{1d17a}')
}

/// True when a name mixes scripts that are used to imitate each other (Latin with Cyrillic or Greek).
#[must_use]
pub fn mixes_scripts(name: &str) -> bool {
    let latin = name.chars().any(|c| c.is_ascii_alphabetic() || ('\u{00c0}'..='\u{024f}').contains(&c));
    let other = name
        .chars()
        .any(|c| ('\u{0370}'..='\u{052f}').contains(&c) || ('\u{1f00}'..='\u{1fff}').contains(&c));
    latin && other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_cleaned() {
        let check = |input: &str, expected: &str| assert_eq!(quoted(input, 12), expected, "{input:?}");
        check("Main account", "Main account");
        check("a\r\nb\tc", "a b c");
        check("\u{202e}drowssap\u{202c}", "drowssap");
        check("\u{200b}\u{feff}", "");
        check("0123456789abcdef", "0123456789ab…");
        check("\u{1b}[31mred", "[31mred");
    }

    #[test]
    fn imitation_by_script_is_noticed() {
        assert!(mixes_scripts("Sаndbox Bank"), "the first a is Cyrillic");
        assert!(!mixes_scripts("Сбербанк"));
        assert!(!mixes_scripts("Crédit Général"));
    }
}
