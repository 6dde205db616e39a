//! The vault's lock: what it keeps from whom, what goes on behind it, and how it opens.

use std::time::Duration;

use contract::error_code::ErrorCode;
use contract::ui::{BankTold, GrantState, LockView, LockedByView, ProtectionView, WaitsForView};
use domain::id::GrantId;
use domain::lock::{LockSettings, LockedBy, Protection};
use domain::secret::Passphrase;
use support::fake_provider::FakeProvider;
use support::fakes::{SharedKeychain, TestApp};

fn phrase(text: &str) -> Passphrase {
    Passphrase::parse(text.to_owned()).unwrap()
}

fn right() -> Option<Passphrase> {
    Some(phrase("four words of mine"))
}

fn wrong() -> Option<Passphrase> {
    Some(phrase("four words of yours"))
}

async fn protected(bank: &FakeProvider, protection: Protection) -> TestApp {
    let app = TestApp::start(&[bank]).await;
    if protection.has_passphrase() {
        app.app.change_protection(protection, None, right()).await.unwrap();
    }
    app
}

async fn unlock(app: &TestApp, passphrase: Option<Passphrase>) -> Option<ErrorCode> {
    app.app.unlock(passphrase).await.err().map(|refusal| refusal.code())
}

async fn locked(app: &TestApp) -> Option<LockedByView> {
    match app.app.app_state().await.unwrap().lock {
        LockView::Locked { by, .. } => Some(by),
        LockView::Open => None,
    }
}

async fn told(app: &TestApp, grant: GrantId) -> BankTold {
    let GrantState::Revoked { facts, .. } = app.app.show_grant(grant).await.unwrap().row.state else {
        panic!("not revoked")
    };
    facts.bank
}

async fn until(app: &TestApp, grant: GrantId, fits: impl Fn(&BankTold) -> bool) {
    for _ in 0..600 {
        if fits(&told(app, grant).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{:?}", told(app, grant).await);
}

async fn until_told(app: &TestApp, grant: GrantId) {
    until(app, grant, |told| matches!(told, BankTold::Confirmed { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_start_only_the_passphrase_opens_the_vault() {
    for protection in [Protection::KeychainAndPassphrase, Protection::Passphrase] {
        let bank = FakeProvider::start().await;
        let mut app = protected(&bank, protection).await;
        let grant = app.connect_one().await;
        assert_eq!(locked(&app).await, None, "who has chosen it is there");
        let (dir, keychain) = app.stopped().await;
        let mut app = TestApp::start_in(dir, keychain, &[&bank]).await;
        assert_eq!(locked(&app).await, Some(LockedByView::Start));
        assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1, "the list is shown");
        let used = app.app.check_grant(grant).await.unwrap_err();
        assert_eq!(used.code(), ErrorCode::Locked);
        assert_eq!(unlock(&app, None).await, Some(ErrorCode::PassphraseWrong));
        assert_eq!(unlock(&app, wrong()).await, Some(ErrorCode::PassphraseWrong));
        assert_eq!(unlock(&app, right()).await, Some(ErrorCode::PassphraseLater), "not at once");
        app.clock.pass(Duration::from_secs(1));
        assert_eq!(unlock(&app, right()).await, None);
        assert_eq!(locked(&app).await, None);
        app.app.check_grant(grant).await.unwrap();
        let second = app.connect_one().await;
        for grant in [grant, second] {
            app.app.revoke_grant(grant).await.unwrap();
            until_told(&app, grant).await;
        }
        let audit = app.audit();
        assert_eq!(audit.iter().filter(|body| body.contains("vault_opened")).count(), 1, "{audit:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_locked_nothing_starts_and_everything_can_be_stopped() {
    for protection in [Protection::Keychain, Protection::KeychainAndPassphrase, Protection::Passphrase] {
        let bank = FakeProvider::start().await;
        let mut app = protected(&bank, protection).await;
        let (first, second) = (app.connect_one().await, app.connect_one().await);
        app.app.lock(LockedBy::Person).await;
        app.app.lock(LockedBy::Screen).await;
        assert_eq!(locked(&app).await, Some(LockedByView::Person), "the first one says why");
        let before = bank.all_seen().len();
        assert_eq!(app.app.check_grant(first).await.unwrap_err().code(), ErrorCode::Locked);
        let agents = app.app.list_agents().await.unwrap().agents;
        let request = contract::ui::ConnectAccount {
            provider: "bank-1".into(),
            agent: agents[0].id.clone(),
            permissions: vec!["accounts".into()],
            until: i64::MAX,
        };
        assert_eq!(app.app.connect_account(&request).await.unwrap_err().code(), ErrorCode::Locked);
        let change = app.app.change_protection(Protection::Passphrase, right(), right()).await;
        assert_eq!(change.unwrap_err().code(), ErrorCode::Locked);
        assert_eq!(bank.all_seen().len(), before, "the bank heard nothing");
        app.app.revoke_grant(first).await.unwrap();
        if protection == Protection::Keychain {
            until_told(&app, first).await;
        } else {
            until(&app, first, |told| {
                matches!(told, BankTold::NotYet { waits_for: WaitsForView::Keychain, .. })
            })
            .await;
            assert!(bank.seen("/revoke").is_empty(), "it waits for the key");
        }
        assert_eq!(unlock(&app, right()).await, None, "{protection:?}");
        until_told(&app, first).await;
        app.app.check_grant(second).await.unwrap();
        let audit = app.audit();
        let count = |what: &str| audit.iter().filter(|body| body.contains(what)).count();
        assert_eq!((count("vault_locked"), count("vault_opened")), (1, 1), "{audit:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_is_recorded_first_and_locking_needs_no_disk() {
    let bank = FakeProvider::start().await;
    let app = protected(&bank, Protection::Passphrase).await;
    app.execute("CREATE TRIGGER no_more BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END");
    app.app.lock(LockedBy::Person).await;
    assert_eq!(locked(&app).await, Some(LockedByView::Person), "whatever the disk does");
    assert!(unlock(&app, right()).await.is_some());
    assert_eq!(locked(&app).await, Some(LockedByView::Person), "what is not recorded does not happen");
    app.execute("DROP TRIGGER no_more");
    assert_eq!(unlock(&app, right()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_locks_with_the_screen_and_after_some_time_if_the_person_wants_it_so() {
    let bank = FakeProvider::start().await;
    let app = TestApp::start(&[&bank]).await;
    let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
    app.app.screen_locked().await;
    app.app.idle(minutes(10_000)).await;
    assert_eq!(locked(&app).await, None, "nothing was chosen");
    for refused in [Some(0), Some(1441), Some(u16::MAX)] {
        let settings = LockSettings { idle_minutes: refused, with_screen: false };
        assert!(app.app.set_lock_settings(settings).await.is_err(), "{refused:?}");
    }
    let settings = LockSettings { idle_minutes: Some(5), with_screen: true };
    app.app.set_lock_settings(settings).await.unwrap();
    app.app.screen_locked().await;
    assert_eq!(locked(&app).await, Some(LockedByView::Screen));
    assert_eq!(unlock(&app, None).await, None, "a click opens what no passphrase protects");
    app.app.idle(minutes(5)).await;
    assert_eq!(locked(&app).await, None, "who has just clicked is there, whatever the system says");
    app.clock.pass(Duration::from_secs(5 * 60 - 1));
    app.app.idle(minutes(5)).await;
    app.app.idle(None).await;
    assert_eq!(locked(&app).await, None);
    app.clock.pass(Duration::from_secs(1));
    app.app.idle(minutes(4)).await;
    assert_eq!(locked(&app).await, None, "somebody sits at the computer");
    app.app.idle(None).await;
    assert_eq!(locked(&app).await, Some(LockedByView::Idle), "the system tells nothing: nobody clicked");
    assert_eq!(unlock(&app, None).await, None);
    app.clock.pass(Duration::from_secs(5 * 60));
    app.app.idle(minutes(5)).await;
    assert_eq!(locked(&app).await, Some(LockedByView::Idle));
    let (dir, keychain) = app.stopped().await;
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    let kept = app.app.lock_settings().await.unwrap();
    assert_eq!(kept, settings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_alone_needs_no_keychain_at_all() {
    let bank = FakeProvider::start().await;
    let keychain = SharedKeychain::empty();
    keychain.set_fault(Some(app::port::KeychainError::Absent));
    let mut app = TestApp::start_in(support::fakes::private_folder(), keychain, &[&bank]).await;
    let refused = app.app.change_protection(Protection::KeychainAndPassphrase, None, right()).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::KeychainUnavailable);
    app.app.change_protection(Protection::Passphrase, None, right()).await.unwrap();
    let state = app.app.app_state().await.unwrap();
    assert_eq!((state.protection, locked(&app).await), (ProtectionView::Passphrase, None));
    let grant = app.connect_one().await;
    let (dir, keychain) = app.stopped().await;
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    assert_eq!(unlock(&app, right()).await, None);
    app.app.revoke_grant(grant).await.unwrap();
    until_told(&app, grant).await;
    assert_eq!((app.keychain.items(), app.keychain.anchored()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_other_programs_do_not_keep_the_person_waiting() {
    let bank = FakeProvider::start().await;
    let app = protected(&bank, Protection::Passphrase).await;
    let check = async |passphrase: Option<Passphrase>| {
        app.app.check_passphrase(passphrase.unwrap()).await.err().map(|refusal| refusal.code())
    };
    assert_eq!(check(right()).await, None);
    assert_eq!(check(wrong()).await, Some(ErrorCode::PassphraseWrong));
    assert_eq!(check(right()).await, Some(ErrorCode::PassphraseLater));
    app.app.lock(LockedBy::Person).await;
    let elsewhere = app.app.unlock_from_elsewhere(right().unwrap()).await.unwrap_err();
    assert_eq!(elsewhere.code(), ErrorCode::PassphraseLater);
    assert_eq!(unlock(&app, right()).await, None);
    app.app.lock(LockedBy::Person).await;
    app.clock.pass(Duration::from_secs(1));
    app.app.unlock_from_elsewhere(right().unwrap()).await.unwrap();
    assert_eq!(locked(&app).await, None);
    let plain = TestApp::start(&[&bank]).await;
    let none_chosen = plain.app.check_passphrase(phrase("four words of mine")).await.unwrap_err();
    assert_eq!(none_chosen.code(), ErrorCode::PassphraseWrong);
    plain.app.lock(LockedBy::Person).await;
    assert!(plain.app.unlock_from_elsewhere(phrase("four words of mine")).await.is_err());
    assert_eq!(locked(&plain).await, Some(LockedByView::Person), "another program cannot click");
}
