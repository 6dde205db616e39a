//! Connect with everything allowed, list, revoke while the bank is down, be confirmed, connect again; then search.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use support::driver::Page;
use support::host::HostSettings;
use support::process::{command_line, descendants_of, wait_until};
use support::scan::{Needles, each_file};
use support::session::Session;
use support::world::{World, allow, sign_in};
use url::Url;

use crate::keychain;
use crate::places::Search;
use crate::relay::{self, NUMBERS};
use crate::sampler::{Sampler, Seen};
use crate::wire::{Wire, form_values, json_values};

const BANK: &str = "sandbox-bank";
/// Whose accounts these are, which is no secret and stands in the store, the window and nowhere by chance.
const HOLDER: &str = "Ada Quist";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_run_is_anywhere() {
    let wire = Wire::tap();
    let planted = format!("planted-{}", std::process::id());
    let mut world = World::with(Session::start(), &[(BANK, "Sandbox Bank")], prepare);
    let temp = world.session.dir().join("temp");
    let host = world.host().running.pid();
    let sampler = Sampler::of(host);
    let window = world.window().await;
    let browser = world.browser().await;
    let mut shown = String::new();

    let bank = Url::parse(&world.banks[0].issuer).unwrap().port().expect("a port");
    let while_at_bank = || assert_is_held(host, &form_values(&wire.heard(bank).0, "state"));
    connect(&world, &window, &browser, "Budget Buddy", &mut shown, while_at_bank).await;
    let first = world.grants(&window).await.pop().expect("a grant");
    let blobs = sealed(&world);
    assert!(blobs.len() >= 4, "tokens, subject and numbers are sealed: {}", blobs.len());
    let before = residue(&world, &blobs);
    assert!(!before.is_empty(), "the search for what was deleted finds what is there");

    // The sealed token stays until the bank has confirmed.
    world.banks[0].down();
    revoke(&window, &first).await;
    window.find("bank-told-not_yet").await;
    shown += &page(&window).await;
    assert_eq!(sealed(&world), blobs, "the outbox needs it");
    world.banks[0].up();
    window.find("bank-told-confirmed").await;
    let confirmed = Instant::now();
    wait_until("the deleted records to be gone", Duration::from_secs(2), || {
        residue(&world, &blobs).is_empty()
    });
    eprintln!("deleted records gone {:?} after the confirmation was seen", confirmed.elapsed());
    shown += &page(&window).await;
    window.click("back").await;

    connect(&world, &window, &browser, "Tax Helper", &mut shown, || ()).await;
    let second = world.grants(&window).await.pop().expect("a second grant");
    assert_ne!(first, second);
    shown += &everything_the_window_can_ask(&window, &[&first, &second]).await;

    tokio::time::sleep(Duration::from_secs(2)).await;
    let items = keychain::read(&world.session);
    let secrets = learn(&wire, bank, &world, &items.key);
    let provider_file = std::fs::read_to_string(world.settings.catalogue.join("sandbox-bank.toml")).unwrap();
    let endpoint = format!("{}/token", world.banks[0].issuer);
    assert!(provider_file.contains(&endpoint));
    let home = world.session.data().display().to_string();
    let mut search =
        Search::new(&secrets, &[HOLDER, &endpoint, &home, &planted, &first, "app.countersign.desktop"]);

    let begin = Instant::now();
    search.memory("memory of the host", host);
    for pid in descendants_of(host) {
        search.memory(&format!("memory of {}", program_of(pid)), pid);
    }
    eprintln!("memory searched in {:?}", begin.elapsed());
    let seen = sampler.end();
    search_processes(&mut search, &seen, &planted);
    search_files(&mut search, &world, &temp, &planted);
    search.bytes("keychain, in clear", items.in_clear.as_bytes(), &[]);
    search.bytes("what the window was shown and can ask", shown.as_bytes(), &[]);

    assert_eq!(items.of_anybody, 2, "two items in the whole keychain:\n{}", items.in_clear);
    let (anchors, keys): (Vec<_>, Vec<_>) = items.accounts.iter().partition(|name| name.ends_with("/anchor"));
    let ([account], [_]) = (keys.as_slice(), anchors.as_slice()) else { panic!("{:?}", items.accounts) };
    let parts: Vec<&str> = account.split('/').collect();
    assert!(
        matches!(parts.as_slice(), [install, "kek", id] if install.len() == 16 && id.len() == 16),
        "{account}"
    );
    assert_private(&world);
    let elsewhere = files_elsewhere(&seen, world.session.dir());
    assert_eq!(elsewhere, BTreeSet::new(), "files outside of the session");

    drop(window);
    drop(browser);
    let data = world.session.data();
    world.host().running.signal("TERM");
    let mut ended = world.host.take().expect("the host");
    wait_until("the host to end", Duration::from_secs(10), || ended.running.has_ended());
    assert!(!data.join("webview").exists(), "the webview's data goes with its process");
    search_after_the_end(&mut search, &world, &planted);
    search.judge();
}

/// The launcher stays for a moment, so that its arguments are surely seen; the API answers with full account numbers.
fn prepare(settings: &mut HostSettings) {
    let opener = settings.opener.clone().expect("an opener");
    let script = std::fs::read_to_string(&opener).unwrap();
    std::fs::write(&opener, format!("{script}sleep 0.2\n")).unwrap();
    let file = settings.catalogue.join("sandbox-bank.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (_, base) = text.split_once("base = \"").expect("the API's address");
    let base = Url::parse(base.split('"').next().unwrap()).unwrap();
    let port = base.port().expect("a port");
    let mut relayed = base.clone();
    relayed.set_port(Some(relay::start(port))).unwrap();
    std::fs::write(&file, text.replace(&format!("base = \"{base}\""), &format!("base = \"{relayed}\"")))
        .unwrap();
    let temp = settings.catalogue.with_file_name("temp");
    std::fs::create_dir(&temp).unwrap();
    settings.extra.push(("TMPDIR".into(), temp.display().to_string()));
}

/// Connects with everything allowed, and adds what was shown on the way.
async fn connect(
    world: &World,
    window: &Page,
    browser: &Page,
    agent: &str,
    shown: &mut String,
    while_at_bank: impl FnOnce(),
) {
    let before = world.opened().len();
    world.choose(window, BANK, agent).await;
    let ticked = window.run("const boxes = [...document.querySelectorAll('[data-testid^=\"permission-\"]')]; \
        boxes.forEach(box => { if (!box.checked) box.click(); }); return boxes.filter(box => box.checked).length").await;
    assert!(ticked.as_u64().unwrap_or(0) >= 6, "everything is allowed: {ticked}");
    window.click("go-connect").await;
    let url = world.next_opened(before);
    while_at_bank();
    *shown += &page(window).await;
    browser.client.goto(&url).await.expect("the bank's page");
    sign_in(browser, "ada").await;
    allow(browser).await;
    window.find("ending-connected").await;
    *shown += &page(window).await;
    window.click("done").await;
    window.find("home-sentence").await;
    *shown += &page(window).await;
}

/// A secret that the host needs now is found in its memory: so it would be found later, were it still there.
fn assert_is_held(host: u32, state: &BTreeSet<String>) {
    let [state] = state.iter().collect::<Vec<_>>()[..] else { panic!("one state is out: {}", state.len()) };
    let (found, read) = Needles::of([("state", state)]).found_in_memory_of(host);
    assert!(found.contains(&("state".to_owned(), "raw")), "{found:?} in {read} bytes");
}

async fn revoke(window: &Page, grant: &str) {
    window.click(&format!("open-{grant}")).await;
    window.find("connection-page").await;
    window.click("revoke").await;
    window.click("revoke-confirm").await;
    window.find("cut-off").await;
}

/// All that a page holds, what it keeps included.
async fn page(window: &Page) -> String {
    let script = "return JSON.stringify([document.documentElement.outerHTML, location.href, document.cookie, \
        { ...localStorage }, { ...sessionStorage }, history.state, performance.getEntries().map(e => e.name)])";
    let found = window.run(script).await.as_str().expect("a page").to_owned();
    assert!(found.contains("<html"), "{found}");
    found + "\n"
}

/// The answers to everything that a page may ask for: all that the host would tell it.
async fn everything_the_window_can_ask(window: &Page, grants: &[&str]) -> String {
    let mut asked = vec![
        ("app_state", json!({})),
        ("list_providers", json!({})),
        ("list_agents", json!({})),
        ("list_attempts", json!({})),
        ("list_grants", json!({})),
        ("check_keychain", json!({})),
    ];
    asked.extend(grants.iter().map(|grant| ("show_grant", json!({ "grant": grant }))));
    let ask = "const done = arguments[arguments.length - 1]; \
        window.__TAURI_INTERNALS__.invoke(arguments[0], { request: arguments[1] }).then(a => done({ answer: a }), e => done({ error: e }))";
    let mut all = String::new();
    for (command, request) in asked {
        let answer =
            window.client.execute_async(ask, vec![json!(command), request]).await.expect("an answer");
        assert!(answer.get("answer").is_some(), "{command}: {answer}");
        for attempt in
            answer["answer"].as_array().into_iter().flatten().filter(|_| command == "list_attempts")
        {
            let request = json!({ "attempt": attempt["id"] });
            all += &window
                .client
                .execute_async(ask, vec![json!("show_attempt"), request])
                .await
                .expect("an answer")
                .to_string();
        }
        all += &answer.to_string();
    }
    assert!(all.contains(HOLDER), "{all}");
    all
}

fn store(world: &World) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(world.session.data().join("countersign.sqlite"), flags).expect("the store")
}

/// Every sealed record.
fn sealed(world: &World) -> Vec<Vec<u8>> {
    let store = store(world);
    let mut query = store.prepare("SELECT blob FROM sealed ORDER BY grant_id, kind").expect("sealed records");
    let rows = query.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a record")).collect()
}

/// In which files of the data folder a piece of these records stands; what all records begin with is left out.
fn residue(world: &World, blobs: &[Vec<u8>]) -> BTreeSet<String> {
    const HEADER: usize = 10;
    let pieces = blobs.iter().flat_map(|blob| blob[HEADER..].chunks_exact(16)).enumerate();
    let pieces = Needles::of(pieces.map(|(n, piece)| (n.to_string(), piece)));
    let mut files = BTreeSet::new();
    each_file(&world.session.data(), &mut |path, bytes| {
        if !pieces.found_in(bytes).is_empty() {
            files.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    });
    files
}

/// Learns the run's secrets from outside.
fn learn(wire: &Wire, bank: u16, world: &World, key: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let (sent, answered) = wire.heard(bank);
    let mut secrets = BTreeMap::new();
    // Each of the two connections has its own.
    let mut each = |name: &str, values: BTreeSet<String>| {
        assert_eq!(values.len(), 2, "{name} of two connections");
        for (n, value) in values.into_iter().enumerate() {
            secrets.insert(format!("{name} {}", n + 1), value.into_bytes());
        }
    };
    for name in ["code", "code_challenge", "code_verifier", "nonce", "state"] {
        each(name, form_values(&sent, name));
    }
    for name in ["refresh_token", "access_token", "request_uri"] {
        each(name, json_values(&answered, name));
    }
    let id_tokens = json_values(&answered, "id_token");
    let part =
        |n: usize| id_tokens.iter().filter_map(|token| token.split('.').nth(n)).map(str::to_owned).collect();
    each("id_token's claims", part(1));
    each("id_token's signature", part(2));
    let state = std::fs::read_to_string(world.banks[0].data().join("state.jsonl")).unwrap();
    for (name, kind) in [("refresh_token", "RefreshToken"), ("access_token", "AccessToken")] {
        let known = |value: &[u8]| {
            state.contains(&format!("{{\"kind\":\"{kind}\",\"id\":\"{}\"", String::from_utf8_lossy(value)))
        };
        let of_this_kind = secrets.iter().filter(|(n, _)| n.starts_with(name));
        assert!(
            of_this_kind.clone().any(|(_, value)| known(value)),
            "the bank knows the {name} that the wire carried"
        );
    }
    let (_, subject) = state.split_once("\"accountId\":\"").expect("a subject");
    secrets.insert("subject".into(), subject.split('"').next().unwrap().as_bytes().to_vec());
    for (masked, full) in NUMBERS {
        secrets.insert(format!("account number {masked}"), full.as_bytes().to_vec());
    }
    secrets.insert("key-encryption key".into(), key.to_vec());
    secrets
}

fn search_processes(search: &mut Search, seen: &Seen, planted: &str) {
    eprintln!("processes were looked at {} times", seen.rounds);
    assert!(seen.rounds > 500, "{}", seen.rounds);
    let mut openers = 0;
    let lists = seen.arguments.iter().map(|list| {
        // The launcher is the one program that is handed the address (and this bank's address holds no state).
        let is_opener = String::from_utf8_lossy(list).contains("/xdg-open\0");
        openers += usize::from(is_opener);
        (is_opener, list)
    });
    for (is_opener, list) in lists.collect::<Vec<_>>() {
        let allowed: &[&str] = if is_opener { &["request_uri"] } else { &[] };
        search.bytes("argument lists", list, allowed);
    }
    search.bytes("argument lists", planted.as_bytes(), &[]);
    assert_eq!(openers, 2, "the launcher was seen both times");
    for (program, environments) in &seen.environments {
        if environments.iter().all(Vec::is_empty) {
            continue;
        }
        // All of them are handed HOME; only ours are handed the data folder.
        let all: Vec<u8> =
            [environments.iter().flatten().copied().collect(), planted.as_bytes().to_vec()].concat();
        search.bytes(&format!("environment of {program}"), &all, &[]);
    }
    assert!(
        seen.environments.contains_key("countersignd") && seen.environments.len() >= 4,
        "{:?}",
        seen.environments.keys()
    );
}

fn search_files(search: &mut Search, world: &World, temp: &Path, planted: &str) {
    let (data, dir) = (world.session.data(), world.session.dir());
    let file = |name: &str| std::fs::read(data.join(name)).unwrap_or_else(|err| panic!("{name}: {err}"));
    search.bytes("database", &file("countersign.sqlite"), &[]);
    search.bytes("write-ahead log", &file("countersign.sqlite-wal"), &[]);
    search.bytes("log", &file("countersignd.log"), &[]);
    let errors = std::fs::read(dir.join("stderr.log")).unwrap();
    search.bytes("standard error", &errors, &[]);
    assert!(String::from_utf8_lossy(&errors).contains("TRACE"), "the log is as loud as it gets");
    // What is searched as a folder is given a file that must be found.
    for (place, folder) in folders(world, temp) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("planted"), planted).unwrap();
        search.folder(place, &folder, &[]);
        std::fs::remove_file(folder.join("planted")).unwrap();
    }
    let left: Vec<_> = std::fs::read_dir(temp).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new(), "nothing in the folder for temporary files");
}

fn folders(world: &World, temp: &Path) -> Vec<(&'static str, PathBuf)> {
    let (data, dir) = (world.session.data(), world.session.dir());
    vec![
        ("data folder", data.clone()),
        ("webview's data", data.join("webview")),
        ("home and cache", dir.join("home")),
        ("run-time folder", dir.join("run")),
        ("temporary files", temp.to_owned()),
    ]
}

/// Everything once more when no process holds it; the bank's own folder and the launcher's record are not ours.
fn search_after_the_end(search: &mut Search, world: &World, planted: &str) {
    let dir = world.session.dir();
    std::fs::write(dir.join("planted"), planted).unwrap();
    search.folder("the whole session, after the end", dir, &[world.banks[0].data(), &dir.join("opened")]);
    search.bytes(
        "database, after the end",
        &std::fs::read(world.session.data().join("countersign.sqlite")).unwrap(),
        &[],
    );
}

fn program_of(pid: u32) -> String {
    let line = command_line(pid);
    let program = line.split(' ').next().unwrap_or_default();
    Path::new(program).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// No file of ours is open to others.
fn assert_private(world: &World) {
    let mut open = Vec::new();
    let mut files = 0;
    let mut folders = vec![world.session.data(), world.session.dir().join("run/countersign")];
    while let Some(folder) = folders.pop() {
        for path in std::iter::once(folder.clone())
            .chain(std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()))
        {
            let Ok(meta) = std::fs::symlink_metadata(&path) else { continue };
            files += 1;
            if meta.permissions().mode() & 0o077 != 0 && !meta.is_symlink() {
                open.push(format!("{} {:o}", path.display(), meta.permissions().mode()));
            }
            if meta.is_dir() && path != folder {
                folders.push(path);
            }
        }
    }
    assert_eq!(open, Vec::<String>::new(), "open to others");
    assert!(files >= 8, "{files}");
}

/// Files that a process of the product held open where other programs keep theirs.
fn files_elsewhere(seen: &Seen, session: &Path) -> BTreeSet<String> {
    let ours = session.display().to_string();
    assert!(seen.files.iter().any(|file| file.starts_with(&ours)), "open files are seen");
    let places = ["/tmp/", "/var/tmp/", "/dev/shm/", "/root/"];
    seen.files
        .iter()
        .filter(|file| places.iter().any(|place| file.starts_with(place)) && !file.starts_with(&ours))
        .cloned()
        .collect()
}

/// The scan itself, on what a wire can carry.
#[test]
fn values_are_read_off_the_wire() {
    let sent = [
        "POST /par HTTP/1.1\r\nhost: b\r\n\r\nstate=a%2Bb&nonce=n1&code_challenge=c&scope=x".to_owned(),
        "GET /a?state=s2&x=y HTTP/1.1\r\n".to_owned(),
    ];
    assert_eq!(form_values(&sent, "state"), ["a+b".to_owned(), "s2".to_owned()].into());
    assert_eq!(form_values(&sent, "code"), BTreeSet::new());
    let answered = [r#"{"access_token":"t1","refresh_token":"r1"}"#.to_owned()];
    assert_eq!(json_values(&answered, "refresh_token"), ["r1".to_owned()].into());
    let value: Value = serde_json::from_str(&answered[0]).unwrap();
    assert_eq!(value["access_token"], "t1");
}
