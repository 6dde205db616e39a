//! Which request heads reach the attempt: the table, over a socket and by the rules alone.

use std::net::SocketAddr;

use app::port::{Callback as _, CallbackPage, Listening as _};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::super::head::{Head, MAX_HEAD, Rules};
use super::super::page;
use super::super::refusal::Refusal;
use super::client::{
    PATH, SECOND, address, assert_genuine_passes, genuine, open, read, send, status, waiting,
};

/// One request head per line.  `head` is the literal text, or a list of parts: texts, `{"repeat": [text, times]}` and
/// `{"hex": bytes}`.  In texts `{A}` is the listener's address and port, `{PORT}` its port, `{P}` the callback path.
/// `expect` is the refusal's name with its `status`, `Silent` for a connection that ends unanswered, or `ok` with the
/// `query` that reaches the attempt.
const TABLE: &str = include_str!("../../../../../../tests/tables/callback_requests.jsonl");

struct Row {
    name: String,
    head: Vec<u8>,
    expect: String,
    status: u16,
    query: String,
}

impl Row {
    /// Reads a line of the table, filled in for the listener at an address.
    fn read(line: &str, address: SocketAddr) -> Self {
        let row: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"));
        assert!(row["ids"].as_array().is_some_and(|ids| !ids.is_empty()), "{line}");
        let text = |text: &str| {
            text.replace("{A}", &address.to_string())
                .replace("{PORT}", &address.port().to_string())
                .replace("{P}", PATH)
                .into_bytes()
        };
        let part = |part: &Value| {
            if let Some(literal) = part.as_str() {
                text(literal)
            } else if let Some(hex) = part["hex"].as_str() {
                unhex(hex)
            } else {
                let times = usize::try_from(part["repeat"][1].as_u64().unwrap()).unwrap();
                text(part["repeat"][0].as_str().unwrap()).repeat(times)
            }
        };
        let head = &row["head"];
        Self {
            name: row["name"].as_str().unwrap().to_owned(),
            head: head.as_array().map_or_else(|| part(head), |parts| parts.iter().flat_map(part).collect()),
            expect: row["expect"].as_str().unwrap().to_owned(),
            status: u16::try_from(row["status"].as_u64().unwrap_or(0)).unwrap(),
            query: row["query"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}

/// The verdict in the table's words.
fn verdict(rules: &Rules, bytes: &[u8]) -> String {
    match rules.judge(&bytes[..bytes.len().min(MAX_HEAD)]) {
        Head::Partial => "Silent".to_owned(),
        Head::Refused(refusal) => format!("{refusal:?}"),
        Head::Ours(_) => "ok".to_owned(),
    }
}

#[test]
fn each_row_of_the_table_is_judged_by_its_own_rule_however_the_bytes_are_cut() {
    let address = "127.0.0.1:4321".parse().unwrap();
    let rules = Rules { authority: "127.0.0.1:4321".to_owned(), path: PATH.to_owned() };
    let mut wrong = Vec::new();
    let rows: Vec<Row> = TABLE.lines().map(|line| Row::read(line, address)).collect();
    for row in &rows {
        let judged = verdict(&rules, &row.head);
        if judged != row.expect {
            wrong.push(format!("{}: {judged}, not {}", row.name, row.expect));
            continue;
        }
        // The kernel may deliver any part first: no part is judged otherwise than the whole.
        let step = 1 + row.head.len() / 2000;
        let early = (0..row.head.len().min(MAX_HEAD)).step_by(step).find_map(|cut| {
            let part = verdict(&rules, &row.head[..cut]);
            (part != "Silent" && part != row.expect).then_some((cut, part))
        });
        if let Some((cut, part)) = early {
            wrong.push(format!("{}: {part} after {cut} bytes, not {}", row.name, row.expect));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), rows.len(), "each row has a name of its own");
    let missing: Vec<String> = REFUSALS
        .iter()
        .map(|refusal| format!("{refusal:?}"))
        .filter(|name| rows.iter().all(|row| row.expect != *name))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "every refusal has a row");
}

pub(super) const REFUSALS: [Refusal; 18] = [
    Refusal::FetchDest,
    Refusal::FetchMode,
    Refusal::HeadTooLarge,
    Refusal::HeaderName,
    Refusal::HeaderValue,
    Refusal::HostMissing,
    Refusal::HostOther,
    Refusal::HostRepeated,
    Refusal::LineTooLong,
    Refusal::Method,
    Refusal::NewLine,
    Refusal::Origin,
    Refusal::Path,
    Refusal::RequestLine,
    Refusal::TargetForm,
    Refusal::TargetNotAscii,
    Refusal::TooManyHeaders,
    Refusal::Version,
];

/// What the listener must write for a row: all of it, byte for byte.
fn expected_answer(row: &Row) -> Vec<u8> {
    match row.expect.as_str() {
        "Silent" => Vec::new(),
        "ok" => page::answer(CallbackPage::Done),
        name => {
            let refusal = REFUSALS.into_iter().find(|refusal| format!("{refusal:?}") == name);
            page::refuse(refusal.unwrap_or_else(|| panic!("{}: no refusal is called {name}", row.name)))
        }
    }
}

/// Sends a row to a listener of its own.
async fn check_on_a_socket(line: &str) -> Result<(), String> {
    let (address, mut queries) = waiting().await;
    let row = Row::read(line, address);
    let begin = Instant::now();
    let mut stream = TcpStream::connect(address).await.map_err(|err| err.to_string())?;
    let _ = stream.write_all(&row.head).await;
    if row.expect == "Silent" {
        let _ = stream.shutdown().await;
    }
    let answer = read(&mut stream).await;
    if answer != expected_answer(&row) {
        return Err(format!("answered {:?}", String::from_utf8_lossy(&answer)));
    }
    if row.expect != "Silent" && row.expect != "ok" && status(&answer) != row.status {
        return Err(format!("status {}, not {}", status(&answer), row.status));
    }
    let reached = queries.try_recv().ok();
    if reached != (row.expect == "ok").then(|| row.query.clone()) {
        return Err(format!("{reached:?} reached the attempt"));
    }
    if begin.elapsed() > SECOND {
        return Err(format!("took {:?}", begin.elapsed()));
    }
    drop(stream);
    // Whatever it was, the wait goes on.
    assert_genuine_passes(address, &mut queries).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_of_the_table_is_answered_so_over_a_socket_and_the_wait_goes_on() {
    let mut wrong = Vec::new();
    for line in TABLE.lines() {
        if let Err(what) = check_on_a_socket(line).await {
            wrong.push(format!("{what}: {line}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[tokio::test]
async fn the_very_limit_of_a_head_passes_and_one_byte_more_does_not() {
    let (address, mut queries) = waiting().await;
    for (len, expected) in [(MAX_HEAD, 200), (MAX_HEAD + 1, 431)] {
        let frame = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nX: \r\n\r\n").len();
        let filler = "x".repeat(len - frame);
        let exact = format!("GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nX: {filler}\r\n\r\n");
        assert_eq!(exact.len(), len);
        assert_eq!(status(&send(address, exact.as_bytes()).await), expected, "{len}");
    }
    assert_eq!(queries.try_recv().unwrap(), "code=x");
    assert_genuine_passes(address, &mut queries).await;
}

/// LOOP-01: what follows the headers is not waited for, not looked at and not handed on.
#[tokio::test]
async fn a_body_is_never_read() {
    let mut listener = open().await;
    let address = address(&listener);
    let request = format!(
        "GET {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000000\r\n\r\nuser=u&pass=p"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let callback = timeout(SECOND, listener.next()).await.expect("the body is not waited for").unwrap();
    assert_eq!(callback.query(), "code=x");
    let post = format!(
        "POST {PATH}?code=x HTTP/1.1\r\nHost: {address}\r\nContent-Length: 1000000\r\n\r\nuser=u&pass=p"
    );
    let begin = Instant::now();
    assert_eq!(send(address, post.as_bytes()).await, super::golden!("method"));
    assert!(begin.elapsed() < SECOND, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn what_follows_the_first_request_on_a_connection_is_ignored() {
    let (address, mut queries) = waiting().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let both = genuine(address, "code=one") + &genuine(address, "code=two");
    stream.write_all(both.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await, page::answer(CallbackPage::Done));
    let _ = stream.write_all(genuine(address, "code=three").as_bytes()).await;
    assert_eq!(read(&mut stream).await, b"", "one answer, then the end");
    assert_eq!(queries.try_recv().unwrap(), "code=one");
    assert!(queries.try_recv().is_err());
}
