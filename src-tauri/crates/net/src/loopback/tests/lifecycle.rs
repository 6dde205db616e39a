//! Open for one attempt, closed at once after it (R8252-07, LOOP-08, LOOP-10, LOOP-12, LOOP-16; attacks 8 and 10).

use std::net::SocketAddr;
use std::time::Duration;

use app::port::{Callback as _, CallbackPage, Listening as _};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::super::page;
use super::client::{
    PATH, SECOND, address, assert_genuine_passes, attempt, genuine, open, read, send, status, try_send,
    waiting,
};

/// Waits until nobody listens there any more.
pub(super) async fn assert_refused_within_a_second(address: SocketAddr) {
    let begin = Instant::now();
    // The kernel may lose a packet when other tests flood it, and sends it again after a second: that is no open port.
    while timeout(5 * SECOND, TcpStream::connect(address)).await.expect("accepted or refused").is_ok() {
        assert!(begin.elapsed() < SECOND, "the port is still open");
    }
}

#[tokio::test]
async fn what_browsers_ask_for_by_themselves_before_and_after_changes_nothing() {
    let (address, mut queries) = waiting().await;
    let strays = async || {
        for path in ["/favicon.ico", "/apple-touch-icon.png", "/robots.txt"] {
            let stray = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Mode: no-cors\r\n\r\n");
            assert_eq!(status(&send(address, stray.as_bytes()).await), 404, "{path}");
        }
    };
    strays().await;
    assert_genuine_passes(address, &mut queries).await;
    strays().await;
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

/// Attack 10: a reload, a prefetch, a scanner and the back button, all at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_duplicates_one_is_taken_and_the_others_get_the_constant_page_or_a_closed_port() {
    let mut listener = open().await;
    let address = address(&listener);
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let request = genuine(address, "code=C1&state=S");
            tokio::spawn(async move { try_send(address, request.as_bytes()).await.unwrap_or_default() })
        })
        .collect();
    let first = listener.next().await.unwrap();
    // As the attempt does it: the page, then the port is closed, and only then the exchange begins.
    first.answer(CallbackPage::Done).await;
    drop(listener);
    let mut done = 0;
    for client in clients {
        let answer = timeout(2 * SECOND, client).await.expect("nobody is left waiting").unwrap();
        done += usize::from(answer == page::answer(CallbackPage::Done));
        let allowed = [page::answer(CallbackPage::Done), page::answer(CallbackPage::NotOurs), Vec::new()];
        assert!(allowed.contains(&answer), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(done, 1, "one shot");
    assert_refused_within_a_second(address).await;
    assert!(try_send(address, genuine(address, "code=C1&state=S").as_bytes()).await.is_err());
}

/// LOOP-16: a refusal wakes the attempt as a success does.
#[tokio::test]
async fn an_error_answer_wakes_the_attempt_at_once() {
    let mut listener = open().await;
    let address = address(&listener);
    let query = "error=access_denied&error_description=no&state=S";
    let (begin, request) = (Instant::now(), genuine(address, query));
    let client = tokio::spawn(async move { send(address, request.as_bytes()).await });
    let callback = timeout(SECOND, listener.next()).await.expect("within a second").unwrap();
    assert_eq!(callback.query(), query);
    callback.answer(CallbackPage::NotConnected).await;
    drop(listener);
    assert_eq!(client.await.unwrap(), page::answer(CallbackPage::NotConnected));
    assert!(begin.elapsed() < SECOND, "{:?}", begin.elapsed());
    // What comes later to the old port is refused, as after a restart.
    assert_refused_within_a_second(address).await;
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
    assert_refused_within_a_second(address).await;
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

/// LOOP-12 at this level: whatever the connections are doing, the end of the attempt closes the port.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_closes_the_port_within_a_second_whatever_is_connected() {
    let listener = open().await;
    let address = address(&listener);
    let mut connected = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = match number % 4 {
            0 => String::new(),
            1 => "GET /call".to_owned(),
            2 => genuine(address, "wrong"),
            _ => format!("POST {PATH} HTTP/1.1\r\nHost: {address}\r\n\r\n"),
        };
        let _ = stream.write_all(head.as_bytes()).await;
        connected.push(stream);
    }
    let (cancel, cancelled) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let mut listener = listener;
        tokio::select! {
            _ = cancelled => {}
            () = async { while let Ok(callback) = listener.next().await {
                tokio::spawn(callback.answer(CallbackPage::NotOurs));
            } } => {}
        }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begin = Instant::now();
    cancel.send(()).unwrap();
    assert_refused_within_a_second(address).await;
    running.await.unwrap();
    for mut stream in connected {
        let rest = timeout(2 * SECOND, read(&mut stream)).await.expect("no connection stays open");
        assert!(rest.is_empty() || status(&rest) >= 400);
    }
    assert!(begin.elapsed() < 2 * SECOND, "{:?}", begin.elapsed());
}

/// A listener knows nothing of what an older one waited for: a callback for it is answered by nobody.
#[tokio::test]
async fn a_callback_for_an_old_attempt_meets_a_closed_port_or_another_path() {
    let old = open().await;
    let old_address = address(&old);
    drop(old);
    let (new_address, mut queries) = waiting().await;
    assert_ne!(old_address, new_address);
    assert!(try_send(old_address, genuine(old_address, "code=old").as_bytes()).await.is_err());
    // Its Host names the port it was meant for.
    assert_eq!(status(&send(new_address, genuine(old_address, "code=old").as_bytes()).await), 421);
    let other_bank = format!("GET /callback/other?code=old HTTP/1.1\r\nHost: {new_address}\r\n\r\n");
    assert_eq!(status(&send(new_address, other_bank.as_bytes()).await), 404);
    assert_genuine_passes(new_address, &mut queries).await;
}

/// A page is complete before the port closes (LOOP-10).
#[tokio::test]
async fn the_page_is_whole_although_the_port_closes_right_after_it() {
    for _ in 0..50 {
        let listener = open().await;
        let address = address(&listener);
        let mut queries = attempt(listener, CallbackPage::Done);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(genuine(address, "code=x").as_bytes()).await.unwrap();
        queries.recv().await.unwrap();
        // The attempt ends with its first callback.
        drop(queries);
        assert_eq!(read(&mut stream).await, page::answer(CallbackPage::Done));
    }
}
