//! What the browser is shown: constant bytes, nothing of the request in them, nothing loaded and nothing obeyed.

use app::port::CallbackPage;
use base64::Engine as _;
use sha2::Digest as _;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::super::page;
use super::super::refusal::Refusal;
use super::client::{
    Noise, PATH, address, assert_genuine_passes, attempt, genuine, open, send, status, waiting,
};
use super::golden;
use super::heads::REFUSALS;

const GOLDEN: [&[u8]; 4] =
    [golden!("done"), golden!("method"), golden!("not_connected"), golden!("not_ours")];

#[test]
fn the_answers_are_golden_bytes() {
    for (answer, golden) in [
        (page::answer(CallbackPage::Done), &golden!("done")[..]),
        (page::answer(CallbackPage::NotConnected), golden!("not_connected")),
        (page::answer(CallbackPage::NotOurs), golden!("not_ours")),
        (page::refuse(Refusal::RequestLine), golden!("not_ours")),
        (page::refuse(Refusal::Method), golden!("method")),
    ] {
        assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(golden));
    }
    // The others differ in the status line alone.
    let after_status = |bytes: &[u8]| String::from_utf8_lossy(bytes).split_once("\r\n").unwrap().1.to_owned();
    for refusal in REFUSALS.into_iter().filter(|refusal| *refusal != Refusal::Method) {
        let answer = page::refuse(refusal);
        assert!((400..500).contains(&status(&answer)), "{refusal:?}");
        assert_eq!(after_status(&answer), after_status(golden!("not_ours")), "{refusal:?}");
    }
}

#[test]
fn every_answer_says_that_it_loads_nothing_runs_nothing_and_stays_nowhere() {
    for answer in GOLDEN {
        let text = String::from_utf8_lossy(answer);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for header in [
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
            "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Connection: close",
        ] {
            assert!(head.contains(header), "{header} is missing in {head}");
        }
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        for header in ["Access-Control-", "Set-Cookie", "Location", "Refresh", "Server", "Date", "Link:"] {
            assert!(!head.contains(header), "{header} in {head}");
        }
        for part in [
            "http:",
            "https:",
            "//",
            "src=",
            "href",
            "url(",
            "@import",
            "<script",
            "<link",
            "<img",
            "<form",
            "http-equiv",
            "<iframe",
            "<object",
            "<base",
            "onload",
        ] {
            assert!(!body.contains(part), "{part} in {body}");
        }
    }
}

#[test]
fn the_style_is_the_one_that_the_policy_names() {
    let golden = String::from_utf8_lossy(golden!("done"));
    let style = golden.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert!(golden.contains(&format!("style-src 'sha256-{hash}'")), "{hash}");
}

/// Attack 2: one payload per line.
const PAYLOADS: &str = include_str!("../../../../../../tests/fixtures/loopback/payloads.txt");
const FIELDS: [&str; 8] =
    ["code", "state", "error", "error_description", "error_uri", "iss", "return_to", "x"];

#[tokio::test]
async fn five_hundred_payloads_get_the_same_page_byte_for_byte() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::NotConnected);
    let mut sent = 0;
    for payload in PAYLOADS.lines() {
        for field in FIELDS {
            let request = genuine(address, &format!("{field}={payload}"));
            assert_eq!(
                send(address, request.as_bytes()).await,
                golden!("not_connected"),
                "{field}={payload}"
            );
            assert_eq!(queries.try_recv().unwrap(), format!("{field}={payload}"), "it was looked at");
            sent += 1;
        }
    }
    assert!(sent >= 500, "{sent} payloads");
}

/// Attack 3: there is no byte, line or path that stops, starts or changes anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_control_over_the_port() {
    let (address, mut queries) = waiting().await;
    let mut noise = Noise::new();
    for first in 0..1000_usize {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // Every first byte there is, then what the generator says.
        let mut junk = vec![u8::try_from(first % 256).unwrap()];
        junk.extend(noise.bytes(first % 64));
        let _ = stream.write_all(&junk).await;
    }
    for magic in
        [&b"\x01\x03\x03\x07"[..], b"\x01\x03\x03\x07\n\n", b"exit\n", b"GET /exit", b"\x03", b"\x04"]
    {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(magic).await;
        let _ = stream.shutdown().await;
    }
    for path in ["/exit", "/quit", "/shutdown", "/cancel", "/stop"] {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nFull-Url: http://{address}{PATH}\r\n\r\n");
        assert_eq!(status(&send(address, request.as_bytes()).await), 404, "{path}");
    }
    assert_genuine_passes(address, &mut queries).await;
}
