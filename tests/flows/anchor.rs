//! The store put back from an older copy: it is noticed before anything of it is used.

use std::path::Path;
use std::time::Duration;

use app::port::{Anchor, Clock as _, KeychainError};
use contract::ui::{AddAgent, GrantState, ReconnectWhyView};
use domain::id::{GrantId, InstallId};
use domain::lock::{LockedBy, Protection};
use domain::secret::Passphrase;
use rusqlite::Connection;
use support::fake_provider::FakeProvider;
use support::fakes::{SharedKeychain, TestApp, private_folder};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A runtime of its own: with it, everything of that run is gone, as after the end of a process.
fn run<R>(work: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(5));
    outcome
}

/// A copy as a backup makes one.
fn copy(from: &Path) -> TempDir {
    let to = private_folder();
    let source = Connection::open(from.join("countersign.sqlite")).unwrap();
    source.busy_timeout(Duration::from_secs(5)).unwrap();
    let target = to.path().join("countersign.sqlite");
    source.execute("VACUUM INTO ?1", [target.to_str().unwrap()]).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&target, private).unwrap();
    to
}

fn install(dir: &Path) -> InstallId {
    let raw = Connection::open(dir.join("countersign.sqlite")).unwrap();
    InstallId::parse(&raw.query_row("SELECT install FROM meta", [], |row| row.get::<_, String>(0)).unwrap())
        .unwrap()
}

fn ids(dir: &Path, which: &str) -> Vec<String> {
    let raw = Connection::open(dir.join("countersign.sqlite")).unwrap();
    let mut query = raw.prepare(&format!("SELECT id FROM grants WHERE {which} ORDER BY n")).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Whether the store was found put back. A stop in order looks at the anchor, if nothing did before.
async fn found_put_back(app: &TestApp) -> bool {
    app.app.shut_down().await;
    app.app.app_state().await.unwrap().restored_at.is_some()
}

async fn reconnects(app: &TestApp, grant: &str) -> bool {
    let grant = GrantId::parse(grant).unwrap();
    let state = app.app.show_grant(grant).await.unwrap().row.state;
    matches!(state, GrantState::Reconnect { why: ReconnectWhyView::StoreRestored, .. })
}

async fn is_revoked(app: &TestApp, grant: &str) -> bool {
    let grant = GrantId::parse(grant).unwrap();
    matches!(app.app.show_grant(grant).await.unwrap().row.state, GrantState::Revoked { .. })
}

/// Attack 65: two hundred steps of a life, and fifty copies of it.
#[test]
fn no_copy_of_an_earlier_day_brings_back_a_connection_or_sends_its_token() {
    let outer = Runtime::new().unwrap();
    let bank = outer.block_on(FakeProvider::start());
    let keychain = SharedKeychain::empty();
    let (copies, last) = run(history(&bank, &keychain));
    let install = install(last.path());
    let newest = keychain.anchors(&install)[0];
    let (told, refreshed) = (bank.seen("/revoke").len(), bank.seen("/token").len());
    assert!(copies.len() >= 50, "{}", copies.len());
    let mut revoked_later = 0;
    for (n, dir) in copies.into_iter().enumerate() {
        keychain.set_anchor(&install, Some(newest));
        let (revoked, alive) =
            (ids(dir.path(), "cut_off_at IS NOT NULL"), ids(dir.path(), "cut_off_at IS NULL"));
        let ended = ids(last.path(), "cut_off_at IS NOT NULL");
        revoked_later += alive.iter().filter(|id| ended.contains(id)).count();
        run(async {
            let app = TestApp::start_in(dir, keychain.clone(), &[&bank]).await;
            // Even asked at once: before the key is used, the log is compared.
            for grant in &alive {
                assert!(
                    app.app.check_grant(GrantId::parse(grant).unwrap()).await.is_err()
                        || reconnects(&app, grant).await
                );
            }
            assert!(found_put_back(&app).await, "copy {n}");
            for grant in &alive {
                assert!(reconnects(&app, grant).await, "copy {n}");
            }
            for grant in &revoked {
                assert!(is_revoked(&app, grant).await, "copy {n}");
            }
            assert_eq!(
                app.audit().iter().filter(|body| body.contains("\"event\":\"store_restored\"")).count(),
                1,
                "copy {n}"
            );
        });
    }
    assert!(revoked_later > 10, "some copies are from before a revocation: {revoked_later}");
    assert_eq!(
        (bank.seen("/revoke").len(), bank.seen("/token").len()),
        (told, refreshed),
        "no token was sent"
    );
    // The one that was not put back is whole, and what it still has works.
    keychain.set_anchor(&install, Some(newest));
    let alive = ids(last.path(), "cut_off_at IS NULL");
    run(async {
        let app = TestApp::start_in(last, keychain.clone(), &[&bank]).await;
        assert!(!found_put_back(&app).await);
        for grant in &alive {
            app.app.check_grant(GrantId::parse(grant).unwrap()).await.unwrap();
        }
    });
}

/// Connects, is locked and opened, gets agents, revokes; a copy is taken after every fourth step once a key was made.
async fn history(bank: &FakeProvider, keychain: &SharedKeychain) -> (Vec<TempDir>, TempDir) {
    let mut app = TestApp::start_in(private_folder(), keychain.clone(), &[bank]).await;
    let (mut grants, mut copies) = (vec![app.connect_one().await], Vec::new());
    for step in 1..=200_usize {
        match step % 20 {
            5 if grants.len() < 8 => grants.push(app.connect_one().await),
            15 if grants.len() > 2 => {
                let grant = grants.remove(0);
                app.app.revoke_grant(grant).await.unwrap();
                confirmed(&app).await;
            }
            10 => {
                let key = base64::Engine::encode(
                    &base64::engine::general_purpose::URL_SAFE_NO_PAD,
                    ed25519_dalek::SigningKey::from_bytes(&[u8::try_from(step).unwrap(); 32]).verifying_key(),
                );
                app.app.add_agent(&AddAgent { name: format!("Agent {step}"), key }).await.unwrap();
            }
            _ => {
                app.app.lock(LockedBy::Person).await;
                app.app.unlock(None).await.unwrap();
            }
        }
        if step % 4 == 0 && copies.len() < 50 && step < 200 {
            copies.push(copy(app.dir.path()));
        }
    }
    copies.push(copy(app.dir.path()));
    // One more record, which no copy has.
    app.app.lock(LockedBy::Person).await;
    app.app.shut_down().await;
    (copies, app.dir)
}

/// The bank has confirmed everything that was revoked.
async fn confirmed(app: &TestApp) {
    for _ in 0..500 {
        if app.raw("SELECT count(*) FROM outbox") == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the bank was not told");
}

/// A life of one connection, stopped in order: its folder, keychain and connection.
async fn one_connection(bank: &FakeProvider) -> (TempDir, SharedKeychain, InstallId, String) {
    let mut app = TestApp::start(&[bank]).await;
    let grant = app.connect_one().await.to_string();
    let install = install(app.dir.path());
    let (dir, keychain) = app.stopped().await;
    (dir, keychain, install, grant)
}

#[test]
fn an_anchor_that_is_gone_or_another_one_is_a_store_put_back_and_an_older_one_beside_ours_is_not() {
    let outer = Runtime::new().unwrap();
    let bank = outer.block_on(FakeProvider::start());
    let text = |anchor: &Anchor| format!("v1.{}.{}", anchor.seq, domain::id::hex(&anchor.hash)).into_bytes();
    type Change = fn(&SharedKeychain, &InstallId, Anchor, &dyn Fn(&Anchor) -> Vec<u8>);
    let cases: [(&str, bool, Change); 7] = [
        ("nothing", false, |_, _, _, _| {}),
        ("gone", true, |keychain, install, _, _| keychain.set_anchor(install, None)),
        ("another hash", true, |keychain, install, ours, _| {
            keychain.set_anchor(install, Some(Anchor { hash: [7; 32], ..ours }));
        }),
        ("rubbish alone", true, |keychain, install, _, _| {
            keychain.set_anchor(install, None);
            keychain.plant_anchor(install, b"hunter2".to_vec());
        }),
        ("rubbish beside it", false, |keychain, install, _, _| {
            keychain.plant_anchor(install, b"hunter2".to_vec())
        }),
        ("an older one beside it", false, |keychain, install, _, text| {
            keychain.plant_anchor(install, text(&Anchor { seq: 1, hash: [7; 32] }));
        }),
        ("a later one beside it", true, |keychain, install, ours, text| {
            keychain.plant_anchor(install, text(&Anchor { seq: ours.seq + 1, hash: [7; 32] }));
        }),
    ];
    for (what, put_back, change) in cases {
        let (dir, keychain, install, grant) = run(one_connection(&bank));
        let ours = keychain.anchors(&install)[0];
        change(&keychain, &install, ours, &text);
        run(async {
            let app = TestApp::start_in(dir, keychain.clone(), &[&bank]).await;
            let before = bank.all_seen().len();
            let _ = app.app.check_grant(GrantId::parse(&grant).unwrap()).await;
            assert_eq!(bank.all_seen().len() > before, !put_back, "{what}: used, or not");
            assert_eq!(found_put_back(&app).await, put_back, "{what}");
            assert_eq!(reconnects(&app, &grant).await, put_back, "{what}");
            app.app.shut_down().await;
            let head = u64::try_from(app.raw("SELECT max(seq) FROM audit")).unwrap();
            let anchors = keychain.anchors(&install);
            assert!(anchors.iter().any(|anchor| anchor.seq == head), "{what}: anchored anew: {anchors:?}");
        });
    }
}

#[test]
fn a_store_from_before_there_were_anchors_gets_its_first_one() {
    let outer = Runtime::new().unwrap();
    let bank = outer.block_on(FakeProvider::start());
    let (dir, keychain, install, grant) = run(one_connection(&bank));
    keychain.set_anchor(&install, None);
    Connection::open(dir.path().join("countersign.sqlite"))
        .unwrap()
        .execute("UPDATE meta SET anchored = 0", [])
        .unwrap();
    run(async {
        let app = TestApp::start_in(dir, keychain.clone(), &[&bank]).await;
        assert!(!found_put_back(&app).await);
        app.app.check_grant(GrantId::parse(&grant).unwrap()).await.unwrap();
        app.app.shut_down().await;
        assert_eq!((app.raw("SELECT anchored FROM meta"), keychain.anchors(&install).len()), (1, 1));
    });
}

#[test]
fn what_a_locked_keychain_hides_is_compared_before_the_first_use() {
    let outer = Runtime::new().unwrap();
    let bank = outer.block_on(FakeProvider::start());
    let (dir, keychain, _, grant) = run(one_connection(&bank));
    let older = copy(dir.path());
    let dir = run(async {
        let app = TestApp::start_in(dir, keychain.clone(), &[&bank]).await;
        app.app.lock(LockedBy::Person).await;
        app.stopped().await.0
    });
    drop(dir);
    keychain.set_fault(Some(KeychainError::Locked));
    run(async {
        let app = TestApp::start_in(older, keychain.clone(), &[&bank]).await;
        let id = GrantId::parse(&grant).unwrap();
        assert!(app.app.check_grant(id).await.is_err());
        assert!(!reconnects(&app, &grant).await, "nobody knows yet");
        let before = bank.all_seen().len();
        keychain.set_fault(None);
        let _ = app.app.check_grant(id).await;
        assert!(found_put_back(&app).await && reconnects(&app, &grant).await);
        assert_eq!(bank.all_seen().len(), before, "the bank heard nothing");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_anchored_at_most_once_a_second_and_at_the_end() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    app.connect_one().await;
    let install = install(app.dir.path());
    let begin = app.clock.monotonic();
    let before = app.keychain.anchored();
    for _ in 0..100 {
        app.app.lock(LockedBy::Person).await;
        app.app.unlock(None).await.unwrap();
    }
    let span = app.clock.monotonic() - begin;
    let written = app.keychain.anchored() - before;
    assert!(written <= 2 + usize::try_from(span.as_secs()).unwrap(), "{written} in {span:?}");
    app.app.shut_down().await;
    let head = u64::try_from(app.raw("SELECT max(seq) FROM audit")).unwrap();
    assert_eq!(app.keychain.anchors(&install)[0].seq, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_passphrase_alone_there_is_no_anchor_and_with_the_keychain_there_is_again() {
    let bank = FakeProvider::start().await;
    let app = TestApp::start(&[&bank]).await;
    let phrase = || Some(Passphrase::parse("four words of mine".to_owned()).unwrap());
    app.app.change_protection(Protection::Passphrase, None, phrase()).await.unwrap();
    app.app.shut_down().await;
    assert_eq!(app.keychain.anchored(), 0);
    app.app.change_protection(Protection::KeychainAndPassphrase, phrase(), phrase()).await.unwrap();
    app.app.shut_down().await;
    assert!(app.keychain.anchored() > 0);
}
