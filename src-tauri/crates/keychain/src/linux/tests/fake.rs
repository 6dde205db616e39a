//! A Secret Service that answers what a test wants.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;
use zbus::fdo;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::session::Session;
use super::*;

const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// What it does.
#[derive(Clone, Default)]
struct Habits {
    default: Option<&'static str>,
    session: Option<&'static str>,
    /// Where it stops answering.
    hangs_at: Option<&'static str>,
    /// Where it answers with an error of this name.
    fails_at: Option<&'static str>,
    /// An item for every search, with a secret that nobody can decrypt.
    has_item: bool,
    /// Whether the person dismisses the prompt; `None` leaves it open.
    dismissed: Option<bool>,
    locked: bool,
    /// Wants a prompt before it creates an item.
    create_prompts: bool,
}

type Shared = Arc<Mutex<(Habits, Vec<&'static str>)>>;

async fn act(shared: &Shared, method: &'static str) -> fdo::Result<Habits> {
    let habits = {
        let mut inner = shared.lock().unwrap();
        inner.1.push(method);
        inner.0.clone()
    };
    if habits.hangs_at == Some(method) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    if habits.fails_at == Some(method) { Err(fdo::Error::Failed("no".into())) } else { Ok(habits) }
}

fn path(text: &'static str) -> OwnedObjectPath {
    ObjectPath::from_static_str(text).unwrap().into()
}

struct FakeService(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl FakeService {
    async fn read_alias(&self, name: String) -> fdo::Result<OwnedObjectPath> {
        let habits = act(&self.0, "ReadAlias").await?;
        let found = if name == "default" { habits.default } else { habits.session };
        Ok(path(found.unwrap_or("/")))
    }

    async fn open_session(
        &self,
        _algorithm: String,
        _input: OwnedValue,
    ) -> fdo::Result<(OwnedValue, OwnedObjectPath)> {
        act(&self.0, "OpenSession").await?;
        let key = Value::from(vec![7_u8; 128]).try_into().unwrap();
        Ok((key, path("/org/freedesktop/secrets/session/s1")))
    }

    async fn search_items(
        &self,
        _attributes: HashMap<String, String>,
    ) -> fdo::Result<(Vec<OwnedObjectPath>, Vec<OwnedObjectPath>)> {
        let habits = act(&self.0, "SearchItems").await?;
        let items = habits.has_item.then(|| path("/org/freedesktop/secrets/collection/login/1"));
        Ok((items.into_iter().collect(), Vec::new()))
    }

    async fn unlock(
        &self,
        _objects: Vec<OwnedObjectPath>,
    ) -> fdo::Result<(Vec<OwnedObjectPath>, OwnedObjectPath)> {
        act(&self.0, "Unlock").await?;
        Ok((Vec::new(), path("/org/freedesktop/secrets/prompt/p1")))
    }
}

struct FakeCollection(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Collection")]
impl FakeCollection {
    #[zbus(property)]
    async fn locked(&self) -> fdo::Result<bool> {
        Ok(act(&self.0, "Locked").await?.locked)
    }

    async fn create_item(
        &self,
        _properties: HashMap<String, OwnedValue>,
        _secret: (OwnedObjectPath, Vec<u8>, Vec<u8>, String),
        _replace: bool,
    ) -> fdo::Result<(OwnedObjectPath, OwnedObjectPath)> {
        let habits = act(&self.0, "CreateItem").await?;
        let created = ("/org/freedesktop/secrets/collection/login/1", "/");
        let (item, prompt) =
            if habits.create_prompts { ("/", "/org/freedesktop/secrets/prompt/p1") } else { created };
        Ok((path(item), path(prompt)))
    }
}

struct FakeItem(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Item")]
impl FakeItem {
    async fn get_secret(
        &self,
        session: OwnedObjectPath,
    ) -> fdo::Result<((OwnedObjectPath, Vec<u8>, Vec<u8>, String),)> {
        act(&self.0, "GetSecret").await?;
        Ok(((session, vec![0; 16], vec![0; 48], "text/plain".to_owned()),))
    }
}

struct FakePrompt(Shared);

#[zbus::interface(name = "org.freedesktop.Secret.Prompt")]
impl FakePrompt {
    async fn prompt(
        &self,
        _window: String,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> fdo::Result<()> {
        let habits = act(&self.0, "Prompt").await?;
        if let Some(dismissed) = habits.dismissed {
            self.0.lock().unwrap().0.locked = dismissed;
            Self::completed(&emitter, dismissed, Value::from("")).await?;
        }
        Ok(())
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}

struct Fake {
    session: Session,
    shared: Shared,
    _bus: zbus::Connection,
}

impl Fake {
    async fn new(habits: Habits) -> Self {
        let (session, shared) = (Session::without_keyring(), Arc::new(Mutex::new((habits, Vec::new()))));
        let bus = session.connect().await;
        let server = bus.object_server();
        server.at("/org/freedesktop/secrets", FakeService(Arc::clone(&shared))).await.unwrap();
        server.at(COLLECTION, FakeCollection(Arc::clone(&shared))).await.unwrap();
        server
            .at("/org/freedesktop/secrets/collection/session", FakeCollection(Arc::clone(&shared)))
            .await
            .unwrap();
        server
            .at("/org/freedesktop/secrets/collection/login/1", FakeItem(Arc::clone(&shared)))
            .await
            .unwrap();
        server.at("/org/freedesktop/secrets/prompt/p1", FakePrompt(Arc::clone(&shared))).await.unwrap();
        bus.request_name("org.freedesktop.secrets").await.unwrap();
        Self { session, shared, _bus: bus }
    }

    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.shared.lock().unwrap().1)
    }
}

fn sound() -> Habits {
    Habits {
        default: Some(COLLECTION),
        session: Some("/org/freedesktop/secrets/collection/session"),
        ..Habits::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_collection_that_lasts_counts() {
    let memory = "/org/freedesktop/secrets/collection/session";
    for (habits, expected) in [
        (sound(), None),
        (Habits { session: None, ..sound() }, None),
        (Habits { default: None, ..sound() }, Some(KeychainError::Absent)),
        (Habits { default: Some(memory), ..sound() }, Some(KeychainError::Absent)),
        (Habits { default: Some(memory), session: None, ..sound() }, Some(KeychainError::Absent)),
        (
            Habits { default: Some(COLLECTION), session: Some(COLLECTION), ..sound() },
            Some(KeychainError::Absent),
        ),
        (Habits { default: Some("/no/such/collection"), ..sound() }, Some(KeychainError::Absent)),
        (Habits { locked: true, ..sound() }, Some(KeychainError::Locked)),
    ] {
        let (default, fake) = (habits.default, Fake::new(habits).await);
        let begin = Instant::now();
        let state = fake.session.keychain().status().await.err();
        assert_eq!(state, expected, "{default:?} after {:?}", begin.elapsed());
        assert!(
            fake.calls().iter().all(|call| ["ReadAlias", "Locked"].contains(call)),
            "nothing but looking"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_locked_nothing_is_asked_for() {
    let fake = Fake::new(Habits { locked: true, has_item: true, ..sound() }).await;
    assert_eq!(all(&fake.session.keychain()).await, [Some(KeychainError::Locked); 4]);
    let calls = fake.calls();
    assert!(calls.iter().all(|call| ["ReadAlias", "Locked"].contains(call)), "{calls:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_it_hangs_or_fails_the_answer_comes_in_time() {
    let methods = [
        ("ReadAlias", 4),
        ("Locked", 4),
        ("OpenSession", 3),
        ("SearchItems", 3),
        ("GetSecret", 2),
        ("CreateItem", 1),
    ];
    join_all(methods.into_iter().map(|(method, reached)| async move {
        let has_item = method == "GetSecret";
        let hanging = Fake::new(Habits { hangs_at: Some(method), has_item, ..sound() }).await;
        let states = all(&hanging.session.hasty_keychain()).await;
        let blocked = states.iter().filter(|state| **state == Some(KeychainError::Blocked)).count();
        assert!(blocked >= reached, "{method}: {states:?}");
        let failing = Fake::new(Habits { fails_at: Some(method), has_item, ..sound() }).await;
        let states = all(&failing.session.keychain()).await;
        assert!(states.iter().filter(|state| state.is_some()).count() >= reached, "{method}: {states:?}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_forgets_is_found_out() {
    let fake = Fake::new(sound()).await;
    let keychain = fake.session.keychain();
    assert_eq!(keychain.probe(&install()).await, Err(KeychainError::NotLasting));
    assert_eq!(keychain.write_kek(&install(), kek(1), &key(1)).await, Err(KeychainError::NotLasting));
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_impostors_secret_is_malformed() {
    let fake = Fake::new(Habits { has_item: true, ..sound() }).await;
    let keychain = fake.session.keychain();
    assert_eq!(keychain.read_keks(&install(), kek(1)).await.err(), Some(KeychainError::Malformed));
    fake.calls();
    assert_eq!(keychain.write_kek(&install(), kek(1), &key(1)).await, Err(KeychainError::Malformed));
    assert!(!fake.calls().contains(&"CreateItem"), "and gets no key of ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unlocking_ends_as_the_person_ends_it() {
    for (dismissed, expected) in
        [(Some(false), Ok(())), (Some(true), Err(KeychainError::Locked)), (None, Err(KeychainError::Locked))]
    {
        let fake = Fake::new(Habits { locked: true, dismissed, ..sound() }).await;
        assert_eq!(fake.session.keychain().unlock().await, expected, "{dismissed:?}");
        let calls = fake.calls();
        assert_eq!(calls.iter().filter(|call| **call == "Prompt").count(), 1, "{calls:?}");
    }
    let fake = Fake::new(sound()).await;
    assert_eq!(fake.session.keychain().unlock().await, Ok(()));
    assert!(!fake.calls().contains(&"Unlock"), "what is unlocked is not unlocked again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_for_creating_is_not_waited_for_beyond_the_limit() {
    let fake = Fake::new(Habits { create_prompts: true, ..sound() }).await;
    let written = fake.session.hasty_keychain().write_kek(&install(), kek(1), &key(1)).await;
    assert_eq!(written, Err(KeychainError::Blocked));
}
