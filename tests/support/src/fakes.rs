//! The app on real store, real HTTP and real loopback, with a keychain, a browser and events that a test holds.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use app::catalogue::{Catalogue, SourceFile, Sources};
use app::port::{
    Anchor, ApprovalPrompt, CallLimits, CallReply, Clock, Dice, DiceError, Document, Events, Files,
    FilesError, Http, HttpError, Keychain, KeychainError, Memory, Note, Notify, OpenError, Opener, Ports,
    StopMark, StopMarkError,
};
use app::{App, Settings};
use contract::ui::{AttemptStep, AttemptView, ConnectAccount, Event};
use domain::attempt::Attempt;
use domain::id::{GrantId, InstallId, KekId};
use domain::provider::AddressRule;
use domain::secret::KeyEncryptionKey;
use domain::time::Timestamp;
use keychain::MemoryKeychain;
use net::http::HttpClient;
use net::loopback::SystemLoopback;
use oauth::message::{Reply, Request};
use store::SqliteStore;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use url::Url;

use crate::fake_provider::FakeProvider;

/// Real time, waiting included, which a test can move on.
#[derive(Clone, Debug)]
pub struct TestClock {
    ahead: watch::Sender<Duration>,
    /// How far the wall clock alone was moved, in milliseconds.
    moved: Arc<AtomicI64>,
    /// Where the clock that nobody moves stands still, if it does.
    still: Arc<Mutex<Option<Duration>>>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { ahead: watch::Sender::new(Duration::ZERO), moved: Arc::default(), still: Arc::default() }
    }
}

impl TestClock {
    /// Moves on: whoever waits for less is woken.
    pub fn pass(&self, span: Duration) {
        self.ahead.send_modify(|ahead| *ahead += span);
    }

    /// Moves the wall clock alone, forth or back, as a person or a server of time does.
    pub fn move_wall(&self, millis: i64) {
        self.moved.fetch_add(millis, Ordering::SeqCst);
    }
}

impl TestClock {
    /// Has the clock that nobody moves stand still: what a slow machine takes a minute for happens at once.
    pub fn stand_still(&self) {
        let now = self.monotonic();
        *self.still.lock().expect("nobody panics holding it") = Some(now);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let now = since + *self.ahead.borrow();
        let now =
            Timestamp::from_millis(i64::try_from(now.as_millis()).expect("before the year 300 million"));
        now.plus_millis(self.moved.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        static BEGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        if let Some(still) = *self.still.lock().expect("nobody panics holding it") {
            return still;
        }
        BEGIN.get_or_init(std::time::Instant::now).elapsed() + *self.ahead.borrow()
    }

    async fn sleep(&self, span: Duration) {
        let mut ahead = self.ahead.subscribe();
        let (begin, passed) = (tokio::time::Instant::now(), *ahead.borrow_and_update());
        loop {
            let moved = *ahead.borrow_and_update() - passed;
            tokio::select! {
                () = tokio::time::sleep_until(begin + span.saturating_sub(moved)) => return,
                moved = ahead.changed() => moved.expect("the clock is here"),
            }
        }
    }
}

/// Real randomness, until the test has it fail or stick.
#[derive(Clone, Debug, Default)]
pub struct TestDice(Arc<Mutex<Option<Result<u8, DiceError>>>>);

impl TestDice {
    /// From now on: one byte for ever, or no byte at all; with `None`, real randomness again.
    pub fn stick(&self, with: Option<Result<u8, DiceError>>) {
        *self.0.lock().expect("nobody panics holding it") = with;
    }
}

impl Dice for TestDice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), DiceError> {
        match *self.0.lock().expect("nobody panics holding it") {
            None => getrandom::fill(bytes).map_err(|_| DiceError),
            Some(stuck) => stuck.map(|byte| bytes.fill(byte)),
        }
    }
}

/// A browser that hands the address to the test, or cannot be opened.
pub struct TestBrowser {
    opened: mpsc::UnboundedSender<Url>,
    fault: Arc<Mutex<Option<OpenError>>>,
}

impl Opener for TestBrowser {
    async fn open(&self, url: &Url) -> Result<(), OpenError> {
        tokio::task::yield_now().await;
        if let Some(fault) = *self.fault.lock().expect("the fault") {
            return Err(fault);
        }
        self.opened.send(url.clone()).map_err(|_| OpenError::Failed)
    }
}

/// A keychain that the test and the app share.
#[derive(Clone)]
pub struct SharedKeychain {
    items: Arc<MemoryKeychain>,
    frozen: Arc<AtomicBool>,
    read: Arc<Mutex<Option<SystemTime>>>,
    on_its_way: watch::Sender<Duration>,
}

impl SharedKeychain {
    /// An empty one.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            items: Arc::new(MemoryKeychain::new()),
            frozen: Arc::default(),
            read: Arc::default(),
            on_its_way: watch::Sender::new(Duration::ZERO),
        }
    }

    /// From now on, what is read is on its way for so long.
    pub fn take_time(&self, span: Duration) {
        self.on_its_way.send_replace(span);
    }

    /// From now on nobody who asks for a key gets an answer.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::SeqCst);
    }

    /// When a key was asked for last.
    #[must_use]
    pub fn last_read(&self) -> Option<SystemTime> {
        *self.read.lock().expect("nobody panics holding it")
    }

    async fn answers(&self) {
        if self.frozen.load(Ordering::SeqCst) {
            std::future::pending().await
        }
    }
}

impl std::ops::Deref for SharedKeychain {
    type Target = MemoryKeychain;
    fn deref(&self) -> &MemoryKeychain {
        &self.items
    }
}

impl Keychain for SharedKeychain {
    async fn status(&self) -> Result<(), KeychainError> {
        self.answers().await;
        self.items.status().await
    }
    async fn probe(&self, install: &InstallId) -> Result<(), KeychainError> {
        self.items.probe(install).await
    }
    async fn read_keks(
        &self,
        install: &InstallId,
        kek: KekId,
    ) -> Result<Vec<KeyEncryptionKey>, KeychainError> {
        self.answers().await;
        *self.read.lock().expect("nobody panics holding it") = Some(SystemTime::now());
        let read = self.items.read_keks(install, kek).await;
        let span = *self.on_its_way.borrow();
        if !span.is_zero() {
            tokio::time::sleep(span).await;
        }
        read
    }
    async fn write_kek(
        &self,
        install: &InstallId,
        kek: KekId,
        key: &KeyEncryptionKey,
    ) -> Result<(), KeychainError> {
        self.items.write_kek(install, kek, key).await
    }
    async fn delete_kek(&self, install: &InstallId, kek: KekId) -> Result<(), KeychainError> {
        self.items.delete_kek(install, kek).await
    }
    async fn read_anchors(&self, install: &InstallId) -> Result<Vec<Anchor>, KeychainError> {
        self.items.read_anchors(install).await
    }
    async fn write_anchor(&self, install: &InstallId, anchor: &Anchor) -> Result<(), KeychainError> {
        self.items.write_anchor(install, anchor).await
    }
    async fn unlock(&self) -> Result<(), KeychainError> {
        self.items.unlock().await
    }
}

/// Events, dropped: tests ask for the state.
pub struct NoEvents;

impl Events for NoEvents {
    fn send(&self, _: Event) {}
}

/// What the person was told outside of the window, for the test to read.
#[derive(Clone, Default)]
pub struct TestNotes(Arc<Mutex<Vec<Note>>>);

impl TestNotes {
    /// What was told so far.
    #[must_use]
    pub fn told(&self) -> Vec<Note> {
        self.0.lock().expect("nobody panics holding it").clone()
    }
}

impl Notify for TestNotes {
    fn notify(&self, note: Note) -> impl Future<Output = ()> + Send {
        self.0.lock().expect("nobody panics holding it").push(note);
        std::future::ready(())
    }
}

/// The approval window: how often it was wanted.
#[derive(Clone, Debug)]
pub struct TestPrompt(watch::Sender<u32>);

impl Default for TestPrompt {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl TestPrompt {
    /// How often so far.
    #[must_use]
    pub fn times(&self) -> u32 {
        *self.0.borrow()
    }

    /// Waits until it was wanted this often.
    pub async fn wanted(&self, times: u32) {
        self.0.subscribe().wait_for(|so_far| *so_far >= times).await.expect("the prompt is here");
    }
}

impl ApprovalPrompt for TestPrompt {
    fn prompt(&self) {
        self.0.send_modify(|times| *times += 1);
    }
}

/// The stop mark in memory, shared by the runs of a test.
#[derive(Clone, Default)]
pub struct TestMark {
    set: Arc<AtomicBool>,
    stuck: Arc<AtomicBool>,
}

impl TestMark {
    /// From now on it can be neither set nor cleared.
    pub fn stick(&self) {
        self.stuck.store(true, Ordering::SeqCst);
    }

    /// From now on it can be changed again.
    pub fn release(&self) {
        self.stuck.store(false, Ordering::SeqCst);
    }

    /// As somebody else finds it, or leaves it.
    #[must_use]
    pub fn place(&self) -> &AtomicBool {
        &self.set
    }

    fn change(&self, to: bool) -> bool {
        let free = !self.stuck.load(Ordering::SeqCst);
        if free {
            self.set.store(to, Ordering::SeqCst);
        }
        free
    }
}

impl StopMark for TestMark {
    fn is_set(&self) -> impl Future<Output = bool> + Send {
        std::future::ready(self.set.load(Ordering::SeqCst))
    }
    fn set(&self) -> impl Future<Output = bool> + Send {
        std::future::ready(self.change(true))
    }
    fn clear(&self) -> impl Future<Output = Result<(), StopMarkError>> + Send {
        std::future::ready(if self.change(false) { Ok(()) } else { Err(StopMarkError) })
    }
}

/// A name, and the files that were written under it.
pub type Written = (String, Vec<Document>);

/// What was written for the person, for the test to read; or nothing can be written.
#[derive(Clone, Default)]
pub struct TestFiles {
    written: Arc<Mutex<Vec<Written>>>,
    full: Arc<AtomicBool>,
}

impl TestFiles {
    /// From now on nothing can be written.
    pub fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> Vec<Written> {
        self.written.lock().expect("nobody panics holding it").clone()
    }
}

impl Files for TestFiles {
    fn save(
        &self,
        name: String,
        documents: Vec<Document>,
    ) -> impl Future<Output = Result<String, FilesError>> + Send {
        if self.full.load(Ordering::SeqCst) {
            return std::future::ready(Err(FilesError));
        }
        let path = format!("/home/fay/Downloads/{name}.html");
        self.written.lock().expect("nobody panics holding it").push((name, documents));
        std::future::ready(Ok(path))
    }

    async fn save_parts(
        &self,
        name: String,
        ending: &'static str,
        mut parts: mpsc::Receiver<Result<String, FilesError>>,
    ) -> Result<String, FilesError> {
        let mut text = String::new();
        while let Some(part) = parts.recv().await {
            text.push_str(&part?);
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(FilesError);
        }
        let path = format!("/home/fay/Downloads/{name}.{ending}");
        self.written.lock().expect("nobody panics holding it").push((name, vec![Document { ending, text }]));
        Ok(path)
    }
}

/// Memory of a test: the key stays where it is.
pub struct TestMemory;

impl Memory for TestMemory {
    fn shield(&self, key: KeyEncryptionKey) -> KeyEncryptionKey {
        key
    }
}

/// The real client, and when each request was under way.
pub struct TestHttp {
    client: HttpClient,
    sent: Sent,
}

/// When requests were under way.
#[derive(Clone, Default)]
pub struct Sent(Arc<Mutex<Vec<OneSent>>>);

struct OneSent {
    address: String,
    begin: Instant,
    end: Option<Instant>,
}

/// A request until it is answered or dropped.
struct UnderWay(Sent, usize);

impl Sent {
    /// How many requests to an address like this began after that moment, or were still under way then.
    #[must_use]
    pub fn after(&self, moment: Instant, like: &str) -> usize {
        let sent = self.0.lock().expect("nobody panics holding it");
        let those = sent.iter().filter(|sent| sent.address.contains(like));
        those.filter(|sent| sent.begin > moment || sent.end.is_none_or(|end| end > moment)).count()
    }

    fn begin(&self, request: &Request) -> UnderWay {
        let mut sent = self.0.lock().expect("nobody panics holding it");
        sent.push(OneSent { address: request.uri().to_string(), begin: Instant::now(), end: None });
        UnderWay(self.clone(), sent.len() - 1)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.lock().expect("nobody panics holding it")[self.1].end = Some(Instant::now());
    }
}

impl Http for TestHttp {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        let under_way = self.sent.begin(&request);
        let reply = self.client.send(request).await;
        drop(under_way);
        reply
    }

    async fn call(&self, request: Request, limits: CallLimits) -> Result<CallReply, HttpError> {
        let under_way = self.sent.begin(&request);
        let reply = self.client.call(request, limits).await;
        drop(under_way);
        reply
    }
}

/// The ports of a test.
pub struct TestPorts {
    files: TestFiles,
    notes: TestNotes,
    prompt: TestPrompt,
    mark: TestMark,
    clock: TestClock,
    dice: TestDice,
    browser: TestBrowser,
    loopback: SystemLoopback,
    http: TestHttp,
    /// The keychain, whose faults the test sets.
    pub keychain: SharedKeychain,
    store: SqliteStore,
}

impl Ports for TestPorts {
    type Clock = TestClock;
    type Dice = TestDice;
    type Opener = TestBrowser;
    type Loopback = SystemLoopback;
    type Http = TestHttp;
    type Keychain = SharedKeychain;
    type Store = SqliteStore;
    type Events = NoEvents;
    type ApprovalPrompt = TestPrompt;
    type Notify = TestNotes;
    type StopMark = TestMark;
    type Files = TestFiles;
    type Memory = TestMemory;

    fn clock(&self) -> &TestClock {
        &self.clock
    }
    fn dice(&self) -> &TestDice {
        &self.dice
    }
    fn opener(&self) -> &TestBrowser {
        &self.browser
    }
    fn loopback(&self) -> &SystemLoopback {
        &self.loopback
    }
    fn http(&self) -> &TestHttp {
        &self.http
    }
    fn keychain(&self) -> &SharedKeychain {
        &self.keychain
    }
    fn store(&self) -> &SqliteStore {
        &self.store
    }
    fn events(&self) -> &NoEvents {
        &NoEvents
    }
    fn approval_prompt(&self) -> &TestPrompt {
        &self.prompt
    }
    fn notify(&self) -> &TestNotes {
        &self.notes
    }
    fn stop_mark(&self) -> &TestMark {
        &self.mark
    }
    fn files(&self) -> &TestFiles {
        &self.files
    }
    fn memory(&self) -> &TestMemory {
        &TestMemory
    }
}

/// The app over one data folder.
pub struct TestApp {
    /// The use cases.
    pub app: App<TestPorts>,
    /// The keychain, shared with the app.
    pub keychain: SharedKeychain,
    /// The app's clock.
    pub clock: TestClock,
    /// The app's randomness.
    pub dice: TestDice,
    /// What the next tries to open the browser end with.
    pub no_browser: Arc<Mutex<Option<OpenError>>>,
    opened: mpsc::UnboundedReceiver<Url>,
    /// What is sent.
    pub sent: Sent,
    /// What the person was told outside of the window.
    pub notes: TestNotes,
    /// How often the approval window was wanted.
    pub prompt: TestPrompt,
    /// The mark that every agent is stopped.
    pub mark: TestMark,
    /// What was written for the person.
    pub files: TestFiles,
    /// The data folder.
    pub dir: TempDir,
}

const FDX: &str = include_str!("../../../src-tauri/crates/oauth/providers/profiles/fdx-v6.toml");
const AGENT: &str = "name = \"Budget Buddy\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\n";

impl TestApp {
    /// Starts the app with these providers.
    pub async fn start(providers: &[&FakeProvider]) -> Self {
        let dir = private_folder();
        Self::start_in(dir, SharedKeychain::empty(), providers).await
    }

    /// Starts it again over the same folder and keychain, as after a crash: the one before is gone without a word.
    pub async fn start_in(dir: TempDir, keychain: SharedKeychain, providers: &[&FakeProvider]) -> Self {
        let files = (1..).zip(providers).map(|(n, provider)| provider.file(&format!("bank-{n}"))).collect();
        Self::start_with_files(dir, keychain, files).await
    }

    /// The same with provider files of any kind.
    pub async fn start_with_files(dir: TempDir, keychain: SharedKeychain, files: Vec<String>) -> Self {
        Self::start_with_mark(dir, keychain, files, TestMark::default()).await
    }

    /// The same as a released build would be, which knows no sandbox.
    pub async fn start_released() -> Self {
        let (keychain, mark) = (SharedKeychain::empty(), TestMark::default());
        Self::start_as(private_folder(), keychain, Vec::new(), mark, false).await
    }

    /// The same with a stop mark that an earlier run left.
    pub async fn start_with_mark(
        dir: TempDir,
        keychain: SharedKeychain,
        files: Vec<String>,
        mark: TestMark,
    ) -> Self {
        Self::start_as(dir, keychain, files, mark, true).await
    }

    async fn start_as(
        dir: TempDir,
        keychain: SharedKeychain,
        files: Vec<String>,
        mark: TestMark,
        sandbox: bool,
    ) -> Self {
        let (browser, opened) = mpsc::unbounded_channel();
        let (clock, no_browser) = (TestClock::default(), Arc::new(Mutex::new(None)));
        let dice = TestDice::default();
        let notes = TestNotes::default();
        let prompt = TestPrompt::default();
        let files_of_person = TestFiles::default();
        let sent = Sent::default();
        let client = HttpClient::new(net::http::Settings {
            addresses: AddressRule::DangerLoopback,
            extra_roots_pem: None,
        })
        .expect("a client");
        let ports = TestPorts {
            files: files_of_person.clone(),
            notes: notes.clone(),
            prompt: prompt.clone(),
            mark: mark.clone(),
            clock: clock.clone(),
            dice: dice.clone(),
            browser: TestBrowser { opened: browser, fault: Arc::clone(&no_browser) },
            loopback: SystemLoopback,
            http: TestHttp { client, sent: sent.clone() },
            keychain: keychain.clone(),
            store: open_store(dir.path()),
        };
        let file = |name: &str, text: String| SourceFile { name: name.into(), text };
        let sources = Sources {
            providers: files.into_iter().map(|text| file("bank.toml", text)).collect(),
            profiles: vec![file("fdx-v6.toml", FDX.into())],
            agents: vec![file("buddy.toml", AGENT.into())],
            unreadable: Vec::new(),
        };
        let catalogue = Catalogue::parse(&sources, AddressRule::DangerLoopback);
        assert_eq!(catalogue.problems, [], "the test's own files are sound");
        let settings = Settings { sandbox, home: None, version: "0".into() };
        let app = App::start(ports, catalogue, settings).await.expect("the app starts");
        Self {
            app,
            keychain,
            clock,
            dice,
            no_browser,
            opened,
            sent,
            notes,
            prompt,
            mark,
            files: files_of_person,
            dir,
        }
    }

    /// Clicks Connect at a bank, asking for these permissions.
    pub async fn click_connect(&self, bank: &str, permissions: &[&str]) -> Attempt {
        let agents = self.app.list_agents().await.expect("agents").agents;
        let request = ConnectAccount {
            provider: bank.into(),
            agent: agents[0].id.clone(),
            permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
            until: self.clock.now().plus_days(30).millis(),
        };
        self.app.connect_account(&request).await.expect("an attempt")
    }

    /// Clicks Connect and comes back with a connection.
    ///
    /// # Panics
    /// There is none.
    pub async fn connect(&mut self, bank: &str, permissions: &[&str]) -> GrantId {
        let attempt = self.click_connect(bank, permissions).await;
        come_back(&self.opened().await).await;
        let grant = self.ended(&attempt).await.grant.expect("a grant");
        GrantId::parse(&grant).expect("an id")
    }

    /// The address the browser is handed next.
    pub async fn opened(&mut self) -> Url {
        let opened = tokio::time::timeout(Duration::from_secs(10), self.opened.recv()).await;
        opened.expect("the browser is opened in time").expect("the app lives")
    }

    /// Whether the browser was handed nothing more.
    pub fn nothing_opened(&mut self) -> bool {
        self.opened.try_recv().is_err()
    }

    /// The attempt once it has ended.
    pub async fn ended(&self, attempt: &Attempt) -> AttemptView {
        for _ in 0..1000 {
            let view = self.app.show_attempt(attempt.id).await.expect("the attempt");
            if view.step == AttemptStep::Ended {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the attempt did not end");
    }

    /// The bodies of the audit log, read past the app.
    #[must_use]
    pub fn audit(&self) -> Vec<String> {
        let store =
            rusqlite::Connection::open(self.dir.path().join("countersign.sqlite")).expect("the database");
        let mut query = store.prepare("SELECT body FROM audit ORDER BY seq").expect("the audit table");
        query.query_map([], |row| row.get(0)).expect("a query").map(|body| body.expect("a body")).collect()
    }

    /// One number, read past the app.
    #[must_use]
    pub fn raw(&self, query: &str) -> i64 {
        let store =
            rusqlite::Connection::open(self.dir.path().join("countersign.sqlite")).expect("the database");
        store.query_row(query, [], |row| row.get(0)).expect("a number")
    }

    /// Changes something past the app.
    pub fn execute(&self, change: &str) {
        let store =
            rusqlite::Connection::open(self.dir.path().join("countersign.sqlite")).expect("the database");
        store.busy_timeout(Duration::from_secs(5)).expect("patience");
        store.execute_batch(change).expect("a change");
    }

    /// Stops as the system does, and leaves what a next start needs.
    pub async fn stopped(self) -> (TempDir, SharedKeychain) {
        self.app.shut_down().await;
        (self.dir, self.keychain)
    }

    /// Clicks Connect, says yes at the bank, and waits for the connection.
    pub async fn connect_one(&mut self) -> GrantId {
        self.connect("bank-1", &["accounts", "transactions"]).await
    }

    /// How many connections the list shows, current and past.
    pub async fn grants(&self) -> usize {
        let grants = self.app.list_grants().await.expect("the list");
        grants.current.len() + grants.history.len()
    }
}

/// A folder that is its owner's alone, as a data folder must be.
#[must_use]
pub fn private_folder() -> TempDir {
    private_folder_in(&std::env::temp_dir())
}

/// The same in a place of its own.
#[must_use]
pub fn private_folder_in(place: &Path) -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let private = PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().permissions(private).tempdir_in(place).expect("a folder")
}

/// Opens the store of a data folder; the one before it may still be closing.
fn open_store(folder: &Path) -> SqliteStore {
    let path = folder.join("countersign.sqlite");
    for _ in 0..100 {
        if let Ok(store) = SqliteStore::open(&path, InstallId::make_from([7; 8])) {
            return store;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    SqliteStore::open(&path, InstallId::make_from([7; 8])).expect("the store opens")
}

/// The value of a query parameter.
#[must_use]
pub fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

/// What the browser does once it is opened: asks the bank, where the person says yes, and goes where it is sent.
/// The status and page it ends at.
pub async fn come_back(opened: &Url) -> (u16, String) {
    match sent_back(opened).await {
        Some(callback) => get(callback.as_str()).await,
        None => (0, String::new()),
    }
}

/// Where the bank sends the browser, if it does.
pub async fn sent_back(opened: &Url) -> Option<Url> {
    let (_, answer) = get(opened.as_str()).await;
    let head = answer.split("\r\n\r\n").next()?;
    let location = head.lines().find_map(|line| line.strip_prefix("location: "))?;
    Some(opened.join(location).expect("an address"))
}

/// A plain GET, as a browser sends it; status 0 where the connection is refused or breaks off.
pub async fn get(url: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let url = Url::parse(url).expect("an address");
    let authority = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let Ok(mut stream) = tokio::net::TcpStream::connect(&authority).await else { return (0, String::new()) };
    let target = &url[url::Position::BeforePath..];
    let request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nSec-Fetch-Mode: navigate\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return (0, String::new());
    }
    // To the end of the stated length, as a browser reads; waiting for the close would test the closing.
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&answer) {
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => answer.extend_from_slice(&chunk[..n]),
            Ok(_) | Err(_) => break,
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    (status, answer)
}

/// The same by somebody who does not wait for the answer.
///
/// # Errors
/// There is no connection.
pub async fn throw(url: &str) -> std::io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let url = Url::parse(url).expect("an address");
    let authority = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let mut stream = match tokio::net::TcpStream::connect(&authority).await {
        // A listener in need of the place may have closed it by now.
        Err(err) if err.kind() == std::io::ErrorKind::ConnectionReset => return Ok(()),
        stream => stream?,
    };
    let target = &url[url::Position::BeforePath..];
    let request = format!("GET {target} HTTP/1.1\r\nHost: {authority}\r\nSec-Fetch-Mode: navigate\r\n\r\n");
    let _ = stream.write_all(request.as_bytes()).await;
    Ok(())
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    length.is_some_and(|length: usize| body.len() >= length)
}
