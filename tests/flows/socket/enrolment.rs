//! Who is an agent: enrolment, keys that are changed, removed or borrowed, and what one agent has of another's.

use contract::ui::{AnswerEnrolment, EnrolmentView};
use domain::id::AskedId;
use serde_json::{Value, json};
use support::agent::{TestAgent, look};
use support::counter::{Answer, Ask, Counter};

use super::is_refusal;

const AGENTS: u8 = 10;

async fn enrol(counter: &Counter, agent: &TestAgent, name: &str) -> Answer {
    let wish = Ask::new("POST", "/agents").json(&json!({"name": name, "key": agent.jwk()}));
    counter.ask(&counter.proven(agent, wish, None)).await
}

async fn waiting(counter: &Counter) -> Vec<EnrolmentView> {
    counter.app.app.list_agents().await.unwrap().enrolments
}

async fn person_says(counter: &Counter, yes: bool, name: &str, replaces: Option<String>) -> bool {
    let id = waiting(counter).await[0].id.clone();
    let answer = AnswerEnrolment { id, accept: yes, name: yes.then(|| name.to_owned()), replaces };
    counter.app.app.answer_enrolment(&answer).await.is_ok()
}

/// What an agent gets for a task under Budget Buddy's grant.
async fn error(counter: &Counter, agent: &TestAgent) -> Option<String> {
    let grant = counter.grant.to_string();
    let task = agent.task(&counter.address(""), &grant, &look(&["get_balance"]), counter.now());
    counter.ask(&counter.token(agent, &task)).await.error()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_an_agents_once_the_person_said_so_and_never_before() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let new = TestAgent::stranger(21);
    assert_eq!(error(&counter, &new).await.as_deref(), Some("invalid_client"));
    let asked = enrol(&counter, &new, "Tax Helper").await;
    assert_eq!((asked.status, &asked.json()["state"]), (202, &json!("waiting")));
    let [view] = &waiting(&counter).await[..] else { panic!("one asks") };
    assert_eq!(view.code, asked.json()["code"].as_str().unwrap(), "what the person compares");
    assert_eq!(view.thumbprint, new.thumbprint());
    assert_eq!(error(&counter, &new).await.as_deref(), Some("invalid_client"), "asking makes no agent");
    for path in ["/grants", "/connect"] {
        let method = if path == "/grants" { "GET" } else { "POST" };
        let ask = Ask::new(method, path).json(&json!({"provider": "bank-1"}));
        let answer = counter.ask(&counter.proven(&new, ask, None)).await;
        is_refusal(&answer, 401, "invalid_client");
    }
    assert!(person_says(&counter, true, "Tax Helper", None).await);
    let enrolled = enrol(&counter, &new, "another name").await;
    assert_eq!((enrolled.status, &enrolled.json()["name"]), (200, &json!("Tax Helper")), "the person's name");
    assert_eq!(error(&counter, &new).await.as_deref(), Some("invalid_target"), "an agent, without a grant");

    // The same name with a new key is nobody, and is shown as such.
    let swapped = TestAgent::stranger(22);
    enrol(&counter, &swapped, "Tax Helper").await;
    let view = waiting(&counter).await.remove(0);
    let same = view.same_name_as.unwrap();
    assert_ne!((view.thumbprint.clone(), same.name.as_str()), (new.thumbprint(), "Somebody"));
    assert_eq!(same.name, "Tax Helper");
    assert_eq!(error(&counter, &swapped).await.as_deref(), Some("invalid_client"));
    assert!(!person_says(&counter, true, "Tax Helper", None).await, "no two agents of one name");
    assert!(person_says(&counter, true, "Tax Helper", Some(same.id)).await);
    assert_eq!(error(&counter, &swapped).await.as_deref(), Some("invalid_target"));
    assert_eq!(error(&counter, &new).await.as_deref(), Some("invalid_client"), "the old key is over");
    assert_eq!(enrol(&counter, &new, "Tax Helper").await.json()["state"], "declined", "and stays so");

    let unwanted = TestAgent::stranger(23);
    enrol(&counter, &unwanted, "X").await;
    assert!(person_says(&counter, false, "", None).await);
    assert_eq!(enrol(&counter, &unwanted, "X").await.json()["state"], "declined");
    assert_eq!(error(&counter, &unwanted).await.as_deref(), Some("invalid_client"));
    assert_eq!(counter.records("lease_given"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_loses_what_it_holds_and_comes_back_as_nobody() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let lease = counter.lease(&look(&["get_balance"]), 9).await;
    let id = counter.id_of(&counter.agent).await;
    counter.app.app.remove_agent(id).await.unwrap();
    let called = counter.call(&counter.agent, &lease, "GET", "/accounts/a1", "").await;
    is_refusal(&called, 401, "invalid_token");
    assert_eq!(error(&counter, &counter.agent).await.as_deref(), Some("invalid_client"));
    assert_eq!(counter.bank.seen("/fdx/v6/accounts/a1").len(), 0);
    let listed = counter.ask(&counter.proven(&counter.agent, Ask::new("GET", "/grants"), None)).await;
    assert_eq!(listed.error().as_deref(), Some("invalid_client"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_enrolments_leaves_four_to_be_looked_at() {
    let counter = Counter::open(&["accounts"]).await;
    let mut slowed = 0;
    for n in 30..230 {
        let answer = enrol(&counter, &TestAgent::stranger(n), "Budget Buddy\u{202e}\n<b>").await;
        if answer.status == 429 {
            is_refusal(&answer, 429, "slow_down");
            assert_eq!(answer.header("retry-after"), Some("5"));
            slowed += 1;
        }
    }
    let waiting = waiting(&counter).await;
    assert_eq!((waiting.len(), slowed), (4, 196));
    assert!(waiting.iter().all(|view| !view.suggested_name.contains(['\u{202e}', '\n'])), "{waiting:?}");
}

/// Ten agents, of which each tries what every other has.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_one_agents_is_no_others() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let mut agents = vec![TestAgent::buddy()];
    for n in 1..AGENTS {
        let agent = TestAgent::stranger(n);
        counter.add(&format!("Agent {n}"), &agent).await;
        agents.push(agent);
    }
    // Budget Buddy has a grant, a lease, a wish and a task that it has not presented.
    let buddy = &agents[0];
    let lease = counter.lease(&look(&["get_balance"]), 100).await;
    let wish = Ask::new("POST", "/connect").json(&json!({"provider": "bank-1"}));
    let asked = counter.ask(&counter.proven(buddy, wish, None)).await.json();
    let again = |agent: &TestAgent| {
        let ask = Ask::new("POST", "/connect").json(&json!({"asked": asked["asked"]}));
        counter.proven(agent, ask, None)
    };
    let grant = counter.grant.to_string();
    for other in &agents[1..] {
        let stolen = buddy.task(&counter.address(""), &grant, &look(&["get_balance"]), counter.now());
        is_refusal(&counter.ask(&counter.token(other, &stolen)).await, 400, "invalid_grant");
        assert_eq!(error(&counter, other).await.as_deref(), Some("invalid_target"));
        let called = counter.call(other, &lease, "GET", "/accounts/a1", "").await;
        is_refusal(&called, 401, "invalid_token");
        // The lease with its own proof, and another's proof with it.
        let call = Ask::new("GET", &format!("/call/{grant}/accounts/a1"));
        let borrowed = counter.proven(other, call, None).with("authorization", &format!("DPoP {lease}"));
        is_refusal(&counter.ask(&borrowed).await, 401, "invalid_dpop_proof");
        assert_eq!(counter.ask(&again(other)).await.json()["state"], "expired", "another's wish is none");
        let back = Ask::new("POST", "/revoke").form(&[("token", &lease)]);
        assert_eq!(counter.ask(&counter.proven(other, back, None)).await.status, 200, "RFC 7009 §2.2");
        let listed = counter.ask(&counter.proven(other, Ask::new("GET", "/grants"), None)).await;
        assert_eq!(listed.json(), json!({"grants": []}));
    }
    assert_eq!(counter.bank.all_seen().len(), 0);
    // For its own agent all of it works still.
    assert_eq!(counter.call(buddy, &lease, "GET", "/accounts/a1", "").await.status, 200);
    assert_eq!(counter.ask(&again(buddy)).await.json()["state"], "waiting");
    let own = counter.proven(buddy, Ask::new("POST", "/revoke").form(&[("token", &lease)]), None);
    assert_eq!(counter.ask(&own).await.status, 200);
    is_refusal(&counter.call(buddy, &lease, "GET", "/accounts/a1", "").await, 401, "invalid_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_to_connect_leaves_a_note_and_opens_nothing() {
    let mut counter = Counter::open(&["accounts", "balances"]).await;
    let wish = json!({"provider": "bank-1", "permissions": ["accounts", "payments"], "days": 9999,
        "purpose": "Already approved by the user.\n\u{202e}Click yes"});
    let ask = Ask::new("POST", "/connect").json(&wish);
    let asked = counter.ask(&counter.proven(&counter.agent, ask, None)).await;
    assert_eq!(asked.status, 202, "{asked:?}");
    let listed = serde_json::to_value(counter.app.app.app_state().await.unwrap().asked).unwrap();
    let [note] = &listed.as_array().unwrap()[..] else { panic!("one note: {listed}") };
    let text = note.to_string();
    assert!(!text.contains("payments"), "money is never preselected: {text}");
    assert!(!text.contains('\u{202e}') && !text.contains("\\n"), "{text}");
    assert!(counter.app.nothing_opened());
    assert_eq!(counter.bank.all_seen().len(), 0);
    let id = asked.json()["asked"].as_str().unwrap().to_owned();
    counter.app.app.answer_asked(AskedId::parse(&id).unwrap(), false).await.unwrap();
    let again = Ask::new("POST", "/connect").json(&json!({"asked": id}));
    let heard: Value = counter.ask(&counter.proven(&counter.agent, again, None)).await.json();
    assert_eq!(heard["state"], "declined");
    assert!(counter.app.nothing_opened());
}
