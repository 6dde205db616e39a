//! Text that others wrote, made safe to draw: no control characters, no bidi tricks, no pages of it.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, Script};
use icu_properties::script::ScriptWithExtensions;
use icu_properties::{CodePointMapData, CodePointSetData};

/// More marks than any script puts on one letter; what is above is there to paint over other lines.
const MAX_MARKS: usize = 3;

/// Text from a bank or an agent, cleaned and cut; always shown as theirs.
///
/// Control, zero-width and bidirectional formatting characters are dropped, piles of combining marks are levelled,
/// white space is folded, and what is left is cut at `max` characters with an ellipsis.
#[must_use]
pub fn quoted(text: &str, max: usize) -> String {
    let mut clean = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = levelled(word);
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

/// A word without what is drawn as nothing, and without marks that stand on no letter or on too many others.
fn levelled(word: &str) -> String {
    let (mut clean, mut marks) = (String::new(), 0);
    for c in word.chars().filter(|c| !is_deceptive(*c)) {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks <= MAX_MARKS && !(clean.is_empty() && marks > 0) {
            clean.push(c);
        }
    }
    clean
}

/// True for characters that change how others are drawn, are drawn as nothing, or mean nothing to others.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    // The blank Braille cell is a symbol to the standard and a space to the eye; U+FFFC stands for what is not there.
    if matches!(c, '\u{2800}' | '\u{fffc}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
    {
        return true;
    }
    let category = category(c);
    category == GeneralCategory::Format
        || category == GeneralCategory::LineSeparator
        || category == GeneralCategory::ParagraphSeparator
        || category == GeneralCategory::PrivateUse
        || category == GeneralCategory::Unassigned
}

/// True when a name mixes scripts in a way that no language does (UTS 39 §5.2, "highly restrictive").
///
/// Japanese, Chinese and Korean are written in several scripts, and with Latin letters between.
#[must_use]
pub fn mixes_scripts(name: &str) -> bool {
    const TOGETHER: [&[Script]; 3] = [
        &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    let scripts = ScriptWithExtensions::new();
    let of_some_script = |c: &char| {
        let found = scripts.get_script_extensions_val(*c);
        !found.contains(&Script::Common) && !found.contains(&Script::Inherited)
    };
    let chars: Vec<char> = name.chars().filter(of_some_script).collect();
    let Some(first) = chars.first() else { return false };
    let in_one = |script: Script| chars.iter().all(|c| scripts.has_script(*c, script));
    let in_any = |together: &[Script]| {
        chars.iter().all(|c| together.iter().any(|script| scripts.has_script(*c, *script)))
    };
    let single = scripts.get_script_extensions_val(*first).iter().any(in_one);
    !single && !TOGETHER.iter().any(|together| in_any(together))
}

/// True when every letter of a Cyrillic or Greek name is also drawn as a Latin one: "аррӏе" reads as "apple".
#[must_use]
pub fn imitates_latin(name: &str) -> bool {
    const ALIKE: &str = "АВЕЅІЈКМНОРСТХУԚԜаесһіјӏорԛѕԝхуѵԁѡьΑΒΕΖΗΙΚΜΝΟΡΤΥΧανοικυρϲϳ";
    let scripts = ScriptWithExtensions::new();
    let mut letters = name
        .chars()
        .filter(|c| scripts.has_script(*c, Script::Cyrillic) || scripts.has_script(*c, Script::Greek))
        .peekable();
    letters.peek().is_some() && letters.all(|c| ALIKE.contains(c))
}

/// True for a name of a bank: letters, digits and the punctuation of company names, in one spelling.
///
/// Compatibility forms (𝐁𝐚𝐧𝐤, Ｂａｎｋ, ﬁ), detached accents, symbols and pictures are not among them: each can stand for
/// something that it is not.
#[must_use]
pub fn is_bank_name(name: &str, max: usize) -> bool {
    let plain = |c: char| {
        c == ' '
            || "&'’.,-–+()/!·".contains(c)
            || is_letter(c)
            || category(c) == GeneralCategory::DecimalNumber
    };
    name.chars().count() <= max
        && name.chars().any(is_letter)
        && name.chars().all(plain)
        // Nothing before, behind or twice between, nothing invisible, no pile of marks.
        && quoted(name, max) == name
        && !holds_a_host(name)
        && ComposingNormalizerBorrowed::new_nfkc().is_normalized(name)
        && !mixes_scripts(name)
        && !imitates_latin(name)
}

/// True when a word could be read as an address: where a bank is, is shown beside its name and not in it.
fn holds_a_host(name: &str) -> bool {
    name.split(' ').any(|word| {
        let long = |label: &str| label.chars().filter(|c| c.is_alphanumeric()).count() >= 2;
        word.split_once('.').is_some_and(|(first, rest)| long(first) && long(rest))
    })
}

/// True for words of a profile that a person reads before they decide: one line, nothing invisible.
#[must_use]
pub fn is_plain_sentence(text: &str, max: usize) -> bool {
    !text.is_empty() && quoted(text, max) == text
}

/// What is left of a name when everything is gone that an eye passes over; two banks may not share it.
#[must_use]
pub fn likeness(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' | 'ı' => 'l',
            '5' => 's',
            c => c,
        })
        .collect::<String>()
        .replace("rn", "m")
        .replace("vv", "w")
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn is_mark(c: char) -> bool {
    matches!(category(c), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// Letters, and the marks of scripts that need them; not the accents that can be put on any letter.
fn is_letter(c: char) -> bool {
    let mark = is_mark(c) || category(c) == GeneralCategory::SpacingMark;
    let own = ScriptWithExtensions::new().get_script_val(c) != Script::Inherited;
    // Among the modifier letters are colons and strokes; a name needs the okina and the apostrophe of them.
    let modifier = ('\u{2b0}'..='\u{2ff}').contains(&c) && !matches!(c, 'ʻ' | 'ʼ');
    let symbol = category(c) == GeneralCategory::OtherSymbol;
    (mark && own) || (c.is_alphabetic() && !mark && !modifier && !symbol)
}

#[cfg(test)]
mod tests;
