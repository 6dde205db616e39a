//! `lease_latency` and `call_overhead`: what the broker adds, beside one durable write and beside a direct call.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::agent::{TestAgent, look};
use support::life::housed::House;
use support::wire::{Signed, Wire};

use crate::Setup;
use crate::report::{at_most, control, median, percentile, samples};

/// What asks for access, and what it asks with.
struct Agent {
    agent: TestAgent,
    grant: String,
}

/// What a token of the bank ends with: nothing else holds it.
const MARK: &str = "-fig7Qm2";

/// So many agents share the callers, as so many programs would.
const AGENTS: u8 = 8;

pub(crate) async fn latency(setup: &Setup) -> Value {
    let (house, keys) = open(setup).await;
    let mut host = house.start().await;
    let mut agents = Vec::new();
    for agent in keys {
        let grant = host.connect_agent(&agent.thumbprint()).await;
        agents.push(Agent { agent, grant });
    }
    let data = house.home().join("data");
    let n = setup.n;
    let one = beside(&data, &agents, 1, n, Duration::ZERO).await;
    let paced = beside(&data, &agents, 1, n.min(200), Duration::from_millis(50)).await;
    let eight = beside(&data, &agents, 8, n, Duration::ZERO).await;
    // The buckets of the agents fill again.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let many = beside(&data, &agents, 64, n * 8, Duration::ZERO).await;
    let slow = asked_for_twice(&data, &agents[0]).await;
    host.end().await;
    let above = |run: &Run| median(&run.leases) - median(&run.syncs);
    json!({
        "n": n,
        "parts": [
            at_most("one caller above a sync, p50", above(&one), "ms", 0.3),
            at_most("20 a second above a sync, p50", above(&paced), "ms", 0.5),
            at_most("8 callers above a sync, p50", above(&eight), "ms", 0.8),
            at_most("each lease of 64 callers", 1000.0 / many.a_second, "ms", 0.125),
        ],
        "controls": [control("a task that was used before", &[at_most("leases for it", slow, "", 0.0)])],
        "detail": {
            "one_ms": samples(&one.leases),
            "sync_ms": samples(&one.syncs),
            "eight_p50_ms": median(&eight.leases),
            "leases_a_second": many.a_second,
            "many_p50_ms": median(&many.leases),
            "many_p99_ms": percentile(&many.leases, 0.99),
        },
    })
}

pub(crate) async fn overhead(setup: &Setup) -> Value {
    let (house, keys) = open(setup).await;
    let bank_ms = 20;
    let mut host = house.start().await;
    let agent = keys.into_iter().next().expect("an agent");
    let grant = host.connect_agent(&agent.thumbprint()).await;
    let (socket, issuer) = Wire::endpoint(&house.home().join("data"));
    let token = house.bank.live().into_iter().find(|token| token.starts_with("access-")).expect("a token");
    house.bank.delays("accounts", bank_ms);
    let mut wire = Wire::dial(&socket, &issuer).await.expect("the socket");
    let direct = reqwest::Client::builder().no_proxy().build().expect("a client");
    let address = house.bank.api("/accounts");
    let (mut brokered, mut straight, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
    let mut file = sync_file(&house.home());
    for _ in 0..setup.n {
        let signed = wire.token(&agent, &grant, &look(&["list_accounts"]), 1, now());
        let lease = wire.send(&signed).await.expect("an answer").json();
        let lease = lease["access_token"].as_str().expect("a lease").to_owned();
        let call = wire.call(&agent, &grant, "/accounts", &lease, now());
        let begin = Instant::now();
        let answer = wire.send(&call).await.expect("an answer");
        brokered.push(millis(begin));
        assert!(answer.status == 200 && answer.of_bank, "{answer:?}");
        let begin = Instant::now();
        let same = direct.get(&address).bearer_auth(&token).send().await.expect("an answer");
        let same = same.bytes().await.expect("a body");
        straight.push(millis(begin));
        assert_eq!(same, answer.body, "the same answer");
        syncs.push(sync(&mut file));
    }
    host.end().await;
    let added = median(&brokered) - median(&straight) - median(&syncs);
    json!({
        "n": setup.n,
        "parts": [at_most("added at p50 besides one sync", added, "ms", 0.7)],
        "controls": [],
        "detail": {
            "brokered_ms": samples(&brokered),
            "direct_ms": samples(&straight),
            "sync_p50_ms": median(&syncs),
        },
    })
}

async fn open(setup: &Setup) -> (House, Vec<TestAgent>) {
    let keys: Vec<TestAgent> = (1..=AGENTS).map(TestAgent::stranger).collect();
    let house = House::open(&setup.programs, MARK).await.with_agents(&keys);
    house.bank.token("expires_in", json!(3600));
    (house, keys)
}

/// What a number of callers saw, and syncs beside them.
struct Run {
    leases: Vec<f64>,
    syncs: Vec<f64>,
    a_second: f64,
}

/// So many callers ask so many times in all, each with a pause between two; syncs are measured at the same pace.
async fn beside(data: &Path, agents: &[Agent], callers: usize, n: usize, pause: Duration) -> Run {
    let (socket, issuer) = Wire::endpoint(data);
    let each = n.div_ceil(callers);
    let mut ready = Vec::new();
    for (caller, agent) in (0..callers).zip(agents.iter().cycle()) {
        let wire = Wire::dial(&socket, &issuer).await.expect("the socket");
        let details = look(&["list_accounts"]);
        let signed: Vec<Signed> =
            (0..each).map(|_| wire.token(&agent.agent, &agent.grant, &details, 1, now())).collect();
        ready.push((caller, wire, signed));
    }
    let begin = Instant::now();
    let mut running = Vec::new();
    for (_, mut wire, signed) in ready {
        running.push(tokio::spawn(async move {
            let mut took = Vec::with_capacity(signed.len());
            for signed in &signed {
                let begin = Instant::now();
                let answer = wire.send(signed).await.expect("an answer");
                took.push(millis(begin));
                assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
            took
        }));
    }
    let mut leases = Vec::new();
    for run in running {
        leases.extend(run.await.expect("a caller"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let mut file = sync_file(data.parent().expect("a folder"));
    let mut syncs = Vec::new();
    for _ in 0..leases.len().min(500) {
        syncs.push(sync(&mut file));
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    let count = f64::from(u32::try_from(leases.len()).expect("a count"));
    Run { leases, syncs, a_second: count / seconds }
}

/// A task that is presented twice: how many leases the second time gives.
async fn asked_for_twice(data: &Path, agent: &Agent) -> f64 {
    let (socket, issuer) = Wire::endpoint(data);
    let mut wire = Wire::dial(&socket, &issuer).await.expect("the socket");
    let signed = wire.token(&agent.agent, &agent.grant, &look(&["list_accounts"]), 1, now());
    let first = wire.send(&signed).await.expect("an answer").status;
    let second = wire.send(&signed).await.expect("an answer").status;
    assert_eq!(second, 400, "used before");
    // The first was given: what the part counts would be seen.
    f64::from(u8::from(first == 200))
}

/// A file in the host's own folder, grown before it is measured, as the write-ahead log is.
fn sync_file(folder: &Path) -> File {
    let mut file = File::create(folder.join("sync")).expect("a file");
    file.write_all(&vec![0; 4 << 20]).expect("room");
    file.sync_all().expect("a sync");
    file
}

/// One durable write of two pages, as a small transaction makes.
fn sync(file: &mut File) -> f64 {
    use std::os::unix::fs::FileExt as _;
    let begin = Instant::now();
    file.write_all_at(&[7; 8240], 4096).expect("a write");
    file.sync_data().expect("a sync");
    millis(begin)
}

fn millis(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1000.0
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("a time")
}
