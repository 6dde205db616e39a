//! A raw client against the listener: what reaches the attempt, what does not, and what stays up meanwhile.

use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::Duration;

use base64::Engine as _;
use rustix::net::{AddressFamily, SocketType, sockopt};
use sha2::Digest as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::page::Refusal;
use super::*;

const PATH: &str = "/callback/sandbox";
const SECOND: Duration = Duration::from_secs(1);

async fn open() -> OpenListener {
    SystemLoopback.listen(PATH, LoopbackPort::Any).await.unwrap()
}

fn address(listener: &OpenListener) -> SocketAddr {
    let uri = listener.redirect_uri();
    format!("{}:{}", uri.host_str().unwrap(), uri.port().unwrap()).parse().unwrap()
}

/// An attempt that writes down every query and answers with one page.
fn attempt(mut listener: OpenListener, page: CallbackPage) -> mpsc::UnboundedReceiver<String> {
    let (seen, queries) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(callback) = listener.next().await {
            let _ = seen.send(callback.query().to_owned());
            callback.answer(page).await;
            if seen.is_closed() {
                return;
            }
        }
    });
    queries
}

/// Sends bytes and reads one answer by its length; empty if the connection ends without one.
async fn send(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    try_send(address, bytes).await.unwrap()
}

async fn try_send(address: SocketAddr, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let _ = stream.write_all(bytes).await;
    Ok(read(&mut stream).await)
}

async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match timeout(10 * SECOND, stream.read(&mut chunk)).await.expect("the listener answers or closes") {
            Ok(0) | Err(_) => return answer,
            Ok(len) => answer.extend_from_slice(&chunk[..len]),
        }
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
            if body.len() >= length.parse().unwrap() {
                return answer;
            }
        }
    }
}

fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    text.strip_prefix("HTTP/1.1 ").map_or(0, |rest| rest.split(' ').next().unwrap().parse().unwrap())
}

fn genuine(address: SocketAddr, query: &str) -> String {
    format!("GET {PATH}?{query} HTTP/1.1\r\nHost: {address}\r\n\r\n")
}

async fn assert_genuine_passes(address: SocketAddr, queries: &mut mpsc::UnboundedReceiver<String>) {
    let begin = Instant::now();
    let answer = send(address, genuine(address, "code=good&state=s").as_bytes()).await;
    assert_eq!(answer, page::answer(CallbackPage::Done));
    assert!(begin.elapsed() < SECOND, "the genuine callback took {:?}", begin.elapsed());
    assert_eq!(queries.try_recv().unwrap(), "code=good&state=s");
    assert!(queries.try_recv().is_err(), "something else reached the attempt");
}

/// `@` stands for the listener's own address and port, `~` for the callback path.
const REFUSED: &[(&str, u16)] = &[
    // LOOP-01: GET alone.
    ("POST ~?code=x HTTP/1.1\r\nHost: @\r\nContent-Length: 13\r\n\r\nuser=u&pass=p", 405),
    ("POST ~?code=x HTTP/1.1\r\nHost: @\r\nTransfer-Encoding: chunked\r\n\r\n", 405),
    ("PUT ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("HEAD ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("OPTIONS ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("OPTIONS ~ HTTP/1.1\r\nHost: @\r\nAccess-Control-Request-Private-Network: true\r\n\r\n", 405),
    ("OPTIONS * HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("TRACE ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("DELETE ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("CONNECT @ HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("get ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    ("GETX ~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 405),
    // LOOP-02: the path, byte for byte.
    ("GET ~/?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /CALLBACK/sandbox?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /callback/%73andbox?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /x/..~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /callback//sandbox?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /callback/./sandbox?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /callback/sandbox2?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /callback/other?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET ~;a=b?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET ~#?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET ~%3Fcode=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET ~\\?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /exit HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    // LOOP-03: what browsers ask for by themselves.
    ("GET /favicon.ico HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n\r\n", 404),
    ("GET /apple-touch-icon.png HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /robots.txt HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    ("GET /.well-known/appspecific/com.chrome.devtools.json HTTP/1.1\r\nHost: @\r\n\r\n", 404),
    // LOOP-06: one Host, the bound address.
    ("GET ~?code=x HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: evil.test@@\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: @.evil.test\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: @, evil.test\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: user@@\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: 0@\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost: 2130706433\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\nHost:\r\n\r\n", 421),
    ("GET ~?code=x HTTP/1.1\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.0\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nHost: @\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nhOST: evil.test\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.1\r\nHost : @\r\n\r\n", 400),
    ("GET http://@~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET http://evil.test~?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET callback/sandbox?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET * HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET ?code=x HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    // LOOP-07: a person's navigation, nothing a page makes by itself.
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nOrigin: https://evil.test\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nOrigin: null\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nOrigin: http://@\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nOrigin:\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: cors\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: no-cors\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: same-origin\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: websocket\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Mode: cors\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: Navigate\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Dest: image\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Dest: script\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Dest: object\r\n\r\n", 403),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nSec-Fetch-Dest: empty\r\n\r\n", 403),
    // Not HTTP/1 at all.
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("GET ~?code=x HTTP/2.0\r\nHost: @\r\n\r\n", 400),
    ("GET ~?code=x\r\n\r\n", 400),
    ("\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03\r\n\r\n", 400),
    ("GET ~?code=\0 HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\0\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\nX\0: y\r\n\r\n", 400),
    ("GET ~?code=é HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET ~?code=a b HTTP/1.1\r\nHost: @\r\n\r\n", 400),
    ("GET ~?code=x HTTP/1.1\r\nHost: @\r\n folded: y\r\n\r\n", 400),
    ("\x01\x03\x03\x07\r\n\r\n", 400),
    ("{\"jsonrpc\":\"2.0\"}\r\n\r\n", 400),
];

fn filled(request: &str, address: SocketAddr) -> String {
    // `@@` is a real at sign before the address.
    request
        .replace("@@", "\u{1}@")
        .replace('@', &address.to_string())
        .replace('\u{1}', "@")
        .replace('~', PATH)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_not_the_callback_is_refused_and_the_wait_goes_on() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    for (request, expected) in REFUSED {
        let answer = send(address, filled(request, address).as_bytes()).await;
        assert_eq!(status(&answer), *expected, "{request:?}");
        let text = String::from_utf8(answer).unwrap();
        for header in ["Access-Control-", "Set-Cookie", "Location", "Server", "Date"] {
            assert!(!text.contains(header), "{header} in the answer to {request:?}");
        }
        assert!(queries.try_recv().is_err(), "{request:?} reached the attempt");
    }
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test]
async fn what_browsers_send_reaches_the_attempt() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let code = "c".repeat(4096);
    let browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36\r\n\
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
        Accept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\n\
        Upgrade-Insecure-Requests: 1\r\nReferer: https://bank.example/\r\nCookie: a=b\r\n\
        sec-ch-ua: \"Chromium\";v=\"140\"\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-User: ?1\r\n\
        Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    for (query, headers) in [
        ("code=x&state=y", ""),
        ("code=x&state=y", browser),
        (&format!("code={code}&state=y"), browser),
        ("error=access_denied&error_description=no%0d%0aSet-Cookie:x=1", browser),
        ("", ""),
        ("a?b?c=/callback/sandbox", ""),
        ("code=x#fragment", ""),
        ("'\"<>%zz&&==;", "Accept: */*\r\n"),
        ("code=x", "Purpose: prefetch\r\n"),
    ] {
        let request = format!("GET {PATH}?{query} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        assert_eq!(status(&send(address, request.as_bytes()).await), 200, "{query}");
        assert_eq!(queries.try_recv().unwrap(), query);
    }
    // No question mark at all, an older HTTP and bare line feeds.
    for request in [
        format!("GET {PATH} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        format!("GET {PATH} HTTP/1.0\r\nHost: {address}\r\n\r\n"),
        format!("GET {PATH} HTTP/1.1\nhost: {address}\n\n"),
    ] {
        assert_eq!(status(&send(address, request.as_bytes()).await), 200, "{request}");
        assert_eq!(queries.try_recv().unwrap(), "");
    }
}

#[tokio::test]
async fn the_redirect_uri_is_the_socket_and_names_the_address() {
    let mut ports = std::collections::HashSet::new();
    for _ in 0..50 {
        let listener = open().await;
        let uri = listener.redirect_uri().clone();
        assert_eq!(uri.as_str(), format!("http://127.0.0.1:{}{PATH}", uri.port().unwrap()));
        ports.insert(uri.port().unwrap());
    }
    assert!(ports.len() > 1, "the system chooses");
    for path in ["", "callback", "/a?b", "/a#b", "/a/../b", "/a b", "/a%62", "/é", "/./a"] {
        assert_eq!(
            SystemLoopback.listen(path, LoopbackPort::Any).await.err(),
            Some(ListenError::Failed),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_answers_are_golden_bytes() {
    for (answer, golden) in [
        (page::answer(CallbackPage::Done), &include_bytes!("golden/done.http")[..]),
        (page::answer(CallbackPage::NotConnected), include_bytes!("golden/not_connected.http")),
        (page::answer(CallbackPage::NotOurs), include_bytes!("golden/not_ours.http")),
        (page::refuse(Refusal::BadRequest), include_bytes!("golden/not_ours.http")),
        (page::refuse(Refusal::Method), include_bytes!("golden/method.http")),
    ] {
        assert_eq!(String::from_utf8_lossy(&answer), String::from_utf8_lossy(golden));
    }
    for (refusal, expected) in [
        (Refusal::CrossSite, 403),
        (Refusal::HeadTooLarge, 431),
        (Refusal::Misdirected, 421),
        (Refusal::NotFound, 404),
        (Refusal::UriTooLong, 414),
    ] {
        let answer = String::from_utf8(page::refuse(refusal)).unwrap();
        let golden = include_str!("golden/not_ours.http");
        assert_eq!(status(answer.as_bytes()), expected);
        let after_status = |text: &str| text.split_once("\r\n").unwrap().1.to_owned();
        assert_eq!(after_status(&answer), after_status(golden));
    }
}

#[test]
fn the_style_is_the_one_that_the_policy_names() {
    let golden = include_str!("golden/done.http");
    let style = golden.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert!(golden.contains(&format!("style-src 'sha256-{hash}'")), "{hash}");
    for sub_resource in
        ["http:", "https:", "src=", "href", "url(", "@import", "<script", "<link", "<img", "<form"]
    {
        assert!(!golden.split_once("\r\n\r\n").unwrap().1.contains(sub_resource), "{sub_resource}");
    }
}

#[tokio::test]
async fn nothing_of_the_request_is_in_the_answer() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::NotConnected);
    let hostile = [
        "<script>alert(1)</script>",
        "\"onload=alert(1)//",
        "</title><svg/onload=x>",
        "%0d%0aSet-Cookie:x=1",
        "{{7*7}}",
    ];
    for number in 0..500 {
        let payload = hostile[number % hostile.len()].replace(' ', "+");
        let name = ["code", "state", "error", "error_description", "error_uri", "iss", "x"][number % 7];
        let answer =
            send(address, genuine(address, &format!("n={number}&{name}={payload}")).as_bytes()).await;
        assert_eq!(answer, include_bytes!("golden/not_connected.http"), "{number}");
        assert!(queries.try_recv().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_control_over_the_port() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    for first in 0..1000_u64 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let junk: Vec<u8> = (0..1 + first % 64)
            .map(|_| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                random.to_le_bytes()[0]
            })
            .collect();
        let _ = stream.write_all(&junk).await;
    }
    let _ = send(address, b"\x01\x03\x03\x07\n\n").await;
    let _ = send(address, filled("GET /exit HTTP/1.1\r\nHost: @\r\nFull-Url: x\r\n\r\n", address).as_bytes())
        .await;
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test]
async fn the_port_cannot_be_shared() {
    let listener = bind::bind(LoopbackPort::Any).unwrap();
    assert!(!sockopt::socket_reuseaddr(listener.as_fd()).unwrap());
    assert!(!sockopt::socket_reuseport(listener.as_fd()).unwrap());
    let address = listener.local_addr().unwrap();
    let any: SocketAddr = format!("0.0.0.0:{}", address.port()).parse().unwrap();
    for (reuse_address, reuse_port) in [(false, false), (true, false), (false, true), (true, true)] {
        for target in [address, any] {
            let other = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
            sockopt::set_socket_reuseaddr(&other, reuse_address).unwrap();
            sockopt::set_socket_reuseport(&other, reuse_port).unwrap();
            assert!(rustix::net::bind(&other, &target).is_err(), "{target} {reuse_address} {reuse_port}");
        }
    }
    assert!(address.ip().is_loopback());
}

#[tokio::test]
async fn a_fixed_port_is_used_or_refused_and_free_again_at_once() {
    let probe = bind::bind(LoopbackPort::Any).unwrap();
    let port = probe.local_addr().unwrap().port();
    assert_eq!(
        SystemLoopback.listen(PATH, LoopbackPort::Fixed(port)).await.err(),
        Some(ListenError::PortTaken)
    );
    drop(probe);
    assert_eq!(SystemLoopback.listen(PATH, LoopbackPort::Fixed(0)).await.err(), Some(ListenError::PortTaken));
    for round in 0..3 {
        let mut listener = SystemLoopback
            .listen(PATH, LoopbackPort::Fixed(port))
            .await
            .unwrap_or_else(|err| panic!("round {round}: {err}"));
        let address = address(&listener);
        assert_eq!(address.port(), port);
        let idle = TcpStream::connect(address).await.unwrap();
        let client = tokio::spawn(async move { send(address, genuine(address, "code=x").as_bytes()).await });
        listener.next().await.unwrap().answer(CallbackPage::Done).await;
        drop(listener);
        assert_eq!(status(&client.await.unwrap()), 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(idle);
    }
}

#[tokio::test]
async fn the_other_loopback_address_works_the_same() {
    let v6 = bind::at(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0)).expect("this computer has ::1");
    let port = v6.local_addr().unwrap().port();
    let mut listener = OpenListener::new(v6, PATH).unwrap();
    assert_eq!(listener.redirect_uri().as_str(), format!("http://[::1]:{port}{PATH}"));
    let address: SocketAddr = format!("[::1]:{port}").parse().unwrap();
    let wrong = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: ::1:{port}\r\n\r\n");
    assert_eq!(status(&send(address, wrong.as_bytes()).await), 421);
    let client = tokio::spawn(async move { send(address, genuine(address, "code=x").as_bytes()).await });
    listener.next().await.unwrap().answer(CallbackPage::Done).await;
    assert_eq!(status(&client.await.unwrap()), 200);
}

#[tokio::test]
async fn idle_and_broken_connections_do_not_keep_the_callback_out() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    idle.pop().unwrap().set_zero_linger().unwrap();
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_connections_that_say_nothing_or_little_cost_less_than_a_second() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let mut idle = Vec::new();
    for number in 0..500 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        if number % 2 == 0 {
            let _ = stream.write_all(b"GET /call").await;
        }
        idle.push(stream);
    }
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_callbacks_at_once_are_all_answered() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let clients: Vec<_> = (0..500)
        .map(|n| {
            tokio::spawn(async move {
                let request = genuine(address, &format!("code={n}"));
                // A client of this crowd may be too slow to speak up in time; it was not heard, so it asks again.
                loop {
                    match status(&try_send(address, request.as_bytes()).await.unwrap_or_default()) {
                        0 => tokio::time::sleep(Duration::from_millis(10)).await,
                        status => return status,
                    }
                }
            })
        })
        .collect();
    for client in clients {
        assert_eq!(client.await.unwrap(), 200);
    }
    let mut seen: Vec<String> = std::iter::from_fn(|| queries.try_recv().ok()).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 500, "each reached the attempt once");
}

#[tokio::test]
async fn more_than_thirty_two_are_never_served_at_once() {
    let mut listener = open().await;
    let address = address(&listener);
    let mut clients = Vec::new();
    for number in 0..60 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(genuine(address, &format!("n={number}")).as_bytes()).await.unwrap();
        clients.push(stream);
    }
    let mut waiting = Vec::new();
    while let Ok(Ok(callback)) = timeout(Duration::from_millis(300), listener.next()).await {
        waiting.push(callback);
    }
    assert_eq!(waiting.len(), 32);
    drop(waiting.pop());
    assert!(timeout(SECOND, listener.next()).await.is_ok(), "a place that is free is given on");
}

#[tokio::test]
async fn headers_that_do_not_come_are_not_waited_for() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let begin = Instant::now();
    let request = genuine(address, "code=slow");
    let closed = async {
        for byte in request.as_bytes() {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(Duration::from_secs(8), closed).await.expect("the connection is closed");
    assert!(begin.elapsed() > Duration::from_secs(4), "{:?}", begin.elapsed());
    assert!(queries.try_recv().is_err());
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test]
async fn heads_are_bounded() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let line = format!("GET {PATH}?code={} HTTP/1.1\r\nHost: {address}\r\n\r\n", "x".repeat(64 * 1024));
    assert_eq!(status(&send(address, line.as_bytes()).await), 414);
    assert_eq!(status(&send(address, &[b'x'; 100_000]).await), 414);
    let header =
        format!("GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    assert_eq!(status(&send(address, header.as_bytes()).await), 431);
    let many = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\n{}\r\n", "a: b\r\n".repeat(200));
    assert_eq!(status(&send(address, many.as_bytes()).await), 431);
    assert!(queries.try_recv().is_err());
    // The very limit.
    for (len, expected) in [(head::MAX_HEAD, 200), (head::MAX_HEAD + 1, 431)] {
        let frame = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nX: \r\n\r\n").len();
        let exact = format!(
            "GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nX: {}\r\n\r\n",
            "x".repeat(len - frame)
        );
        assert_eq!(status(&send(address, exact.as_bytes()).await), expected, "{len}");
    }
    assert_eq!(queries.try_recv().unwrap(), "code=x");
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test]
async fn a_second_request_on_the_connection_is_ignored() {
    let listener = open().await;
    let address = address(&listener);
    let mut queries = attempt(listener, CallbackPage::Done);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let both = genuine(address, "code=one") + &genuine(address, "code=two");
    stream.write_all(both.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await, page::answer(CallbackPage::Done));
    let _ = stream.write_all(genuine(address, "code=three").as_bytes()).await;
    assert_eq!(read(&mut stream).await, b"", "one answer, then the end");
    assert_eq!(queries.try_recv().unwrap(), "code=one");
    assert!(queries.try_recv().is_err());
}

#[tokio::test]
async fn twins_both_reach_the_attempt_which_decides() {
    let mut listener = open().await;
    let address = address(&listener);
    let clients: Vec<_> = (0..2)
        .map(|_| {
            tokio::spawn(async move { send(address, genuine(address, "code=x&state=y").as_bytes()).await })
        })
        .collect();
    let (first, second) = (listener.next().await.unwrap(), listener.next().await.unwrap());
    assert_eq!((first.query(), second.query()), ("code=x&state=y", "code=x&state=y"));
    first.answer(CallbackPage::Done).await;
    second.answer(CallbackPage::NotOurs).await;
    let mut statuses = Vec::new();
    for client in clients {
        statuses.push(status(&client.await.unwrap()));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn an_attempt_that_says_nothing_waits_for_nothing() {
    let mut listener = open().await;
    let address = address(&listener);
    let client = tokio::spawn(async move { send(address, genuine(address, "code=x").as_bytes()).await });
    drop(listener.next().await.unwrap());
    assert_eq!(client.await.unwrap(), page::answer(CallbackPage::NotOurs));
    // A browser that has gone away does not hold the attempt up.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(genuine(address, "code=x").as_bytes()).await.unwrap();
    let callback = listener.next().await.unwrap();
    stream.set_zero_linger().unwrap();
    drop(stream);
    timeout(2 * SECOND, callback.answer(CallbackPage::Done)).await.unwrap();
}

#[tokio::test]
async fn a_dropped_listener_is_closed_at_once_and_its_last_page_still_written() {
    let mut listener = open().await;
    let address = address(&listener);
    let mut idle = TcpStream::connect(address).await.unwrap();
    let client = tokio::spawn(async move { send(address, genuine(address, "code=x").as_bytes()).await });
    let callback = listener.next().await.unwrap();
    drop(listener);
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(SECOND, refused).await.expect("the port is closed within a second");
    assert_eq!(timeout(SECOND, read(&mut idle)).await.unwrap(), b"", "idle connections go with it");
    tokio::time::sleep(Duration::from_millis(200)).await;
    callback.answer(CallbackPage::Done).await;
    assert_eq!(client.await.unwrap(), page::answer(CallbackPage::Done));
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_no_callback() {
    let mut listener = open().await;
    let address = address(&listener);
    let client = tokio::spawn(async move { send(address, genuine(address, "code=x").as_bytes()).await });
    for _ in 0..50 {
        if let Ok(callback) = timeout(Duration::from_millis(1), listener.next()).await {
            callback.unwrap().answer(CallbackPage::Done).await;
            break;
        }
    }
    assert_eq!(status(&client.await.unwrap()), 200);
}
