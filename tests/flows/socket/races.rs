//! The same thing at once, too often, or while the person stops it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::lock::LockedBy;
use support::agent::{TestAgent, look};
use support::counter::{Answer, Ask, Counter};
use tokio::task::JoinSet;

use super::is_refusal;

/// Requests of a flood on each of its four connections.
const EACH: usize = 550;
/// How often agents race with a stop.
const TURNS: u32 = 60;

/// Sends a request as often as that, all at once.
async fn at_once(counter: &Arc<Counter>, asks: Vec<Ask>) -> Vec<Answer> {
    let mut sent = JoinSet::new();
    for ask in asks {
        let counter = Arc::clone(counter);
        sent.spawn(async move { counter.ask(&ask).await });
    }
    sent.join_all().await
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_and_a_task_count_once_however_often_they_come() {
    let counter = Arc::new(Counter::open(&["accounts", "balances"]).await);
    let grants = counter.proven(&counter.agent, Ask::new("GET", "/grants"), None);
    let answers = at_once(&counter, vec![grants.clone(); 100]).await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 99));
    let task = counter.agent.sign(&counter.agent.task_header(), &counter.claims(&look(&["get_balance"]), 1));
    let answers = at_once(&counter, (0..100).map(|_| counter.token(&counter.agent, &task)).collect()).await;
    assert_eq!((count(&answers, 200), count(&answers, 400)), (1, 99));
    let lease = answers.iter().find(|answer| answer.status == 200).unwrap().lease();
    // The lease has one use, and each call a proof of its own.
    let call = Ask::new("GET", &format!("/call/{}/accounts/a1", counter.grant));
    let calls = (0..50).map(|_| counter.proven(&counter.agent, call.clone(), Some(&lease))).collect();
    let answers = at_once(&counter, calls).await;
    assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 49));
    assert_eq!(counter.bank.seen("/fdx/v6/accounts/a1").len(), 1);
    for answer in answers.iter().filter(|answer| answer.status == 401) {
        is_refusal(answer, 401, "invalid_token");
    }

    // After a crash, and with the clock moved back a day.
    let Ok(counter) = Arc::try_unwrap(counter) else { panic!("nobody holds it any more") };
    let counter = counter.restarted().await;
    is_refusal(&counter.ask(&counter.token(&counter.agent, &task)).await, 400, "invalid_grant");
    let old = counter.lease(&look(&["get_balance"]), 9).await;
    counter.app.clock.pass(Duration::from_secs(301));
    let called = counter.call(&counter.agent, &old, "GET", "/accounts/a1", "").await;
    is_refusal(&called, 401, "invalid_token");
    counter.app.clock.move_wall(-86_400_000);
    let called = counter.call(&counter.agent, &old, "GET", "/accounts/a1", "").await;
    is_refusal(&called, 401, "invalid_token");
    is_refusal(&counter.ask(&counter.token(&counter.agent, &task)).await, 400, "invalid_grant");
    assert_eq!(counter.ask(&grants).await.error().as_deref(), Some("invalid_dpop_proof"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_for_another_installation_is_none_here() {
    let (here, there) =
        (Counter::open(&["balances", "accounts"]).await, "http://0123456789abcdef.countersign.localhost");
    let task = here.agent.task(there, &here.grant.to_string(), &look(&["get_balance"]), here.now());
    is_refusal(&here.ask(&here.token(&here.agent, &task)).await, 400, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_agents_flood_slows_that_agent_and_no_other() {
    let counter = Arc::new(Counter::open(&["accounts", "balances"]).await);
    let loud = TestAgent::stranger(5);
    counter.add("Loud", &loud).await;
    let authority = counter.address("").replace("http://", "");
    counter.app.clock.stand_still();
    // Each connection writes its requests without waiting for an answer.
    let flood = |_| {
        let mut bytes = Vec::new();
        for n in 0..EACH {
            let ask = counter.proven(&loud, Ask::new("POST", "/token").form(&[("grant_type", "x")]), None);
            let kept = if n == EACH - 1 { "close" } else { "keep-alive" };
            bytes.extend(ask.with("connection", kept).bytes(&authority));
        }
        bytes
    };
    let floods: Vec<Vec<u8>> = (0..4).map(flood).collect();
    let mut sent = JoinSet::new();
    for flood in floods {
        let counter = Arc::clone(&counter);
        sent.spawn(async move { counter.says(&flood).await });
    }
    let mut refused = 0;
    for answers in sent.join_all().await {
        let text = format!("{}\r\n\r\n{}", answers.head, answers.body);
        assert_eq!(text.matches("\"error\":").count(), EACH, "each is answered");
        let slowed = text.matches("\"error\":\"slow_down\"").count();
        assert_eq!(text.matches("HTTP/1.1 429 ").count(), slowed);
        assert_eq!(text.matches("retry-after: 5\r\n").count(), slowed);
        refused += slowed;
    }
    assert_eq!(refused, 4 * EACH - 2_000);
    let quiet = counter.present(&counter.claims(&look(&["get_balance"]), 1)).await;
    assert_eq!(quiet.status, 200, "who asks in measure is served");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_no_lease_works_and_none_is_given_whenever_it_came() {
    let (mut given, mut refused) = (0, 0);
    let counter = Arc::new(Counter::open(&["accounts", "balances"]).await);
    let begin = Instant::now();
    for _ in 0..4 {
        counter.lease(&look(&["get_balance"]), 1).await;
    }
    let usual = begin.elapsed();
    for turn in 0..TURNS {
        counter.app.clock.pass(Duration::from_secs(1));
        let begin = Instant::now();
        let mut racing = JoinSet::new();
        for _ in 0..4 {
            let claims = counter.claims(&look(&["get_balance"]), 9);
            let counter = Arc::clone(&counter);
            racing.spawn(async move { (counter.present(&claims).await, Instant::now()) });
        }
        // Each turn the stop falls a little later into the same work.
        while begin.elapsed() < usual * turn / TURNS * 2 {
            tokio::task::yield_now().await;
        }
        if turn % 2 == 0 {
            counter.app.app.stop_agents().await;
        } else {
            counter.app.app.lock(LockedBy::Person).await
        }
        let stopped = Instant::now();
        let late = counter.present(&counter.claims(&look(&["get_balance"]), 9)).await;
        is_refusal(&late, 503, "temporarily_unavailable");
        let answers = racing.join_all().await;
        let before = counter.bank.all_seen().len();
        let mut leases = Vec::new();
        for (answer, at) in answers {
            match answer.status {
                200 => leases.push((answer.lease(), at)),
                _ => {
                    is_refusal(&answer, 503, "temporarily_unavailable");
                    refused += 1;
                }
            }
        }
        given += leases.len();
        for (lease, _) in &leases {
            let called = counter.call(&counter.agent, lease, "GET", "/accounts/a1", "").await;
            is_refusal(&called, 503, "temporarily_unavailable");
        }
        assert_eq!(counter.bank.all_seen().len(), before, "nothing went out after {stopped:?}");
        if turn % 2 == 0 {
            counter.app.app.resume_agents().await.unwrap();
            for (lease, _) in &leases {
                let called = counter.call(&counter.agent, lease, "GET", "/accounts/a1", "").await;
                is_refusal(&called, 401, "invalid_token");
            }
        } else {
            counter.app.app.unlock(None).await.unwrap();
        }
    }
    assert!(given > 0 && refused > 0, "some came before the stop and some after: {given}, {refused}");
}
