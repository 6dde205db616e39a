//! What the whole app sends, parameter by parameter, as the bank and the browser get it.

use std::collections::{BTreeMap, BTreeSet};

use app::port::OpenError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::ui::{BrowserView, EndingView};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::fake_provider::{Answer, FakeProvider};
use support::fakes::{TestApp, come_back, get, parameter, sent_back};
use url::Url;

const READS: &[&str] = &["accounts", "transactions"];

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

/// A map of parameters of which none stands twice.
fn once(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "no parameter stands twice: {pairs:?}");
    map
}

/// One attempt that connects: what the browser was handed, and the app.
async fn connected(bank: &FakeProvider) -> (Url, TestApp) {
    let mut app = TestApp::start(&[bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    assert_eq!(come_back(&url).await.0, 200);
    let ended = app.ended(&attempt).await.ending;
    assert!(matches!(ended, Some(EndingView::Connected { .. })), "{ended:?}");
    assert!(app.nothing_opened(), "the browser is opened once");
    (url, app)
}

/// Everything of the authorization request, wherever it went.
fn assert_asks_for_a_code(asked: &BTreeMap<String, String>) {
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["client_id"], "countersign");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert_eq!(asked["scope"], "openid offline_access fdx:accountbasic:read fdx:transactions:read");
    let redirect = Url::parse(&asked["redirect_uri"]).unwrap();
    assert!(redirect.fragment().is_none() && redirect.query().is_none());
    assert!(
        redirect.as_str().starts_with("http://127.0.0.1:") || redirect.as_str().starts_with("http://[::1]:")
    );
    assert_eq!(redirect.path(), "/callback/bank-1");
    assert!(URL_SAFE_NO_PAD.decode(&asked["state"]).unwrap().len() >= 16);
    for secret in ["client_secret", "code_verifier", "password", "username", "client_assertion"] {
        assert!(!asked.contains_key(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_and_the_exchange_carry_what_they_must_and_nothing_else() {
    let bank = FakeProvider::start().await;
    let (url, app) = connected(&bank).await;
    let asked = once(&pairs(&url));
    assert_asks_for_a_code(&asked);
    assert_eq!(asked.len(), 8, "{:?}", asked.keys());

    let [exchange] = &bank.seen("token")[..] else { panic!("not one exchange") };
    let sent = once(&exchange.pairs());
    let names: Vec<&str> = sent.keys().map(String::as_str).collect();
    assert_eq!(names, ["client_id", "code", "code_verifier", "grant_type", "redirect_uri"]);
    assert_eq!((exchange.method.as_str(), exchange.query.as_str()), ("POST", ""));
    assert_eq!(exchange.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(sent["grant_type"], "authorization_code");
    assert_eq!(sent["redirect_uri"], asked["redirect_uri"]);
    let verifier = &sent["code_verifier"];
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())), asked["code_challenge"]);

    let grant = app.app.list_grants().await.unwrap().current[0].id.clone();
    app.app.revoke_grant(domain::id::GrantId::parse(&grant).unwrap()).await.unwrap();
    crate::connect::seen(&bank, "revoke").await;
    let revoked = once(&bank.seen("revoke")[0].pairs());
    assert_eq!(revoked.keys().collect::<Vec<_>>(), ["client_id", "token", "token_type_hint"]);
    for seen in bank.all_seen() {
        let basic = seen.authorization.as_deref().is_some_and(|header| header.starts_with("Basic"));
        let secret = seen.pairs().iter().chain(&seen.query_pairs()).any(|(name, _)| name == "client_secret");
        assert!(!basic && !secret, "{}: we are a public client", seen.at);
        assert!(seen.header("cookie").is_none() && seen.header("referer").is_none(), "{}", seen.at);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_request_carries_it_all_and_the_browser_two_parameters() {
    let bank = FakeProvider::start().await;
    bank.states("behaviour.par", json!("offered"));
    bank.states(
        "authorization_server.authorization_endpoint",
        json!(format!("{}/authorize?tenant=9", bank.issuer)),
    );
    bank.metadata("authorization_endpoint", json!(format!("{}/authorize?tenant=9", bank.issuer)));
    let (url, _app) = connected(&bank).await;
    let [pushed] = &bank.seen("par")[..] else { panic!("not one push") };
    assert_eq!((pushed.method.as_str(), pushed.query.as_str()), ("POST", ""));
    let asked = once(&pushed.pairs());
    assert_asks_for_a_code(&asked);
    assert!(!asked.contains_key("request_uri") && !asked.contains_key("tenant"));
    let opened = once(&pairs(&url));
    assert_eq!(opened.keys().collect::<Vec<_>>(), ["client_id", "request_uri", "tenant"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_uri_is_encoded_intact() {
    let bank = FakeProvider::start().await;
    bank.states("behaviour.par", json!("offered"));
    let strange = "urn:x?a=1&b=2#c+d%2fe";
    bank.answers("par", Answer::json(201, &json!({"request_uri": strange, "expires_in": 60})));
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    assert_eq!(once(&pairs(&url)).keys().collect::<Vec<_>>(), ["client_id", "request_uri"]);
    assert_eq!((parameter(&url, "request_uri").as_str(), url.fragment()), (strange, None));
    app.app.cancel_attempt(attempt.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_own_query_stays_and_ours_never_doubles_it() {
    let bank = FakeProvider::start().await;
    let own = format!("{}/authorize?tenant=9&x=a%2Fb+c", bank.issuer);
    bank.states("authorization_server.authorization_endpoint", json!(own));
    bank.metadata("authorization_endpoint", json!(own));
    let (url, _app) = connected(&bank).await;
    let asked = once(&pairs(&url));
    assert_eq!((asked["tenant"].as_str(), asked["x"].as_str()), ("9", "a/b c"));
    assert_asks_for_a_code(&asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_scopes_arrive_as_they_are_and_none_are_left_out_empty() {
    let bank = FakeProvider::start().await;
    bank.states("authorization_request.always_scopes", json!(["a+b", "c&d", "e%2Ff"]));
    let (url, _app) = connected(&bank).await;
    let scope = "a+b c&d e%2Ff fdx:accountbasic:read fdx:transactions:read";
    assert_eq!(parameter(&url, "scope"), scope);
    let [seen] = &bank.seen("authorize")[..] else { panic!("not once") };
    assert_eq!(once(&seen.query_pairs())["scope"], scope, "as the bank decodes it");
    assert!(pairs(&url).iter().all(|(_, value)| !value.is_empty()), "no parameter is empty");
    assert!(
        !pairs(&url).iter().any(|(name, _)| name == "nonce"),
        "without openid there is nothing for a nonce"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn state_says_nothing_and_is_never_the_same() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let agent = app.app.list_agents().await.unwrap().agents[0].clone();
    let attempt = app.click_connect("bank-1", READS).await;
    let mut states = BTreeSet::from([parameter(&app.opened().await, "state")]);
    for _ in 0..9 {
        states.insert(parameter(&app.app.copy_link(attempt.id).await.unwrap(), "state"));
    }
    assert_eq!(states.len(), 10);
    let told =
        [agent.id, agent.name, attempt.id.to_string(), attempt.reference().to_string(), "bank-1".into()];
    for state in &states {
        let decoded = String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(state).unwrap()).into_owned();
        assert!(told.iter().all(|word| !state.contains(word) && !decoded.contains(word)), "{state}");
    }
    app.app.cancel_attempt(attempt.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_chosen_is_asked() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    for (chosen, scope) in [
        (&["accounts"][..], "openid offline_access fdx:accountbasic:read"),
        (
            &["accounts", "balances"][..],
            "openid offline_access fdx:accountbasic:read fdx:accountdetailed:read",
        ),
        (&["accounts", "payments"][..], "openid offline_access fdx:accountbasic:read fdx:payments:write"),
    ] {
        let attempt = app.click_connect("bank-1", chosen).await;
        assert_eq!(parameter(&app.opened().await, "scope"), scope);
        let view = app.app.show_attempt(attempt.id).await.unwrap();
        assert_eq!(view.permissions.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), chosen, "and shown");
        let recorded = app.audit().into_iter().rfind(|body| body.contains("attempt_started")).unwrap();
        assert!(chosen.iter().all(|id| recorded.contains(&format!("\"{id}\""))), "and recorded: {recorded}");
        app.app.cancel_attempt(attempt.id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_everything_is_fresh() {
    for par in ["absent", "offered"] {
        let bank = FakeProvider::start().await;
        bank.states("behaviour.par", json!(par));
        bank.calls_back("error=access_denied&state={state}&iss={iss}");
        let mut app = TestApp::start(&[&bank]).await;
        let mut asked = Vec::new();
        for _ in 0..2 {
            let attempt = app.click_connect("bank-1", READS).await;
            let url = app.opened().await;
            come_back(&url).await;
            assert_eq!(app.ended(&attempt).await.ending, Some(EndingView::Declined));
            assert_eq!(come_back(&url).await.0, 0, "nobody listens any more");
            asked.push(once(&pairs(&url)));
        }
        let pushed: Vec<_> = bank.seen("par").iter().map(|seen| once(&seen.pairs())).collect();
        let (one, two) = if par == "absent" { (&asked[0], &asked[1]) } else { (&pushed[0], &pushed[1]) };
        for name in ["state", "nonce", "code_challenge"] {
            assert_ne!(one[name], two[name], "{par}: {name}");
        }
        if par == "offered" {
            assert_ne!(asked[0]["request_uri"], asked[1]["request_uri"], "pushed anew");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_does_not_open_leaves_the_link_and_the_wait() {
    let bank = FakeProvider::start().await;
    bank.states("behaviour.par", json!("required"));
    let mut app = TestApp::start(&[&bank]).await;
    for fault in [OpenError::Absent, OpenError::Failed, OpenError::TimedOut] {
        *app.no_browser.lock().unwrap() = Some(fault);
        let attempt = app.click_connect("bank-1", READS).await;
        while app.app.show_attempt(attempt.id).await.unwrap().browser != BrowserView::Failed {
            tokio::task::yield_now().await;
        }
        let before = bank.seen("par").len();
        let link = app.app.copy_link(attempt.id).await.unwrap();
        assert_eq!(bank.seen("par").len(), before + 1, "{fault:?}: a request_uri is never used again");
        assert_eq!(app.app.show_attempt(attempt.id).await.unwrap().browser, BrowserView::LinkCopied);
        if fault == OpenError::Failed {
            app.app.cancel_attempt(attempt.id).await.unwrap();
            let callback = sent_back(&link).await.unwrap();
            assert_eq!(get(callback.as_str()).await.0, 0, "cancel works, and nobody listens any more");
            continue;
        }
        assert_eq!(come_back(&link).await.0, 200);
        assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
    }
    assert!(app.nothing_opened());
    let used: Vec<String> =
        bank.seen("authorize").iter().map(|seen| once(&seen.query_pairs())["request_uri"].clone()).collect();
    assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), used.len(), "each address once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_address_is_pushed_where_that_is_offered_and_else_opened_whole() {
    let many: Vec<String> = (0..120).map(|n| format!("a-scope-with-a-long-name-{n}")).collect();
    for par in ["absent", "offered"] {
        let bank = FakeProvider::start().await;
        bank.states("behaviour.par", json!(par));
        let mut always = vec!["openid".to_owned()];
        always.extend(many.iter().cloned());
        bank.states("authorization_request.always_scopes", json!(always));
        let (url, _app) = connected(&bank).await;
        if par == "absent" {
            assert!(url.as_str().len() > 2000);
            let [seen] = &bank.seen("authorize")[..] else { panic!("not once") };
            let scope = once(&seen.query_pairs())["scope"].clone();
            assert!(many.iter().all(|one| scope.contains(one.as_str())), "nothing is cut off");
        } else {
            assert!(url.as_str().len() < 200, "{url}");
            assert!(once(&bank.seen("par")[0].pairs())["scope"].contains("long-name-119"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_that_is_shown_is_the_host_that_is_opened() {
    let (bank, front) = (FakeProvider::start().await, FakeProvider::start().await);
    let door = format!("{}/authorize", front.issuer);
    bank.states("authorization_server.authorization_endpoint", json!(door));
    bank.metadata("authorization_endpoint", json!(door));
    let mut app = TestApp::start(&[&bank]).await;
    let shown = app.app.list_providers()[0].host.clone();
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    let opened = &url[url::Position::BeforeHost..url::Position::AfterPort];
    assert_eq!(shown, opened, "before");
    assert_eq!(app.app.show_attempt(attempt.id).await.unwrap().bank.host, opened, "and while waiting");
    app.app.cancel_attempt(attempt.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_without_a_click() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    // Everything else a window can ask for, and a start over an attempt that was left open.
    let attempt = app.click_connect("bank-1", READS).await;
    app.opened().await;
    assert_eq!(app.app.list_providers().len(), 1);
    app.app.list_attempts().await.unwrap();
    app.app.list_grants().await.unwrap();
    app.app.app_state().await.unwrap();
    app.app.check_keychain().await.unwrap();
    app.app.show_attempt(attempt.id).await.unwrap();
    let TestApp { app: running, dir, keychain, .. } = app;
    drop(running);
    let mut after = TestApp::start_in(dir, keychain, &[&bank]).await;
    assert_eq!(after.app.show_attempt(attempt.id).await.unwrap().ending, Some(EndingView::Interrupted));
    assert!(
        after.app.open_again(attempt.id).await.is_err() && after.app.copy_link(attempt.id).await.is_err()
    );
    after.app.shut_down().await;
    assert!(after.nothing_opened());
    assert_eq!(bank.requests(), "metadata", "and the bank hears nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_says_of_its_refusal_is_nowhere() {
    let said = "error_description=Call+Mr+Nocturne+now&error_uri=https%3A%2F%2Fevil.example%2Fhelp";
    for (iss, ending) in [
        ("&iss={iss}", EndingView::Declined),
        ("&iss=https%3A%2F%2Fevil.example", EndingView::UnexpectedServer),
        ("", EndingView::UnexpectedServer),
    ] {
        let bank = FakeProvider::start().await;
        bank.calls_back(&format!("error=access_denied&{said}&state={{state}}{iss}"));
        let mut app = TestApp::start(&[&bank]).await;
        let attempt = app.click_connect("bank-1", READS).await;
        let (_, page) = come_back(&app.opened().await).await;
        let ended = app.ended(&attempt).await;
        assert_eq!(ended.ending, Some(ending.clone()));
        let shown = format!("{page} {} {:?}", serde_json::to_value(&ended).unwrap(), app.audit());
        for word in ["Nocturne", "evil.example"] {
            assert!(!shown.contains(word), "{ending:?}: {word}");
        }
        if ending == EndingView::UnexpectedServer {
            assert!(!shown.contains("access_denied") && !shown.contains("declined"), "nor is it believed");
        }
        assert!(bank.seen("token").is_empty());
    }
}

#[test]
fn files_that_ask_for_another_flow_or_carry_a_secret_are_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let honest = runtime.block_on(FakeProvider::start());
    let profile = include_str!("../../src-tauri/crates/oauth/providers/profiles/fdx-v6.toml");
    let problems = |key: &str, value: Value| {
        use app::catalogue::{Catalogue, SourceFile, Sources};
        let bank = runtime.block_on(FakeProvider::start());
        bank.states(key, value);
        let file = |name: &str, text: String| SourceFile { name: name.into(), text };
        let sources = Sources {
            providers: vec![file("bank.toml", bank.file("bank-1"))],
            profiles: vec![file("fdx-v6.toml", profile.into())],
            ..Sources::default()
        };
        let catalogue = Catalogue::parse(&sources, domain::provider::AddressRule::DangerLoopback);
        catalogue.problems.into_iter().map(|problem| problem.rule).collect::<Vec<_>>()
    };
    assert_eq!(problems("name", json!("Fake Bank")), Vec::<String>::new(), "the control");
    for (key, value) in [
        ("authorization_request.extra", json!({"response_type": "token"})),
        ("authorization_request.extra", json!({"response_type": "code id_token"})),
        ("authorization_request.extra", json!({"client_id": "x"})),
        ("authorization_request.extra", json!({"code_challenge_method": "plain"})),
        ("authorization_request.grant_type", json!("password")),
        ("client.client_secret", json!("s3cret")),
        ("client.token_endpoint_auth_method", json!("client_secret_basic")),
    ] {
        assert_eq!(problems(key, value.clone()).len(), 1, "{key} = {value}");
    }
    for own in ["#f", "?client_id=x", "?state=x", "?request_uri=x", "?scope=", "?code_challenge_method=plain"]
    {
        let endpoint = json!(format!("{}/authorize{own}", honest.issuer));
        assert_eq!(problems("authorization_server.authorization_endpoint", endpoint).len(), 1, "{own}");
    }
}
