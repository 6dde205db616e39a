//! The raw client: a socket and bytes, nothing that would repair or complete them.

use std::net::SocketAddr;
use std::time::Duration;

use app::port::{Callback as _, CallbackPage, Listening as _, Loopback as _};
use domain::provider::LoopbackPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::super::{OpenListener, SystemLoopback, page};

pub(super) const PATH: &str = "/callback/sandbox";
pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) async fn open() -> OpenListener {
    SystemLoopback.listen(PATH, LoopbackPort::Any).await.unwrap()
}

pub(super) fn address(listener: &OpenListener) -> SocketAddr {
    let uri = listener.redirect_uri();
    format!("{}:{}", uri.host_str().unwrap(), uri.port().unwrap()).parse().unwrap()
}

/// An attempt that writes down every query and answers with one page; for what starts with `wrong` it waits on.
pub(super) fn attempt(mut listener: OpenListener, page: CallbackPage) -> mpsc::UnboundedReceiver<String> {
    let (seen, queries) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(callback) = listener.next().await {
            let query = callback.query().to_owned();
            if query.starts_with("wrong") {
                tokio::spawn(callback.answer(CallbackPage::NotOurs));
                continue;
            }
            let _ = seen.send(query);
            callback.answer(page).await;
            if seen.is_closed() {
                return;
            }
        }
    });
    queries
}

/// A listener with an attempt that takes every callback.
pub(super) async fn waiting() -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = open().await;
    (address(&listener), attempt(listener, CallbackPage::Done))
}

/// Sends bytes and reads one answer by its length; empty if the connection ends without one.
pub(super) async fn send(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    try_send(address, bytes).await.unwrap()
}

pub(super) async fn try_send(address: SocketAddr, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let _ = stream.write_all(bytes).await;
    Ok(read(&mut stream).await)
}

pub(super) async fn read(stream: &mut TcpStream) -> Vec<u8> {
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

pub(super) fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    text.strip_prefix("HTTP/1.1 ").map_or(0, |rest| rest.split(' ').next().unwrap().parse().unwrap())
}

pub(super) fn genuine(address: SocketAddr, query: &str) -> String {
    format!("GET {PATH}?{query} HTTP/1.1\r\nHost: {address}\r\n\r\n")
}

pub(super) async fn assert_genuine_passes(
    address: SocketAddr,
    queries: &mut mpsc::UnboundedReceiver<String>,
) -> Duration {
    let begin = Instant::now();
    let answer = send(address, genuine(address, "code=good&state=s").as_bytes()).await;
    assert_eq!(answer, page::answer(CallbackPage::Done));
    let took = begin.elapsed();
    assert!(took < SECOND, "the genuine callback took {took:?}");
    assert_eq!(queries.try_recv().unwrap(), "code=good&state=s");
    assert!(queries.try_recv().is_err(), "something else reached the attempt");
    took
}

/// A stream of bytes that looks random and is the same each time.
pub(super) struct Noise(u64);

impl Noise {
    pub(super) fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}
