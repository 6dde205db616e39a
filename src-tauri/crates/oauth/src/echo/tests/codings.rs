//! What servers, and those who mean harm, make of a text. A seed decides where there is a choice.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Codes a text.
pub(super) type Coding = fn(&[u8], u64) -> Vec<u8>;

/// All of them.
pub(super) const CODINGS: &[(&str, Coding)] = &[
    ("as it is", |text, _| text.to_vec()),
    ("JSON, all of it", |text, seed| each(text, seed, |byte, seed| json(byte, seed | 4))),
    ("JSON, in any mixture", |text, seed| each(text, seed, json)),
    ("JSON, its slashes", |text, _| String::from_utf8_lossy(text).replace('/', "\\/").into_bytes()),
    ("an address, all of it", |text, seed| each(text, seed, |byte, seed| percent(byte, seed | 4))),
    ("an address, in any mixture", |text, seed| each(text, seed, percent)),
    ("an address, where it must be", |text, _| {
        each(text, 0, |byte, _| percent(byte, if byte.is_ascii_alphanumeric() { 0 } else { 6 }))
    }),
    ("an address, twice", |text, seed| {
        each(&each(text, seed, |byte, seed| percent(byte, seed | 4)), seed, |byte, _| percent(byte, 6))
    }),
    ("HTML, in decimals", |text, seed| each(text, seed, |byte, seed| html(byte, seed | 4, false))),
    ("HTML, in hexadecimal", |text, seed| each(text, seed, |byte, seed| html(byte, seed | 4, true))),
    ("HTML, in any mixture", |text, seed| each(text, seed, |byte, seed| html(byte, seed, seed & 8 == 0))),
    ("base64", |text, seed| STANDARD.encode(shifted(text, seed)).into_bytes()),
    ("base64 without its end", |text, seed| STANDARD_NO_PAD.encode(shifted(text, seed)).into_bytes()),
    ("base64url", |text, seed| URL_SAFE.encode(shifted(text, seed)).into_bytes()),
    ("base64url without its end", |text, seed| URL_SAFE_NO_PAD.encode(shifted(text, seed)).into_bytes()),
    ("base64 in lines", |text, seed| lines(STANDARD.encode(shifted(text, seed)).as_bytes(), b"\r\n", 19)),
    ("hexadecimal", |text, _| each(text, 0, |byte, _| format!("{byte:02x}").into_bytes())),
    ("hexadecimal, in capitals", |text, _| each(text, 0, |byte, _| format!("{byte:02X}").into_bytes())),
    ("UTF-16", |text, _| each(text, 0, |byte, _| vec![byte, 0])),
    ("UTF-16, the other way", |text, _| each(text, 0, |byte, _| vec![0, byte]).split_off(1)),
    ("reversed", |text, _| text.iter().rev().copied().collect()),
    ("split by spaces", |text, _| lines(text, b" ", 1)),
    ("split by lines", |text, _| lines(text, b"\r\n", 5)),
];

/// One of them, by name.
pub(super) fn apply(name: &str, text: &[u8]) -> Vec<u8> {
    CODINGS.iter().find(|(other, _)| *other == name).unwrap().1(text, 0)
}

/// Codes each byte for itself; what a choice depends on is another number for each.
fn each(text: &[u8], seed: u64, code: impl Fn(u8, u64) -> Vec<u8>) -> Vec<u8> {
    let mixed = |index: u64| {
        (seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 40
    };
    text.iter().zip(0..).flat_map(|(byte, index)| code(*byte, mixed(index))).collect()
}

fn json(byte: u8, choice: u64) -> Vec<u8> {
    match (choice & 7, byte) {
        (0..=3, b'\\' | b'"') => vec![b'\\', byte],
        (1, b'/') => b"\\/".to_vec(),
        (0..=3, _) => vec![byte],
        (4 | 5, _) => format!("\\u{byte:04x}").into_bytes(),
        _ => format!("\\u{byte:04X}").into_bytes(),
    }
}

fn percent(byte: u8, choice: u64) -> Vec<u8> {
    match (choice & 7, byte) {
        (0..=3, byte) if byte != b'%' => vec![byte],
        (4 | 5, _) => format!("%{byte:02x}").into_bytes(),
        _ => format!("%{byte:02X}").into_bytes(),
    }
}

fn html(byte: u8, choice: u64, hexadecimal: bool) -> Vec<u8> {
    let text = match (choice & 7, hexadecimal) {
        (0..=3, _) if byte == b'&' => "&amp;".to_owned(),
        (0..=3, _) => return vec![byte],
        (4, false) => format!("&#{byte:03};"),
        (5, false) => format!("&#{byte:020};"),
        (_, false) => format!("&#{byte};"),
        (4, true) => format!("&#x{byte:x};"),
        (5, true) => format!("&#X{byte:012X};"),
        (_, true) => format!("&#x{byte:X};"),
    };
    text.into_bytes()
}

/// As a part of something longer, at another alignment.
fn shifted(text: &[u8], seed: u64) -> Vec<u8> {
    let before: &[u8] = [b"".as_slice(), b"{", b"t=", b"{\"t"][usize::try_from(seed % 4).unwrap()];
    let after: &[u8] = [b"".as_slice(), b"\"}", b"}"][usize::try_from(seed / 4 % 3).unwrap()];
    [before, text, after].concat()
}

fn lines(text: &[u8], between: &[u8], length: usize) -> Vec<u8> {
    text.chunks(length).collect::<Vec<_>>().join(between)
}
