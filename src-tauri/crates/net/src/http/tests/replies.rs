//! Replies: what is passed on, what is bounded, what is refused; and that each request is sent once.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::Method;
use flate2::{Compression, write::GzEncoder};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::server::Server;
use super::*;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn with_body(headers: &str, body: &[u8]) -> Vec<u8> {
    let mut reply =
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    reply.extend_from_slice(body);
    reply
}

fn ok(headers: &str) -> Vec<u8> {
    with_body(headers, b"{}")
}

#[tokio::test]
async fn what_is_sent_is_the_request_and_little_else() {
    let server = Server::saying(ok("Set-Cookie: session=1; Path=/\r\n"));
    let client = client(None);
    for _ in 0..2 {
        post(&client, &server.url()).await.unwrap();
    }
    client.send(request(&Method::GET, &server.url())).await.unwrap();
    let requests = server.requests();
    assert_eq!((requests.len(), server.connections()), (3, 3), "each request has a connection of its own");
    for request in &requests[..2] {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /token HTTP/1.1\r\n"), "{head}");
        assert_eq!(body, "code=secret-code");
        let mut names: Vec<String> =
            head.lines().skip(1).map(|line| line.split_once(':').unwrap().0.to_lowercase()).collect();
        names.sort();
        let expected = [
            "accept",
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        ];
        assert_eq!(names, expected);
        assert!(
            head.contains(concat!("user-agent: Countersign/", env!("CARGO_PKG_VERSION"), "\r\n")),
            "{head}"
        );
        assert!(head.contains("accept-encoding: gzip"), "{head}");
        assert!(head.contains("authorization: DPoP secret-access-token"), "{head}");
    }
    assert!(!requests[2].to_lowercase().contains("cookie"), "{}", requests[2]);
}

#[tokio::test]
async fn headers_that_matter_are_read_if_they_are_unambiguous() {
    for (headers, content_type, retry_after) in [
        ("", None, None),
        ("Content-Type: application/json\r\n", Some("application/json"), None),
        ("content-type: application/json; charset=utf-8\r\n", Some("application/json; charset=utf-8"), None),
        ("Content-Type: application/json\r\nContent-Type: text/html\r\n", None, None),
        ("Content-Type: application/json\r\nContent-Type: application/json\r\n", None, None),
        ("Content-Type: appli\u{e9}cation\r\n", None, None),
        ("Content-Type:\r\n", Some(""), None),
        ("Retry-After: 5\r\n", None, Some(5)),
        ("Retry-After: 99999999\r\n", None, Some(86_400)),
        ("Retry-After: 5\r\nRetry-After: 6\r\n", None, None),
        ("Retry-After: soon\r\n", None, None),
        (
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:49:44 GMT\r\n",
            None,
            Some(7),
        ),
    ] {
        let server = Server::saying(ok(headers));
        let reply = post(&client(None), &server.url()).await.unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"{}".as_slice()), "{headers:?}");
        assert_eq!(
            (reply.content_type.as_deref(), reply.retry_after),
            (content_type, retry_after),
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn every_status_is_a_reply() {
    for status in [200, 201, 204, 304, 400, 401, 403, 404, 408, 425, 429, 500, 502, 503, 599, 999] {
        let server = Server::saying(format!("HTTP/1.1 {status} S\r\nContent-Length: 0\r\n\r\n"));
        let reply = post(&client(None), &server.url()).await.unwrap();
        assert_eq!((reply.status, reply.body.len()), (status, 0));
        assert_eq!(server.requests().len(), 1, "{status} is not a reason to send again");
    }
    let server = Server::saying(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    );
    assert_eq!(post(&client(None), &server.url()).await.unwrap().body, b"{}");
}

#[tokio::test]
async fn bodies_are_bounded_after_decompression() {
    let plain = |len: usize| with_body("", &vec![b'x'; len]);
    let zipped = |len: usize| with_body("Content-Encoding: gzip\r\n", &gzip(&vec![b'x'; len]));
    let two_members = [gzip(&vec![b'x'; 40_000]), gzip(&vec![b'x'; 40_000])].concat();
    for (name, reply, expected) in [
        ("empty", plain(0), Ok(0)),
        ("at the limit", plain(MAX_BODY), Ok(MAX_BODY)),
        ("over it", plain(MAX_BODY + 1), Err(HttpError::TooLarge)),
        ("far over it", plain(2 * 1024 * 1024), Err(HttpError::TooLarge)),
        ("zipped", zipped(1000), Ok(1000)),
        ("zipped at the limit", zipped(MAX_BODY), Ok(MAX_BODY)),
        ("zipped over it", zipped(MAX_BODY + 1), Err(HttpError::TooLarge)),
        ("bomb", zipped(64 * 1024 * 1024), Err(HttpError::TooLarge)),
        ("two members", with_body("Content-Encoding: gzip\r\n", &two_members), Err(HttpError::TooLarge)),
        (
            "two small members",
            with_body("Content-Encoding: GZip\r\n", &[gzip(b"{"), gzip(b"}")].concat()),
            Ok(2),
        ),
        (
            "more behind the zip",
            with_body("Content-Encoding: gzip\r\n", &[gzip(b"{}"), b"x".to_vec()].concat()),
            Err(HttpError::NotWellFormed),
        ),
        ("no zip in it", with_body("Content-Encoding: gzip\r\n", b""), Ok(0)),
        (
            "two codings",
            with_body("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", &gzip(b"{}")),
            Err(HttpError::NotWellFormed),
        ),
        (
            "zipped twice",
            with_body("Content-Encoding: gzip, gzip\r\n", &gzip(&gzip(b"{}"))),
            Err(HttpError::NotWellFormed),
        ),
        ("said to be zipped", with_body("Content-Encoding: gzip\r\n", b"{}"), Err(HttpError::NotWellFormed)),
        (
            "zip cut off",
            with_body("Content-Encoding: gzip\r\n", &gzip(&[7; 500])[..15]),
            Err(HttpError::NotWellFormed),
        ),
        ("another coding", with_body("Content-Encoding: br\r\n", b"{}"), Err(HttpError::NotWellFormed)),
        ("deflate", with_body("Content-Encoding: deflate\r\n", b"{}"), Err(HttpError::NotWellFormed)),
        ("identity", with_body("Content-Encoding: identity\r\n", b"{}"), Ok(2)),
        (
            "declared huge",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}".to_vec(),
            Err(HttpError::Closed),
        ),
        ("no length", b"HTTP/1.1 200 OK\r\n\r\n{}".to_vec(), Ok(2)),
        (
            "chunks",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_vec(),
            Ok(2),
        ),
    ] {
        let server = Server::saying(reply);
        let got = post(&client(None), &server.url()).await.map(|reply| reply.body.len());
        assert_eq!(got, expected, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn endless_bodies_are_left_early() {
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000)).into_bytes();
    let zeros = gzip(&vec![0; 8 * 1024 * 1024]);
    for (name, head, part) in [
        ("chunks", "Transfer-Encoding: chunked\r\n", chunk),
        ("until close", "", vec![b'x'; 0x4000]),
        ("length", "Content-Length: 10000000000\r\n", vec![b'x'; 0x4000]),
        ("zipped", "Content-Encoding: gzip\r\n", zeros),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let (counter, head) = (Arc::clone(&sent), format!("HTTP/1.1 200 OK\r\n{head}\r\n"));
        let server = Server::new(move |stream| {
            let _ = stream.write_all(head.as_bytes());
            while stream.write_all(&part).is_ok() {
                counter.fetch_add(part.len(), Ordering::SeqCst);
            }
        });
        let begin = Instant::now();
        assert_eq!(post(&client(None), &server.url()).await.err(), Some(HttpError::TooLarge), "{name}");
        assert!(begin.elapsed() < SHORT.total, "{name}: {:?}", begin.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
        let total = sent.load(Ordering::SeqCst);
        assert!(total < 16 * 1024 * 1024, "{name}: the server could send {total} bytes");
        assert_eq!(server.connections(), 1, "{name}");
    }
}

#[tokio::test]
async fn broken_replies_have_names_and_are_not_asked_for_again() {
    use HttpError::{Closed, NotWellFormed, TooLarge};
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(10_000));
    let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let wide = format!(
        "HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n",
        format!("x: {}\r\n", "x".repeat(2000)).repeat(40)
    );
    for (name, reply, expected) in [
        ("nothing", "", Closed),
        ("half a status line", "HTTP/1.1 20", Closed),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le", Closed),
        ("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", Closed),
        ("half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", Closed),
        ("no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", Closed),
        ("only continue", "HTTP/1.1 100 Continue\r\n\r\n", Closed),
        ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n", NotWellFormed),
        ("no status", "HTTP/1.1 abc OK\r\n\r\n", NotWellFormed),
        ("HTTP/2 unasked", "HTTP/2 200\r\n\r\n", NotWellFormed),
        ("bare page", "<html>Sign in to the hotel</html>\r\n\r\n", NotWellFormed),
        ("bad length", "HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n{}", NotWellFormed),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", NotWellFormed),
        ("bad header", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", NotWellFormed),
        ("NUL in a header", "HTTP/1.1 200 OK\r\nx: \0\r\n\r\n", NotWellFormed),
        ("many headers", &many, TooLarge),
        ("a long header", &long, TooLarge),
        ("a wide head", &wide, TooLarge),
    ] {
        for method in [Method::POST, Method::GET] {
            let server = Server::saying(reply);
            let got = client(None).send(request(&method, &server.url())).await;
            assert_eq!(got.err(), Some(expected), "{name}");
            assert_eq!((server.requests().len(), server.connections()), (1, 1), "{name}: sent once");
        }
    }
}

#[tokio::test]
async fn a_bad_chunk_is_not_a_reply() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n");
    let got = post(&client(None), &server.url()).await.err();
    assert!(matches!(got, Some(HttpError::NotWellFormed | HttpError::Closed)), "{got:?}");
}

#[tokio::test]
async fn resets_are_closed_connections() {
    let server = Server::new(|stream| {
        rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO)).unwrap();
    });
    assert_eq!(post(&client(None), &server.url()).await.err(), Some(HttpError::Closed));
    assert_eq!((server.requests().len(), server.connections()), (1, 1));
}

#[tokio::test]
async fn slow_replies_end_in_time() {
    let drip = |first: &'static str, next: &'static str| {
        Server::new(move |stream| {
            let _ = stream.write_all(first.as_bytes());
            while stream.write_all(next.as_bytes()).is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        })
    };
    let cases = [
        ("silence", Server::new(|_| std::thread::sleep(Duration::from_secs(4)))),
        ("status line", drip("HTTP/1.1 200 ", "O")),
        ("header", drip("HTTP/1.1 200 OK\r\nx: ", "x")),
        ("length", drip("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", "x")),
        ("chunks", drip("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n")),
        ("until close", drip("HTTP/1.1 200 OK\r\n\r\n", "x")),
        ("continue for ever", drip("", "HTTP/1.1 100 Continue\r\n\r\n")),
    ];
    let begin = Instant::now();
    let waiting: Vec<_> = cases
        .into_iter()
        .map(|(name, server)| {
            tokio::spawn(async move { (name, post(&client(None), &server.url()).await, server) })
        })
        .collect();
    for case in waiting {
        let (name, got, server) = case.await.unwrap();
        assert_eq!(got.err(), Some(HttpError::TimedOut), "{name}");
        assert!(begin.elapsed() < SHORT.total + Duration::from_millis(700), "{name}: {:?}", begin.elapsed());
        assert_eq!(server.connections(), 1, "{name}");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(
        post(&client(None), &format!("http://{closed}/token")).await.err(),
        Some(HttpError::NoConnection)
    );
    // The kernel answers no SYN once the queue is full.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full: TcpListener = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let held: Vec<_> = (0..8)
        .map(|_| tokio::time::timeout(Duration::from_millis(100), tokio::net::TcpStream::connect(address)))
        .collect();
    let mut streams = Vec::new();
    for stream in held {
        streams.push(stream.await);
    }
    let begin = Instant::now();
    assert_eq!(
        post(&client(None), &format!("http://{address}/token")).await.err(),
        Some(HttpError::NoConnection)
    );
    assert!(begin.elapsed() < SHORT.total, "{:?}", begin.elapsed());
}

#[test]
fn the_limits_are_the_designs() {
    assert_eq!(
        (TIMES.total, TIMES.connect, MAX_BODY),
        (Duration::from_secs(10), Duration::from_secs(5), 65_536)
    );
}
