//! What agents send on the public socket, byte by byte, and what comes back.

mod calls;
mod enrolment;
mod races;
mod requests;
mod words;

use std::time::Duration;

use contract::ui::ApprovalAnswer;
use domain::lock::LockedBy;
use serde_json::{Value, json};
use support::agent::{TestAgent, look};
use support::counter::{Answer, Ask, Counter, pay};

const ALL: &[&str] = &["accounts", "balances", "transactions", "identity", "payments"];

/// What every refusal has: its status and word, words for the agent and for the person, and that nobody keeps it.
fn is_refusal(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.error().as_deref()), (status, Some(error)), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("countersign-answer"), None);
    for words in ["error_description", "user_message"] {
        assert!(answer.json()[words].as_str().is_some_and(|words| words.len() > 10), "{answer:?}");
    }
}

fn has_reference(answer: &Answer) -> bool {
    answer.json()["reference"].as_str().is_some_and(|code| code.len() == 9)
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_and_leases_are_what_oauth_says() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let metadata = counter.ask(&Ask::new("GET", "/.well-known/oauth-authorization-server")).await;
    assert_eq!((metadata.status, metadata.header("cache-control")), (200, Some("no-store")));
    assert_eq!(
        metadata.json(),
        json!({
            "issuer": counter.address(""), "token_endpoint": counter.address("/token"),
            "revocation_endpoint": counter.address("/revoke"),
            "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
            "token_endpoint_auth_methods_supported": ["none"],
            "dpop_signing_alg_values_supported": ["EdDSA", "Ed25519"],
            "authorization_details_types_supported": ["account_information", "payment_initiation"],
        })
    );
    let mut claims = counter.claims(&look(&["get_balance"]), 1);
    claims["lifetime"] = 900.into();
    let given = counter.present(&claims).await;
    assert_eq!((given.status, given.header("content-type")), (200, Some("application/json")));
    assert_eq!((given.header("cache-control"), given.header("pragma")), (Some("no-store"), Some("no-cache")));
    let answer = given.json();
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("DPoP"), &json!(900)));
    assert_eq!(answer["scope"], "get_balance");
    assert_eq!(answer["resource"], counter.address(&format!("/call/{}", counter.grant)));
    let members: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let ours = ["access_token", "authorization_details", "expires_in", "resource", "scope", "token_type"];
    assert_eq!(members, ours, "a lease and what it is for: no token of the bank, nothing to refresh by");
    let called = counter.call(&counter.agent, &given.lease(), "GET", "/accounts/a1", "").await;
    assert_eq!((called.status, called.header("countersign-answer")), (200, Some("bank")));
    assert_eq!(called.header("cache-control"), Some("no-store"));
    assert_eq!(counter.bank.all_seen().len(), 1, "it was the bank that answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_the_one_of_its_cause() {
    let counter = Counter::open(&["accounts", "balances", "payments"]).await;
    let (stranger, read) = (TestAgent::stranger(3), look(&["get_balance"]));
    let with = |name: &str, value: Value| {
        let mut claims = counter.claims(&read, 1);
        claims[name] = value;
        claims
    };
    for (claims, status, error) in [
        (with("aud", json!("x")), 400, "invalid_grant"),
        (with("uses", json!(101)), 400, "invalid_authorization_details"),
        (with("authorization_details", look(&["no_such"])), 400, "invalid_authorization_details"),
        (with("authorization_details", look(&["list_transactions"])), 400, "invalid_scope"),
        (with("grant", json!("019ab000-0000-7000-8000-000000000000")), 400, "invalid_target"),
    ] {
        let answer = counter.present(&claims).await;
        is_refusal(&answer, status, error);
        assert!(has_reference(&answer), "{answer:?}");
    }
    let claims = counter.claims(&read, 1);
    assert_eq!(counter.present(&claims).await.status, 200);
    let again = counter.present(&claims).await;
    is_refusal(&again, 400, "invalid_grant");
    assert!(has_reference(&again));
    let task = stranger.task(&counter.address(""), &counter.grant.to_string(), &read, counter.now());
    let unknown = counter.ask(&counter.token(&stranger, &task)).await;
    is_refusal(&unknown, 401, "invalid_client");
    assert!(!has_reference(&unknown), "nothing is recorded of who is nobody");
    let form = [("grant_type", "refresh_token"), ("refresh_token", "refresh-2")];
    let refresh = counter.proven(&counter.agent, Ask::new("POST", "/token").form(&form), None);
    is_refusal(&counter.ask(&refresh).await, 400, "unsupported_grant_type");

    let bare = Ask::new("POST", "/token").form(&[("grant_type", "x")]);
    is_refusal(&counter.ask(&bare).await, 400, "invalid_dpop_proof");
    let lease = counter.lease(&read, 9).await;
    let call = Ask::new("GET", &format!("/call/{}/accounts/a1", counter.grant));
    let unproven = counter.ask(&call.clone().with("authorization", &format!("DPoP {lease}"))).await;
    is_refusal(&unproven, 401, "invalid_dpop_proof");
    let other = counter.call(&counter.agent, "no-such-lease", "GET", "/accounts/a1", "").await;
    is_refusal(&other, 401, "invalid_token");
    let beyond = counter.call(&counter.agent, &lease, "GET", "/accounts", "").await;
    is_refusal(&beyond, 403, "insufficient_scope");
    for (answer, error) in
        [(unproven, "invalid_dpop_proof"), (other, "invalid_token"), (beyond, "insufficient_scope")]
    {
        let challenge = format!("DPoP error=\"{error}\", algs=\"EdDSA Ed25519\"");
        assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()));
    }
    let moved = support::fake_provider::Answer {
        status: Some(302),
        headers: [("location".into(), Some("http://127.0.0.1:1/".into()))].into(),
        ..Default::default()
    };
    counter.bank.play_once("/fdx/v6/accounts/a1", moved);
    let redirected = counter.call(&counter.agent, &lease, "GET", "/accounts/a1", "").await;
    is_refusal(&redirected, 502, "bad_gateway");

    let pay = counter.claims(&pay(), 1);
    let (denied, _) = tokio::join!(counter.present(&pay), counter.answer(ApprovalAnswer::Deny {}));
    is_refusal(&denied, 403, "access_denied");
    assert!(has_reference(&denied));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_still_says_so_and_when_to_come_back() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let lease = counter.lease(&look(&["get_balance"]), 9).await;
    let stands_still = async || {
        let token = counter.present(&counter.claims(&look(&["get_balance"]), 1)).await;
        let call = counter.call(&counter.agent, &lease, "GET", "/accounts/a1", "").await;
        for answer in [token, call] {
            is_refusal(&answer, 503, "temporarily_unavailable");
            assert_eq!(answer.header("retry-after"), Some("10"));
        }
    };
    counter.app.app.pause_grant(counter.grant).await.unwrap();
    stands_still().await;
    counter.app.app.resume_grant(counter.grant).await.unwrap();
    counter.app.app.lock(LockedBy::Person).await;
    stands_still().await;
    counter.app.app.unlock(None).await.unwrap();
    let called = counter.call(&counter.agent, &lease, "GET", "/accounts/a1", "").await;
    assert_eq!(called.status, 200, "control: nothing stands still any more");
    counter.app.app.stop_agents().await;
    stands_still().await;
    let enrol = Ask::new("POST", "/agents").json(&json!({"name": "X", "key": TestAgent::stranger(7).jwk()}));
    let enrol = counter.proven(&TestAgent::stranger(7), enrol, None);
    is_refusal(&counter.ask(&enrol).await, 503, "temporarily_unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_waits_is_pending_and_says_when_to_ask_again() {
    let counter = Counter::open(ALL).await;
    let claims = counter.claims(&pay(), 1);
    let (pending, ()) = tokio::join!(counter.present(&claims), async {
        counter.app.prompt.wanted(1).await;
        counter.app.clock.pass(Duration::from_secs(21));
    });
    is_refusal(&pending, 400, "authorization_pending");
    assert_eq!(pending.json()["interval"], 2);
    assert!(has_reference(&pending));
}

/// A connection is handed on, or its process becomes another: who asks is the key of each request.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_the_key_of_the_request_and_not_whoever_holds_the_connection() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let grants = || Ask::new("GET", "/grants");
    let authority = counter.address("").replace("http://", "");
    let mut bytes = Vec::new();
    for ask in [
        counter.proven(&counter.agent, grants(), None).with("connection", "keep-alive"),
        grants().with("connection", "keep-alive"),
        counter.proven(&TestAgent::stranger(3), grants(), None).with("connection", "keep-alive"),
        counter.proven(&counter.agent, grants(), None),
    ] {
        bytes.extend(ask.bytes(&authority));
    }
    let answers = counter.says(&bytes).await;
    let text = format!("{}\r\n\r\n{}", answers.head, answers.body);
    let statuses: Vec<&str> = text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect();
    assert_eq!(statuses, ["200", "400", "401", "200"], "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_tells_which_grants_there_are() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let other = TestAgent::stranger(3);
    counter.add("Tax Helper", &other).await;
    let ask = async |grant: &str| {
        let task = other.task(&counter.address(""), grant, &look(&["get_balance"]), counter.now());
        let mut answer = counter.ask(&counter.token(&other, &task)).await.json();
        answer.as_object_mut().unwrap().remove("reference");
        answer
    };
    let foreign = ask(&counter.grant.to_string()).await;
    assert_eq!(foreign["error"], "invalid_target");
    assert_eq!(foreign, ask("019ab000-0000-7000-8000-000000000000").await);
    // And under a lease of one's own, or none.
    let lease = counter.lease(&look(&["get_balance"]), 9).await;
    let call = async |agent: &TestAgent, grant: &str, lease: &str| {
        let ask = Ask::new("GET", &format!("/call/{grant}/accounts/a1"));
        counter.ask(&counter.proven(agent, ask, Some(lease))).await.body
    };
    let grant = counter.grant.to_string();
    let none = call(&other, "019ab000-0000-7000-8000-000000000000", "x").await;
    assert_eq!(call(&other, &grant, &lease).await, none, "another's lease");
    assert_eq!(call(&other, &grant, "x").await, none, "no lease, another's grant");
    assert_eq!(call(&counter.agent, "019ab000-0000-7000-8000-000000000000", &lease).await, none);
    let listed = counter.ask(&counter.proven(&other, Ask::new("GET", "/grants"), None)).await;
    assert_eq!(listed.json(), json!({"grants": []}));
}
