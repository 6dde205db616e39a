//! What is sealed, under which key: damaged, moved, gone, replaced, and nothing else touched by that.

use std::time::Duration;

use app::port::{DiceError, KeychainError};
use contract::ui::{BankTold, DamagedKind, EndingView, GrantState, KeychainState, WaitsForView};
use domain::id::{GrantId, InstallId, KekId};
use rusqlite::Connection;
use rusqlite::types::Value;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back};

/// The tables that hold what the person has; attempts and the log of them go on whatever the keychain says.
const KEPT: [&str; 6] = ["meta", "kek", "grants", "sealed", "outbox", "receipts"];

async fn connect(app: &mut TestApp) -> GrantId {
    let attempt = app.click_connect("bank-1", &["accounts", "transactions"]).await;
    let url = app.opened().await;
    come_back(&url).await;
    GrantId::parse(&app.ended(&attempt).await.grant.expect("a grant")).unwrap()
}

fn database(app: &TestApp) -> Connection {
    let raw = Connection::open(app.dir.path().join("countersign.sqlite")).unwrap();
    raw.busy_timeout(Duration::from_secs(5)).unwrap();
    raw
}

fn rows(app: &TestApp, table: &str) -> Vec<Vec<Value>> {
    let raw = database(app);
    let mut query = raw.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
    let columns = query.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    query.query_map([], read).unwrap().map(Result::unwrap).collect()
}

fn kept(app: &TestApp) -> Vec<Vec<Vec<Value>>> {
    KEPT.iter().map(|table| rows(app, table)).collect()
}

fn key_ids(app: &TestApp) -> (InstallId, KekId) {
    let raw = database(app);
    let text = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    let (install, kek) = (text("SELECT install FROM meta"), text("SELECT id FROM kek"));
    (InstallId::parse(&install).unwrap(), KekId::parse(&kek).unwrap())
}

/// Waits until the bank's side of a revocation is known to be this, or to wait for this.
async fn told(app: &TestApp, grant: GrantId, waits: Option<WaitsForView>) {
    let mut last = None;
    for _ in 0..600 {
        let GrantState::Revoked { facts, .. } = app.app.show_grant(grant).await.unwrap().row.state else {
            panic!("not revoked")
        };
        match (&facts.bank, waits) {
            (BankTold::Confirmed { .. }, None) => return,
            (BankTold::NotYet { waits_for, .. }, Some(expected)) if *waits_for == expected => return,
            (told, _) => last = Some(told.clone()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{last:?} instead of {waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_named_and_the_others_go_on() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let (damaged, sound) = (connect(&mut app).await, connect(&mut app).await);
    let name = database(&app).query_row("SELECT provider_name FROM grants", [], |row| row.get(0)).unwrap();
    let spoil =
        "UPDATE grants SET accounts = '{}', provider_name = provider_name || char(8238) WHERE id = ?1";
    assert_eq!(database(&app).execute(spoil, [damaged.to_string()]).unwrap(), 1);
    let list = app.app.list_grants().await.unwrap();
    assert_eq!(list.current.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), [sound.to_string()]);
    let [said] = &list.damaged[..] else { panic!("{:?}", list.damaged) };
    let expected: (DamagedKind, Option<String>, Option<String>) =
        (DamagedKind::Connection, Some(damaged.to_string()), Some(name));
    assert_eq!((said.what, said.id.clone(), said.name.clone()), expected, "without what turns text around");
    assert_eq!(app.app.list_agents().await.unwrap().agents[0].connections, 1);
    app.app.revoke_grant(sound).await.unwrap();
    told(&app, sound, None).await;
    assert!(app.app.show_grant(damaged).await.is_err());
    assert!(app.app.revoke_grant(damaged).await.is_err(), "nothing acts on it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_agent_keeps_nothing_from_starting_or_being_listed() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = connect(&mut app).await;
    assert_eq!(database(&app).execute("UPDATE agents SET key = zeroblob(32)", []).unwrap(), 1);
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    let list = app.app.list_grants().await.unwrap();
    assert_eq!(list.current.len(), 1);
    assert_eq!(list.current[0].agent.name, list.current[0].agent.id, "the name is not to be had");
    let [said] = &list.damaged[..] else { panic!("{:?}", list.damaged) };
    assert_eq!((said.what, said.name.as_deref()), (DamagedKind::Agent, Some("Budget Buddy")));
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_record_that_was_moved_or_changed_is_not_used_and_spoils_no_other() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let other = connect(&mut app).await;
    let flip = |at: &str| {
        format!(
            "UPDATE sealed SET blob = CAST(substr(blob, 1, {at} - 1) || \
             CASE substr(blob, {at}, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(blob, {at} + 1) AS BLOB) \
             WHERE grant_id = ?1 AND kind = 1"
        )
    };
    let of = |kind: u8, whose: &str| {
        format!(
            "UPDATE sealed SET blob = (SELECT blob FROM sealed WHERE grant_id = {whose} AND kind = {kind}) \
             WHERE grant_id = ?1 AND kind = 1"
        )
    };
    let another = format!("'{other}'");
    for (what, statement) in [
        ("another grant's token", of(1, &another)),
        ("its own access token", of(2, "?1")),
        ("another grant's account numbers", of(4, &another)),
        ("the nonce of the data key", flip("11")),
        ("the wrapped key", flip("23")),
        ("the tag of the wrapped key", flip("55")),
        ("the nonce of the body", flip("71")),
        ("the body", flip("83")),
        ("the tag", flip("length(blob)")),
        ("another key's id", flip("3")),
        ("another version", flip("1")),
        ("another generation", "UPDATE sealed SET generation = 2 WHERE grant_id = ?1".to_owned()),
        ("no token", "UPDATE sealed SET blob = x'00' WHERE grant_id = ?1 AND kind IN (1, 2)".to_owned()),
        ("no records", "DELETE FROM sealed WHERE grant_id = ?1".to_owned()),
        ("another issuer", "UPDATE grants SET issuer = issuer || '/' WHERE id = ?1".to_owned()),
    ] {
        let grant = connect(&mut app).await;
        let changed = database(&app).execute(&statement, [grant.to_string()]).unwrap();
        assert!(changed >= 1, "{what}");
        app.app.revoke_grant(grant).await.unwrap();
        // A grant whose issuer is not the bank's any more is not even opened.
        let waits =
            if what == "another issuer" { WaitsForView::KnownAddress } else { WaitsForView::DamagedRecord };
        told(&app, grant, Some(waits)).await;
        assert!(bank.seen("/revoke").is_empty(), "{what}: nothing of it was sent");
        app.app.stop_telling_bank(grant).await.unwrap();
    }
    app.app.revoke_grant(other).await.unwrap();
    told(&app, other, None).await;
    assert_eq!(bank.seen("/revoke").len(), 1, "the other one is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_gone_or_another_one_is_never_made_anew() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = connect(&mut app).await;
    let (install, kek) = key_ids(&app);
    let ours = app.keychain.secrets(&install, kek).remove(0);
    let restored = |changed: &[u8]| [ours.split_at(3).0, changed].concat();
    app.app.shut_down().await;
    let (before, other) = (kept(&app), restored(&[b'A'; 43]));
    let cases: [(&str, Option<&[u8]>, KeychainState); 4] = [
        ("gone", None, KeychainState::KeyMissing),
        ("last week's", Some(&other), KeychainState::KeyReplaced),
        ("rubbish", Some(b"hunter2"), KeychainState::KeyReplaced),
        ("cut off", Some(ours.split_at(45).0), KeychainState::KeyReplaced),
    ];
    for (what, item, state) in cases {
        match item {
            None => app.keychain.forget(&install, kek),
            Some(bytes) => app.keychain.set_item(&install, kek, bytes.to_vec()),
        }
        // In order: what the log's anchor needs is written by then.
        let (dir, keychain) = app.stopped().await;
        app = TestApp::start_in(dir, keychain, &[&bank]).await;
        let files = files(&app);
        assert_eq!(app.app.app_state().await.unwrap().keychain, state, "{what}");
        assert_eq!(app.app.check_keychain().await.unwrap().keychain, state, "{what}");
        assert_eq!(app.app.unlock_keychain().await.unwrap().keychain, state, "{what}");
        assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1, "{what}: the list is shown");
        assert!(self::files(&app) == files, "{what}: looking changes no byte of the database");
        let attempt = app.click_connect("bank-1", &["accounts"]).await;
        assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::KeychainKeyLost), "{what}");
        assert!(app.nothing_opened(), "{what}");
        assert_eq!(kept(&app), before, "{what}: what was sealed stays as it was");
        let items = app.keychain.secrets(&install, kek);
        assert_eq!(
            items,
            item.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>(),
            "{what}: no key was made"
        );
        assert_eq!(app.keychain.items(), items.len(), "{what}: not elsewhere either");
    }
    app.keychain.set_item(&install, kek, ours);
    assert_eq!(app.app.check_keychain().await.unwrap().keychain, KeychainState::Ready, "it is back");
    app.app.revoke_grant(grant).await.unwrap();
    told(&app, grant, None).await;
}

/// The bytes of the database and its log.
fn files(app: &TestApp) -> Vec<Vec<u8>> {
    ["countersign.sqlite", "countersign.sqlite-wal"]
        .map(|name| std::fs::read(app.dir.path().join(name)).unwrap_or_default())
        .to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_planted_under_our_name_costs_nobody_their_connections() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = connect(&mut app).await;
    let (install, kek) = key_ids(&app);
    let ours = app.keychain.secrets(&install, kek).remove(0);
    let another = [ours.split_at(3).0, &[b'B'; 42], b"A"].concat();
    for planted in [ours, b"".to_vec(), b"hunter2".to_vec(), vec![0xff; 46], another] {
        app.keychain.plant(&install, kek, planted);
        assert_eq!(app.app.app_state().await.unwrap().keychain, KeychainState::Ready);
    }
    assert_eq!(app.keychain.items(), 6);
    let second = connect(&mut app).await;
    for grant in [grant, second] {
        app.app.revoke_grant(grant).await.unwrap();
        told(&app, grant, None).await;
    }
    assert_eq!(app.keychain.items(), 6, "nobody's item is touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_keychain_nothing_is_stored_sealed_or_not() {
    for fault in [
        KeychainError::Absent,
        KeychainError::Blocked,
        KeychainError::Locked,
        KeychainError::Malformed,
        KeychainError::NotLasting,
    ] {
        let bank = FakeProvider::start().await;
        let mut app = TestApp::start(&[&bank]).await;
        let before = kept(&app);
        app.keychain.set_fault(Some(fault));
        let attempt = app.click_connect("bank-1", &["accounts"]).await;
        let ending = app.ended(&attempt).await.ending;
        let expected = match fault {
            KeychainError::Locked => EndingView::KeychainLocked,
            KeychainError::Malformed => EndingView::KeychainKeyLost,
            KeychainError::Absent | KeychainError::Blocked | KeychainError::NotLasting => {
                EndingView::KeychainUnavailable
            }
        };
        assert_eq!(ending, Some(expected), "{fault:?}");
        assert!(app.nothing_opened(), "{fault:?}");
        // Locked after the bank was opened: the token is not kept in any other way.
        app.keychain.set_fault(None);
        let attempt = app.click_connect("bank-1", &["accounts"]).await;
        let url = app.opened().await;
        let with_key = kept(&app);
        app.keychain.set_fault(Some(fault));
        come_back(&url).await;
        let view = app.ended(&attempt).await;
        assert!(view.grant.is_none(), "{fault:?}: {:?}", view.ending);
        assert_eq!(kept(&app), with_key, "{fault:?}: nothing of the token is kept");
        assert!(before[1].is_empty() && with_key[1].len() == 1, "the key's row alone was made");
        assert_eq!(bank.seen("/revoke").len(), 1, "{fault:?}: the bank was told to forget it");
        app.keychain.set_fault(None);
        connect(&mut app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_stuck_source_of_randomness_nothing_is_sealed() {
    for stuck in [Ok(0), Ok(0x41), Ok(0xff), Err(DiceError)] {
        let bank = FakeProvider::start().await;
        let mut app = TestApp::start(&[&bank]).await;
        let attempt = app.click_connect("bank-1", &["accounts"]).await;
        let url = app.opened().await;
        app.dice.stick(Some(stuck));
        come_back(&url).await;
        let view = app.ended(&attempt).await;
        assert_eq!(view.ending, Some(EndingView::NotSaved { bank_told: true }), "{stuck:?}");
        assert!(rows(&app, "sealed").is_empty() && rows(&app, "grants").is_empty(), "{stuck:?}");
        // Nor is a first key.
        if stuck.is_ok() {
            let mut fresh = TestApp::start(&[&bank]).await;
            fresh.dice.stick(Some(stuck));
            let attempt = fresh.click_connect("bank-1", &["accounts"]).await;
            assert!(fresh.ended(&attempt).await.grant.is_none(), "{stuck:?}");
            assert!(fresh.nothing_opened() && rows(&fresh, "kek").is_empty(), "{stuck:?}");
            assert_eq!(fresh.keychain.items(), 0, "{stuck:?}");
        }
        app.dice.stick(None);
        connect(&mut app).await;
    }
}

/// In which files of the data folder any of these is found.
fn found(app: &TestApp, wanted: &[Vec<u8>]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for file in std::fs::read_dir(app.dir.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap_or_default();
        if wanted.iter().any(|one| bytes.windows(one.len()).any(|window| window == one)) {
            files.push(file.file_name().into_string().unwrap());
        }
    }
    files.sort();
    files
}

/// The wrapped data key of every sealed record: what opening needs besides the key.
fn wrapped_keys(app: &TestApp) -> Vec<Vec<u8>> {
    let blobs = rows(app, "sealed").into_iter().map(|mut row| row.remove(4));
    blobs
        .map(|blob| match blob {
            Value::Blob(blob) => blob[22..54].to_vec(),
            other @ (Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_)) => {
                panic!("{other:?}")
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_revoked_grant_is_in_any_file_two_seconds_after_the_banks_yes() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    for number in 1..=3 {
        let grant = connect(&mut app).await;
        // The fake's tokens are counted; that these are they, the bank has seen.
        let tokens = [format!("access-{number}"), format!("refresh-{number}")];
        let bearer = format!("Bearer {}", tokens[0]);
        let used = bank.all_seen().iter().any(|seen| seen.header("authorization") == Some(bearer.as_str()));
        assert!(used, "the access token is that one");
        let in_clear: Vec<Vec<u8>> = tokens.iter().map(|token| token.clone().into_bytes()).collect();
        let wrapped = wrapped_keys(&app);
        assert!(wrapped.len() >= 3, "tokens and account numbers");
        assert!(!found(&app, &wrapped).is_empty(), "the search finds what is there");
        assert_eq!(found(&app, &in_clear), Vec::<String>::new(), "connected");
        bank.answers("/revoke", support::fake_provider::Answer::json(503, &serde_json::json!({})));
        app.app.revoke_grant(grant).await.unwrap();
        told(&app, grant, Some(WaitsForView::BankToAccept)).await;
        assert!(!found(&app, &wrapped).is_empty(), "the outbox still needs it");
        assert_eq!(found(&app, &in_clear), Vec::<String>::new(), "revoked here");
        bank.answers_honestly("/revoke");
        told(&app, grant, None).await;
        let begin = std::time::Instant::now();
        while !found(&app, &wrapped).is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", found(&app, &wrapped));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(found(&app, &in_clear), Vec::<String>::new(), "confirmed");
        assert_eq!(bank.seen("/revoke").last().unwrap().form["token"], tokens[1]);
    }
}

/// The folder on another computer, or read back without its keychain: nothing opens, and no key is made in its place.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_its_key_opens_nothing() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = connect(&mut app).await;
    let (install, kek) = key_ids(&app);
    let ours = app.keychain.secrets(&install, kek).remove(0);
    let TestApp { app: running, dir, .. } = app;
    drop(running);
    // Another computer: the folder is there, the keychain is not.
    let elsewhere = TestApp::start_in(dir, support::fakes::SharedKeychain::empty(), &[&bank]).await;
    elsewhere.app.revoke_grant(grant).await.unwrap();
    told(&elsewhere, grant, Some(WaitsForView::LostKey)).await;
    assert!(bank.seen("/revoke").is_empty(), "no token could be opened");
    assert_eq!(elsewhere.keychain.items(), 0, "and no key was made");
    elsewhere.keychain.set_item(&install, kek, ours);
    elsewhere.app.check_keychain().await.unwrap();
    elsewhere.app.stop_telling_bank(grant).await.unwrap();
    assert!(rows(&elsewhere, "sealed").is_empty());
}
