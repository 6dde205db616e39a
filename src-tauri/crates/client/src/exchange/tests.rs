use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::*;

const MOST: usize = 64;

/// Plays an answer piece by piece, then closes, and says what is made of it.
fn heard(pieces: &[&[u8]]) -> Result<Answer, ExchangeError> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    let server = std::thread::spawn(move || {
        let mut request = [0; 64];
        let _ = theirs.read(&mut request).unwrap();
        for piece in pieces {
            let _ = theirs.write_all(&piece);
        }
    });
    let head = Zeroizing::new("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned());
    let asked = Asked { head, body: b"", bodiless: false };
    let answer = exchange(&ours, &asked, Deadline::after(Duration::from_secs(10)), MOST);
    server.join().unwrap();
    answer
}

#[test]
fn bodies_are_read_whole_however_they_are_framed() {
    let check = |text: &str, body: &str, goes_on: bool| {
        // Once in one piece, once byte by byte.
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        for pieces in [&[text.as_bytes()][..], &bytes[..]] {
            let answer = heard(pieces).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!((answer.status, answer.body.as_slice()), (200, body.as_bytes()), "{text:?}");
            assert_eq!(answer.goes_on, goes_on, "{text:?}");
        }
    };
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true);
    check("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", true);
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", "hello", false);
    check("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false);
    check("HTTP/1.1 200 OK\r\n\r\nhello", "hello", false);
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        "hello",
        true,
    );
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", "", true);
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", true);
}

#[test]
fn what_came_unasked_ends_the_connection() {
    let answer = heard(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200"]).unwrap();
    assert!(!answer.goes_on);
}

#[test]
fn what_is_no_answer_is_refused_for_what_it_is() {
    let check = |text: &str, expected| {
        assert_eq!(heard(&[text.as_bytes()]).err(), Some(expected), "{text:?}");
    };
    check("", ExchangeError::Unheard);
    check("HTTP/1.1 200", ExchangeError::CutOff);
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ExchangeError::CutOff);
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ExchangeError::CutOff);
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ExchangeError::CutOff);
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        ExchangeError::Malformed,
    );
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", ExchangeError::Malformed);
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n", ExchangeError::Malformed);
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ExchangeError::Malformed);
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ExchangeError::Malformed,
    );
    check("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", ExchangeError::Malformed);
    check("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nh", ExchangeError::Malformed);
    check("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", ExchangeError::TooLong);
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", ExchangeError::TooLong);
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        ExchangeError::TooLong,
    );
    check("SSH-2.0-OpenSSH\r\n\r\n", ExchangeError::Malformed);
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
    check(&many, ExchangeError::TooLong);
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(MAX_HEAD + PIECE));
    check(&endless, ExchangeError::TooLong);
    let flood = format!("HTTP/1.1 200 OK\r\n\r\n{}", "b".repeat(MOST + 1));
    check(&flood, ExchangeError::TooLong);
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for_beyond_its_limit() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let head = Zeroizing::new("GET / HTTP/1.1\r\n\r\n".to_owned());
    let asked = Asked { head, body: b"", bodiless: false };
    let answer = exchange(&ours, &asked, Deadline::after(Duration::from_millis(50)), MOST);
    assert_eq!(answer.err(), Some(ExchangeError::TimedOut));
    drop(theirs);
}

#[test]
fn whose_answer_it_is_stands_in_its_head() {
    let answer = heard(&[
        b"HTTP/1.1 429 Slow\r\ncountersign-answer: bank\r\nRetry-After: 7\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n",
    ]);
    let answer = answer.unwrap();
    assert!(answer.is_of_bank);
    assert_eq!((answer.retry_after, answer.content_type.as_deref()), (Some(7), Some("a/b")));
    let other = heard(&[b"HTTP/1.1 200 OK\r\nCountersign-Answer: Bank\r\nContent-Length: 0\r\n\r\n"]);
    assert!(!other.unwrap().is_of_bank);
}
