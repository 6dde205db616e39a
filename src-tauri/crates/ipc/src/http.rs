//! Asks over a local socket: HTTP/2 with prior knowledge on the private channel, one HTTP/1.1 request on the public
//! socket. What a message means is for the caller.

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use thiserror::Error;
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::dial::{self, DialError};

/// The most an answer, or one line of a streamed one, may hold.
pub const MAX_BODY: usize = 1024 * 1024;
/// How long one request on the private channel may take. Some wait for the person, at the keychain's own prompt.
pub const CALL_LIMIT: Duration = Duration::from_secs(120);
/// How long one request on the public socket may take, dialling included.
pub const ONCE_LIMIT: Duration = Duration::from_secs(5);

/// The authority of URLs on the private channel, where there is nobody else to tell apart.
const CHANNEL: &str = "channel.countersign.localhost";

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// Nobody to ask.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The other side closed the connection.
    #[error("the other side has closed the connection")]
    Gone,
    /// What came is not HTTP, or not whole.
    #[error("the answer is not well-formed")]
    Malformed,
    /// The path or the authority cannot stand in a request.
    #[error("the request cannot be written")]
    Request,
    /// A stream was asked for and refused.
    #[error("the stream was refused with status {0}")]
    Refused(StatusCode),
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// More than [`MAX_BODY`].
    #[error("the answer is longer than {MAX_BODY} bytes")]
    TooLong,
}

/// The asking end of a private channel. Clones share the connection, which lives as long as the last of them.
#[derive(Clone, Debug)]
pub struct Http2Client {
    sender: http2::SendRequest<Full<Bytes>>,
}

impl Http2Client {
    /// Starts HTTP/2 on a connected stream; the connection runs in a task of its own.
    ///
    /// # Errors
    /// The other side is gone already.
    pub async fn connect(stream: UnixStream) -> Result<Self, CallError> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| fault(&error))?;
        // How it ends is told by the requests on it.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(Self { sender })
    }

    /// Posts JSON and reads the whole answer, whatever its status, within [`CALL_LIMIT`].
    ///
    /// # Errors
    /// No answer, or none that can be used.
    pub async fn post_json(&self, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes), CallError> {
        self.post_json_within(CALL_LIMIT, path, body).await
    }

    /// As [`Self::post_json`], with a time limit of the caller's.
    ///
    /// # Errors
    /// No answer, or none that can be used.
    pub async fn post_json_within(
        &self,
        limit: Duration,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), CallError> {
        let request = post(&format!("http://{CHANNEL}{path}"), body)?;
        timeout(limit, async {
            let answer = self.sender.clone().send_request(request).await.map_err(|error| fault(&error))?;
            let status = answer.status();
            Ok((status, collect(answer.into_body()).await?))
        })
        .await
        .map_err(|_| CallError::TimedOut)?
    }

    /// Opens a streamed answer and reads it line by line, without a time limit.
    ///
    /// # Errors
    /// No answer within [`CALL_LIMIT`], or one with a status other than 200.
    pub async fn stream(&self, path: &str) -> Result<Lines, CallError> {
        let request = Request::get(format!("http://{CHANNEL}{path}"))
            .body(Full::new(Bytes::new()))
            .map_err(|_| CallError::Request)?;
        let mut sender = self.sender.clone();
        let answer = timeout(CALL_LIMIT, sender.send_request(request))
            .await
            .map_err(|_| CallError::TimedOut)?
            .map_err(|error| fault(&error))?;
        if answer.status() == StatusCode::OK {
            Ok(Lines::of(answer.into_body()))
        } else {
            Err(CallError::Refused(answer.status()))
        }
    }

    /// Whether the other side is known to have closed the connection.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// A streamed answer, line by line.
#[derive(Debug)]
pub struct Lines<B = Incoming> {
    body: B,
    /// What came and was not handed out.
    rest: Vec<u8>,
    /// How much of it is known to hold no end of line.
    searched: usize,
}

impl<B> Lines<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: StdError + 'static,
{
    fn of(body: B) -> Self {
        Self { body, rest: Vec::new(), searched: 0 }
    }

    /// Waits for the next line that is not empty, without its end. `None` is an orderly end at the end of a line.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    ///
    /// # Errors
    /// The other side is gone, or sent more than [`MAX_BODY`] without an end of line; the stream is over then.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        loop {
            while let Some(line) = self.take_line() {
                if !line.is_empty() {
                    return Ok(Some(line));
                }
            }
            if self.rest.len() > MAX_BODY {
                return Err(CallError::TooLong);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.rest.extend_from_slice(frame.data_ref().map_or(&[], |data| &**data)),
                Some(Err(error)) => return Err(fault(&error)),
                None if self.rest.is_empty() => return Ok(None),
                None => return Err(CallError::Malformed),
            }
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let found = self.rest.iter().skip(self.searched).position(|byte| *byte == b'\n');
        let Some(end) = found.map(|ahead| self.searched + ahead) else {
            self.searched = self.rest.len();
            return None;
        };
        let after = self.rest.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.rest, after);
        line.truncate(end);
        self.searched = 0;
        Some(line)
    }
}

/// Dials the public socket, posts JSON once and reads the whole answer, all within [`ONCE_LIMIT`].
///
/// # Errors
/// Nobody (or another user) listens, or there is no usable answer.
pub async fn post_once(
    socket: &Path,
    authority: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<(u16, Vec<u8>), CallError> {
    post_once_within(ONCE_LIMIT, socket, authority, path, body).await
}

/// As [`post_once`], with a time limit of the caller's.
///
/// # Errors
/// Nobody (or another user) listens, or there is no usable answer.
pub async fn post_once_within(
    limit: Duration,
    socket: &Path,
    authority: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<(u16, Vec<u8>), CallError> {
    let mut request = post(path, body)?;
    request.headers_mut().insert(HOST, authority.parse().map_err(|_| CallError::Request)?);
    timeout(limit, async {
        let stream = TokioIo::new(dial::dial(socket).await?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(|error| fault(&error))?;
        let asked = async {
            let answer = sender.send_request(request).await.map_err(|error| fault(&error))?;
            let status = answer.status().as_u16();
            Ok((status, collect(answer.into_body()).await?.to_vec()))
        };
        // The connection only drives the request: when it ends first, the request knows better why.
        tokio::pin!(asked);
        tokio::select! {
            done = &mut asked => done,
            _ = connection => asked.await,
        }
    })
    .await
    .map_err(|_| CallError::TimedOut)?
}

fn post(uri: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, CallError> {
    Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| CallError::Request)
}

async fn collect(body: Incoming) -> Result<Bytes, CallError> {
    let whole = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|error| if error.is::<LengthLimitError>() { CallError::TooLong } else { fault(&*error) })?;
    Ok(whole.to_bytes())
}

fn fault(error: &(dyn StdError + 'static)) -> CallError {
    let parse = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse);
    if parse { CallError::Malformed } else { CallError::Gone }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::Response;
    use http_body_util::{Either, StreamBody};
    use hyper::body::Frame;
    use hyper::service::service_fn;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::listen::Listener;

    type Chunks = StreamBody<tokio_stream::wrappers::ReceiverStream<Result<Frame<Bytes>, Infallible>>>;

    /// A small host: `/echo`, `/big`, `/slow`, and `/events`, which streams what is sent to it.
    async fn host(stream: UnixStream, events: tokio::sync::mpsc::Receiver<Result<Frame<Bytes>, Infallible>>) {
        let events = std::sync::Arc::new(std::sync::Mutex::new(Some(events)));
        let service = service_fn(move |request: Request<Incoming>| {
            let events = events.clone();
            async move {
                let full = |bytes: Vec<u8>| Either::Left(Full::new(Bytes::from(bytes)));
                let body: Either<Full<Bytes>, Chunks> = match request.uri().path() {
                    "/echo" => full(request.into_body().collect().await.unwrap().to_bytes().to_vec()),
                    "/big" => full(vec![b'x'; MAX_BODY + 1]),
                    "/slow" => std::future::pending().await,
                    "/events" => {
                        let receiver = events.lock().unwrap().take().unwrap();
                        Either::Right(StreamBody::new(tokio_stream::wrappers::ReceiverStream::new(receiver)))
                    }
                    _ => {
                        let mut refused = Response::new(full(b"no".to_vec()));
                        *refused.status_mut() = StatusCode::NOT_FOUND;
                        return Ok(refused);
                    }
                };
                Ok::<_, Infallible>(Response::new(body))
            }
        });
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    struct Running {
        client: Http2Client,
        events: tokio::sync::mpsc::Sender<Result<Frame<Bytes>, Infallible>>,
        host: tokio::task::JoinHandle<()>,
    }

    async fn running() -> Running {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (events, receiver) = tokio::sync::mpsc::channel(8);
        let host = tokio::spawn(host(ours, receiver));
        Running { client: Http2Client::connect(theirs).await.unwrap(), events, host }
    }

    impl Running {
        async fn says(&self, text: &'static str) {
            self.events.send(Ok(Frame::data(Bytes::from_static(text.as_bytes())))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn requests_and_a_stream_share_the_channel() {
        let running = running().await;
        let mut lines = running.client.stream("/events").await.unwrap();
        let (one, two) = tokio::join!(
            running.client.post_json("/echo", b"1".to_vec()),
            running.client.post_json("/echo", vec![b'2'; MAX_BODY]),
        );
        assert_eq!(one.unwrap(), (StatusCode::OK, Bytes::from_static(b"1")));
        assert_eq!(two.unwrap().1.len(), MAX_BODY);
        running.says("fir").await;
        running.says("st\nsecond\n\nthi").await;
        running.says("rd\n").await;
        for expected in ["first", "second", "third"] {
            assert_eq!(lines.next().await.unwrap().unwrap(), expected.as_bytes());
        }
    }

    #[tokio::test]
    async fn an_orderly_end_differs_from_a_host_that_is_gone() {
        let running = running().await;
        let mut lines = running.client.stream("/events").await.unwrap();
        drop(running.events);
        assert_eq!(lines.next().await.unwrap(), None);
        running.host.abort();
        let _ = running.host.await;
        assert!(matches!(running.client.post_json("/echo", vec![]).await, Err(CallError::Gone)));

        let running = self::running().await;
        let mut lines = running.client.stream("/events").await.unwrap();
        running.says("half a li").await;
        running.host.abort();
        assert!(matches!(lines.next().await, Err(CallError::Gone)));
    }

    #[tokio::test]
    async fn refusals_limits_and_silence_are_told_apart() {
        let Running { client, events, .. } = running().await;
        let (status, body) = client.post_json("/nowhere", vec![]).await.unwrap();
        assert_eq!((status, &*body), (StatusCode::NOT_FOUND, &b"no"[..]));
        assert!(matches!(client.stream("/nowhere").await, Err(CallError::Refused(StatusCode::NOT_FOUND))));
        assert!(matches!(client.post_json("/big", vec![]).await, Err(CallError::TooLong)));
        assert!(matches!(client.post_json("/a b", vec![]).await, Err(CallError::Request)));
        let slow = client.post_json_within(Duration::from_millis(20), "/slow", vec![]).await;
        assert!(matches!(slow, Err(CallError::TimedOut)));
        let mut lines = client.stream("/events").await.unwrap();
        let long = Bytes::from(vec![b'x'; MAX_BODY + 1]);
        events.send(Ok(Frame::data(long))).await.unwrap();
        assert!(matches!(lines.next().await, Err(CallError::TooLong)));
    }

    #[tokio::test]
    async fn a_line_that_is_cut_off_is_not_handed_out() {
        let chunks = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"whole\nha")))];
        let mut lines = Lines::of(StreamBody::new(tokio_stream::iter(chunks)));
        assert_eq!(lines.next().await.unwrap().unwrap(), b"whole");
        assert!(matches!(lines.next().await, Err(CallError::Malformed)));
    }

    async fn once(answer: &'static [u8]) -> (Result<(u16, Vec<u8>), CallError>, String) {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("countersign/0123456789abcdef/broker.sock");
        let listener = Listener::bind(&path).unwrap();
        let asked = async {
            post_once(&path, "0123456789abcdef.countersign.localhost", "/show", b"{}".to_vec()).await
        };
        let answered = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"{}") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            stream.write_all(answer).await.unwrap();
            String::from_utf8(request).unwrap()
        };
        tokio::join!(asked, answered)
    }

    #[tokio::test]
    async fn one_request_on_the_public_socket() {
        let (answer, request) = once(b"HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\n\r\nokay").await;
        assert_eq!(answer.unwrap(), (202, b"okay".to_vec()));
        assert!(request.starts_with("POST /show HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("host: 0123456789abcdef.countersign.localhost\r\n"), "{request}");
        let (cut_off, _) = once(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nokay").await;
        assert!(matches!(cut_off, Err(CallError::Gone)), "{cut_off:?}");
        let (not_http, _) = once(b"SSH-2.0-whatever\r\n\r\n").await;
        assert!(matches!(not_http, Err(CallError::Malformed)), "{not_http:?}");
        let nobody = post_once(Path::new("/nonexistent/broker.sock"), "a", "/show", vec![]).await;
        assert!(matches!(nobody, Err(CallError::Dial(DialError::Nobody))));
    }
}
