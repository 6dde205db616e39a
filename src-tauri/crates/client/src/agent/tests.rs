//! The agent against a broker that plays what it is told and keeps what it heard.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::agent::LeaseText;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::*;

const ISSUER: &str = "http://abababababababab.countersign.localhost";

/// What the broker does with one request.
enum Play {
    Answer(u16, &'static str, Value),
    /// Closes without a word.
    Close,
    /// Says nothing, and tells when the other side is gone.
    Silence(Sender<()>),
}

struct Heard {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    /// Which connection it came on.
    connection: usize,
}

impl Heard {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn form(&self, name: &str) -> String {
        let mut pairs = form_urlencoded::parse(self.body.as_bytes());
        pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

struct Broker {
    home: TempDir,
    heard: Receiver<Heard>,
}

impl Broker {
    fn playing(plays: impl IntoIterator<Item = Play>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("run");
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        let socket = folder.join("broker.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let endpoint = json!({ "socket": socket, "issuer": ISSUER });
        fs::write(home.path().join("endpoint.json"), endpoint.to_string()).unwrap();
        let (tell, heard) = channel();
        let mut plays: VecDeque<Play> = plays.into_iter().collect();
        std::thread::spawn(move || {
            let mut connection = 0;
            while !plays.is_empty() {
                let (mut stream, _) = listener.accept().unwrap();
                connection += 1;
                while let Some(play) = plays.pop_front() {
                    let Some(request) = hear(&mut stream, connection) else {
                        plays.push_front(play);
                        break;
                    };
                    let _ = tell.send(request);
                    match play {
                        Play::Answer(status, head, body) => answer(&mut stream, status, head, &body),
                        Play::Close => break,
                        Play::Silence(gone) => {
                            let _ = stream.read(&mut [0; 16]);
                            let _ = gone.send(());
                        }
                    }
                }
            }
        });
        Self { home, heard }
    }

    fn agent(&self) -> Agent {
        Agent::at(AgentKey::make().unwrap(), self.home.path().into())
    }

    fn heard(&self) -> Heard {
        self.heard.recv_timeout(Duration::from_secs(10)).expect("a request")
    }
}

fn hear(stream: &mut UnixStream, connection: usize) -> Option<Heard> {
    let mut bytes = Vec::new();
    let at = loop {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
        if bytes.ends_with(b"\r\n\r\n") {
            break bytes.len();
        }
    };
    let text = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let mut lines = text.trim_end().lines();
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    Some(Heard { method: first.next()?, target: first.next()?, headers, body, connection })
}

fn answer(stream: &mut UnixStream, status: u16, head: &str, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {status} X\r\n{head}Content-Length: {length}\r\n\r\n{body}");
}

fn lease_answer() -> Play {
    let body = json!({"access_token": "lease-1", "token_type": "DPoP", "expires_in": 300});
    Play::Answer(200, "", body)
}

fn refusal(status: u16, error: &str) -> Play {
    Play::Answer(status, "Retry-After: 3\r\n", json!({"error": error, "reference": "K7", "interval": 0}))
}

/// Verifies a JWS by a library that is not ours.
fn verified(agent: &Agent, jws: &str) -> Value {
    let jwk: Jwk = serde_json::from_value(serde_json::to_value(agent.key().public()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.set_audience(&[ISSUER]);
    let key = DecodingKey::from_jwk(&jwk).unwrap();
    jsonwebtoken::decode::<Value>(jws, &key, &validation).unwrap().claims
}

fn task() -> Task {
    Task::new("g1", "Look").reads(["list_accounts"])
}

#[test]
fn a_lease_is_asked_for_with_a_task_and_a_proof() {
    let broker = Broker::playing([lease_answer()]);
    let mut agent = broker.agent();
    let lease = agent.lease(&task()).unwrap();
    assert_eq!((lease.grant(), lease.answer().lease.as_str()), ("g1", "lease-1"));
    let heard = broker.heard();
    assert_eq!((heard.method.as_str(), heard.target.as_str()), ("POST", "/token"));
    assert_eq!(heard.header("host"), ISSUER.strip_prefix("http://"));
    assert_eq!(heard.header("origin"), None);
    assert_eq!(heard.form("client_id"), agent.key().thumbprint());
    assert_eq!(heard.form("grant_type"), JWT_BEARER);
    let claims = verified(&agent, &heard.form("assertion"));
    assert_eq!((&claims["grant"], &claims["aud"]), (&json!("g1"), &json!(ISSUER)));
    let proof = verified(&agent, heard.header("dpop").unwrap());
    assert_eq!((&proof["htm"], &proof["htu"]), (&json!("POST"), &json!(format!("{ISSUER}/token"))));
}

#[test]
fn a_call_carries_the_lease_and_a_proof_for_its_path() {
    let bank = Play::Answer(404, "Countersign-Answer: bank\r\nContent-Type: a/b\r\n", json!({"no": 1}));
    let broker = Broker::playing([lease_answer(), bank]);
    let mut agent = broker.agent();
    let lease = agent.lease(&task()).unwrap();
    let answer = agent.call(&lease, &Request::get("/accounts/a").query("limit", "5")).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (404, br#"{"no":1}"#.as_slice()));
    let token = broker.heard();
    let heard = broker.heard();
    assert_eq!(heard.connection, token.connection, "the connection is used again");
    assert_eq!(heard.target, "/call/g1/accounts/a?limit=5");
    assert_eq!(heard.header("authorization"), Some("DPoP lease-1"));
    let proof = verified(&agent, heard.header("dpop").unwrap());
    assert_eq!(proof["htu"], format!("{ISSUER}/call/g1/accounts/a"));
    assert_eq!(proof["ath"], URL_SAFE_NO_PAD.encode(Sha256::digest("lease-1")));
}

#[test]
fn what_countersign_says_itself_is_no_answer_of_the_bank() {
    let own = Play::Answer(200, "", json!({"accounts": []}));
    let broker = Broker::playing([lease_answer(), refusal(401, "invalid_token"), own]);
    let mut agent = broker.agent();
    let lease = agent.lease(&task()).unwrap();
    let request = Request::get("/accounts");
    let Err(AgentError::Refused(refused)) = agent.call(&lease, &request) else { panic!("refused") };
    assert_eq!((refused.status, refused.refusal.error), (401, RefusalCode::InvalidToken));
    assert_eq!(refused.retry_after, Some(3));
    assert!(matches!(agent.call(&lease, &request), Err(AgentError::AnswerMalformed)));
}

#[test]
fn a_lease_is_given_back() {
    let broker = Broker::playing([Play::Answer(200, "", json!({}))]);
    let answer = TokenAnswer {
        lease: LeaseText::new("a&b=c".into()),
        lease_type: "DPoP".into(),
        expires_in: 1,
        scope: String::new(),
        resource: String::new(),
        authorization_details: Vec::new(),
    };
    broker.agent().give_back(&Lease::of("g1", answer)).unwrap();
    let heard = broker.heard();
    assert_eq!((heard.target.as_str(), heard.form("token").as_str()), ("/revoke", "a&b=c"));
}

#[test]
fn a_question_is_asked_again_with_a_new_task_of_the_same_content_until_it_is_answered() {
    let pending = || refusal(400, "authorization_pending");
    let broker = Broker::playing([pending(), pending(), lease_answer()]);
    let mut agent = broker.agent();
    let mut told = 0;
    agent.lease_telling(&task(), &mut || told += 1).unwrap();
    assert_eq!(told, 2);
    let mut tasks: Vec<Value> = (0..3).map(|_| verified(&agent, &broker.heard().form("assertion"))).collect();
    let mut ids: Vec<String> = tasks.iter().map(|task| task["jti"].as_str().unwrap().to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for task in &mut tasks {
        for member in ["jti", "iat", "exp"] {
            task.as_object_mut().unwrap().remove(member);
        }
    }
    assert!(tasks.iter().all(|task| *task == tasks[0]));
}

#[test]
fn a_no_is_a_no() {
    let broker = Broker::playing([refusal(403, "access_denied")]);
    let Err(AgentError::Refused(refused)) = broker.agent().lease(&task()) else { panic!("refused") };
    assert_eq!(refused.refusal.error, RefusalCode::AccessDenied);
    assert_eq!(refused.refusal.reference.as_deref(), Some("K7"));
}

#[test]
fn a_busy_host_is_asked_again_but_what_changes_something_at_the_bank_is_not_sent_twice() {
    let bank = || Play::Answer(200, "Countersign-Answer: bank\r\n", json!({}));
    let broker = Broker::playing([Play::Close, lease_answer(), Play::Close, bank(), Play::Close]);
    let mut agent = broker.agent();
    let lease = agent.lease(&task()).unwrap();
    agent.call(&lease, &Request::get("/accounts")).unwrap();
    let pays = Request::of("POST", "/payments").json(&json!({"amount": "1.00"}));
    let unheard = agent.call(&lease, &pays);
    assert!(matches!(unheard, Err(AgentError::Exchange(ExchangeError::Unheard))));
    let heard: Vec<Heard> = (0..5).map(|_| broker.heard()).collect();
    assert_eq!(heard[4].body, r#"{"amount":"1.00"}"#);
    assert_ne!(heard[0].form("assertion"), heard[1].form("assertion"));
    assert_ne!(heard[2].header("dpop"), heard[3].header("dpop"), "no proof is used twice");
}

#[test]
fn hanging_up_ends_what_is_waited_for_and_closes_the_connection() {
    let (gone, is_gone) = channel();
    let broker = Broker::playing([Play::Silence(gone)]);
    let mut agent = broker.agent();
    let hang_up = agent.hang_up();
    let waiting = std::thread::spawn(move || (agent.lease(&task()).map(drop), agent));
    broker.heard();
    hang_up.now();
    let (ended, mut agent) = waiting.join().unwrap();
    assert!(matches!(ended, Err(AgentError::HungUp)), "{ended:?}");
    is_gone.recv_timeout(Duration::from_secs(10)).expect("the connection is closed");
    assert!(matches!(agent.grants(), Err(AgentError::HungUp)), "and nothing is asked any more");
}

#[test]
fn an_agent_asks_to_be_added_until_that_is_settled() {
    let waiting = json!({"state": "waiting", "code": "H7KM-2QXP", "interval": 0, "expires_in": 300});
    let enrolled = json!({"state": "enrolled", "agent": "t", "name": "Buddy"});
    let broker = Broker::playing([Play::Answer(202, "", waiting), Play::Answer(200, "", enrolled)]);
    let mut agent = broker.agent();
    let mut codes = Vec::new();
    let settled = agent.enrol("Budget Buddy", &mut |enrolment| {
        if let Enrolment::Waiting { code, .. } = enrolment {
            codes.push(code.clone());
        }
    });
    assert_eq!(settled.unwrap(), Enrolment::Enrolled { agent: "t".into(), name: "Buddy".into() });
    assert_eq!(codes, ["H7KM-2QXP"]);
    let body: Value = serde_json::from_str(&broker.heard().body).unwrap();
    assert_eq!(body, json!({"name": "Budget Buddy", "key": agent.key().public()}));
}

#[test]
fn a_wish_to_connect_is_asked_once_and_then_by_its_id() {
    let waiting = json!({"state": "waiting", "asked": "q1", "interval": 0});
    let connected = json!({"state": "connected", "grant": "g2"});
    let broker = Broker::playing([Play::Answer(202, "", waiting), Play::Answer(200, "", connected)]);
    let wish =
        ConnectWish { provider: "sandbox-bank".into(), permissions: None, days: Some(90), purpose: None };
    let settled = broker.agent().connect(&wish, &mut |_| {}).unwrap();
    assert_eq!(settled, Connecting::Connected { grant: "g2".into() });
    let bodies: Vec<Value> = (0..2).map(|_| serde_json::from_str(&broker.heard().body).unwrap()).collect();
    assert_eq!(bodies, [json!({"provider": "sandbox-bank", "days": 90}), json!({"asked": "q1"})]);
}

#[test]
fn a_host_that_is_about_to_start_is_waited_for() {
    let broker = Broker::playing([Play::Answer(200, "", json!({"grants": []}))]);
    let (file, away) = (broker.home.path().join("endpoint.json"), broker.home.path().join("away"));
    fs::rename(&file, &away).unwrap();
    let mut agent = broker.agent();
    let asking = std::thread::spawn(move || agent.grants());
    fs::rename(&away, &file).unwrap();
    assert_eq!(asking.join().unwrap().unwrap().grants, Vec::new());
}

#[test]
fn a_request_that_cannot_be_written_reaches_nobody() {
    let broker = Broker::playing([lease_answer(), Play::Close]);
    let mut agent = broker.agent();
    let lease = agent.lease(&task()).unwrap();
    for path in ["/a b", "/a?b=c", "/a\r\nX: y"] {
        assert!(matches!(agent.call(&lease, &Request::get(path)), Err(AgentError::RequestUnfit)));
    }
    let long = "l".repeat(contract::agent::MAX_REQUEST);
    assert!(matches!(
        agent.call(&lease, &Request::get("/a").query("q", &long)),
        Err(AgentError::RequestUnfit)
    ));
    broker.heard();
    assert!(broker.heard.try_recv().is_err(), "only the task was heard");
}
