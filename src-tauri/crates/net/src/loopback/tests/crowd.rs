//! Many connections, silent, slow, broken or busy: none keeps the genuine callback out (LOOP-04, LOOP-05, attack 9).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use app::port::{Callback as _, CallbackPage, Listening as _};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::{Instant, timeout};

use super::super::accept::{PLACES, Place};
use super::super::connection::Connection;
use super::super::head::Rules;
use super::super::pace::Pace;
use super::super::page;
use super::client::{
    PATH, SECOND, address, assert_genuine_passes, genuine, open, read, send, status, try_send, waiting,
};

#[tokio::test]
async fn idle_and_broken_connections_do_not_keep_the_callback_out() {
    let (address, mut queries) = waiting().await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    idle.pop().unwrap().set_zero_linger().unwrap();
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_connections_that_say_nothing_or_little_cost_less_than_a_second() {
    let (address, mut queries) = waiting().await;
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

/// The genuine callback among thousands that are silent: a connection that had not spoken in time is made again, as
/// browsers do, and all of it takes less than a second.
async fn assert_genuine_gets_through(
    address: SocketAddr,
    queries: &mut UnboundedReceiver<String>,
) -> Duration {
    let begin = Instant::now();
    let answer = loop {
        let answer = try_send(address, genuine(address, "code=good").as_bytes()).await.unwrap_or_default();
        let took = begin.elapsed();
        assert!(took < SECOND, "the genuine callback took {took:?}");
        if !answer.is_empty() {
            break answer;
        }
    };
    assert_eq!(answer, page::answer(CallbackPage::Done));
    assert_eq!(queries.try_recv().unwrap(), "code=good");
    assert!(queries.try_recv().is_err(), "something else reached the attempt");
    begin.elapsed()
}

/// The ten thousand of attack 9, four thousand a second: few are held open here, so that any machine's limit of open
/// files is enough; the listener meets each of them all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callback_passes_while_ten_thousand_connections_come_and_stay() {
    let (address, mut queries) = waiting().await;
    let clients: Vec<_> = (0..4)
        .map(|client| {
            tokio::task::spawn_blocking(move || {
                let (begin, mut open) = (Instant::now(), std::collections::VecDeque::new());
                for number in 0..2500 {
                    let due = begin + number * Duration::from_millis(1);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let stream = std::net::TcpStream::connect(address);
                    let Ok(mut stream) = stream else { continue };
                    match (number + client) % 4 {
                        0 => {}
                        1 => drop(std::io::Write::write_all(&mut stream, b"GET /call")),
                        2 => drop(std::io::Write::write_all(
                            &mut stream,
                            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
                        )),
                        _ => {
                            drop(std::io::Write::write_all(&mut stream, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
                        }
                    }
                    open.push_back(stream);
                    if open.len() > 100 {
                        open.pop_front();
                    }
                }
                open.len()
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    let mut passed = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        slowest = slowest.max(assert_genuine_gets_through(address, &mut queries).await);
        passed += 1;
    }
    assert!(passed > 0, "some came in between");
    for client in clients {
        assert_eq!(client.await.unwrap(), 100, "each connection was made");
    }
    assert_genuine_passes(address, &mut queries).await;
    println!("{passed} genuine callbacks between 10,000 connections, the slowest in {slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_callbacks_at_once_are_all_answered() {
    let (address, mut queries) = waiting().await;
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
    assert_eq!((waiting.len(), PLACES), (32, 32));
    drop(waiting.pop());
    assert!(timeout(SECOND, listener.next()).await.is_ok(), "a place that is free is given on");
}

#[tokio::test]
async fn headers_that_come_slowly_are_not_waited_for() {
    let (address, mut queries) = waiting().await;
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

/// A connection that has to make room is looked at once more: here its request is in the kernel, and the runtime has
/// not had a moment to notice.
#[tokio::test]
async fn a_request_that_is_there_is_answered_although_its_connection_must_make_room() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut client, genuine(address, "code=first").as_bytes()).unwrap();
    let (stream, _) = listener.accept().unwrap();
    stream.set_nonblocking(true).unwrap();
    let place = Arc::new(Place::new(Arc::default()));
    place.leave.notify_one();
    let (to_attempt, mut callbacks) = mpsc::channel(1);
    let connection = Connection::new(TcpStream::from_std(stream).unwrap(), place);
    let serving = tokio::spawn(async move {
        let rules = Rules { authority: address.to_string(), path: PATH.to_owned() };
        connection.serve(&rules, &Pace::new(Instant::now()), to_attempt).await;
    });
    let callback = timeout(SECOND, callbacks.recv()).await.unwrap().expect("it was read");
    assert_eq!(callback.query(), "code=first");
    callback.answer(CallbackPage::Done).await;
    client.set_nonblocking(true).unwrap();
    let mut client = TcpStream::from_std(client).unwrap();
    assert_eq!(read(&mut client).await, page::answer(CallbackPage::Done));
    drop(client);
    timeout(SECOND, serving).await.unwrap().unwrap();
}

/// Silent connections that stay keep each other's places for a shorter and shorter time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_that_stay_cost_less_than_a_second() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let files = getrlimit(Resource::Nofile);
    let enough = files.maximum.map_or(4096, |maximum| maximum.min(4096));
    if files.current.is_some_and(|current| current < enough) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(enough), maximum: files.maximum }).unwrap();
    }
    let (address, mut queries) = waiting().await;
    let idle: Vec<_> = (0..2000).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    assert_genuine_gets_through(address, &mut queries).await;
    drop(idle);
}

#[tokio::test]
async fn a_client_that_never_reads_its_answer_holds_nothing_up() {
    let (address, mut queries) = waiting().await;
    let mut deaf = Vec::new();
    for number in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = genuine(address, &format!("wrong={number}"));
        stream.write_all(request.as_bytes()).await.unwrap();
        deaf.push(stream);
    }
    assert_genuine_passes(address, &mut queries).await;
    assert_eq!(status(&send(address, b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n").await), 421);
}
