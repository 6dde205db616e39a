//! What a window process may send to the host: a table of requests, each with the exact answer, and one dialogue for
//! every row over the real channel. A command that is new in the contract and has no rows fails.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use broker::{Hub, window};
use contract::channel::Hello;
use contract::commands::{APPROVAL_COMMANDS, HOST_COMMANDS};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use serde_json::Value;
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

use crate::answers::members_of;

const TABLE: &str = include_str!("../tables/window_requests.jsonl");

/// Routes of the channel beside the command table, and the one that only reads.
const BESIDE: [&str; 7] = ["approval_closed", "closed", "copy_link", "hello", "no_tray", "quit", "show"];
const READS: &str = "events";

/// What every command's rows must hold, whatever it takes.
const OF_EVERY_COMMAND: [&str; 14] = [
    "control: the plain request",
    "nothing at all",
    "null",
    "a text",
    "an empty list",
    "the request in a list",
    "the request as a list of its values",
    "cut off",
    "a member too many",
    "wrapped as the webview wraps it",
    "UTF-16",
    "lists ten thousand deep",
    "a megabyte of white space",
    "GET instead of POST",
];
/// What the rows must hold for every member of a command's request.
const OF_EVERY_MEMBER: [&str; 2] = ["null", "an object"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ids: Vec<String>,
    name: String,
    #[serde(default)]
    command: String,
    path: Option<String>,
    method: Option<String>,
    body: Option<String>,
    body_hex: Option<String>,
    generate: Option<Generate>,
    expect: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Generate {
    before: String,
    repeat: (String, usize),
    after: String,
}

fn table() -> Vec<Row> {
    TABLE
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}")))
        .collect()
}

/// What stands for a value that only the run knows.
struct Known {
    agent: String,
    rows: usize,
}

impl Known {
    fn fill(&self, text: &str) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let day = 86_400_000;
        // A key that nobody has yet.
        let key = ed25519_dalek::SigningKey::from_bytes(&[self.rows.to_le_bytes()[0]; 32]).verifying_key();
        text.replace("$AGENT", &self.agent)
            .replace("$BUILD", &Hello::of_this_build(false, None).build)
            .replace("$KEY", &domain::agent::AgentKey::from_bytes(key.to_bytes()).unwrap().text())
            .replace("$LATE", &(now + 92 * day).to_string())
            .replace("$NAME", &format!("Ledgerly {}", self.rows))
            .replace("$NOW", &now.to_string())
            .replace("$UNTIL", &(now + 30 * day).to_string())
    }

    fn body(&self, row: &Row) -> Vec<u8> {
        match (&row.body, &row.body_hex, &row.generate) {
            (Some(text), None, None) => self.fill(text).into_bytes(),
            (None, Some(hex), None) => {
                let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
                pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
            }
            (None, None, Some(Generate { before, repeat, after })) => {
                self.fill(&format!("{before}{}{after}", repeat.0.repeat(repeat.1))).into_bytes()
            }
            _ => panic!("{}: one body each", row.name),
        }
    }
}

/// The host's end of a channel, over real store and HTTP.
struct Channel {
    sender: SendRequest<Full<Bytes>>,
    app: TestApp,
    _bank: FakeProvider,
}

async fn channel() -> Channel {
    let bank = FakeProvider::start().await;
    let app = TestApp::start(&[&bank]).await;
    let (hub, mut signals) = Hub::new();
    tokio::spawn(async move { while signals.recv().await.is_some() {} });
    let routes = window::routes(app.app.clone(), hub, Hello::of_this_build(false, None));
    let (ours, theirs) = ipc::channel::pair().unwrap();
    let host = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    tokio::spawn(host.serve_connection(TokioIo::new(ours), TowerToHyperService::new(routes)));
    let theirs = std::os::unix::net::UnixStream::from(theirs);
    theirs.set_nonblocking(true).unwrap();
    let theirs = tokio::net::UnixStream::from_std(theirs).unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(theirs)).await.unwrap();
    tokio::spawn(connection);
    Channel { sender, app, _bank: bank }
}

impl Channel {
    /// What the host answers, as the table writes it.
    async fn answer(&self, method: &str, path: &str, body: Vec<u8>) -> String {
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://channel.countersign.localhost{path}"))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = self.sender.clone().send_request(request).await.expect("the channel lives");
        let status = answer.status();
        if path == "/window/events" && status == StatusCode::OK {
            return "ok".to_owned();
        }
        let body = answer.into_body().collect().await.expect("a whole answer").to_bytes();
        let json = serde_json::from_slice::<Value>(&body);
        match status {
            StatusCode::OK | StatusCode::NO_CONTENT => "ok".to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY => {
                json.expect("JSON")["code"].as_str().expect("a code").to_owned()
            }
            other => format!("status {}", other.as_u16()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_the_table_gets_its_answer() {
    let channel = channel().await;
    let agent = channel.app.app.list_agents().await.unwrap().agents[0].id.clone();
    let mut known = Known { agent, rows: 0 };
    let mut wrong = Vec::new();
    let rows = table();
    for row in &rows {
        known.rows += 1;
        let path = row.path.clone().unwrap_or_else(|| format!("/window/{}", row.command));
        let begin = Instant::now();
        let said = channel.answer(row.method.as_deref().unwrap_or("POST"), &path, known.body(row)).await;
        let took = begin.elapsed();
        if said != row.expect {
            wrong.push(format!("{path}, {}: {said} and not {}", row.name, row.expect));
        }
        if took > Duration::from_secs(1) {
            wrong.push(format!("{path}, {}: {took:?}", row.name));
        }
        assert!(row.ids.iter().any(|id| id == "attack-106"), "{}", row.name);
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {} rows", rows.len());
    // The host is as it was, but for what the controls have done.
    let agents = channel.app.app.list_agents().await.unwrap().agents;
    assert!(agents.iter().all(|agent| agent.name.starts_with("Ledgerly ") || agent.name == "Budget Buddy"));
    assert_eq!(agents.len(), 3, "two controls added one each");
    assert_eq!(channel.app.app.list_attempts().await.unwrap().len(), 3, "three controls started one each");
}

/// The names of the rows of a command.
fn rows_of(command: &str, rows: &[Row]) -> BTreeSet<String> {
    rows.iter().filter(|row| row.command == command).map(|row| row.name.clone()).collect()
}

/// What the table lacks.
fn gaps(rows: &[Row], requests: &BTreeMap<String, String>) -> Vec<String> {
    let mut gaps = Vec::new();
    for (command, request) in requests {
        let named = rows_of(command, rows);
        let of_members = members_of(request).into_iter().flat_map(|member| {
            let values = OF_EVERY_MEMBER.map(|value| format!("{member}: {value}"));
            values.into_iter().chain([format!("no {member}"), format!("{member} twice")])
        });
        let wanted = OF_EVERY_COMMAND.iter().map(|&name| name.to_owned()).chain(of_members);
        gaps.extend(wanted.filter(|name| !named.contains(name)).map(|name| format!("{command}: {name}")));
    }
    gaps
}

/// The request type of every command that the host answers, as the generated TypeScript says.
fn requests() -> BTreeMap<String, String> {
    let typescript = contract::bindings::typescript();
    let (_, commands) = typescript.split_once("export type Commands = {\n").expect("the table");
    let of_line = |line: &str| {
        let (name, rest) = line.trim().split_once(": { request: ")?;
        Some((name.to_owned(), rest.split(';').next()?.to_owned()))
    };
    commands.lines().filter_map(of_line).filter(|(name, _)| name != "start_again" && name != "quit").collect()
}

#[test]
fn every_command_has_every_kind_of_row() {
    let requests = requests();
    let known: BTreeSet<&str> = requests.keys().map(String::as_str).collect();
    let host: BTreeSet<&str> =
        HOST_COMMANDS.iter().chain(APPROVAL_COMMANDS).copied().chain(["copy_link"]).collect();
    assert_eq!(known, host);
    let rows = table();
    assert_eq!(gaps(&rows, &requests), Vec::<String>::new());
    for route in BESIDE.into_iter().chain([READS]) {
        assert!(!rows_of(route, &rows).is_empty(), "{route}");
    }
    let distinct: BTreeSet<_> = rows.iter().map(|row| (&row.command, &row.path, &row.name)).collect();
    assert_eq!(distinct.len(), rows.len(), "a row stands twice");
}

#[test]
fn a_command_without_rows_would_be_found() {
    let mut requests = BTreeMap::new();
    requests.insert("lend_grant".to_owned(), "GrantRef".to_owned());
    let gaps = gaps(&table(), &requests);
    assert_eq!(gaps.len(), OF_EVERY_COMMAND.len() + OF_EVERY_MEMBER.len() + 2);
    assert!(gaps.contains(&"lend_grant: no grant".to_owned()), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_bad_requests_at_once_are_all_answered() {
    const MANY: usize = 5_000;
    let channel = std::sync::Arc::new(channel().await);
    let asked = (0..MANY).map(|n| {
        let channel = std::sync::Arc::clone(&channel);
        let (command, body) = match n % 4 {
            0 => ("connect_account", "{\"provider\":7}".to_owned()),
            1 => ("revoke_grant", "[".repeat(10_000)),
            2 => ("list_grants", " ".repeat(20_000)),
            _ => ("app_state", "{}".to_owned()),
        };
        tokio::spawn(
            async move { channel.answer("POST", &format!("/window/{command}"), body.into_bytes()).await },
        )
    });
    let begin = Instant::now();
    let mut said = BTreeMap::<String, usize>::new();
    for asked in asked.collect::<Vec<_>>() {
        *said.entry(asked.await.unwrap()).or_default() += 1;
    }
    assert_eq!(said, [("ok".to_owned(), MANY / 4), ("request_malformed".to_owned(), MANY / 4 * 3)].into());
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}
