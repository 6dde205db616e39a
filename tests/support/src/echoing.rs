//! Banks that hand the token on: in a body, in whatever coding, in a header, in an error, or by sending elsewhere.

use std::net::TcpListener;
use std::time::Duration;

use app::port::Clock as _;
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use broker::Hub;
use contract::ui::{RuleAct, SetRule};
use domain::id::GrantId;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use crate::agent::{TestAgent, look};
use crate::fake_provider::{Answer, Edit, FakeProvider};
use crate::fakes::TestApp;

/// Calls of one lease.
const USES: u32 = 100;
/// Any so many characters of the token in a row are some of it.
const PIECE: usize = 12;
/// What stands in a body before the token, and after it.
const AROUND: (&str, &str) = ("{\"accountId\":\"a1\",\"note\":\"", "\",\"currentBalance\":12.5}");

type Coding = fn(&str) -> Vec<u8>;

/// In what coding the token stands in a body.
const CODINGS: [(&str, Coding); 11] = [
    ("as it is", |token| token.into()),
    ("escaped for JSON", |token| token.bytes().flat_map(|b| format!("\\u{b:04X}").into_bytes()).collect()),
    ("escaped for addresses", |token| token.bytes().flat_map(|b| format!("%{b:02x}").into_bytes()).collect()),
    ("escaped twice", |token| token.bytes().flat_map(|b| format!("%25{b:02X}").into_bytes()).collect()),
    ("escaped for HTML", |token| token.bytes().flat_map(|b| format!("&#{b};").into_bytes()).collect()),
    ("in base64", |token| STANDARD.encode(token).into_bytes()),
    ("in base64url", |token| URL_SAFE_NO_PAD.encode(token).into_bytes()),
    ("in hexadecimal", |token| token.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect()),
    ("in UTF-16", |token| token.bytes().flat_map(|b| [b, 0]).collect()),
    ("turned around", |token| token.bytes().rev().collect()),
    ("in lines", |token| token.as_bytes().chunks(7).collect::<Vec<_>>().join(&b"\r\n"[..])),
];

/// Where a bank sends on to: status and header, with a place for another host.
const ELSEWHERE: [(u16, &str, &str); 12] = [
    (301, "location", "http://{sink}/token"),
    (302, "location", "http://{sink}/?token={token}"),
    (303, "location", "http://{sink}/"),
    (307, "location", "http://{sink}/token"),
    (308, "location", "//{sink}/token"),
    (300, "location", "http://{sink}/"),
    (305, "location", "http://{sink}/"),
    (307, "location", "http://{token}@{sink}/"),
    (200, "refresh", "0; url=http://{sink}/?{token}"),
    (201, "location", "http://{sink}/{token}"),
    (200, "link", "<http://{sink}/>; rel=\"preload\""),
    (200, "alt-svc", "http/1.1=\"{sink}\"; ma=86400"),
];

/// Headers in which a bank may hand the token on.
const HEADERS: [(u16, &str, &str); 6] = [
    (200, "x-request-token", "{token}"),
    (200, "set-cookie", "session={token}; Path=/"),
    (200, "content-type", "application/json; charset={token}"),
    (403, "www-authenticate", "Bearer error=\"insufficient_scope\", error_description=\"{token}\""),
    (429, "retry-after", "{token}"),
    (200, "etag", "\"{token}\""),
];

/// How many ways there are.
pub const WAYS: usize = CODINGS.len() * 4 + ELSEWHERE.len() + HEADERS.len();

/// One way to hand the token on.
struct Way {
    name: String,
    answer: Answer,
    /// The body before the token; none where it is not in the body.
    before: Option<&'static str>,
    /// The body as it is sent, before it is compressed.
    body: Vec<u8>,
}

/// What came of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// So many were made.
    pub made: usize,
    /// So many reached the agent whole.
    pub whole: usize,
    /// In so many there was something of the token.
    pub leaks: usize,
    /// So many would have held something of it, had they been passed on as they came.
    pub unguarded: usize,
    /// So many connections came to the other host.
    pub elsewhere: usize,
}

/// A hostile bank, the real routes, and an agent with leases.
pub struct Echoing {
    bank: FakeProvider,
    app: TestApp,
    grant: GrantId,
    agent: TestAgent,
    routes: TowerToHyperService<Router>,
    sink: TcpListener,
    lease: Option<String>,
    used: u32,
}

impl Echoing {
    /// Connects.
    ///
    /// # Panics
    /// There is no connection.
    pub async fn start() -> Self {
        let bank = FakeProvider::start().await;
        bank.marks("-Zq7RrT2mWc9KxLf4VbNs8Hd3Pj6");
        let mut app = TestApp::start(&[&bank]).await;
        let grant = app.connect("bank-1", &["accounts", "balances"]).await;
        for rule in app.app.list_rules().await.expect("rules") {
            let quiet = SetRule { id: rule.id, threshold: rule.threshold, act: RuleAct::Nothing };
            app.app.set_rule(quiet).await.expect("a rule that does nothing");
        }
        let authority = app.app.issuer().trim_start_matches("http://").to_owned();
        let routes = broker::public::routes(app.app.clone(), Hub::new().0, authority);
        let sink = TcpListener::bind("127.0.0.1:0").expect("another host");
        sink.set_nonblocking(true).expect("to be looked at");
        let routes = TowerToHyperService::new(routes);
        Self { bank, app, grant, agent: TestAgent::buddy(), routes, sink, lease: None, used: 0 }
    }

    /// Makes so many calls, of all ways in turn.
    ///
    /// # Panics
    /// A call could not be made.
    pub async fn calls(&mut self, count: usize) -> Calls {
        let mut calls = Calls::default();
        // The token that the bank hands on is the one that came with the call before.
        self.call().await;
        for turn in 0..count {
            let token = self.bank.last_call().expect("a token");
            let way = self.way(turn % WAYS, &token);
            self.bank.answers("/fdx/v6/accounts/a1", way.answer);
            let (head, body, whole) = self.call().await;
            assert_eq!(self.bank.last_call().as_ref(), Some(&token), "the token is still that one");
            calls.made += 1;
            calls.whole += usize::from(whole);
            let leaks = holds(&head, &token) || leaked(&body, way.before, &token);
            if leaks {
                eprintln!("call_leaks: {}: {head} {}", way.name, String::from_utf8_lossy(&body));
            }
            calls.leaks += usize::from(leaks);
            calls.unguarded += usize::from(leaked(&way.body, way.before, &token));
        }
        while self.sink.accept().is_ok() {
            calls.elsewhere += 1;
        }
        calls
    }

    fn way(&self, number: usize, token: &str) -> Way {
        let sink = self.sink.local_addr().expect("an address").to_string();
        let filled = |text: &str| text.replace("{sink}", &sink).replace("{token}", token);
        let bodies = CODINGS.len() * 4;
        if number < bodies {
            let ((coding, code), dress) = (CODINGS[number / 4], number % 4);
            let body = [AROUND.0.as_bytes(), &code(token), AROUND.1.as_bytes()].concat();
            let hex = body.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut answer = Answer { body: vec![Edit::Hex(hex)], ..Answer::default() };
            let dressed = ["", ", zipped", ", in an error", ", in an error of the server"][dress];
            match dress {
                1 => answer.body.push(Edit::Gzip(6)),
                2 => answer.status = Some(400),
                3 => answer.status = Some(500),
                _ => {}
            }
            return Way { name: format!("{coding}{dressed}"), answer, before: Some(AROUND.0), body };
        }
        let (status, name, value) = match ELSEWHERE.get(number - bodies) {
            Some(way) => *way,
            None => HEADERS[number - bodies - ELSEWHERE.len()],
        };
        let headers = [(name.to_owned(), Some(filled(value)))].into();
        let answer = Answer { status: Some(status), headers, ..Answer::default() };
        Way { name: format!("{status} {name}"), answer, before: None, body: Vec::new() }
    }

    /// One call: the head and the body that the agent gets, and whether it came whole.
    async fn call(&mut self) -> (String, Vec<u8>, bool) {
        if self.lease.is_none() || self.used == USES {
            self.lease = Some(self.new_lease().await);
            self.used = 0;
        }
        self.used += 1;
        let lease = self.lease.clone().expect("a lease");
        let path = format!("/call/{}/accounts/a1", self.grant);
        let request = self.request("GET", &path, Some(&lease));
        let response = self.routes.call(request.body(Full::default()).expect("a request")).await;
        let (parts, mut body) = response.expect("an answer").into_parts();
        let head = format!("{} {:?}", parts.status, parts.headers);
        let (mut received, mut whole) = (Vec::new(), parts.headers.contains_key("countersign-answer"));
        while let Some(frame) = body.frame().await {
            match frame.map(hyper::body::Frame::into_data) {
                Ok(Ok(bytes)) => received.extend_from_slice(&bytes),
                Ok(Err(_)) => {}
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        (head, received, whole)
    }

    async fn new_lease(&self) -> String {
        // An agent that calls so often has to take its time.
        self.app.clock.pass(Duration::from_secs(1));
        let now = self.app.clock.now().secs();
        let mut claims =
            self.agent.claims(&self.app.app.issuer(), &self.grant.to_string(), &look(&["get_balance"]), now);
        claims["uses"] = USES.into();
        let task = self.agent.sign(&self.agent.task_header(), &claims);
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={task}");
        let request = self
            .request("POST", "/token", None)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)));
        let response = self.routes.call(request.expect("a request")).await.expect("an answer");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no lease: {answer}")).to_owned()
    }

    fn request(&self, method: &str, path: &str, lease: Option<&str>) -> http::request::Builder {
        let issuer = self.app.app.issuer();
        let now = self.app.clock.now().secs();
        let proof = self.agent.proof(method, &format!("{issuer}{path}"), lease, now);
        let mut request = http::Request::builder().method(method).uri(path).header("dpop", proof);
        request = request.header("host", issuer.trim_start_matches("http://"));
        match lease {
            Some(lease) => request.header("authorization", format!("DPoP {lease}")),
            None => request,
        }
    }
}

/// Whether a body goes beyond what stands before the token, or holds some of it as it is.
fn leaked(body: &[u8], before: Option<&str>, token: &str) -> bool {
    // What the host says in place of the bank names no token, and begins otherwise.
    let beyond = |before: &str| body.starts_with(before.as_bytes()) && body.len() > before.len();
    before.is_some_and(beyond) || holds(&String::from_utf8_lossy(body), token)
}

fn holds(text: &str, token: &str) -> bool {
    token
        .as_bytes()
        .windows(PIECE)
        .any(|piece| std::str::from_utf8(piece).is_ok_and(|piece| text.contains(piece)))
}
