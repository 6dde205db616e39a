//! One layer of escapes: those of JSON strings, of addresses and of HTML, whichever comes.

use super::alphabet::class;

/// The longest escape that is waited for.
const LONGEST: usize = 12;

/// An escape that has begun.
#[derive(Clone, Copy, Default)]
pub(super) struct Layer {
    begun: [u8; LONGEST],
    length: usize,
    at: usize,
}

/// Whether a further layer reads what comes out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// None does.
    Innermost,
    /// One does.
    Outer,
}

/// What came out: bytes, and where the first of them stood in the answer.
#[derive(Clone, Copy, Default)]
pub(super) struct Resolved {
    bytes: [(u8, usize); LONGEST + 1],
    length: usize,
}

/// What an escape that has begun turns out to be.
enum Judged {
    /// It is a character. What no letter, digit or sign of a token could be, is any other sign.
    Character(u8),
    /// It was one before this byte, which is not of it.
    Ended(u8),
    /// It is none.
    Literal,
    /// It may become one.
    Open,
}

impl Layer {
    /// Where the escape that has begun stands.
    pub(super) fn unsettled(&self) -> Option<usize> {
        (self.length > 0).then_some(self.at)
    }

    /// Takes one byte in.
    pub(super) fn take(&mut self, byte: u8, at: usize, place: Place) -> Resolved {
        let mut out = Resolved::default();
        self.step(byte, at, place, &mut out);
        out
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, place: Place) -> Resolved {
        // Any byte that is of no escape.
        let mut out = self.take(b'.', self.at, place);
        out.length = out.length.saturating_sub(1);
        out
    }

    fn step(&mut self, byte: u8, at: usize, place: Place, out: &mut Resolved) {
        if self.length == 0 {
            if !class(byte).begins_escape() {
                return out.push(byte, at);
            }
            self.at = at;
        }
        if let Some(place) = self.begun.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
        let begun = self.begun;
        let begun = begun.get(..self.length).unwrap_or_default();
        match judge(begun) {
            Judged::Character(character) => {
                self.length = 0;
                out.push(character, self.at);
            }
            // Part of what follows may be written in the escapes of this layer: then it is for the next to judge.
            Judged::Ended(_) if place == Place::Outer && class(byte).begins_escape() => {
                self.give_up(begun, at, place, out);
            }
            Judged::Ended(character) => {
                self.length = 0;
                out.push(character, self.at);
                self.step(byte, at, place, out);
            }
            Judged::Literal => self.give_up(begun, at, place, out),
            // Zeros in front of a number say nothing, however many there are.
            Judged::Open => {
                if let [b'&', b'#', b'0', b'0'..=b'9'] | [b'&', b'#', b'x' | b'X', b'0', _] = begun {
                    self.length -= 1;
                    if let Some(place) = self.begun.get_mut(self.length - 1) {
                        *place = byte;
                    }
                }
            }
        }
    }

    /// The first byte stands for itself; what follows may begin another.
    fn give_up(&mut self, begun: &[u8], at: usize, place: Place, out: &mut Resolved) {
        self.length = 0;
        let Some((first, rest)) = begun.split_first() else { return };
        out.push(*first, self.at);
        let from = self.at;
        for (index, byte) in rest.iter().enumerate() {
            let last = index + 1 == rest.len();
            self.step(*byte, if last { at } else { from }, place, out);
        }
    }
}

impl Resolved {
    fn push(&mut self, byte: u8, at: usize) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = (byte, at);
            self.length += 1;
        }
    }

    /// The bytes, and where each stood.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, usize)> + '_ {
        self.bytes.iter().take(self.length).copied()
    }
}

fn judge(begun: &[u8]) -> Judged {
    match begun {
        [b'\\', rest @ ..] => json(rest),
        [b'%', rest @ ..] => percent(rest),
        [b'&', b'#', b'x' | b'X', rest @ ..] => number(rest, 16),
        [b'&', b'#', rest @ ..] => number(rest, 10),
        [b'&', rest @ ..] => named(rest),
        _ => Judged::Literal,
    }
}

/// `\u0041`, `\/` and their like (RFC 8259 §7), and JavaScript's `\x41`.
fn json(rest: &[u8]) -> Judged {
    match rest {
        [] => Judged::Open,
        [sign @ (b'"' | b'\'' | b'/' | b'\\')] => Judged::Character(*sign),
        [b'b' | b'f' | b'n' | b'r' | b't'] => Judged::Character(b' '),
        [b'u', digits @ ..] => hexadecimal(digits, 4),
        [b'x', digits @ ..] => hexadecimal(digits, 2),
        _ => Judged::Literal,
    }
}

/// `%41` (RFC 3986 §2.1).
fn percent(rest: &[u8]) -> Judged {
    hexadecimal(rest, 2)
}

fn hexadecimal(digits: &[u8], length: usize) -> Judged {
    match value(digits, 16) {
        None => Judged::Literal,
        Some(value) if digits.len() == length => Judged::Character(character(value)),
        Some(_) => Judged::Open,
    }
}

/// `&#65;`, `&#x41;`, and both without the semicolon, as browsers take them.
fn number(rest: &[u8], radix: u32) -> Judged {
    let Some((last, before)) = rest.split_last() else { return Judged::Open };
    if value(rest, radix).is_some() {
        return if rest.len() > 7 { Judged::Literal } else { Judged::Open };
    }
    match value(before, radix) {
        Some(value) if !before.is_empty() && *last == b';' => Judged::Character(character(value)),
        Some(value) if !before.is_empty() => Judged::Ended(character(value)),
        _ => Judged::Literal,
    }
}

/// `&amp;` and its like: whatever the sign, none of them is a letter or a digit.
fn named(rest: &[u8]) -> Judged {
    match rest {
        [] | [b'#'] => Judged::Open,
        b"amp;" => Judged::Character(b'&'),
        b"bsol;" => Judged::Character(b'\\'),
        b"percnt;" => Judged::Character(b'%'),
        [name @ .., b';'] if !name.is_empty() && name.iter().all(u8::is_ascii_alphabetic) => {
            Judged::Character(b'/')
        }
        name if name.len() < LONGEST - 1 && name.iter().all(u8::is_ascii_alphabetic) => Judged::Open,
        _ => Judged::Literal,
    }
}

fn value(digits: &[u8], radix: u32) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        Some(value.saturating_mul(radix).saturating_add(digit))
    })
}

/// A character of tokens is one byte; any other is as good as a full stop.
fn character(value: u32) -> u8 {
    u8::try_from(value).unwrap_or(b'.')
}
