//! Secrets in every coding, two deep, cut anywhere; and answers that hold none.

mod codings;

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use codings::{CODINGS, Coding, apply};

/// An opaque token, a JWT, one with every sign that tokens may have, and a short one.
const SECRETS: [&str; 4] = [
    "mF_9.B5f-4.1JqM-8sQx2LrTzW7pYcVnKd3uGhEoAi6Rb0StXw",
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjcifQ.eyJpc3MiOiJodHRwczovL2JhbmsuZXhhbXBsZSIsInN1YiI6Ijg4MTIi\
     LCJleHAiOjE3NzE2MzIwMDB9.W7pYcVnKd3uGhEoAi6Rb0StXwmF9B5f41JqM8sQx2LrTz",
    "a+Zq/7Kd9~Xw2=Lm.Rt-5_Vb8+Yc/3Nf6~Hj1=Gs.Pk-4_QeUo==",
    "k7Rw2Xq9Lm4Zt8Vb3Yc6",
];

/// Everything that is let through of these parts, and whether the secret was heard.
fn through(guard: EchoGuard, parts: &[&[u8]]) -> (Vec<u8>, bool) {
    let (mut guard, mut out) = (guard, Vec::new());
    for part in parts {
        match guard.push(part) {
            Ok(released) => out.extend(released),
            Err(Echo) => {
                assert_eq!(guard.push(b"more"), Err(Echo), "what was heard stays heard");
                assert_eq!(guard.finish(), Err(Echo), "what was heard stays heard");
                return (out, true);
            }
        }
    }
    match guard.finish() {
        Ok(rest) => (out.into_iter().chain(rest).collect(), false),
        Err(Echo) => (out, true),
    }
}

/// What stands before the secret inside of a coding is not of the secret.
fn check_heard(secret: &str, before: &[u8], coded: &[u8], parts: usize, what: &str) {
    let text = [before, coded, b"\"}],\"next\":null}"].concat();
    let size = text.len().div_ceil(parts.max(1)).max(1);
    let parts: Vec<&[u8]> = text.chunks(size).collect();
    let (out, heard) = through(EchoGuard::new(&[secret]), &parts);
    assert!(heard, "{what}: {}", String::from_utf8_lossy(coded));
    assert!(text.starts_with(&out) && out.len() <= before.len(), "{what}: {} of {}", out.len(), before.len());
    assert!(!EchoGuard::new(&["another secret", secret]).clears(coded), "{what}, in a header");
}

#[test]
fn every_coding_is_heard_wherever_the_answer_is_cut() {
    let before = br#"{"page":1,"accounts":[{"name":"Everyday","note":""#;
    for secret in SECRETS {
        for (name, coding) in CODINGS {
            for seed in 0..4 {
                let coded = coding(secret.as_bytes(), seed * 4);
                for parts in [1, 2, 7, usize::MAX] {
                    check_heard(secret, before, &coded, parts, name);
                }
            }
        }
    }
}

/// Of a coding in another; what was turned around last is read only where the one below it has no signs of its own.
fn sensible(outer: &str, inner: &str) -> bool {
    let signs = ["JSON", "address", "HTML"].iter().any(|kind| inner.contains(kind));
    !(outer == "reversed" && signs)
}

#[test]
fn codings_of_codings_are_heard() {
    for secret in SECRETS {
        for (outer_name, outer) in CODINGS {
            for (inner_name, inner) in CODINGS.iter().filter(|(inner, _)| sensible(outer_name, inner)) {
                let coded = outer(&inner(secret.as_bytes(), 4), 8);
                let what = format!("{outer_name} of {inner_name}");
                check_heard(secret, b"{\"a\":\"", &coded, 1, &what);
                check_heard(secret, b"{\"a\":\"", &coded, usize::MAX, &what);
            }
        }
    }
}

#[test]
fn every_piece_that_matters_is_heard_and_smaller_ones_are_not() {
    for secret in SECRETS {
        let matters = 24.min(secret.len().div_ceil(2));
        for from in 0..=secret.len() - matters {
            let piece = &secret.as_bytes()[from..from + matters];
            for (name, coding) in CODINGS {
                check_heard(
                    secret,
                    b"{\"a\":\"",
                    &coding(piece, 3),
                    3,
                    &format!("{name} of {matters} from {from}"),
                );
            }
        }
        let small = &secret.as_bytes()[..matters / 3];
        let text = [b"{\"a\":\"", small, b"\"}"].concat();
        assert_eq!(
            through(EchoGuard::new(&[secret]), &[&text]),
            (text.clone(), false),
            "too small to matter"
        );
    }
}

#[test]
fn a_secret_within_something_longer_is_heard_at_every_alignment() {
    for secret in SECRETS {
        for (name, coding) in CODINGS {
            for seed in 0..12 {
                let text = [b"{\"a\":\"", coding(secret.as_bytes(), seed).as_slice(), b"\"}"].concat();
                for guard in [EchoGuard::new(&[secret]), EchoGuard::new(&["another secret", secret])] {
                    assert!(through(guard, &[&text]).1, "{name} {seed}");
                }
            }
        }
    }
}

#[test]
fn a_secret_at_the_very_end_or_right_at_the_beginning_is_heard() {
    for secret in SECRETS {
        for (name, coding) in CODINGS {
            let coded = coding(secret.as_bytes(), 4);
            let (out, heard) = through(EchoGuard::new(&[secret]), &[&coded]);
            assert!(heard && out.is_empty(), "{name}");
            let parts: Vec<&[u8]> = coded.chunks(1).collect();
            let (out, heard) = through(EchoGuard::new(&[secret]), &parts);
            assert!(heard && out.is_empty(), "{name}: {}", String::from_utf8_lossy(&out));
        }
    }
}

#[test]
fn signs_around_a_secret_hide_none_of_it() {
    let secret = SECRETS[0];
    for before in [
        "\\",
        "\\\\",
        "%",
        "%2",
        "&",
        "&#",
        "&#x",
        "&#00",
        "&am",
        "\\u",
        "\\u00",
        "%25",
        "&amp;",
        "5%\n&#37;",
    ] {
        let text = format!("{{\"a\":\"{before}{secret}");
        for parts in [1, usize::MAX] {
            let size = text.len().div_ceil(parts).max(1);
            let parts: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let (out, heard) = through(EchoGuard::new(&[secret]), &parts);
            assert!(heard, "{before}");
            assert!(out.len() <= text.len() - secret.len(), "{before}: {}", String::from_utf8_lossy(&out));
        }
    }
}

#[test]
fn any_of_several_secrets_is_heard() {
    for secret in SECRETS {
        assert!(!EchoGuard::new(&SECRETS).clears(format!("Bearer error=\"{secret}\"").as_bytes()));
    }
    assert!(
        EchoGuard::new(&SECRETS)
            .clears(b"Bearer error=\"invalid_token\", error_description=\"it has run out\"")
    );
    assert!(EchoGuard::new(&[]).clears(SECRETS[0].as_bytes()), "without a secret there is nothing to hear");
    assert!(EchoGuard::new(&["", "a-b", "..."]).clears(b"a-b ... aab abba"), "these are in every text");
}

/// As much as a test can read unoptimised; else what a bank may send at most.
const LARGE: usize = if cfg!(debug_assertions) { 1024 * 1024 } else { 7 * 1024 * 1024 };

/// An answer as banks send them: ids, dates, amounts, addresses, names in several languages, links with pages, a
/// document in base64.
fn bank_answer() -> Vec<u8> {
    let mut random = 7_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut text = String::from("{\"transactions\":[\n");
    while text.len() < LARGE {
        let (a, b, c) = (next(), next(), next());
        let pence = a % 100;
        text.push_str(&format!(
            "  {{\"transactionId\": \"{a:016x}-{b:016x}\", \"accountId\": \"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}\",\n   \
             \"postedTimestamp\": \"2026-{:02}-{:02}T{:02}:12:44.{:03}Z\", \"amount\": {}.{pence:02}, \
             \"description\": \"CARD PAYMENT TO WATER \\u0026 SEWAGE WORKS 100% M\\u00fcnchen Z\u{fc}rich &amp; S\u{f6}hne\", \
             \"iban\": \"DE{:020}\", \"links\": {{\"next\": \"https:\\/\\/api.bank.example\\/v6\\/t?cursor={b:x}%3D%3D&limit=50\"}},\n   \
             \"reference\": \"INV {c} thank you for your order of the second of this month\"}},\n",
            a >> 32, b & 0xffff, c & 0xfff, b >> 52, c & 0xffff_ffff_ffff,
            a % 12 + 1, b % 28 + 1, c % 24, a % 1000, b % 100_000, c,
        ));
    }
    text.push_str("{}],\"statement\":\"");
    let document: Vec<u8> =
        std::iter::repeat_with(|| next().to_le_bytes()).take(LARGE / 120).flatten().collect();
    let mut text = text.into_bytes();
    text.extend(apply("base64", &document));
    text.extend(b"\"}");
    text
}

/// That it passes is one thing; how fast is said, for who wants to know: `--nocapture`, and optimised.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is said, and judged by nobody")]
fn a_large_answer_without_a_secret_passes_unchanged() {
    let text = bank_answer();
    assert!(EchoGuard::new(&SECRETS).clears(&text));
    let mut guard = EchoGuard::new(&SECRETS[..3]);
    let begin = Instant::now();
    let mut out = Vec::new();
    let mut most = 0;
    for part in text.chunks(16 * 1024) {
        out.extend(guard.push(part).unwrap());
        most = most.max(guard.held.len());
    }
    out.extend(guard.finish().unwrap());
    println!("{:.0} MB/s, {most} bytes held", text.len() as f64 / begin.elapsed().as_secs_f64() / 1e6);
    assert!(out == text);
    assert!(most < 1024, "{most} bytes were held back at a time");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is said, and judged by nobody")]
fn making_a_guard_takes_little_time() {
    let secret = SECRETS[1].repeat(8);
    let begin = Instant::now();
    for _ in 0..100 {
        std::hint::black_box(EchoGuard::new(&[&secret]));
    }
    println!("{:?} for a secret of {} bytes", begin.elapsed() / 100, secret.len());
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[A-Za-z0-9._~+/-]{20,200}={0,2}",
        1 => "[A-Za-z0-9]{16,40}",
        1 => "eyJ[A-Za-z0-9_-]{30,300}\\.[A-Za-z0-9_-]{30,300}\\.[A-Za-z0-9_-]{86}",
    ]
    .prop_filter("a token that is one", |token| {
        token.bytes().filter(u8::is_ascii_alphanumeric).count() * 4 > token.len() * 3
    })
}

fn cut<'a>(text: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

fn any_coding() -> impl Strategy<Value = (&'static str, Coding)> {
    prop::sample::select(CODINGS)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_character_of_an_echo_is_let_through(
        secret in token(),
        before in "[ -~]{0,80}",
        (outer_name, outer) in any_coding(),
        (inner_name, inner) in any_coding(),
        seeds in any::<[u16; 2]>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        prop_assume!(sensible(outer_name, inner_name));
        // Its own quotation mark, so that what stands before is not of the echo.
        let before = format!("{{\"a\": \"{before}\", \"b\": \"");
        let coded = outer(&inner(secret.as_bytes(), u64::from(seeds[0])), u64::from(seeds[1]));
        let text = [before.as_bytes(), &coded, b"\"}"].concat();
        let (out, heard) = through(EchoGuard::new(&[&secret]), &cut(&text, &cuts));
        prop_assert!(heard, "{outer_name} of {inner_name}");
        let shifted = seeds.iter().any(|seed| seed % 4 != 0);
        prop_assert!(shifted || out.len() <= before.len(), "{outer_name} of {inner_name}: {}", out.len());
        prop_assert!(text.starts_with(&out));
    }

    #[test]
    fn what_holds_no_secret_passes_unchanged(
        secret in token(),
        text in prop::collection::vec(prop_oneof![any::<u8>(), b' '..=b'~'], 0..2000),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (out, heard) = through(EchoGuard::new(&[&secret]), &cut(&text, &cuts));
        prop_assert!(!heard);
        prop_assert_eq!(out, text);
    }

    #[test]
    fn cutting_an_answer_changes_nothing(
        text in "([A-Za-z0-9+/%&#;\\\\ux]|k7Rw2Xq9|Lm4Zt8Vb|3Yc6|&#x6b;|%37|\\\\u0052){0,120}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let (_, heard) = through(EchoGuard::new(&[SECRETS[3]]), &cut(text.as_bytes(), &cuts));
        prop_assert_eq!(heard, !EchoGuard::new(&[SECRETS[3]]).clears(text.as_bytes()));
    }
}
