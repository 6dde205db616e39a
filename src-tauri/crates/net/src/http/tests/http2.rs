//! HTTP/2: the same rules as HTTP/1.1, and floods of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::Response;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::secure::{Authority, serve};
use super::*;

/// What an HTTP/2 server does with the first request of a connection.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Answer,
    Bomb,
    Endless,
    GoAway,
    Headers,
    Refuse,
    Reset,
    Silence,
    Wide,
}

async fn speak_http2(stream: TlsStream<TcpStream>, habit: Habit, requests: Arc<AtomicUsize>) {
    let Ok(mut connection) =
        h2::server::Builder::new().handshake::<_, std::io::Cursor<Vec<u8>>>(stream).await
    else {
        return;
    };
    while let Some(Ok((_request, mut respond))) = connection.accept().await {
        requests.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::builder().status(200).header("content-type", "application/json");
        match habit {
            Habit::Answer => {
                let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
                body.send_data(std::io::Cursor::new(b"{}".to_vec()), true).unwrap();
            }
            Habit::Bomb => {
                response = response.header("content-encoding", "gzip");
                let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
                let _ = body.send_data(std::io::Cursor::new(vec![0; 10]), true);
            }
            Habit::Endless => {
                let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
                tokio::spawn(async move {
                    while body.send_data(std::io::Cursor::new(vec![b'x'; 16384]), false).is_ok() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
            }
            Habit::GoAway => connection.abrupt_shutdown(h2::Reason::NO_ERROR),
            Habit::Headers => {
                for number in 0..200 {
                    response = response.header(format!("x-{number}"), "x".repeat(1000));
                }
                let _ = respond.send_response(response.body(()).unwrap(), true);
            }
            Habit::Refuse => respond.send_reset(h2::Reason::REFUSED_STREAM),
            Habit::Reset => respond.send_reset(h2::Reason::INTERNAL_ERROR),
            Habit::Silence => std::mem::forget(respond),
            Habit::Wide => {
                for number in 0..40 {
                    response = response.header(format!("x-{number}"), "x".repeat(1000));
                }
                let _ = respond.send_response(response.body(()).unwrap(), true);
            }
        }
    }
}

#[tokio::test]
async fn http2_has_the_same_rules_and_sends_once() {
    let authority = Authority::new(|_| {});
    for (habit, expected) in [
        (Habit::Answer, Ok(b"{}".to_vec())),
        (Habit::Bomb, Err(HttpError::NotWellFormed)),
        (Habit::Endless, Err(HttpError::TooLarge)),
        (Habit::GoAway, Err(HttpError::Closed)),
        (Habit::Headers, Err(HttpError::Closed)),
        (Habit::Refuse, Err(HttpError::Closed)),
        (Habit::Reset, Err(HttpError::Closed)),
        (Habit::Silence, Err(HttpError::TimedOut)),
        (Habit::Wide, Ok(Vec::new())),
    ] {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let script = move |stream| speak_http2(stream, habit, Arc::clone(&counter));
        let (address, shaken) = serve(authority.leaf(|_| {}), &["h2"], script).await;
        let got = post(&client(Some(authority.pem())), &format!("https://{address}/token")).await;
        assert_eq!(got.map(|reply| reply.body), expected, "{habit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let counts = (requests.load(Ordering::SeqCst), shaken.load(Ordering::SeqCst));
        assert_eq!(counts, (1, 1), "{habit:?}: one request on one connection");
    }
}

#[tokio::test]
async fn requests_share_no_connection() {
    let authority = Authority::new(|_| {});
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let script = move |stream| speak_http2(stream, Habit::Answer, Arc::clone(&counter));
    let (address, shaken) = serve(authority.leaf(|_| {}), &["h2"], script).await;
    let client = client(Some(authority.pem()));
    let url = format!("https://{address}/token");
    let (one, two, three) = tokio::join!(post(&client, &url), post(&client, &url), post(&client, &url));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(post(&client, &url).await.is_ok());
    assert_eq!((requests.load(Ordering::SeqCst), shaken.load(Ordering::SeqCst)), (4, 4));
}
