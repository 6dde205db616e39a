//! `load`: a thousand connections of eight agents at once, each task sent twice at the same time, and a stop amid it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::agent::{TestAgent, look};
use support::life::housed::{House, Housed};
use support::wire::{Answered, Signed, Wire};
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use crate::Setup;
use crate::memory_idle::megabytes;
use crate::report::{at_most, control, number, percentile};

const MARK: &str = "-load4Kp9";
/// So many agents share the connections.
const AGENTS: u8 = 8;
/// Two connections each, by which the same request goes out at once.
const PAIRS: usize = 500;
/// Pairs that are opened at once: of connections that have proven nothing, few may be there.
const NEWCOMERS: usize = 16;

/// What came of it.
#[derive(Default)]
struct Came {
    given: usize,
    /// Tasks that got a lease twice.
    replayed: usize,
    /// Answers about another agent's grant.
    crossed: usize,
    /// Neither a lease nor a refusal that was due.
    strange: Vec<String>,
    took_ms: Vec<f64>,
}

pub(crate) async fn measure(setup: &Setup) -> Value {
    let keys: Vec<TestAgent> = (1..=AGENTS).map(TestAgent::stranger).collect();
    let house = House::open(&setup.programs, MARK).await.with_agents(&keys);
    house.bank.token("expires_in", json!(3600));
    let mut host = house.start().await;
    let mut grants = Vec::new();
    for key in &keys {
        grants.push(host.connect_agent(&key.thumbprint()).await);
    }
    quieten(&host).await;
    let (socket, issuer) = Wire::endpoint(&house.home().join("data"));
    let mut wire = Wire::dial(&socket, &issuer).await.expect("the socket");
    let twice = two_for_one(&mut wire, &keys[0], &grants[0]).await;
    let each = setup.n.div_ceil(PAIRS);
    let (door, begun) = (Arc::new(Semaphore::new(NEWCOMERS)), Arc::new(Barrier::new(PAIRS)));
    let mut running = JoinSet::new();
    for of in (0..keys.len()).cycle().take(PAIRS) {
        let (key, grant) = (&keys[of], grants[of].clone());
        let look = look(&["list_accounts"]);
        let signed: Vec<Signed> = (0..each).map(|_| wire.token(key, &grant, &look, 1, now())).collect();
        let proofs = [wire.grants(key, now()), wire.grants(key, now())];
        let (door, begun) = (Arc::clone(&door), Arc::clone(&begun));
        let (socket, issuer) = (socket.clone(), issuer.clone());
        running.spawn(async move {
            let permit = door.acquire().await.expect("a door");
            let mut one = proven(&socket, &issuer, &proofs[0]).await;
            let mut other = proven(&socket, &issuer, &proofs[1]).await;
            drop(permit);
            begun.wait().await;
            let mut came = Came::default();
            for signed in &signed {
                let begin = Instant::now();
                let (first, second) = tokio::join!(one.send(signed), other.send(signed));
                came.took_ms.push(begin.elapsed().as_secs_f64() * 1000.0);
                came.count(&grant, &[first.expect("an answer"), second.expect("an answer")]);
            }
            came
        });
    }
    // Amid it the person stops everything, by a connection that has proven nothing.
    let mut all = Came::default();
    let amid = PAIRS / 2;
    let mut kill_ms = f64::INFINITY;
    let mut done = 0;
    let mut after_kill = Vec::new();
    while let Some(came) = running.join_next().await {
        all.add(came.expect("a client"));
        done += 1;
        if done == amid {
            let begin = Instant::now();
            let mut wire = Wire::dial(&socket, &issuer).await.expect("the socket");
            let killed = wire.send(&wire.kill()).await.expect("an answer");
            kill_ms = begin.elapsed().as_secs_f64() * 1000.0;
            assert_eq!(killed.status, 200, "{killed:?}");
            let late =
                wire.send(&wire.token(&keys[0], &grants[0], &look(&["list_accounts"]), 1, now())).await;
            after_kill.push(late.expect("an answer").status);
        }
    }
    let memory = megabytes(host.pid());
    host.end().await;
    eprintln!("load: {:?}", all.strange);
    let replays = |count| at_most("tasks that were accepted twice", number(count), "", 0.0);
    json!({
        "n": all.took_ms.len(),
        "parts": [
            replays(all.replayed),
            at_most("answers about another agent's grant", number(all.crossed), "", 0.0),
            at_most("answers that were not due", number(all.strange.len()), "", 0.0),
            at_most("leases after the stop", number(after_kill.iter().filter(|s| **s == 200).count()), "", 0.0),
            at_most("from the stop to its answer", kill_ms, "ms", 250.0),
            at_most("memory of the host", memory, "MB", 150.0),
            at_most("each decision, p99", percentile(&all.took_ms, 0.99), "ms", 50.0),
        ],
        "controls": [control("two tasks taken for one", &[replays(twice.replayed)])],
        "detail": { "given": all.given, "p50_ms": percentile(&all.took_ms, 0.5) },
    })
}

impl Came {
    /// Two answers to the same request. While agents are served, one has a lease and the other none.
    fn count(&mut self, grant: &str, answers: &[Answered; 2]) {
        let given: Vec<&Answered> = answers.iter().filter(|answer| answer.status == 200).collect();
        self.given += given.len();
        self.replayed += usize::from(given.len() == 2);
        let own =
            |answer: &&&Answered| answer.json()["resource"].as_str().is_some_and(|to| to.ends_with(grant));
        self.crossed += given.len() - given.iter().filter(own).count();
        let stopped = answers.iter().any(|answer| answer.status == 503);
        let refused = answers.iter().filter(|answer| [400, 503].contains(&answer.status)).count();
        if given.len() + refused != 2 || (given.is_empty() && !stopped) {
            self.strange.push(format!("{} and {}", answers[0].status, answers[1].status));
        }
    }

    fn add(&mut self, other: Self) {
        self.given += other.given;
        self.replayed += other.replayed;
        self.crossed += other.crossed;
        self.strange.extend(other.strange);
        self.took_ms.extend(other.took_ms);
    }
}

/// Two tasks that are counted as if they were one: both get a lease.
async fn two_for_one(wire: &mut Wire, agent: &TestAgent, grant: &str) -> Came {
    let mut answers = Vec::new();
    for _ in 0..2 {
        let task = wire.token(agent, grant, &look(&["list_accounts"]), 1, now());
        answers.push(wire.send(&task).await.expect("an answer"));
    }
    let mut came = Came::default();
    came.count(grant, &answers.try_into().expect("two"));
    came
}

/// Each task is sent twice on purpose: no rule holds an agent back for it.
async fn quieten(host: &Housed<'_>) {
    let rules = host.ask("list_rules", json!({})).await.expect("the rules");
    for rule in rules.as_array().expect("rules") {
        let quiet = json!({"id": rule["id"], "threshold": rule["threshold"], "act": "nothing"});
        host.ask("set_rule", quiet).await.expect("a rule that does nothing");
    }
}

/// A connection on which an agent's key was proven: of the others, few may be there at once.
async fn proven(socket: &Path, issuer: &str, proof: &Signed) -> Wire {
    let mut wire = Wire::dial(socket, issuer).await.expect("the socket");
    let answer = wire.send(proof).await.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    wire
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("a time")
}
