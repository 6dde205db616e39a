//! Pause, resume and narrow: here alone, at once, and back again.

use app::port::Clock as _;
use contract::error_code::ErrorCode;
use contract::ui::{GrantState, GrantView, HistoryKind, NarrowGrant, ReceiptKind};
use domain::id::GrantId;
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

const READS: &[&str] = &["accounts", "balances", "transactions"];

async fn connected() -> (FakeProvider, TestApp, GrantId) {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let grant = app.connect("bank-1", READS).await;
    (bank, app, grant)
}

fn records(app: &TestApp, event: &str) -> usize {
    app.audit().iter().filter(|body| body.contains(&format!("\"event\":\"{event}\""))).count()
}

fn ids(view: &GrantView) -> Vec<&str> {
    view.row.permissions.iter().map(|permission| permission.id.as_str()).collect()
}

/// What is left is what the view says, changed as a test wants it.
async fn left(app: &TestApp, grant: GrantId, change: impl FnOnce(&mut NarrowGrant)) -> NarrowGrant {
    let view = app.app.show_grant(grant).await.unwrap();
    let mut request = NarrowGrant {
        grant: grant.to_string(),
        permissions: ids(&view).into_iter().map(str::to_owned).collect(),
        accounts: view.accounts.iter().filter(|a| a.allowed).map(|a| a.id.clone()).collect(),
        until: view.row.ends_at,
    };
    change(&mut request);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_back_and_the_bank_hears_nothing_of_it() {
    let (bank, app, grant) = connected().await;
    let before = bank.requests();
    for _ in 0..2 {
        app.app.pause_grant(grant).await.unwrap();
        let view = app.app.show_grant(grant).await.unwrap();
        assert!(matches!(view.row.state, GrantState::Paused { ends_soon: false, .. }));
        assert_eq!(records(&app, "grant_paused"), 1, "twice is once");
    }
    // It outlives a restart.
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    let app = TestApp::start_in(dir, keychain, &[&bank]).await;
    assert!(matches!(app.app.show_grant(grant).await.unwrap().row.state, GrantState::Paused { .. }));
    for _ in 0..2 {
        app.app.resume_grant(grant).await.unwrap();
        let view = app.app.show_grant(grant).await.unwrap();
        assert!(matches!(view.row.state, GrantState::Active { .. }));
        assert_eq!(records(&app, "grant_resumed"), 1);
    }
    let view = app.app.show_grant(grant).await.unwrap();
    let history: Vec<_> = view.history.iter().map(|entry| entry.what).collect();
    assert_eq!(history[..2], [HistoryKind::Resumed, HistoryKind::Paused]);
    assert_eq!(bank.requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_nothing_to_hold_back_that_is_said() {
    let (_bank, app, grant) = connected().await;
    let code = |refused: Result<(), app::Refusal>| refused.unwrap_err().code();
    let nobody = GrantId::parse("019ab000-0000-7000-8000-000000000000").unwrap();
    assert_eq!(code(app.app.pause_grant(nobody).await), ErrorCode::GrantUnknown);
    app.clock.pass(std::time::Duration::from_secs(31 * 86_400));
    for refused in [app.app.pause_grant(grant).await, app.app.resume_grant(grant).await] {
        assert_eq!(code(refused), ErrorCode::GrantOver);
    }
    assert_eq!(code(app.app.widen_grant(grant).await), ErrorCode::GrantOver);
    assert_eq!(code(app.app.stop_reminding(grant).await), ErrorCode::GrantOver);

    let (_bank, app, grant) = connected().await;
    app.app.revoke_grant(grant).await.unwrap();
    for refused in [app.app.pause_grant(grant).await, app.app.resume_grant(grant).await] {
        assert_eq!(code(refused), ErrorCode::GrantRevoked);
    }
    let request = left(&app, grant, |left| left.permissions.truncate(1)).await;
    assert_eq!(app.app.narrow_grant(&request).await.unwrap_err().code(), ErrorCode::GrantRevoked);
    assert_eq!(code(app.app.widen_grant(grant).await), ErrorCode::GrantRevoked);
    assert_eq!(code(app.app.stop_reminding(grant).await), ErrorCode::GrantRevoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_is_what_is_left_and_widening_gives_it_back() {
    let (bank, app, grant) = connected().await;
    let before = bank.requests();
    let consent = app.app.show_grant(grant).await.unwrap();
    let until = consent.row.ends_at - 86_400_000;
    let request = left(&app, grant, |left| {
        left.permissions = vec!["accounts".into(), "balances".into()];
        left.accounts = vec!["a2".into()];
        left.until = until;
    })
    .await;
    app.app.narrow_grant(&request).await.unwrap();
    let view = app.app.show_grant(grant).await.unwrap();
    assert_eq!((ids(&view), view.row.accounts, view.row.ends_at), (vec!["accounts", "balances"], 1, until));
    assert!(view.row.narrowed);
    let allowed: Vec<_> = view.accounts.iter().map(|account| account.allowed).collect();
    assert_eq!(allowed, [false, true]);
    assert_eq!((view.consented.len(), view.consent_ends_at), (3, consent.row.ends_at), "the consent stays");
    assert!(view.cannot.iter().any(|permission| permission.id == "transactions"));

    // Narrowing again starts from what is left; naming all of that changes nothing.
    app.app.narrow_grant(&request).await.unwrap();
    assert_eq!(records(&app, "grant_narrowed"), 1);
    let request = left(&app, grant, |left| left.permissions = vec!["accounts".into()]).await;
    app.app.narrow_grant(&request).await.unwrap();
    let view = app.app.show_grant(grant).await.unwrap();
    assert_eq!((ids(&view), view.row.accounts, view.row.ends_at), (vec!["accounts"], 1, until));

    app.app.widen_grant(grant).await.unwrap();
    app.app.widen_grant(grant).await.unwrap();
    let view = app.app.show_grant(grant).await.unwrap();
    assert_eq!((ids(&view), view.row.accounts, view.row.ends_at), (READS.to_vec(), 2, consent.row.ends_at));
    assert!(!view.row.narrowed);
    assert_eq!(records(&app, "grant_widened"), 1);
    let receipts: Vec<_> = view.receipts.iter().map(|receipt| receipt.what).collect();
    use ReceiptKind::{Connected, Narrowed, Widened};
    assert_eq!(receipts, [Widened, Narrowed, Narrowed, Connected]);
    assert_eq!(bank.requests(), before, "all of it here");
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowing_never_gives_and_leaves_nothing_that_makes_no_sense() {
    let (_bank, app, grant) = connected().await;
    let now = app.clock.now().millis();
    let narrow = async |change: fn(&mut NarrowGrant)| {
        let request = left(&app, grant, change).await;
        app.app.narrow_grant(&request).await.map_err(|refusal| refusal.code())
    };
    let unfit = Err(ErrorCode::PermissionsUnfit);
    assert_eq!(narrow(|left| left.permissions.push("payments".into())).await, unfit, "never asked");
    assert_eq!(narrow(|left| left.permissions.push("everything".into())).await, unfit, "unknown");
    assert_eq!(narrow(|left| left.permissions.push("../x".into())).await, unfit, "not an id");
    assert_eq!(narrow(|left| left.permissions.clear()).await, unfit, "nothing left is revoking");
    assert_eq!(narrow(|left| left.accounts.clear()).await, unfit, "no account left is revoking");
    assert_eq!(narrow(|left| left.accounts.push("a3".into())).await, unfit, "another's account");
    assert_eq!(
        narrow(|left| left.permissions.retain(|id| id != "accounts")).await,
        unfit,
        "without what it needs"
    );
    let date = Err(ErrorCode::DateOutOfRange);
    assert_eq!(narrow(|left| left.until += 1).await, date, "later than the consent");
    assert_eq!(narrow(|left| left.until = i64::MAX).await, date);
    assert_eq!(narrow(|left| left.until = 0).await, date, "an end in the past is revoking");
    assert_eq!(narrow(|left| left.grant = "x".into()).await, Err(ErrorCode::RequestMalformed));
    assert_eq!(records(&app, "grant_narrowed"), 0);

    // Not even back to what the consent allows: that is widening, and has its own click.
    narrow(|left| left.permissions = vec!["accounts".into()]).await.unwrap();
    narrow(|left| left.accounts = vec!["a1".into()]).await.unwrap();
    narrow(|left| left.until -= 86_400_000).await.unwrap();
    assert_eq!(narrow(|left| left.permissions.push("balances".into())).await, unfit);
    assert_eq!(narrow(|left| left.accounts.push("a2".into())).await, unfit);
    assert_eq!(narrow(|left| left.until += 1000).await, date);
    assert!(app.app.show_grant(grant).await.unwrap().row.ends_at > now);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_lose_nothing() {
    let (_bank, app, grant) = connected().await;
    let request = left(&app, grant, |left| left.accounts = vec!["a1".into()]).await;
    let (paused, narrowed, quiet) = tokio::join!(
        app.app.pause_grant(grant),
        app.app.narrow_grant(&request),
        app.app.stop_reminding(grant)
    );
    paused.unwrap();
    narrowed.unwrap();
    quiet.unwrap();
    let view = app.app.show_grant(grant).await.unwrap();
    assert!(matches!(view.row.state, GrantState::Paused { .. }));
    assert!(view.row.narrowed && view.row.no_reminders && view.row.accounts == 1);
}

/// A refresh stores what it read before it asked the bank, and must not put that back over what came meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_does_while_the_bank_answers_stands() {
    let (bank, app, grant) = connected().await;
    bank.pass(std::time::Duration::from_secs(700));
    app.clock.pass(std::time::Duration::from_secs(700));
    let exchanges = bank.seen("token").len();
    bank.delays("token", 1500);
    let running = app.app.clone();
    let checked = tokio::spawn(async move { running.check_grant(grant).await });
    for _ in 0..500 {
        if bank.seen("token").len() > exchanges {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let request = left(&app, grant, |left| left.permissions = vec!["accounts".into()]).await;
    app.app.narrow_grant(&request).await.unwrap();
    app.app.pause_grant(grant).await.unwrap();
    app.app.stop_reminding(grant).await.unwrap();
    checked.await.unwrap().unwrap();
    assert_eq!(records(&app, "tokens_refreshed"), 1);
    let view = app.app.show_grant(grant).await.unwrap();
    assert!(matches!(view.row.state, GrantState::Paused { .. }));
    assert!(view.row.narrowed && view.row.no_reminders);
    assert_eq!(ids(&view), ["accounts"]);
}
