//! Thousands of wrong callbacks a second (LOOP-09, attack 1): each costs a look, few get an answer, and the genuine
//! one waits for none of them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use app::port::{Callback as _, CallbackPage, Listening as _};
use tokio::time::{Instant, timeout};

use super::super::page;
use super::client::{SECOND, address, assert_genuine_passes, genuine, open, read, send, status, waiting};

/// Counts of what the flooding clients saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    sent: AtomicU32,
    answered: AtomicU32,
}

/// Sends wrong callbacks until told to stop; reads the answers, or does not and sends a thousand a second.
fn flood(address: SocketAddr, seen: &Seen, patient: bool) {
    let request = genuine(address, "wrong=1&code=EVIL&state=guess");
    let (begin, mut own) = (Instant::now(), 0);
    while !seen.stop.load(Ordering::Relaxed) {
        own += 1;
        if !patient {
            std::thread::sleep(
                (begin + own * Duration::from_millis(1)).saturating_duration_since(Instant::now()),
            );
        }
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        if stream.write_all(request.as_bytes()).is_err() {
            continue;
        }
        seen.sent.fetch_add(1, Ordering::Relaxed);
        if patient && is_answered(&mut stream) {
            seen.answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reads the page as a browser does, to its end; the close would only be waited for.
fn is_answered(stream: &mut TcpStream) -> bool {
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"</html>\n") {
        match stream.read(&mut chunk) {
            Ok(len) if len > 0 => answer.extend_from_slice(&chunk[..len]),
            Ok(_) | Err(_) => return false,
        }
    }
    status(&answer) == 400
}

fn start(clients: u32, address: SocketAddr, patient: bool) -> (Arc<Seen>, Vec<std::thread::JoinHandle<()>>) {
    let seen = Arc::new(Seen::default());
    let threads = (0..clients).map(|_| {
        let seen = Arc::clone(&seen);
        std::thread::spawn(move || flood(address, &seen, patient))
    });
    let threads = threads.collect();
    (seen, threads)
}

fn stop(seen: &Seen, threads: Vec<std::thread::JoinHandle<()>>) -> (u32, u32) {
    seen.stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    (seen.sent.load(Ordering::Relaxed), seen.answered.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_genuine_callback_passes_within_a_second_while_wrong_ones_pour_in() {
    let (address, mut queries) = waiting().await;
    let (seen, threads) = start(4, address, false);
    let (begin, mut slowest) = (Instant::now(), Duration::ZERO);
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        slowest = slowest.max(assert_genuine_passes(address, &mut queries).await);
    }
    let lasted = begin.elapsed();
    let (sent, _) = stop(&seen, threads);
    println!("{sent} wrong callbacks in {lasted:?}, the slowest genuine one in {slowest:?}");
    assert!(sent > 3000, "this was no flood: {sent} in {lasted:?}");
    assert_genuine_passes(address, &mut queries).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_wait_for_the_answers_to_wrong_callbacks_are_slowed_down() {
    let (address, mut queries) = waiting().await;
    let (seen, threads) = start(24, address, true);
    let begin = Instant::now();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_genuine_passes(address, &mut queries).await;
    }
    let lasted = begin.elapsed();
    let (sent, answered) = stop(&seen, threads);
    println!("{answered} of {sent} wrong callbacks were answered in {lasted:?}");
    // Fifty at once, a hundred a second until they have caught up with the pace, then four a second for each.
    let most = 100 + 24 * (4 * u32::try_from(lasted.as_millis()).unwrap() / 1000 + 2);
    assert!((50..=most).contains(&answered), "{answered} answers in {lasted:?}, {most} at most");
    assert!(sent <= answered + 24, "whoever waits sends no more than is answered: {sent}");
}

/// More than there are places, all waiting for their answers: those that are held make room for those that come.
#[tokio::test]
async fn whoever_is_held_back_is_the_first_to_make_room() {
    let (address, mut queries) = waiting().await;
    let mut clients = Vec::new();
    for number in 0..300 {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = genuine(address, &format!("wrong={number}"));
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await;
        clients.push(stream);
    }
    assert_genuine_passes(address, &mut queries).await;
    let (mut answered, mut dropped) = (0, 0);
    for mut client in clients {
        match read(&mut client).await {
            answer if answer.is_empty() => dropped += 1,
            answer => answered += usize::from(status(&answer) == 400),
        }
    }
    assert_eq!(answered + dropped, 300);
    assert!(answered >= 50 && dropped >= 100, "{answered} answered, {dropped} dropped");
}

/// LOOP-09: a handful, as a reloaded page makes them, is not slowed down at all.
#[tokio::test]
async fn twenty_wrong_callbacks_are_answered_at_once_and_the_genuine_one_after_them() {
    let (address, mut queries) = waiting().await;
    let begin = Instant::now();
    for number in 0..20 {
        let request = genuine(address, &format!("wrong={number}&state=bad"));
        assert_eq!(send(address, request.as_bytes()).await, page::answer(CallbackPage::NotOurs));
    }
    assert!(begin.elapsed() < SECOND, "{:?}", begin.elapsed());
    assert_genuine_passes(address, &mut queries).await;
}

/// Requests that the attempt never sees are slowed down by the same pace.
#[tokio::test]
async fn refusals_count_as_wrong_requests_too() {
    let (address, mut queries) = waiting().await;
    let request = format!("GET /favicon.ico HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let begin = Instant::now();
    for _ in 0..100 {
        assert_eq!(status(&send(address, request.as_bytes()).await), 404);
    }
    assert!(begin.elapsed() > Duration::from_millis(300), "{:?}", begin.elapsed());
    assert_genuine_passes(address, &mut queries).await;
}

/// Answers that are held back cost the attempt nothing: it goes on at once.
#[tokio::test]
async fn an_answer_that_is_held_back_does_not_hold_the_attempt_up() {
    let mut listener = open().await;
    let address = address(&listener);
    let clients: Vec<_> = (0..80)
        .map(|number| {
            let request = genuine(address, &format!("n={number}"));
            tokio::spawn(async move { send(address, request.as_bytes()).await })
        })
        .collect();
    let begin = Instant::now();
    for _ in 0..80 {
        let callback = timeout(SECOND, listener.next()).await.expect("none waits for another").unwrap();
        callback.answer(CallbackPage::NotOurs).await;
    }
    assert!(begin.elapsed() < SECOND / 4, "{:?}", begin.elapsed());
    drop(listener);
    let mut answered = 0;
    for client in clients {
        let answer = timeout(SECOND, client).await.expect("no connection stays").unwrap();
        answered += usize::from(answer == page::answer(CallbackPage::NotOurs));
    }
    assert!(answered >= 50, "{answered}");
}
