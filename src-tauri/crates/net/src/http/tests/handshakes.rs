//! What we offer in a handshake, and peers that would have less (RFC 9325, FAPI 2.0 §5.2).

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::Ordering;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use app::port::{Http as _, HttpError};

use super::kinds::{SECRETS, kinds};
use super::secure::{Authority, say_ok, serve};
use super::*;

/// A peer that answers the first bytes with some of its own, and gives all that it was sent.
fn peer(answer: Vec<u8>) -> (String, std::thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let mut bytes = vec![0; 8192];
        let len = stream.read(&mut bytes).unwrap();
        bytes.truncate(len);
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read_to_end(&mut bytes);
        bytes
    });
    (base, seen)
}

/// A `ServerHello` (RFC 5246 §7.4.1.3) of this version and with this cipher suite.
fn server_hello(version: [u8; 2], suite: [u8; 2], random_ends: &[u8]) -> Vec<u8> {
    let mut random = [7; 32];
    random[32 - random_ends.len()..].copy_from_slice(random_ends);
    let body = [&version[..], &random, &[0], &suite, &[0]].concat();
    let length = u16::try_from(body.len()).unwrap();
    let message = [&[2, 0][..], &length.to_be_bytes(), &body].concat();
    let record = u16::try_from(message.len()).unwrap();
    [&[0x16][..], &version, &record.to_be_bytes(), &message].concat()
}

async fn reason(client: &HttpClient, request: Request) -> String {
    let err = client.client.execute(reqwest::Request::try_from(request).unwrap()).await.unwrap_err();
    chain(&err)
        .find_map(|err| err.downcast_ref::<rustls::Error>())
        .map_or("none".into(), |tls| format!("{tls:?}"))
}

const NEW: [u8; 2] = [3, 3];
const GOOD_SUITE: [u8; 2] = [0xc0, 0x2f];

#[tokio::test]
async fn a_peer_with_old_or_weak_tls_gets_no_request() {
    let unoffered = "PeerMisbehaved(SelectedUnofferedCipherSuite)";
    let old = "PeerIncompatible(ServerDoesNotSupportTls12Or13)";
    let alert = |code: u8| vec![0x15, 3, 3, 0, 2, 2, code];
    let mut wrong = Vec::new();
    for (name, answer, expected) in [
        ("SSL 3.0", server_hello([3, 0], GOOD_SUITE, &[]), old),
        ("TLS 1.0", server_hello([3, 1], GOOD_SUITE, &[]), old),
        ("TLS 1.1", server_hello([3, 2], GOOD_SUITE, &[]), old),
        ("a version to come", server_hello([3, 5], GOOD_SUITE, &[]), old),
        ("RSA key exchange", server_hello(NEW, [0x00, 0x9c], &[]), unoffered),
        ("RSA key exchange, CBC", server_hello(NEW, [0x00, 0x2f], &[]), unoffered),
        ("CBC and SHA-1", server_hello(NEW, [0xc0, 0x13], &[]), unoffered),
        ("CBC and SHA-256", server_hello(NEW, [0xc0, 0x27], &[]), unoffered),
        ("3DES", server_hello(NEW, [0x00, 0x0a], &[]), unoffered),
        ("RC4", server_hello(NEW, [0x00, 0x05], &[]), unoffered),
        ("export grade", server_hello(NEW, [0x00, 0x03], &[]), unoffered),
        ("no encryption", server_hello(NEW, [0x00, 0x3b], &[]), unoffered),
        ("no cipher at all", server_hello(NEW, [0x00, 0x00], &[]), unoffered),
        ("anonymous", server_hello(NEW, [0xc0, 0x18], &[]), unoffered),
        ("static Diffie-Hellman", server_hello(NEW, [0x00, 0x9e], &[]), unoffered),
        (
            "pressed down to TLS 1.2",
            server_hello(NEW, GOOD_SUITE, b"DOWNGRD\x01"),
            "PeerMisbehaved(AttemptedDowngradeToTls12WhenTls13IsSupported)",
        ),
        ("protocol version", alert(70), "AlertReceived(ProtocolVersion)"),
        ("handshake failure", alert(40), "AlertReceived(HandshakeFailure)"),
        ("insufficient security", alert(71), "AlertReceived(InsufficientSecurity)"),
        ("plain HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "InvalidMessage(InvalidContentType)"),
        ("junk", vec![0; 64], "InvalidMessage(InvalidContentType)"),
    ] {
        let (base, seen) = peer(answer.clone());
        let found = reason(&client(None), request(&Method::POST, &base)).await;
        if found != expected {
            wrong.push(format!("{name}: {found}"));
        }
        let mut bytes = seen.join().unwrap();
        for (kind, _) in kinds("https://127.0.0.1:50000") {
            let (base, seen) = peer(answer.clone());
            let request = kinds(&base).into_iter().find(|(other, _)| *other == kind).unwrap().1;
            let got = client(None).send(request).await.err();
            if got != Some(HttpError::Tls) {
                wrong.push(format!("{name}, {kind}: {got:?}"));
            }
            bytes.extend(seen.join().unwrap());
        }
        let text = String::from_utf8_lossy(&bytes);
        if SECRETS.iter().any(|secret| text.contains(secret)) || text.contains("HTTP/1.1") {
            wrong.push(format!("{name}: something was sent"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The parts of a `ClientHello` (RFC 8446 §4.1.2) that say what would be taken.
struct Hello {
    suites: Vec<u16>,
    /// Number and content.
    extensions: Vec<(u16, Vec<u8>)>,
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

impl Hello {
    fn read(bytes: &[u8]) -> Self {
        let long = |at: usize| usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        assert_eq!((bytes[0], bytes[5]), (0x16, 1), "a handshake record with a ClientHello");
        let suites = 5 + 4 + 2 + 32 + 1 + usize::from(bytes[43]);
        let methods = suites + 2 + long(suites);
        let mut at = methods + 1 + usize::from(bytes[methods]);
        assert_eq!(&bytes[methods..at], [1, 0], "no compression");
        let end = at + 2 + long(at);
        at += 2;
        let mut extensions = Vec::new();
        while at < end {
            let content = at + 4..at + 4 + long(at + 2);
            extensions.push((numbers(&bytes[at..at + 2])[0], bytes[content.clone()].to_vec()));
            at = content.end;
        }
        Self { suites: numbers(&bytes[suites + 2..methods]), extensions }
    }

    fn extension(&self, number: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|(n, _)| *n == number).map(|(_, content)| content.as_slice())
    }
}

#[tokio::test]
async fn we_offer_what_bcp_195_recommends_and_nothing_else() {
    let (base, seen) = peer(Vec::new());
    let _ = post(&client(None), &base).await;
    let hello = Hello::read(&seen.join().unwrap());
    let mut suites = hello.suites.clone();
    suites.sort_unstable();
    // ECDHE with AES-GCM or ChaCha20 alone; the last is no suite but a sign that renegotiation is the safe one.
    let expected = [0x00ff, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9];
    assert_eq!(suites, expected);
    let versions = numbers(&hello.extension(0x002b).unwrap()[1..]);
    assert_eq!(versions, [0x0304, 0x0303]);
    let signatures = numbers(&hello.extension(0x000d).unwrap()[2..]);
    assert!(
        signatures.iter().all(|scheme| !matches!(scheme >> 8, 1..=3)),
        "no MD5, SHA-1, SHA-224: {signatures:x?}"
    );
    assert!(
        hello.extension(0x002a).is_none() && hello.extension(0x0029).is_none(),
        "no early data, nothing resumed"
    );
    assert!(hello.extension(0x0000).is_none(), "an address is no server name");
}

#[tokio::test]
async fn a_handshake_that_ends_or_hangs_is_no_connection() {
    let (base, seen) = peer(Vec::new());
    assert_eq!(post(&client(None), &base).await.err(), Some(HttpError::NoConnection));
    let bytes = seen.join().unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
    // Nothing was sent, and the wait is the one for connections.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    assert_eq!(
        post(&client(None), &format!("https://{address}/")).await.err(),
        Some(HttpError::NoConnection)
    );
}

#[tokio::test]
async fn a_connection_cut_without_a_goodbye_is_closed() {
    let authority = Authority::new(|_| {});
    let cut = |mut stream: TlsStream<TcpStream>| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":").await;
        let _ = stream.flush().await;
        drop(stream.into_inner().0);
    };
    let (address, shaken) = serve(authority.leaf(|_| {}), &["http/1.1"], cut).await;
    let got = post(&client(Some(authority.pem())), &format!("https://{address}/")).await;
    assert_eq!(got.err(), Some(HttpError::Closed));
    assert_eq!(shaken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn nothing_of_one_connection_is_left_for_the_next() {
    let authority = Authority::new(|_| {});
    let (sender, seen) = std::sync::mpsc::channel();
    let script = move |stream: TlsStream<TcpStream>| {
        sender.send(stream.get_ref().1.handshake_kind().unwrap()).unwrap();
        say_ok(stream)
    };
    let (address, _) = serve(authority.leaf(|_| {}), &["http/1.1"], script).await;
    let client = client(Some(authority.pem()));
    for _ in 0..3 {
        assert!(post(&client, &format!("https://{address}/")).await.is_ok());
        assert_ne!(
            seen.recv().unwrap(),
            rustls::HandshakeKind::Resumed,
            "the bank could tell that it is us again"
        );
    }
}
