//! Brokered calls: bodies as they come, connections that are kept, and nothing sent twice.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use ::http::Method;
use app::port::{CALL_LIMITS, CallLimits, CallReply};

use super::redirects::WAYS;
use super::replies::{gzip, with_body};
use super::server::{Server, read_request};
use super::*;

const LIMITS: CallLimits = CallLimits { body: 100_000, total: Duration::from_millis(1500) };

async fn call(client: &HttpClient, method: &Method, url: &str) -> Result<CallReply, HttpError> {
    client.call(request(method, url), LIMITS).await
}

async fn whole(mut reply: CallReply) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    while let Some(piece) = reply.body.next().await? {
        assert!(!piece.is_empty(), "no empty pieces");
        body.extend_from_slice(&piece);
    }
    assert_eq!(reply.body.next().await, Ok(None), "the end stays the end");
    Ok(body)
}

async fn body_of(client: &HttpClient, method: &Method, url: &str) -> Result<Vec<u8>, HttpError> {
    whole(call(client, method, url).await?).await
}

/// A server that answers every request on a connection with `{}`.
fn keeping() -> Server {
    Server::new(|stream| {
        loop {
            stream.write_all(&with_body("", b"{}")).unwrap();
            if read_request(stream).is_empty() {
                return;
            }
        }
    })
}

#[tokio::test]
async fn reads_share_a_connection_and_nothing_else_does() {
    let (server, client) = (keeping(), client(None));
    for _ in 0..5 {
        assert_eq!(body_of(&client, &Method::GET, &server.url()).await.unwrap(), b"{}");
    }
    assert_eq!(server.connections(), 1);
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
        let before = server.connections();
        body_of(&client, &method, &server.url()).await.unwrap();
        body_of(&client, &method, &server.url()).await.unwrap();
        assert_eq!(server.connections(), before + 2, "{method}");
    }
    body_of(&client, &Method::GET, &server.url()).await.unwrap();
    assert_eq!(server.connections(), 9, "the kept one is still there");
    client.send(request(&Method::GET, &server.url())).await.unwrap();
    assert_eq!(server.connections(), 10, "what is not a call has its own");
}

#[tokio::test]
async fn what_a_kept_connection_swallowed_is_not_sent_again() {
    let swallowed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&swallowed);
    let server = Server::new(move |stream| {
        stream.write_all(&with_body("", b"{}")).unwrap();
        counter.fetch_add(usize::from(!read_request(stream).is_empty()), Ordering::SeqCst);
    });
    let client = client(None);
    for round in 1..=3 {
        assert_eq!(body_of(&client, &Method::GET, &server.url()).await.unwrap(), b"{}");
        assert_eq!(body_of(&client, &Method::GET, &server.url()).await, Err(HttpError::Closed));
        assert_eq!((swallowed.load(Ordering::SeqCst), server.connections()), (round, round));
    }
}

#[tokio::test]
async fn a_kept_connection_with_more_on_it_than_was_asked_for_is_not_used() {
    let server = Server::new(|stream| {
        let both = [with_body("", b"{}"), with_body("", b"[\"for somebody else\"]")].concat();
        stream.write_all(&both).unwrap();
        read_request(stream);
    });
    let client = client(None);
    for _ in 0..20 {
        match body_of(&client, &Method::GET, &server.url()).await {
            Ok(body) => assert_eq!(body, b"{}"),
            Err(err) => assert_eq!(err, HttpError::NotWellFormed),
        }
    }
}

#[tokio::test]
async fn a_body_is_handed_on_while_it_comes() {
    for (coding, parts) in [
        ("", [b"first".to_vec(), b"second".to_vec()]),
        ("Content-Encoding: gzip\r\n", [gzip(b"first"), gzip(b"second")]),
    ] {
        let (go, wait) = mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let server = Server::new(move |stream| {
            let [first, second] = &parts;
            let head = format!("HTTP/1.1 200 OK\r\n{coding}Transfer-Encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            for part in [first, second] {
                stream.write_all(format!("{:x}\r\n", part.len()).as_bytes()).unwrap();
                stream.write_all(&[part.as_slice(), b"\r\n"].concat()).unwrap();
                wait.lock().unwrap().recv().unwrap();
            }
            stream.write_all(b"0\r\n\r\n").unwrap();
        });
        let mut reply = call(&client(None), &Method::GET, &server.url()).await.unwrap();
        assert_eq!(reply.body.next().await.unwrap().unwrap(), b"first", "the second is not sent yet");
        go.send(()).unwrap();
        assert_eq!(reply.body.next().await.unwrap().unwrap(), b"second");
        go.send(()).unwrap();
        assert_eq!(reply.body.next().await, Ok(None));
    }
}

#[tokio::test]
async fn a_body_that_nobody_wants_any_more_is_left() {
    let (left, gone) = mpsc::channel();
    let server = Server::new(move |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\nfirst").unwrap();
        left.send(read_request(stream)).unwrap();
    });
    let client = client(None);
    let mut reply = call(&client, &Method::GET, &server.url()).await.unwrap();
    assert_eq!(reply.body.next().await.unwrap().unwrap(), b"first");
    drop(reply);
    let end = tokio::task::spawn_blocking(move || gone.recv_timeout(Duration::from_secs(5)));
    assert_eq!(end.await.unwrap().unwrap(), "", "the connection is closed, not used on");
}

#[tokio::test]
async fn bodies_are_as_long_as_allowed_and_no_longer() {
    use HttpError::{Closed, NotWellFormed, TooLarge};
    let most = LIMITS.body;
    let zip = |body: &[u8]| with_body("Content-Encoding: gzip\r\n", &gzip(body));
    let raw = |bytes: Vec<u8>| with_body("Content-Encoding: gzip\r\n", &bytes);
    let noise: Vec<u8> = (0..most as u32 * 2).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (name, reply, expected) in [
        ("none", with_body("", b""), Ok(0)),
        ("at the limit", with_body("", &vec![7; most]), Ok(most)),
        ("over it", with_body("", &vec![7; most + 1]), Err(TooLarge)),
        (
            "over it, until close",
            [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![7; most + 1]].concat(),
            Err(TooLarge),
        ),
        (
            "said to be huge",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}".to_vec(),
            Err(TooLarge),
        ),
        ("cut off", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}".to_vec(), Err(Closed)),
        ("zipped, although nobody asked", zip(&vec![7; 1000]), Ok(1000)),
        ("zipped at the limit", zip(&vec![7; most]), Ok(most)),
        ("zipped over it", zip(&vec![7; most + 1]), Err(TooLarge)),
        ("bomb", zip(&vec![0; 64 * 1024 * 1024]), Err(TooLarge)),
        ("bomb in many members", raw(gzip(&[0; 5000]).repeat(1000)), Err(TooLarge)),
        ("empty members without end", raw(gzip(b"").repeat(6000)), Err(TooLarge)),
        ("noise, zipped", zip(&noise), Err(TooLarge)),
        ("two members", raw([gzip(b"{"), gzip(b"}")].concat()), Ok(2)),
        ("more behind the zip", raw([gzip(b"{}"), b"x".to_vec()].concat()), Err(NotWellFormed)),
        ("no zip in it", raw(Vec::new()), Ok(0)),
        ("said to be zipped", raw(b"{}".to_vec()), Err(NotWellFormed)),
        ("zip cut off", raw(gzip(&[7; 500])[..15].to_vec()), Err(NotWellFormed)),
        ("zip without its sum", raw(gzip(b"{}")[..gzip(b"{}").len() - 8].to_vec()), Err(NotWellFormed)),
        ("zipped twice", with_body("Content-Encoding: gzip, gzip\r\n", &gzip(b"{}")), Err(NotWellFormed)),
        ("another coding", with_body("Content-Encoding: br\r\n", b"{}"), Err(NotWellFormed)),
    ] {
        let server = Server::saying(reply);
        let got = body_of(&client(None), &Method::GET, &server.url()).await.map(|body| body.len());
        assert_eq!(got, expected, "{name}");
        assert_eq!((server.requests().len(), server.connections()), (1, 1), "{name}: sent once");
    }
}

#[tokio::test]
async fn a_call_ends_in_time_at_every_stage() {
    let cases = [("head", "", "HTTP/1.1 "), ("body", "HTTP/1.1 200 OK\r\n\r\n", "x")];
    for (name, first, drop_by_drop) in cases {
        let server = Server::new(move |stream| {
            let _ = stream.write_all(first.as_bytes());
            for byte in drop_by_drop.bytes().cycle().take(60) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
                if name == "head" {
                    std::thread::sleep(Duration::from_secs(3));
                }
            }
        });
        let begin = tokio::time::Instant::now();
        let got = body_of(&client(None), &Method::GET, &server.url()).await;
        assert_eq!(got, Err(HttpError::TimedOut), "{name}");
        assert!(begin.elapsed() < LIMITS.total + Duration::from_millis(700), "{name}: {:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_redirect_is_its_status_and_nothing_else() {
    let sink = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    for (way, status, headers) in WAYS {
        let headers = headers.replace("{sink}", &sink.address.to_string()).replace("{self}", "127.0.0.1:1");
        let head =
            format!("HTTP/1.1 {status} R\r\n{headers}\r\nContent-Type: text/html\r\nRetry-After: 9\r\n");
        let server = Server::saying(format!("{head}Content-Length: 4\r\n\r\ngone"));
        for method in [Method::GET, Method::POST] {
            let reply = call(&client(None), &method, &server.url()).await.unwrap();
            assert_eq!(reply.status, *status, "{way}");
            let bare = (300..400).contains(status);
            assert_eq!(reply.content_type.is_none() && reply.retry_after.is_none(), bare, "{way}");
            assert_eq!(whole(reply).await.unwrap().is_empty(), bare, "{way}");
        }
        assert_eq!(server.connections(), 2, "{way}");
    }
    assert_eq!(sink.connections(), 0);
}

#[tokio::test]
async fn a_call_is_held_to_the_same_addresses_and_asks_for_no_coding() {
    let server = keeping();
    let settings = Settings { addresses: AddressRule::Public, extra_roots_pem: None };
    let public = HttpClient::build(&settings, address::system(), SHORT).unwrap();
    assert_eq!(
        call(&public, &Method::GET, "https://127.0.0.1/").await.err(),
        Some(HttpError::NotPublic),
        "one of this computer's own"
    );
    assert!(call(&public, &Method::GET, &server.url()).await.is_err(), "not without TLS either");
    let named = server.url().replace("//", "//user:pass@");
    assert_eq!(call(&client(None), &Method::GET, &named).await.err(), Some(HttpError::NoConnection));
    assert_eq!(server.connections(), 0);
    call(&client(None), &Method::POST, &server.url()).await.unwrap();
    let [text] = server.requests().try_into().unwrap();
    assert!(text.to_lowercase().contains("\r\naccept-encoding: identity\r\n"), "{text}");
    assert!(!text.to_lowercase().contains("cookie") && !text.to_lowercase().contains("referer"), "{text}");
}

#[tokio::test]
async fn the_head_is_told_as_it_is_for_every_other_request() {
    let server = Server::saying(
        "HTTP/1.1 429 Slow\r\nContent-Type: application/json\r\nRetry-After: 7\r\nSet-Cookie: a=b\r\n\
         Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nWWW-Authenticate: DPoP error=\"use_dpop_nonce\"\r\n\
         WWW-Authenticate: Bearer\r\nContent-Length: 2\r\n\r\n{}",
    );
    let reply = call(&client(None), &Method::GET, &server.url()).await.unwrap();
    assert_eq!(format!("{reply:?}"), "CallReply(429)");
    assert_eq!(reply.content_type.as_deref(), Some("application/json"));
    assert_eq!(reply.retry_after, Some(7));
    assert_eq!(reply.challenges, ["DPoP error=\"use_dpop_nonce\"", "Bearer"]);
    assert_eq!(reply.date, Some(Timestamp::from_millis(784_111_777_000)));
}

#[test]
fn the_limits_of_calls_are_the_designs() {
    assert_eq!((CALL_LIMITS.body, CALL_LIMITS.total), (8_388_608, Duration::from_secs(60)));
}
