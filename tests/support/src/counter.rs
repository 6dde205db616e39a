//! Where agents are served: the real routes on a real socket, and requests written byte by byte.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use app::port::Clock as _;
use broker::Hub;
use contract::ui::{AnswerApproval, ApprovalAnswer, ApprovalView, RuleAct, SetRule};
use domain::id::{AgentId, GrantId};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use ipc::listen::Listener;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

use crate::agent::TestAgent;
use crate::fake_provider::FakeProvider;
use crate::fakes::{TestApp, private_folder};

/// What every secret of the bank ends with: long enough not to be found in an answer by chance.
const MARK: &str = "-Zq7RrT2mWc9KxLf4VbNs8Hd3Pj6";

/// How long an answer takes at most; the person is waited for by a clock that the test moves.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bank, an app with a grant of Budget Buddy's at it, and the socket.
pub struct Counter {
    /// The bank.
    pub bank: FakeProvider,
    /// The app.
    pub app: TestApp,
    /// Budget Buddy's grant.
    pub grant: GrantId,
    /// Budget Buddy.
    pub agent: TestAgent,
    socket: PathBuf,
    serving: Serving,
    folder: TempDir,
}

/// Ends with what is dropped.
struct Serving(AbortHandle);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A request, to be written as it is.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What stands in the first line.
    pub method: String,
    /// The target.
    pub path: String,
    /// Headers in their order; `host` and `content-length` are added where they are not there.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status; 0 where there is none.
    pub status: u16,
    /// Its head.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Ask {
    /// A request without anything.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a form.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.with("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// With JSON.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.with("content-type", "application/json").body(value.to_string())
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// As it goes over the wire, to this host.
    #[must_use]
    pub fn bytes(&self, authority: &str) -> Vec<u8> {
        let has = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let mut add = |name: &str, value: &str| {
            let _ = write!(head, "{name}: {value}\r\n");
        };
        if !has("host") {
            add("host", authority);
        }
        if !has("content-length") && !has("transfer-encoding") && !self.body.is_empty() {
            add("content-length", &self.body.len().to_string());
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        if !has("connection") {
            add("connection", "close");
        }
        head.push_str("\r\n");
        [head.into_bytes(), self.body.clone()].concat()
    }
}

impl Answer {
    /// The first header of a name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The error that it names.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.json()["error"].as_str().map(str::to_owned)
    }

    /// The lease that it holds.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn lease(&self) -> String {
        let answer = self.json();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no lease: {self:?}")).to_owned()
    }

    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        let body = if chunked { whole(body) } else { body.to_owned() };
        Self { status, head: head.to_owned(), body }
    }
}

fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let Some((piece, rest)) = usize::from_str_radix(size, 16).ok().and_then(|n| rest.split_at_checked(n))
        else {
            break;
        };
        body.push_str(piece);
        chunks = rest.trim_start_matches("\r\n");
    }
    body
}

impl Counter {
    /// Connects with these permissions, and opens. No rule holds an agent back.
    pub async fn open(permissions: &[&str]) -> Self {
        let bank = FakeProvider::start().await;
        bank.marks(MARK);
        let mut app = TestApp::start(&[&bank]).await;
        let grant = app.connect("bank-1", permissions).await;
        bank.forget_seen();
        Self::at(bank, app, grant).await
    }

    /// The same for an app that is there.
    pub async fn at(bank: FakeProvider, app: TestApp, grant: GrantId) -> Self {
        for rule in app.app.list_rules().await.expect("rules") {
            let quiet = SetRule { id: rule.id, threshold: rule.threshold, act: RuleAct::Nothing };
            app.app.set_rule(quiet).await.expect("a rule that does nothing");
        }
        let folder = private_folder();
        let socket = folder.path().join("countersign/0707070707070707/broker.sock");
        let listener = Listener::bind(&socket).expect("a socket");
        let authority = app.app.issuer().trim_start_matches("http://").to_owned();
        let routes =
            TowerToHyperService::new(broker::public::routes(app.app.clone(), Hub::new().0, authority));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let routes = routes.clone();
                tokio::spawn(async move {
                    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), routes);
                    drop(serving.await);
                });
            }
        });
        let agent = TestAgent::buddy();
        Self { bank, app, grant, agent, socket, serving: Serving(serving.abort_handle()), folder }
    }

    /// As after a crash, over the same data and bank.
    pub async fn restarted(self) -> Self {
        let Self { bank, app, grant, agent, serving, folder, .. } = self;
        drop((serving, folder));
        let TestApp { app: running, dir, keychain, .. } = app;
        drop(running);
        let app = TestApp::start_in(dir, keychain, &[&bank]).await;
        Self { agent, ..Self::at(bank, app, grant).await }
    }

    /// Now, in seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.app.clock.now().secs()
    }

    /// Where this path is.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.app.app.issuer())
    }

    /// Writes, and reads what comes back to its end. Nothing that comes back holds a secret of the bank.
    pub async fn says(&self, request: &[u8]) -> Answer {
        let mut stream = UnixStream::connect(&self.socket).await.expect("the socket");
        let (mut read, mut write) = stream.split();
        let mut bytes = Vec::new();
        // What is refused before its end is closed while it is still written.
        let both = async { tokio::join!(write.write_all(request), read.read_to_end(&mut bytes)) };
        drop(tokio::time::timeout(PATIENCE, both).await.expect("an end of the answer"));
        let answer = Answer::parse(&bytes);
        for secret in [MARK, "refresh-1", "\"d\":"] {
            assert!(!answer.body.contains(secret) && !answer.head.contains(secret), "{answer:?}");
        }
        answer
    }

    /// Sends a request.
    pub async fn ask(&self, ask: &Ask) -> Answer {
        self.says(&ask.bytes(self.app.app.issuer().trim_start_matches("http://"))).await
    }

    /// Adds the agent's proof to a request.
    #[must_use]
    pub fn proven(&self, agent: &TestAgent, ask: Ask, lease: Option<&str>) -> Ask {
        let path = ask.path.split('?').next().unwrap_or_default();
        let proof = agent.proof(&ask.method, &self.address(path), lease, self.now());
        let ask = ask.with("dpop", &proof);
        match lease {
            Some(lease) => ask.with("authorization", &format!("DPoP {lease}")),
            None => ask,
        }
    }

    /// What asks for a lease by a task that is signed.
    #[must_use]
    pub fn token(&self, agent: &TestAgent, task: &str) -> Ask {
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", task)];
        self.proven(agent, Ask::new("POST", "/token").form(&form), None)
    }

    /// Budget Buddy's claims for this, with so many uses.
    #[must_use]
    pub fn claims(&self, details: &Value, uses: u16) -> Value {
        let grant = self.grant.to_string();
        let mut claims = self.agent.claims(&self.app.app.issuer(), &grant, details, self.now());
        claims["uses"] = uses.into();
        claims
    }

    /// Budget Buddy presents these claims.
    pub async fn present(&self, claims: &Value) -> Answer {
        let task = self.agent.sign(&self.agent.task_header(), claims);
        self.ask(&self.token(&self.agent, &task)).await
    }

    /// A lease of Budget Buddy's for this.
    pub async fn lease(&self, details: &Value, uses: u16) -> String {
        self.present(&self.claims(details, uses)).await.lease()
    }

    /// A call by an agent under a lease.
    pub async fn call(&self, agent: &TestAgent, lease: &str, method: &str, path: &str, body: &str) -> Answer {
        let ask = Ask::new(method, &format!("/call/{}{path}", self.grant)).body(body);
        self.ask(&self.proven(agent, ask, Some(lease))).await
    }

    /// The question that is open, once one is.
    pub async fn question(&self) -> ApprovalView {
        loop {
            match self.app.app.pending_approval().await.expect("the questions").question {
                Some(view) => return view,
                None => tokio::task::yield_now().await,
            }
        }
    }

    /// Waits until a question is open, and answers it; what was drawn.
    pub async fn answer(&self, answer: ApprovalAnswer) -> ApprovalView {
        let view = self.question().await;
        let (id, drawn) = (view.id.clone(), view.drawn.clone());
        let answered = AnswerApproval { id, drawn, answer, passphrase: None };
        self.app.app.answer_approval(answered).await.expect("an answer");
        view
    }

    /// The person adds an agent by hand.
    pub async fn add(&self, name: &str, agent: &TestAgent) {
        let added = contract::ui::AddAgent { name: name.into(), key: agent.x() };
        self.app.app.add_agent(&added).await.expect("an agent");
    }

    /// The id of the agent with this key.
    ///
    /// # Panics
    /// There is none.
    pub async fn id_of(&self, agent: &TestAgent) -> AgentId {
        let thumbprint = agent.thumbprint();
        let agents = self.app.app.list_agents().await.expect("the agents").agents;
        let found = agents.iter().find(|known| known.thumbprint == thumbprint);
        AgentId::parse(&found.expect("the agent").id).expect("an id")
    }

    /// How many records of the audit log are of this kind.
    #[must_use]
    pub fn records(&self, event: &str) -> usize {
        self.app.audit().iter().filter(|body| body.contains(&format!("\"event\":\"{event}\""))).count()
    }
}

/// What asks to pay the water works.
#[must_use]
pub fn pay() -> Value {
    json!([{"type": "payment_initiation", "actions": ["make_payment"],
        "instructedAmount": {"currency": "EUR", "amount": "12.50"}, "creditorName": "Water Works",
        "creditorAccount": {"id": "p1"}, "debtorAccount": {"id": "a1"}}])
}
