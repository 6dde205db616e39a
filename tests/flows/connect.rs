//! Connect Account as it should go, and what the person does meanwhile.

use contract::ui::EndingView;
use domain::id::AttemptId;
use serde_json::json;
use support::fake_provider::{Answer, FakeProvider};
use support::fakes::{TestApp, come_back, get, parameter, sent_back};

const READS: &[&str] = &["accounts", "balances", "transactions"];

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_bank_connects_with_one_exchange() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    let (status, page) = come_back(&url).await;
    assert_eq!(status, 200);
    assert!(page.contains("Done. You can close this tab and go back to Countersign."));
    let ended = app.ended(&attempt).await;
    assert_eq!(ended.ending, Some(EndingView::Connected { missing: vec![], extra: vec![] }));
    let grant = app.app.show_grant(domain::id::GrantId::parse(&ended.grant.unwrap()).unwrap()).await.unwrap();
    assert_eq!(grant.holder.as_deref(), Some("Fay Kester"));
    let masked: Vec<_> = grant.accounts.iter().map(|a| a.masked.as_str()).collect();
    assert_eq!(masked, ["••••3000", "••••4821"]);

    let [exchange] = &bank.seen("token")[..] else { panic!("not one exchange") };
    assert_eq!(exchange.form["grant_type"], "authorization_code");
    assert_eq!(exchange.form["code"], "code-1");
    assert_eq!(exchange.form["client_id"], "countersign");
    assert_eq!(exchange.form["redirect_uri"], parameter(&url, "redirect_uri"));
    assert!(exchange.authorization.is_none() && !exchange.form.contains_key("client_secret"));
    let api = bank.seen("accounts");
    assert_eq!(api[0].authorization.as_deref(), Some("Bearer access-1"));
    // One shot: the port is closed, and the code in the history opens nothing.
    assert_eq!(come_back(&url).await.0, 0);
    assert_eq!(bank.seen("token").len(), 1);
}

/// Connecting again is a connection of its own, whoever signs in: nothing is put under the one that is there.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_else_who_signs_in_gets_a_connection_of_their_own() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let first = app.click_connect("bank-1", READS).await;
    come_back(&app.opened().await).await;
    let first = app.ended(&first).await.grant.unwrap();

    bank.claims("sub", json!("u2"));
    bank.answers("userinfo", Answer::json(200, &json!({"sub": "u2", "name": "Eve Moran"})));
    let second = app.click_connect("bank-1", READS).await;
    come_back(&app.opened().await).await;
    let second = app.ended(&second).await.grant.unwrap();
    assert_ne!(first, second);

    let holder = async |id: &str| {
        app.app.show_grant(domain::id::GrantId::parse(id).unwrap()).await.unwrap().holder.unwrap()
    };
    assert_eq!(holder(&first).await, "Fay Kester");
    assert_eq!(holder(&second).await, "Eve Moran");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_identical_callbacks_exchange_once() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    let callback = sent_back(&url).await.unwrap();
    let all = futures_join(20, || get(callback.as_str())).await;
    assert!(all.iter().filter(|(status, _)| *status == 200).count() >= 1);
    assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
    assert_eq!(bank.seen("token").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn less_and_more_than_asked_are_shown_and_more_is_never_used() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.token(
        "scope",
        json!("openid fdx:accountbasic:read fdx:transactions:read fdx:payments:write strange:scope"),
    );
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    come_back(&url).await;
    let Some(EndingView::Connected { missing, extra }) = app.ended(&attempt).await.ending else {
        panic!("not connected")
    };
    assert_eq!(missing.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["balances"]);
    assert_eq!(extra, ["payments", "strange:scope"]);
    let grants = app.app.list_grants().await.unwrap();
    let usable: Vec<_> = grants.current[0].permissions.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(usable, ["accounts", "transactions"]);
    assert!(grants.current[0].has_extra);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_allowed_connects_nothing_and_the_bank_is_told() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.token("scope", json!("openid"));
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    come_back(&url).await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::NothingAllowed));
    seen(&bank, "revoke").await;
    assert_eq!(bank.seen("revoke")[0].form["token"], "refresh-1");
    assert_eq!(app.grants().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_while_the_code_is_exchanged_revokes_what_still_comes() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.delays("token", 2000);
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    come_back(&url).await;
    seen(&bank, "token").await;
    assert_eq!(come_back(&url).await.0, 0, "one shot: the port is closed before the exchange");
    app.app.cancel_attempt(attempt.id).await.unwrap();
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled));
    seen(&bank, "revoke").await;
    assert_eq!(bank.seen("revoke")[0].form["token"], "refresh-1");
    assert_eq!(app.grants().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_while_accounts_are_read_revokes_what_was_issued() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.delays("accounts", 3000);
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    come_back(&url).await;
    seen(&bank, "accounts").await;
    app.app.cancel_attempt(attempt.id).await.unwrap();
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled));
    seen(&bank, "revoke").await;
    assert_eq!(app.grants().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_does_not_take_back_at_once_stays_in_the_outbox() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.answers("revoke", Answer::json(503, &json!({})));
    bank.delays("accounts", 3000);
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    come_back(&url).await;
    seen(&bank, "accounts").await;
    // An orderly stop cancels, and waits until what was issued is revoked or kept for the outbox.
    let stopping = std::time::SystemTime::now();
    app.app.shut_down().await;
    assert!(stopping.elapsed().unwrap() < std::time::Duration::from_secs(15), "it did not wait for itself");
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled));
    let list = app.app.list_grants().await.unwrap();
    assert!(list.current.is_empty());
    assert_eq!(list.history.len(), 1, "what the bank still has is shown");
    assert!(list.history[0].permissions.is_empty() && list.history[0].accounts == 0);
    bank.answers_honestly("revoke");
    for _ in 0..1000 {
        let list = app.app.list_grants().await.unwrap();
        if let contract::ui::GrantState::Revoked { facts, .. } = &list.history[0].state
            && matches!(facts.bank, contract::ui::BankTold::Confirmed { .. })
        {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the bank was not told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_attempt_is_stored_as_cancelled_whatever_was_on_its_way() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    for wait in 0..30 {
        let attempt = app.click_connect("bank-1", READS).await;
        tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
        app.app.cancel_attempt(attempt.id).await.unwrap();
        assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Cancelled), "after {wait} ms");
    }
    while !app.nothing_opened() {}
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    let after = TestApp::start_in(dir, keychain, &[&bank]).await;
    let records = after.audit();
    let ended = |text: &str| records.iter().filter(|body| body.contains(text)).count();
    assert_eq!((ended("\"ending\":\"cancelled\""), ended("\"ending\":\"interrupted\"")), (30, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_again_asks_afresh_and_either_tab_may_finish() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let first = app.opened().await;
    app.app.open_again(attempt.id).await.unwrap();
    let second = app.opened().await;
    let third = app.app.copy_link(attempt.id).await.unwrap();
    for name in ["state", "nonce", "code_challenge"] {
        let values = [&first, &second, &third].map(|url| parameter(url, name));
        assert!(
            values[0] != values[1] && values[1] != values[2] && values[0] != values[2],
            "{name} is fresh each time"
        );
    }
    come_back(&first).await;
    assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
    assert_eq!(come_back(&second).await.0, 0, "the port is closed for the others");
    assert!(app.app.open_again(attempt.id).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn false_answers_change_nothing_however_many() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    let redirect = parameter(&url, "redirect_uri");
    for query in [
        "code=EVIL",
        "code=EVIL&state=x",
        "error=access_denied&error_description=Call+0800",
        "error=access_denied&state=",
    ] {
        for _ in 0..50 {
            assert_eq!(get(&format!("{redirect}?{query}")).await.0, 400);
        }
    }
    come_back(&url).await;
    assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
    assert_eq!(bank.seen("token").len(), 1);
    assert_eq!(bank.seen("token")[0].form["code"], "code-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_left_open_by_a_crash_is_interrupted_and_its_callback_refused() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    // A copy of the files as they lie on disk at this moment is what a crash leaves behind.
    let left = support::fakes::private_folder();
    for entry in std::fs::read_dir(app.dir.path()).unwrap().flatten() {
        std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    let keychain = app.keychain.clone();
    app.app.cancel_attempt(attempt.id).await.unwrap();
    let after = TestApp::start_in(left, keychain, &[&bank]).await;
    let view = after.app.show_attempt(AttemptId::parse(&attempt.id.to_string()).unwrap()).await.unwrap();
    assert_eq!(view.ending, Some(EndingView::Interrupted));
    assert_eq!(come_back(&url).await.0, 0);
    assert_eq!(after.grants().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_is_taken_back_at_the_bank() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    app.keychain.set_fault(Some(app::port::KeychainError::Locked));
    come_back(&url).await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::KeychainLocked));
    seen(&bank, "revoke").await;
    assert_eq!(bank.seen("revoke")[0].form["token"], "refresh-1");
    assert_eq!(app.grants().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_never_made_over_sealed_records() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    come_back(&url).await;
    app.ended(&attempt).await;
    let TestApp { app: running, dir, .. } = app;
    drop(running);
    let mut app = TestApp::start_in(dir, support::fakes::SharedKeychain::empty(), &[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::KeychainKeyLost));
    assert!(app.nothing_opened());
    assert_eq!(app.keychain.items(), 0, "no new key");
    assert_eq!(app.app.app_state().await.unwrap().keychain, contract::ui::KeychainState::KeyMissing);
    assert_eq!(app.grants().await, 1, "the list is shown all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_do_not_fit_start_nothing() {
    use contract::error_code::ErrorCode;
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let agent = app.app.list_agents().await.unwrap().agents[0].id.clone();
    let now = app::port::Clock::now(&app.clock);
    let check = async |provider: &str, agent: &str, permissions: &[&str], until: i64, expected: ErrorCode| {
        let request = contract::ui::ConnectAccount {
            provider: provider.into(),
            agent: agent.into(),
            permissions: permissions.iter().map(|p| (*p).to_owned()).collect(),
            until,
        };
        assert_eq!(app.app.connect_account(&request).await.unwrap_err().code(), expected, "{request:?}");
    };
    let until = now.plus_days(30).millis();
    check("bank-9", &agent, READS, until, ErrorCode::ProviderUnknown).await;
    check("../x", &agent, READS, until, ErrorCode::RequestMalformed).await;
    check("bank-1", "x", READS, until, ErrorCode::RequestMalformed).await;
    check("bank-1", "019ab000-0000-7000-8000-000000000000", READS, until, ErrorCode::AgentUnknown).await;
    check("bank-1", &agent, &[], until, ErrorCode::PermissionsUnfit).await;
    check("bank-1", &agent, &["accounts", "everything"], until, ErrorCode::PermissionsUnfit).await;
    check("bank-1", &agent, READS, now.millis(), ErrorCode::DateOutOfRange).await;
    check("bank-1", &agent, READS, now.plus_days(92).millis(), ErrorCode::DateOutOfRange).await;
    check("bank-1", &agent, READS, i64::MAX, ErrorCode::DateOutOfRange).await;
    assert!(app.nothing_opened());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_down_is_unreachable_before_anything_is_opened() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    bank.answers("metadata", Answer::json(503, &json!({})));
    let attempt = app.click_connect("bank-1", READS).await;
    assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::BankUnreachable));
    assert!(app.nothing_opened());
}

/// Waits until the bank has seen a request at a path.
pub(crate) async fn seen(bank: &FakeProvider, path: &str) {
    for _ in 0..500 {
        if !bank.seen(path).is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the bank saw nothing at {path}");
}

async fn futures_join<T, F: Future<Output = T>>(n: usize, make: impl Fn() -> F) -> Vec<T> {
    let mut pending: Vec<_> = (0..n).map(|_| Box::pin(make())).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        pending.retain_mut(|future| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}
