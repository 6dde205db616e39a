//! gnome-keyring itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ::secret_service::EncryptionType;
use rustix::process::Signal;
use tokio::time::Instant;

use super::session::{Session, default_collection};
use super::*;

const ABSENT: [Option<KeychainError>; 4] = [Some(KeychainError::Absent); 4];
const BLOCKED: [Option<KeychainError>; 4] = [Some(KeychainError::Blocked); 4];
const LOCKED: [Option<KeychainError>; 4] = [Some(KeychainError::Locked); 4];

/// Creates an item as any other program of the person could.
pub(super) async fn plant(session: &Session, account: &str, secret: &[u8], extra: Option<&str>) {
    let bus = session.connect().await;
    let path = default_collection(&bus).await;
    let service =
        ::secret_service::SecretService::connect_with_existing(EncryptionType::Dh, bus).await.unwrap();
    let collection = service.get_collection_by_path(path).await.unwrap();
    let mut attributes = attributes(account);
    attributes.extend(extra.map(|extra| ("extra", extra)));
    collection.create_item("planted", attributes, secret, true, "text/plain").await.unwrap();
}

/// How many items the collection holds.
pub(super) async fn items(session: &Session) -> usize {
    let bus = session.connect().await;
    let path = default_collection(&bus).await;
    let service =
        ::secret_service::SecretService::connect_with_existing(EncryptionType::Dh, bus).await.unwrap();
    service.get_collection_by_path(path).await.unwrap().get_all_items().await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_kept_and_nothing_else_is_left() {
    let session = Session::new().await;
    let keychain = session.keychain();
    assert_eq!(keychain.status().await, Ok(()));
    assert_eq!(keychain.probe(&install()).await, Ok(()));
    assert_eq!(items(&session).await, 0, "the probe's item is gone");
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap().is_empty());
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    keychain.write_kek(&install(), kek(2), &key(2)).await.unwrap();
    for number in [1, 2] {
        let read = keychain.read_keks(&install(), kek(number)).await.unwrap().remove(0);
        assert!(read.same_as(&key(number)));
    }
    let other = InstallId::parse("00112233445566ab").unwrap();
    assert!(keychain.read_keks(&other, kek(1)).await.unwrap().is_empty(), "another installation's");
    assert!(keychain.read_keks(&install(), kek(3)).await.unwrap().is_empty());
    assert_eq!(items(&session).await, 2);
    assert_eq!(keychain.unlock().await, Ok(()), "there is nothing to unlock");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_there_is_never_replaced() {
    let session = Session::new().await;
    let keychain = session.keychain();
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    assert_eq!(keychain.write_kek(&install(), kek(1), &key(1)).await, Ok(()), "the same again is no harm");
    assert_eq!(keychain.write_kek(&install(), kek(1), &key(9)).await, Err(KeychainError::NotLasting));
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap()[0].same_as(&key(1)));
    let writers = (0..8).map(|_| async { keychain.write_kek(&install(), kek(2), &key(2)).await });
    for written in join_all(writers).await {
        assert_eq!(written, Ok(()), "writers at once agree");
    }
    assert!(keychain.read_keks(&install(), kek(2)).await.unwrap().remove(0).same_as(&key(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ours_is_malformed_and_left_alone() {
    let session = Session::new().await;
    let keychain = session.keychain();
    let account = item::kek_account(&install(), kek(1));
    let good = item::text(&key(1));
    let cases: [&[u8]; 6] = [b"", b"hunter2", &[7; 32], &[0xff; 46], b"v2.AAAA", &good[..45]];
    for secret in cases {
        plant(&session, &account, secret, None).await;
        assert_eq!(
            keychain.read_keks(&install(), kek(1)).await.err(),
            Some(KeychainError::Malformed),
            "{secret:?}"
        );
        let written = keychain.write_kek(&install(), kek(1), &key(1)).await;
        assert_eq!(written, Err(KeychainError::Malformed), "{secret:?}");
    }
}

/// Any program of the person can put items beside ours, under our own attributes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_planted_beside_ours_hides_nothing() {
    let session = Session::new().await;
    let keychain = session.keychain();
    let account = item::kek_account(&install(), kek(1));
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    let planted: [&[u8]; 5] = [b"", b"hunter2", &[0xff; 46], &item::text(&key(9)), &item::text(&key(1))];
    for (secret, number) in planted.iter().zip(1..) {
        plant(&session, &account, secret, Some(&number.to_string())).await;
        assert_eq!(items(&session).await, 1 + number);
        let found = keychain.read_keks(&install(), kek(1)).await.unwrap();
        assert!(found.iter().any(|found| found.same_as(&key(1))), "ours is among them");
        assert_eq!(
            found.len(),
            if number < 4 { 1 } else { 2 },
            "a copy is no further key, rubbish none at all"
        );
    }
    assert_eq!(keychain.write_kek(&install(), kek(1), &key(1)).await, Ok(()), "it is there");
    assert_eq!(keychain.write_kek(&install(), kek(1), &key(5)).await, Err(KeychainError::NotLasting));
    assert_eq!(items(&session).await, 6, "nothing was added or replaced");
    assert_eq!(keychain.probe(&install()).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_keychain_says_so_and_nobody_is_prompted() {
    let session = Session::new().await;
    let keychain = session.keychain();
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    let (_prompter, prompts) = session.watch_prompts().await;
    session.lock().await;
    assert_eq!(all(&keychain).await, LOCKED);
    assert!(keychain.read_keks(&install(), kek(2)).await.is_err(), "locked is not the same as missing");
    assert_eq!(prompts.load(Ordering::SeqCst), 0);
    // The control: asked to unlock, it does prompt; a prompt that nobody answers ends in time.
    let begin = Instant::now();
    assert_eq!(keychain.unlock().await, Err(KeychainError::Locked));
    assert_eq!(prompts.load(Ordering::SeqCst), 1);
    let waited = begin.elapsed();
    assert!(waited >= PATIENT.prompt && waited < PATIENT.prompt + Duration::from_secs(4), "{waited:?}");
    session.unlock_as_login_does().await;
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap()[0].same_as(&key(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_under_way_holds_nothing_else_up() {
    let session = Session::new().await;
    let (_prompter, prompts) = session.watch_prompts().await;
    session.lock().await;
    let keychain = Arc::new(session.keychain());
    let unlocking: Vec<_> = (0..3)
        .map(|_| {
            let keychain = Arc::clone(&keychain);
            tokio::spawn(async move { keychain.unlock().await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let begin = Instant::now();
    assert_eq!(all(&keychain).await, LOCKED);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(prompts.load(Ordering::SeqCst), 1, "one prompt at a time");
    // The person unlocks it elsewhere: whoever waited finds it unlocked.
    session.unlock_as_login_does().await;
    for unlocked in unlocking {
        assert_eq!(unlocked.await.unwrap(), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_keychain_it_is_absent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let touched = folder.path().join("touched");
    let start = format!("unixexec:path=/usr/bin/touch,argv1={}", touched.display());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = format!("tcp:host=127.0.0.1,port={}", listener.local_addr().unwrap().port());
    for bus in [
        None,
        Some(String::new()),
        Some("disabled:".into()),
        Some("autolaunch:".into()),
        Some("unix:".into()),
        Some("unix:path=/nowhere/bus".into()),
        Some(format!("unix:path={}", file.display())),
        Some(format!("unix:path={}", "x".repeat(300))),
        Some("garbage".into()),
        Some(";;".into()),
        Some(tcp),
        Some(start.clone()),
        Some(format!("{start};unix:path=/nowhere/bus")),
    ] {
        let keychain = SecretService::new(Settings { bus: bus.clone(), limits: PATIENT });
        assert_eq!(all(&keychain).await, ABSENT, "{bus:?}");
        assert_eq!(keychain.unlock().await, Err(KeychainError::Absent));
    }
    assert!(!touched.exists(), "an address starts no program");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "an address leads to no other computer");
    let session = Session::without_keyring();
    assert_eq!(all(&session.keychain()).await, ABSENT, "a bus, but nobody on it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keychain_of_the_session_alone_is_absent() {
    let mut session = Session::without_keyring();
    session.start_keyring(None).await;
    let keychain = session.keychain();
    assert_eq!(all(&keychain).await, ABSENT);
    assert_eq!(keychain.unlock().await, Err(KeychainError::Absent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_daemon_blocks_no_later_call() {
    let session = Session::new().await;
    let (keychain, hasty) = (session.keychain(), session.hasty_keychain());
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    for _ in 0..2 {
        session.signal_keyring(Signal::STOP);
        let begin = Instant::now();
        let (states, unlocked) = tokio::join!(all(&hasty), hasty.unlock());
        assert_eq!((states, unlocked), (BLOCKED, Err(KeychainError::Blocked)));
        let waited = begin.elapsed();
        assert!(waited < 4 * HASTY.call + Duration::from_secs(1), "each call within its limit: {waited:?}");
        let begin = Instant::now();
        let many = join_all((0..20).map(|_| async { hasty.read_keks(&install(), kek(1)).await })).await;
        assert!(many.iter().all(|read| matches!(read, Err(KeychainError::Blocked))));
        assert!(begin.elapsed() < HASTY.call + Duration::from_secs(1), "{:?}", begin.elapsed());
        session.signal_keyring(Signal::CONT);
        let read = keychain.read_keks(&install(), kek(1)).await.unwrap().remove(0);
        assert!(read.same_as(&key(1)), "it works again, at once");
        session.until(None).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_bus_is_blocked_too() {
    let session = Session::new().await;
    let (keychain, hasty) = (session.keychain(), session.hasty_keychain());
    session.signal_bus(Signal::STOP);
    let many = join_all((0..4).map(|_| hasty.status())).await;
    assert!(many.iter().all(|status| *status == Err(KeychainError::Blocked)), "{many:?}");
    session.signal_bus(Signal::CONT);
    assert_eq!(keychain.status().await, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_dies_is_gone_and_one_that_returns_has_the_key() {
    let mut session = Session::new().await;
    let keychain = session.keychain();
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    for round in 0..3 {
        // Killed while it works: whatever each call says, it says it in time.
        let working = join_all((0..4).map(|_| async { keychain.read_keks(&install(), kek(1)).await }));
        let (answers, ()) = tokio::join!(working, async {
            tokio::time::sleep(Duration::from_millis(5 * round)).await;
            session.kill_keyring();
        });
        for answer in answers {
            assert!(
                matches!(answer, Ok(_) | Err(KeychainError::Absent | KeychainError::Blocked)),
                "{answer:?}"
            );
        }
        session.until(Some(KeychainError::Absent)).await;
        assert_eq!(all(&keychain).await, ABSENT);
        session.start_keyring(Some("correct horse")).await;
        session.until(None).await;
        assert!(keychain.read_keks(&install(), kek(1)).await.unwrap()[0].same_as(&key(1)));
    }
}

const CHILD: &str = "COUNTERSIGN_KEYCHAIN_TEST";

#[expect(clippy::disallowed_methods, reason = "the test talks to itself through its environment")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs one test of this file again, in a process of its own on this bus.
async fn again(test: &str, bus: &str) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", &format!("linux::tests::real::{test}")]);
    command.env(CHILD, "1").env("DBUS_SESSION_BUS_ADDRESS", bus);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyring_projects_store_finds_our_item_and_we_find_its() {
    let account = item::kek_account(&install(), kek(1));
    if told(CHILD).is_some() {
        let theirs = tokio::task::spawn_blocking(move || {
            use keyring_core::api::CredentialStoreApi as _;
            let store = zbus_secret_service_keyring_store::Store::new().unwrap();
            let entry = store.build(item::SERVICE, &account, None).unwrap();
            let found = entry.get_secret().unwrap();
            let second = store.build(item::SERVICE, &item::kek_account(&install(), kek(2)), None).unwrap();
            second.set_secret(&item::text(&key(2))).unwrap();
            found
        });
        assert_eq!(theirs.await.unwrap(), *item::text(&key(1)));
        println!("found and written");
        return;
    }
    let session = Session::new().await;
    let keychain = session.keychain();
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    let printed = again("the_keyring_projects_store_finds_our_item_and_we_find_its", &session.address).await;
    assert!(printed.contains("found and written"), "{printed}");
    assert!(keychain.read_keks(&install(), kek(2)).await.unwrap().remove(0).same_as(&key(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_do_not_pile_up() {
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    if let (Some(_), Some(bus)) = (told(CHILD), told("DBUS_SESSION_BUS_ADDRESS")) {
        let keychain = keychain(&bus, PATIENT);
        all(&keychain).await;
        let before = open_files();
        for _ in 0..20 {
            assert_eq!(all(&keychain).await, [None; 4]);
        }
        let hasty = Limits { call: Duration::from_millis(1), ..HASTY };
        let hasty = SecretService::new(Settings { bus: Some(bus), limits: hasty });
        for _ in 0..50 {
            let _ = hasty.read_keks(&install(), kek(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        println!("grew by {} files", open_files() - before.min(open_files()));
        return;
    }
    let session = Session::new().await;
    let printed = again("connections_do_not_pile_up", &session.address).await;
    assert!(printed.contains("grew by 0 files"), "{printed}");
}
