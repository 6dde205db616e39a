//! Agents that do anything in any order, beside a small model of what the broker owes each of them.

use std::collections::BTreeSet;
use std::time::Duration;

use app::port::Clock as _;
use contract::ui::ConnectAccount;
use domain::id::{AgentId, GrantId};
use domain::lock::LockedBy;
use serde_json::{Value, json};

use crate::agent::{TestAgent, look};
use crate::counter::{Answer, Ask, Counter};
use crate::fakes::come_back;
use crate::life::Chance;

/// Steps until everything begins anew, with another bank and another log.
const LIFE: usize = 5_000;
/// Two with a grant each, one without, and one that nobody has added.
const AGENTS: usize = 4;
/// Within this of a lease's end, the clocks may say either.
const NEAR: i64 = 5_000;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// So many steps were made.
    pub steps: usize,
    /// So many tasks got a lease.
    pub given: usize,
    /// So many calls got an answer of the bank.
    pub called: usize,
    /// Where the broker did not do what the model says.
    pub wrong: Vec<String>,
}

/// What an agent holds.
struct Held {
    lease: String,
    agent: usize,
    grant: usize,
    operation: usize,
    uses: u64,
    ends: i64,
}

/// The operations that are tried: what is asked for, the call, and whether the grants allow it.
const OPERATIONS: [(&str, &str, bool); 3] = [
    ("get_balance", "/accounts/a1", true),
    ("list_accounts", "/accounts", true),
    ("list_transactions", "/accounts/a1/transactions", false),
];

/// What the model knows.
#[derive(Default)]
struct Model {
    stopped: bool,
    locked: bool,
    agents_paused: BTreeSet<usize>,
    grants_paused: BTreeSet<usize>,
    held: Vec<Held>,
    /// Tasks that were presented, and by whom.
    shown: Vec<(usize, String)>,
    /// Lets every agent use every lease: a model that is wrong, for the control.
    lends: bool,
}

struct Stage {
    counter: Counter,
    agents: Vec<TestAgent>,
    grants: Vec<GrantId>,
    model: Model,
    dice: Chance,
}

/// So many steps, the same for the same seed. With `lends`, beside a model that lets agents use each other's leases.
pub async fn run(steps: usize, seed: u64, lends: bool) -> Run {
    let mut run = Run::default();
    while run.steps < steps {
        let life = (steps - run.steps).min(LIFE);
        let mut stage = Stage::set(seed.wrapping_add(run.steps as u64), lends).await;
        for _ in 0..life {
            run.steps += 1;
            stage.step(&mut run).await;
        }
    }
    run
}

impl Stage {
    async fn set(seed: u64, lends: bool) -> Self {
        let mut counter = Counter::open(&["accounts", "balances"]).await;
        let mut agents = vec![TestAgent::buddy()];
        for n in 1..AGENTS {
            agents.push(TestAgent::stranger(u8::try_from(n).expect("few")));
        }
        counter.add("Tax Helper", &agents[1]).await;
        counter.add("Without", &agents[2]).await;
        let second = connect(&mut counter, &agents[1]).await;
        let grants = vec![counter.grant, second];
        Self {
            counter,
            agents,
            grants,
            model: Model { lends, ..Model::default() },
            dice: Chance::of(seed, 0),
        }
    }

    fn pick(&mut self, of: usize) -> usize {
        usize::try_from(self.dice.below(of as u64)).expect("few")
    }

    fn now(&self) -> i64 {
        self.counter.app.clock.now().millis()
    }

    async fn step(&mut self, run: &mut Run) {
        self.counter.app.clock.pass(Duration::from_millis(50));
        match self.pick(60) {
            0..=22 => self.present(run).await,
            23..=50 => self.call(run).await,
            51..=53 => self.replay(run).await,
            54 => self.give_back(run).await,
            55..=56 => self.counter.app.clock.pass(Duration::from_secs(30)),
            _ => self.person().await,
        }
    }

    /// What the broker owes a task: its status.
    fn owes(&self, agent: usize, grant: usize, allowed: bool) -> u16 {
        let model = &self.model;
        if model.stopped || model.locked {
            503
        } else if agent == 3 {
            401
        } else if agent != grant {
            400
        } else if model.agents_paused.contains(&agent) || model.grants_paused.contains(&grant) {
            503
        } else if allowed {
            200
        } else {
            400
        }
    }

    async fn present(&mut self, run: &mut Run) {
        let (agent, grant, operation) = (self.pick(AGENTS), self.pick(2), self.pick(OPERATIONS.len()));
        // Mostly one's own: else there would be few leases to be abused.
        let grant = if agent < 2 && self.pick(4) > 0 { agent } else { grant };
        let (uses, minutes) = (self.pick(3) as u64 + 1, self.pick(3) as i64 + 1);
        let (id, allowed) = (self.grants[grant].to_string(), OPERATIONS[operation].2);
        let by = &self.agents[agent];
        let details = look(&[OPERATIONS[operation].0]);
        let mut claims = by.claims(&self.counter.address(""), &id, &details, self.counter.now());
        claims["uses"] = uses.into();
        claims["lifetime"] = (minutes * 60).into();
        let task = by.sign(&by.task_header(), &claims);
        let owed = self.owes(agent, grant, allowed);
        let answer = self.counter.ask(&self.counter.token(by, &task)).await;
        if answer.status == 200 {
            run.given += 1;
            let ends = self.now() + minutes * 60_000;
            self.model.held.push(Held { lease: answer.lease(), agent, grant, operation, uses, ends });
        }
        if agent != 3 && !self.model.stopped && !self.model.locked {
            self.model.shown.push((agent, task));
        }
        check(run, &format!("agent {agent} asks for {operation} under {grant}"), &[owed], &answer);
    }

    async fn replay(&mut self, run: &mut Run) {
        if self.model.shown.is_empty() {
            return;
        }
        let at = self.pick(self.model.shown.len());
        let by = self.pick(AGENTS);
        let (agent, task) = self.model.shown[at].clone();
        let answer = self.counter.ask(&self.counter.token(&self.agents[by], &task)).await;
        let owed = if self.model.stopped || self.model.locked { 503 } else { 400 };
        check(run, &format!("agent {by} presents again what {agent} did"), &[owed], &answer);
    }

    async fn call(&mut self, run: &mut Run) {
        if self.model.held.is_empty() {
            return;
        }
        // Of late ones mostly: old ones are over.
        let back = self.pick(self.model.held.len().min(8));
        let at = self.model.held.len() - 1 - back;
        let held = &self.model.held[at];
        let (owner, grant, operation) = (held.agent, held.grant, held.operation);
        let lease = held.lease.clone();
        let agent = if self.pick(4) == 0 { self.pick(AGENTS) } else { owner };
        let to = if self.pick(6) == 0 { self.pick(2) } else { grant };
        let does = if self.pick(6) == 0 { self.pick(OPERATIONS.len()) } else { operation };
        let owed = self.owes_call(at, agent, to, does);
        let ask = Ask::new("GET", &format!("/call/{}{}", self.grants[to], OPERATIONS[does].1));
        let answer = self.counter.ask(&self.counter.proven(&self.agents[agent], ask, Some(&lease))).await;
        let reached = self.counter.bank.all_seen().iter().any(|seen| seen.path.starts_with("/fdx/"));
        self.counter.bank.forget_seen();
        let what = format!("agent {agent} does {does} under {to} by a lease of {owner} for {operation}");
        if reached != (answer.status == 200) {
            run.wrong.push(format!("{what}: {}, and the bank was asked: {reached}", answer.status));
        }
        if answer.status == 200 {
            run.called += 1;
            self.model.held[at].uses -= 1;
        }
        check(run, &what, &owed, &answer);
    }

    fn owes_call(&self, at: usize, agent: usize, grant: usize, does: usize) -> Vec<u16> {
        let (model, held) = (&self.model, &self.model.held[at]);
        if model.stopped || model.locked {
            return vec![503];
        }
        let left = held.ends - self.now();
        let owns = agent == held.agent || model.lends;
        if !owns || grant != held.grant || held.uses == 0 || left < -NEAR {
            return vec![401];
        }
        let lives = if model.grants_paused.contains(&grant) {
            503
        } else if does == held.operation {
            200
        } else {
            403
        };
        if left < NEAR { vec![401, lives] } else { vec![lives] }
    }

    async fn give_back(&mut self, run: &mut Run) {
        if self.model.held.is_empty() {
            return;
        }
        let (at, agent) = (self.pick(self.model.held.len()), self.pick(AGENTS));
        let form = Ask::new("POST", "/revoke").form(&[("token", &self.model.held[at].lease)]);
        let answer = self.counter.ask(&self.counter.proven(&self.agents[agent], form, None)).await;
        check(run, &format!("agent {agent} gives a lease back"), &[200], &answer);
        if agent == self.model.held[at].agent {
            self.model.held[at].uses = 0;
        }
    }

    /// Something that the person does.
    async fn person(&mut self) {
        let app = self.counter.app.app.clone();
        let which = self.pick(2);
        let id: AgentId = self.counter.id_of(&self.agents[which]).await;
        match self.pick(8) {
            0 if self.model.grants_paused.insert(which) => {
                app.pause_grant(self.grants[which]).await.expect("paused");
            }
            1 if self.model.agents_paused.insert(which) => {
                app.pause_agent(id).await.expect("paused");
                self.end_leases(|held| held.agent == which);
            }
            2 => {
                app.stop_agents().await;
                self.model.stopped = true;
                self.end_leases(|_| true);
            }
            3 => {
                app.lock(LockedBy::Person).await;
                self.model.locked = true;
            }
            _ => {
                app.unlock(None).await.expect("unlocked");
                app.resume_agents().await.expect("resumed");
                (self.model.locked, self.model.stopped) = (false, false);
                for paused in std::mem::take(&mut self.model.grants_paused) {
                    app.resume_grant(self.grants[paused]).await.expect("resumed");
                }
                for paused in std::mem::take(&mut self.model.agents_paused) {
                    let id = self.counter.id_of(&self.agents[paused]).await;
                    app.resume_agent(id).await.expect("resumed");
                }
            }
        }
    }

    fn end_leases(&mut self, which: impl Fn(&Held) -> bool) {
        for held in self.model.held.iter_mut().filter(|held| which(held)) {
            held.uses = 0;
        }
    }
}

fn check(run: &mut Run, what: &str, owed: &[u16], answer: &Answer) {
    if !owed.contains(&answer.status) {
        run.wrong
            .push(format!("step {}: {what}: {owed:?} and not {}: {}", run.steps, answer.status, answer.body));
    }
}

/// A second agent's own grant, at the same bank.
async fn connect(counter: &mut Counter, agent: &TestAgent) -> GrantId {
    let request = ConnectAccount {
        provider: "bank-1".into(),
        agent: counter.id_of(agent).await.to_string(),
        permissions: vec!["accounts".into(), "balances".into()],
        until: counter.app.clock.now().plus_days(30).millis(),
    };
    let attempt = counter.app.app.connect_account(&request).await.expect("an attempt");
    come_back(&counter.app.opened().await).await;
    let grant = counter.app.ended(&attempt).await.grant.expect("a grant");
    counter.bank.forget_seen();
    GrantId::parse(&grant).expect("an id")
}

/// What the numbers of a run are, for a record.
impl From<&Run> for Value {
    fn from(run: &Run) -> Self {
        json!({ "steps": run.steps, "given": run.given, "called": run.called, "wrong": run.wrong.len() })
    }
}
