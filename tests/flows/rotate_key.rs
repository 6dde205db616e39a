//! Keeping the key in another way: everything moves, or nothing.

use std::time::Duration;

use contract::error_code::ErrorCode;
use contract::ui::{AttemptStep, BankTold, GrantState, KeychainState, ReconnectWhyView};
use domain::id::{GrantId, InstallId, KekId};
use domain::lock::Protection;
use domain::secret::{KeyEncryptionKey, Passphrase};
use rusqlite::Connection;
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

const ALL: [Protection; 3] =
    [Protection::Keychain, Protection::KeychainAndPassphrase, Protection::Passphrase];

fn phrase(number: usize) -> Passphrase {
    Passphrase::parse(format!("words of mine, number {number}")).unwrap()
}

fn phrase_for(protection: Protection, number: usize) -> Option<Passphrase> {
    protection.has_passphrase().then(|| phrase(number))
}

fn database(app: &TestApp) -> Connection {
    let raw = Connection::open(app.dir.path().join("countersign.sqlite")).unwrap();
    raw.busy_timeout(Duration::from_secs(5)).unwrap();
    raw
}

fn ids(app: &TestApp) -> (InstallId, KekId) {
    let raw = database(app);
    let text = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let (install, kek) = (text("SELECT install FROM meta"), text("SELECT id FROM kek"));
    (InstallId::parse(&install).unwrap(), KekId::parse(&kek).unwrap())
}

fn blobs(app: &TestApp) -> Vec<Vec<u8>> {
    let raw = database(app);
    let mut query = raw.prepare("SELECT blob FROM sealed ORDER BY 1").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn litter(app: &TestApp) -> String {
    database(app).query_row("SELECT kek_litter FROM meta", [], |row| row.get(0)).unwrap()
}

/// Everything that is sealed is sealed under the key in force, and the bank gets to see what was sealed.
async fn everything_opens(app: &TestApp, bank: &FakeProvider, grants: &[GrantId]) {
    let (_, kek) = ids(app);
    for blob in blobs(app) {
        assert_eq!(vault::kek_id_of(&blob), Ok(kek));
    }
    for grant in grants {
        let before = bank.seen("/revoke").len();
        app.app.revoke_grant(*grant).await.unwrap();
        for _ in 0..600 {
            let GrantState::Revoked { facts, .. } = app.app.show_grant(*grant).await.unwrap().row.state
            else {
                panic!("not revoked")
            };
            if matches!(facts.bank, BankTold::Confirmed { .. }) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(bank.seen("/revoke").len(), before + 1, "the token was opened and sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_keeping_the_key_follows_every_other() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grants = [app.connect_one().await, app.connect_one().await];
    let mut now = Protection::Keychain;
    let mut number = 0;
    let ways = ALL.iter().flat_map(|from| ALL.iter().flat_map(move |to| [*from, *to]));
    for to in ways {
        let (before, (install, old)) = (blobs(&app), ids(&app));
        let current = phrase_for(now, number);
        number += 1;
        app.app.change_protection(to, current, phrase_for(to, number)).await.unwrap();
        let (_, kek) = ids(&app);
        assert_ne!(kek, old, "{now:?} to {to:?}");
        let after = blobs(&app);
        assert!(after.len() == before.len() && after.iter().all(|blob| !before.contains(blob)));
        assert!(app.keychain.secrets(&install, old).is_empty(), "{now:?} to {to:?}: the old item is gone");
        assert_eq!(app.keychain.items(), usize::from(to.has_keychain()), "{now:?} to {to:?}");
        assert_eq!(litter(&app), "[]");
        assert_eq!(app.app.app_state().await.unwrap().keychain, KeychainState::Ready);
        app.app.check_grant(grants[0]).await.unwrap();
        now = to;
    }
    let audit = app.audit();
    assert_eq!(audit.iter().filter(|body| body.contains("key_replaced")).count(), number);
    everything_opens(&app, &bank, &grants).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_it_shows_the_passphrase_and_keeps_the_old_one_until_it_is_done() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect_one().await;
    let code = |outcome: Result<(), app::Refusal>| outcome.unwrap_err().code();
    let change = |to, current, new| app.app.change_protection(to, current, new);
    assert_eq!(code(change(Protection::Passphrase, None, None).await), ErrorCode::PassphraseUnfit);
    assert_eq!(code(change(Protection::Keychain, None, Some(phrase(1))).await), ErrorCode::RequestMalformed);
    change(Protection::Passphrase, None, Some(phrase(1))).await.unwrap();
    let (before, kek) = (blobs(&app), ids(&app));
    assert_eq!(code(change(Protection::Keychain, None, None).await), ErrorCode::PassphraseWrong);
    assert_eq!(code(change(Protection::Keychain, Some(phrase(2)), None).await), ErrorCode::PassphraseWrong);
    assert_eq!(code(change(Protection::Keychain, Some(phrase(1)), None).await), ErrorCode::PassphraseLater);
    assert_eq!((blobs(&app), ids(&app)), (before, kek), "nothing changed");
    app.clock.pass(Duration::from_secs(1));
    change(Protection::Keychain, Some(phrase(1)), None).await.unwrap();
    everything_opens(&app, &bank, &[grant]).await;
}

/// The process ends, or the keychain goes away, at every call to it.
#[tokio::test(flavor = "multi_thread")]
async fn wherever_it_breaks_off_everything_opens_under_the_key_that_is_in_force() {
    for (from, to) in [
        (Protection::Keychain, Protection::KeychainAndPassphrase),
        (Protection::KeychainAndPassphrase, Protection::Keychain),
        (Protection::Keychain, Protection::Passphrase),
        (Protection::Passphrase, Protection::Keychain),
    ] {
        let (mut broken, mut step) = (0, 0);
        loop {
            let bank = FakeProvider::start().await;
            let mut app = TestApp::start(&[&bank]).await;
            if from != Protection::Keychain {
                app.app.change_protection(from, None, phrase_for(from, 1)).await.unwrap();
            }
            let grant = app.connect_one().await;
            // The anchor of what was written so far is no step of the change.
            app.app.shut_down().await;
            let calls = app.keychain.calls();
            app.keychain.fail_after(Some(step));
            let changed = app.app.change_protection(to, phrase_for(from, 1), phrase_for(to, 2)).await;
            let used_up = app.keychain.calls() - calls > step;
            let (dir, keychain) = app.stopped().await;
            keychain.fail_after(None);
            let app = TestApp::start_in(dir, keychain, &[&bank]).await;
            let protection = app.app.app_state().await.unwrap().protection;
            let in_force = if changed.is_ok() { to } else { from };
            assert_eq!(
                format!("{protection:?}"),
                format!("{in_force:?}"),
                "step {step}: what was said is so"
            );
            if in_force.has_passphrase() {
                let number = if changed.is_ok() { 2 } else { 1 };
                app.app.unlock(phrase_for(in_force, number)).await.unwrap();
            }
            everything_opens(&app, &bank, &[grant]).await;
            tidied(&app, usize::from(in_force.has_keychain())).await;
            broken += usize::from(changed.is_err());
            step += 1;
            if !used_up {
                break;
            }
        }
        assert!(broken >= 2 && step > 4, "{from:?} to {to:?}: {broken} of {step} broke it off");
    }
}

/// The key that is not in force leaves the keychain, and nothing else does.
async fn tidied(app: &TestApp, items: usize) {
    app.app.check_keychain().await.unwrap();
    for _ in 0..300 {
        if app.keychain.items() == items && litter(app) == "[]" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} keys, noted: {}", app.keychain.items(), litter(app));
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_disk_fails_everything_opens_under_the_key_that_is_in_force() {
    for table in ["sealed", "kek"] {
        disk_fails(&format!("BEFORE UPDATE ON {table}"), true).await;
    }
    disk_fails("BEFORE INSERT ON audit", true).await;
    disk_fails("BEFORE UPDATE OF kek_litter ON meta", true).await;
    // The note that cannot be cleared: the change is done.
    disk_fails("BEFORE UPDATE OF kek_litter ON meta WHEN NEW.kek_litter = '[]'", false).await;
}

async fn disk_fails(when: &str, breaks_off: bool) {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect_one().await;
    app.app.shut_down().await;
    let before = (blobs(&app), ids(&app));
    app.execute(&format!("CREATE TRIGGER no_more {when} BEGIN SELECT RAISE(ABORT, 'no'); END"));
    let changed = app.app.change_protection(Protection::KeychainAndPassphrase, None, Some(phrase(1))).await;
    assert_eq!(changed.is_err(), breaks_off, "{when}");
    if breaks_off {
        assert_eq!((blobs(&app), ids(&app)), before, "{when}");
    }
    app.execute("DROP TRIGGER no_more");
    let (dir, keychain) = app.stopped().await;
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    if !breaks_off {
        app.app.unlock(Some(phrase(1))).await.unwrap();
    }
    tidied(&app, 1).await;
    everything_opens(&app, &bank, &[grant]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_open_keeps_the_key_and_is_named() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let (sound, damaged) = (app.connect_one().await, app.connect_one().await);
    app.execute(&format!("UPDATE sealed SET blob = zeroblob(90) WHERE grant_id = '{damaged}' AND kind = 4"));
    let before = (blobs(&app), ids(&app));
    let refused = app.app.change_protection(Protection::Passphrase, None, Some(phrase(1))).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::RecordDamaged);
    assert_eq!((blobs(&app), ids(&app)), before, "nothing changed");
    assert_eq!((app.keychain.items(), litter(&app).as_str()), (1, "[]"));
    let state = app.app.show_grant(damaged).await.unwrap().row.state;
    let named = matches!(state, GrantState::Reconnect { why: ReconnectWhyView::DamagedRecord, .. });
    assert!(named, "{state:?}");
    // Ended, it stands in nobody's way.
    app.app.revoke_grant(damaged).await.unwrap();
    for _ in 0..300 {
        if app.raw(&format!("SELECT count(*) FROM sealed WHERE grant_id = '{damaged}'")) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.app.change_protection(Protection::Passphrase, None, Some(phrase(1))).await.unwrap();
    everything_opens(&app, &bank, &[sound]).await;
}

/// What a connection is about to seal waits in the middle; the key is replaced only after that.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sealed_under_a_key_that_was_replaced_meanwhile() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let mut grants = vec![app.connect_one().await];
    for to in [Protection::Keychain, Protection::KeychainAndPassphrase] {
        let attempt = app.click_connect("bank-1", &["accounts"]).await;
        let url = app.opened().await;
        // The key of the save is on its way for a while; what comes after it is quick.
        app.keychain.take_time(Duration::from_secs(2));
        support::fakes::come_back(&url).await;
        while app.app.show_attempt(attempt.id).await.unwrap().step != AttemptStep::Saving {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        app.keychain.take_time(Duration::ZERO);
        app.app.change_protection(to, None, phrase_for(to, 1)).await.unwrap();
        let ended = app.ended(&attempt).await;
        grants.push(GrantId::parse(&ended.grant.unwrap_or_else(|| panic!("{:?}", ended.ending))).unwrap());
    }
    everything_opens(&app, &bank, &grants).await;
}

/// The database and everything in the keychain, in another program's hands.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_passphrase_the_database_and_the_keychain_together_open_nothing() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect_one().await;
    let key_in_keychain = |app: &TestApp| {
        let (install, kek) = ids(app);
        let item = app.keychain.secrets(&install, kek).remove(0);
        let encoded = std::str::from_utf8(&item).unwrap().strip_prefix("v1.").unwrap().to_owned();
        let bytes =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, encoded).unwrap();
        KeyEncryptionKey::from_random(bytes.try_into().unwrap())
    };
    let opens = |app: &TestApp, key: &KeyEncryptionKey| {
        let (install, kek) = ids(app);
        let check: Vec<u8> =
            database(app).query_row("SELECT check_blob FROM kek", [], |row| row.get(0)).unwrap();
        vault::is_key(&check, &install, key, kek)
    };
    let plain = key_in_keychain(&app);
    assert!(opens(&app, &plain), "without a passphrase, whoever reads the keychain has the key");
    app.app.change_protection(Protection::KeychainAndPassphrase, None, Some(phrase(1))).await.unwrap();
    let half = key_in_keychain(&app);
    assert!(!opens(&app, &half) && !opens(&app, &plain));
    let (install, kek) = ids(&app);
    let wrapped: Vec<u8> = database(&app).query_row("SELECT wrapped FROM kek", [], |row| row.get(0)).unwrap();
    let unwrap = |number, half| vault::passphrase::unwrap(&wrapped, &install, kek, &phrase(number), half);
    assert!(unwrap(2, Some(&half)).is_err() && unwrap(1, None).is_err() && unwrap(1, Some(&plain)).is_err());
    assert!(opens(&app, &unwrap(1, Some(&half)).unwrap()), "it takes both");
    // What stands in the database of before, in any of its files, is gone with its key.
    everything_opens(&app, &bank, &[grant]).await;
}
