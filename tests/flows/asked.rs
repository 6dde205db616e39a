//! What other programs ask for and only the person may start: shown, answered once, and a no by itself.

use std::time::Duration;

use app::port::Clock as _;
use app::{Begun, Refusal, Said, Wanted};
use contract::error_code::ErrorCode;
use contract::ui::{AskedView, AskedWhat, ConnectAccount, PassphraseText};
use domain::id::{AskedId, GrantId};
use domain::lock::Protection;
use domain::secret::Passphrase;
use support::fake_provider::FakeProvider;
use support::fakes::TestApp;

const NOW: Duration = Duration::ZERO;
const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

async fn connect(app: &TestApp) -> Wanted {
    let agents = app.app.list_agents().await.unwrap().agents;
    Wanted::Connect(ConnectAccount {
        provider: "bank-1".into(),
        agent: agents[0].id.clone(),
        permissions: vec!["accounts".into()],
        until: app.clock.now().plus_days(30).millis(),
    })
}

async fn shown(app: &TestApp) -> Vec<AskedView> {
    app.app.app_state().await.unwrap().asked
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_begins_before_the_person_says_so() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let wanted = connect(&app).await;
    let id = app.app.ask(wanted.clone()).await.unwrap();
    assert_eq!(app.app.ask(wanted).await, Ok(id), "asked again, it is the same question");
    let [AskedView { id: shown_id, what: AskedWhat::Connect { bank: at, agent, permissions, .. }, .. }] =
        &shown(&app).await[..]
    else {
        panic!("not shown")
    };
    assert_eq!(*shown_id, id.to_string());
    assert_eq!((&*at.name, &*agent.name, permissions.len()), ("Fake Bank bank-1", "Budget Buddy", 1));
    assert_eq!(app.app.said(id, NOW).await, Ok(None));
    assert!(app.nothing_opened() && app.app.list_attempts().await.unwrap().is_empty());

    app.app.answer_asked(id, true).await.unwrap();
    let Ok(Some(Said::Yes(Ok(Begun::Attempt(attempt))))) = app.app.said(id, NOW).await else {
        panic!("no attempt")
    };
    app.opened().await;
    app.app.cancel_attempt(attempt).await.unwrap();
    assert_eq!(app.app.answer_asked(id, true).await, Err(Refusal::AskedUnknown), "answered once");
    assert_eq!(shown(&app).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_silence_and_the_kill_switch_all_mean_no() {
    let bank = FakeProvider::start().await;
    let app = TestApp::start(&[&bank]).await;
    let no = app.app.ask(connect(&app).await).await.unwrap();
    app.app.answer_asked(no, false).await.unwrap();
    assert_eq!(app.app.said(no, NOW).await, Ok(Some(Said::No)));

    let silence = app.app.ask(connect(&app).await).await.unwrap();
    app.clock.pass(FIVE_MINUTES);
    assert_eq!(app.app.said(silence, Duration::from_secs(5)).await, Ok(Some(Said::No)));
    assert_eq!(app.app.answer_asked(silence, true).await, Err(Refusal::AskedUnknown));
    app.clock.pass(FIVE_MINUTES);
    assert_eq!(app.app.said(silence, NOW).await, Err(Refusal::AskedUnknown), "forgotten in the end");

    let stopped = app.app.ask(connect(&app).await).await.unwrap();
    app.app.stop_agents().await;
    assert_eq!(app.app.said(stopped, NOW).await, Ok(Some(Said::No)));
    assert_eq!((shown(&app).await.len(), app.app.list_attempts().await.unwrap().len()), (0, 0));

    let go_on = app.app.ask(Wanted::ResumeAgents).await.unwrap();
    app.app.may_serve().unwrap_err();
    app.app.answer_asked(go_on, true).await.unwrap();
    assert_eq!(app.app.may_serve(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_much_is_not_heard() {
    let bank = FakeProvider::start().await;
    let app = TestApp::start(&[&bank]).await;
    let Wanted::Connect(request) = connect(&app).await else { panic!("a connection") };
    let nth = |n: i64| Wanted::Connect(ConnectAccount { until: request.until - n, ..request.clone() });
    for n in 0..8 {
        app.app.ask(nth(n)).await.unwrap();
    }
    assert_eq!(app.app.ask(nth(8)).await, Err(Refusal::TooMany), "eight wait for the person already");
    assert_eq!(shown(&app).await.len(), 8);
    for view in shown(&app).await {
        app.app.answer_asked(AskedId::parse(&view.id).unwrap(), false).await.unwrap();
    }
    let mut heard = 0;
    for n in 9..40 {
        let Ok(id) = app.app.ask(nth(n)).await else { break };
        app.app.answer_asked(id, false).await.unwrap();
        heard += 1;
    }
    assert_eq!(heard, 12, "twenty in a minute");
    app.clock.pass(Duration::from_secs(61));
    app.app.ask(nth(41)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_wait_do_not_keep_others_out() {
    let app = TestApp::start(&[]).await;
    let id = app.app.ask(Wanted::ResumeAgents).await.unwrap();
    let waiting = |app: &TestApp| {
        let app = app.app.clone();
        tokio::spawn(async move { app.said(id, Duration::from_secs(600)).await })
    };
    let open: Vec<_> = (0..16).map(|_| waiting(&app)).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(waiting(&app).await.unwrap(), Ok(None), "the seventeenth is answered at once");
    app.app.answer_asked(id, false).await.unwrap();
    for one in open {
        assert_eq!(one.await.unwrap(), Ok(Some(Said::No)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_is_not_put_before_the_person() {
    let bank = FakeProvider::start().await;
    let app = TestApp::start(&[&bank]).await;
    let Wanted::Connect(request) = connect(&app).await else { panic!("a connection") };
    let strange = GrantId::make_from(app.clock.now(), [1; 10]);
    for (wanted, code) in [
        (
            Wanted::Connect(ConnectAccount { provider: "no-bank".into(), ..request.clone() }),
            ErrorCode::ProviderUnknown,
        ),
        (
            Wanted::Connect(ConnectAccount { permissions: vec!["everything".into()], ..request.clone() }),
            ErrorCode::PermissionsUnfit,
        ),
        (Wanted::Connect(ConnectAccount { until: 0, ..request }), ErrorCode::DateOutOfRange),
        (Wanted::Resume(strange), ErrorCode::GrantUnknown),
        (Wanted::Widen(strange), ErrorCode::GrantUnknown),
    ] {
        assert_eq!(app.app.ask(wanted).await.unwrap_err().code(), code);
    }
    assert_eq!(shown(&app).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_passphrase_starts_nothing_and_cannot_be_guessed() {
    let app = TestApp::start(&[]).await;
    app.app.stop_agents().await;
    let guess = || app.app.begin_with_passphrase(Wanted::ResumeAgents, PassphraseText::new("guess".into()));
    for _ in 0..5 {
        assert_eq!(guess().await, Err(Refusal::PassphraseWrong));
    }
    assert_eq!(guess().await, Err(Refusal::TooMany));
    app.app.may_serve().unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_passphrase_at_a_terminal_stands_for_the_click() {
    let app = TestApp::start(&[]).await;
    let words = "four words of mine";
    let passphrase = || Some(Passphrase::parse(words.to_owned()).unwrap());
    app.app.change_protection(Protection::Passphrase, None, passphrase()).await.unwrap();
    app.app.stop_agents().await;
    let begin = |text: &str| {
        app.app.begin_with_passphrase(Wanted::ResumeAgents, PassphraseText::new(text.to_owned()))
    };
    assert_eq!(begin("four words of yours").await, Err(Refusal::PassphraseWrong));
    app.app.may_serve().unwrap_err();
    app.clock.pass(Duration::from_secs(61));
    assert_eq!(begin(words).await, Ok(Begun::Agents));
    assert_eq!(app.app.may_serve(), Ok(()));
}
