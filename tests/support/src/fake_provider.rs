//! A scriptable provider: a real server on 127.0.0.1, honest unless its script says otherwise.
//!
//! It reads each request to its end and writes each answer byte by byte itself, since what it has to be able to send
//! is what no HTTP library would.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

mod answer;
mod bank;
mod document;
pub mod mode;
mod request;
mod script;
mod wire;

pub use answer::{Answer, Edit, Wire};
pub use request::Seen;
pub use script::{Habit, Script};

use answer::Plain;
use bank::Bank;
use request::name_of;

/// The provider; it stops when dropped.
pub struct FakeProvider {
    /// Its issuer.
    pub issuer: String,
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

/// What a bank knows at one moment.
pub struct Memory(Bank);

/// Who is told of each request.
type Teller = Box<dyn Fn(&Seen) + Send>;

/// What every connection shares.
#[derive(Default)]
struct Desk {
    script: Mutex<Script>,
    bank: Mutex<Bank>,
    seen: Mutex<Vec<Seen>>,
    busy: Mutex<Vec<(SystemTime, SystemTime)>>,
    told: Mutex<Option<Teller>>,
    /// So many connections are closed before anything is read from them.
    unread: AtomicU32,
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FakeProvider {
    /// Starts an honest provider.
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    /// Starts one at a port.
    pub async fn start_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let desk = Arc::new(Desk::default());
        desk.bank().issuer.clone_from(&issuer);
        let serving = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Self { issuer, desk, serving }
    }

    /// The address of a call of its API.
    #[must_use]
    pub fn api(&self, path: &str) -> String {
        format!("{}/fdx/v6{path}", self.issuer)
    }

    /// Its provider file, as the script changes it.
    #[must_use]
    pub fn file(&self, id: &str) -> String {
        document::file(&self.issuer, id, &self.desk.script().file)
    }

    /// The file of an honest provider that runs elsewhere.
    #[must_use]
    pub fn file_of(issuer: &str, id: &str) -> String {
        document::file(issuer, id, &BTreeMap::new())
    }

    /// Does this from now on.
    pub fn play(&self, script: Script) {
        *self.desk.script() = script;
    }

    /// Answers an endpoint like this from now on.
    pub fn answers(&self, endpoint: &str, answer: Answer) {
        self.desk.script().answers.insert(name_of(endpoint), vec![answer]);
    }

    /// Answers an endpoint like this once, and honestly after that.
    pub fn play_once(&self, endpoint: &str, answer: Answer) {
        self.desk.script().answers.insert(name_of(endpoint), vec![answer, Answer::default()]);
    }

    /// Is sent a form by somebody else.
    pub async fn takes(&self, endpoint: &str, form: &[(&str, &str)]) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let authority = self.issuer.trim_start_matches("http://");
        let mut stream = TcpStream::connect(authority).await.expect("a connection");
        let request = format!(
            "POST /{endpoint} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.expect("the request goes out");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
    }

    /// The token that the last call of the API came with.
    #[must_use]
    pub fn last_call(&self) -> Option<String> {
        let seen = self.seen("accounts").pop()?;
        seen.authorization?.strip_prefix("Bearer ").map(str::to_owned)
    }

    /// Closes the next connection before it reads anything.
    pub fn turns_away(&self) {
        self.desk.unread.fetch_add(1, Ordering::SeqCst);
    }

    /// Answers an endpoint honestly again.
    pub fn answers_honestly(&self, endpoint: &str) {
        self.desk.script().answers.remove(&name_of(endpoint));
    }

    /// Answers an endpoint honestly but late.
    pub fn delays(&self, endpoint: &str, ms: u64) {
        self.desk.script().delays.insert(name_of(endpoint), ms);
    }

    /// Changes a claim of the id_token; `null` removes it.
    pub fn claims(&self, name: &str, value: Value) {
        self.desk.script().claims.insert(name.into(), value);
    }

    /// Changes a member of the token response; `null` removes it.
    pub fn token(&self, name: &str, value: Value) {
        self.desk.script().token.insert(name.into(), value);
    }

    /// Changes a member of the metadata; `null` removes it.
    pub fn metadata(&self, name: &str, value: Value) {
        self.desk.script().metadata.insert(name.into(), value);
    }

    /// Changes the provider file by dotted key; `null` removes one. Before the app reads it.
    pub fn states(&self, key: &str, value: Value) {
        self.desk.script().file.insert(key.into(), value);
    }

    /// Sends the browser back with this; `{code}`, `{state}` and `{iss}` stand for the honest values.
    pub fn calls_back(&self, template: &str) {
        self.desk.script().callback = Some(template.into());
    }

    /// Ends every code and token with this on the wire, so that none is like any other text.
    pub fn marks(&self, mark: &str) {
        mark.clone_into(&mut self.desk.bank().mark);
    }

    /// Takes on a habit.
    pub fn habit(&self, habit: Habit) {
        self.desk.script().habits.insert(habit);
    }

    /// The newest tokens of the n-th consent, if they work: access and refresh.
    #[must_use]
    pub fn newest(&self, consent: u32) -> Option<(String, String)> {
        self.desk.bank().newest(consent)
    }

    /// Moves its clock on.
    pub fn pass(&self, span: Duration) {
        self.desk.bank().ahead += span.as_secs();
    }

    /// How often a refresh token came that was used before.
    #[must_use]
    pub fn reuses(&self) -> u32 {
        self.desk.bank().reuses()
    }

    /// Ends a consent, as its customer does at the bank.
    pub fn ends_consent(&self, consent: u32) {
        self.desk.bank().end_family(consent);
    }

    /// Registers one path for the redirect address.
    pub fn registers(&self, callback_path: &str) {
        self.desk.bank().callback_path = Some(callback_path.into());
    }

    /// Says each request as it arrives.
    pub fn tells(&self, teller: impl Fn(&Seen) + Send + 'static) {
        *self.desk.told.lock().expect("the teller") = Some(Box::new(teller));
    }

    /// The requests at one endpoint so far.
    #[must_use]
    pub fn seen(&self, endpoint: &str) -> Vec<Seen> {
        self.desk.seen().iter().filter(|seen| seen.at == name_of(endpoint)).cloned().collect()
    }

    /// Every request so far.
    #[must_use]
    pub fn all_seen(&self) -> Vec<Seen> {
        self.desk.seen().clone()
    }

    /// What it knows now.
    #[must_use]
    pub fn memory(&self) -> Memory {
        Memory(self.desk.bank().clone())
    }

    /// Knows what it knew then, honest again and with nothing seen since.
    pub fn go_back_to(&self, memory: &Memory) {
        self.play(Script::default());
        *self.desk.bank() = memory.0.clone();
        self.forget_seen();
    }

    /// Has seen nothing so far.
    pub fn forget_seen(&self) {
        self.desk.seen().clear();
        self.desk.busy.lock().expect("the times").clear();
    }

    /// The tokens that work.
    #[must_use]
    pub fn live(&self) -> BTreeSet<String> {
        self.desk.bank().live.clone()
    }

    /// From when to when it had a request and no answer yet, for each of them.
    #[must_use]
    pub fn busy(&self) -> Vec<(SystemTime, SystemTime)> {
        self.desk.busy.lock().expect("the times").clone()
    }

    /// Forgets the requests so far; what it knows of its customers stays.
    pub fn forgets_what_it_saw(&self) {
        self.desk.seen().clear();
        self.desk.busy.lock().expect("the times").clear();
    }

    /// Where the requests went so far, in order.
    #[must_use]
    pub fn requests(&self) -> String {
        self.desk.seen().iter().map(|seen| seen.at.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl Desk {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("the script")
    }

    fn bank(&self) -> std::sync::MutexGuard<'_, Bank> {
        self.bank.lock().expect("the bank")
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().expect("what was seen")
    }

    /// Judges a request as the bank would, then as the script would have it.
    fn decide(&self, seen: &Seen) -> (Plain, Answer) {
        let mut script = self.script();
        let answer = script.next(&seen.at);
        let honest = if answer.unheard { Plain::empty(503) } else { self.bank().answer(&script, seen) };
        if seen.at == "authorize"
            && let Some(then) = script.then.take()
        {
            *script = *then;
        }
        (honest, answer)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let less = |unread: u32| unread.checked_sub(1);
        if self.unread.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            return;
        }
        let Some(seen) = Seen::read(&mut stream).await else { return };
        let came = SystemTime::now();
        if let Some(tell) = self.told.lock().expect("the teller").as_ref() {
            tell(&seen);
        }
        self.seen().push(seen.clone());
        let (honest, answer) = self.decide(&seen);
        tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
        self.busy.lock().expect("the times").push((came, SystemTime::now()));
        // An error here is the client's: it had enough.
        drop(wire::write(&mut stream, &answer.change(honest), &answer.wire).await);
    }
}

/// Serves each connection in a task of its own, and ends them all when it ends.
async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let desk = Arc::clone(&desk);
        connections.spawn(async move { desk.serve(stream).await });
        while connections.try_join_next().is_some() {}
    }
}
