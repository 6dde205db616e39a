//! Random runs of starting, cancelling, waiting and coming back, against a model of a few lines.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::ui::{AttemptStep, EndingView};
use domain::attempt::Attempt;
use serde_json::json;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, get, parameter, sent_back};
use url::Url;

const READS: &[&str] = &["accounts"];
const BANKS: usize = 3;
const RUNS: u64 = 12;
const STEPS: usize = 25;

/// The same numbers for the same seed (Steele and Vigna's splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// What has to be true of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open { minutes: u64 },
    Connected,
    Cancelled,
    TimedOut,
}

struct Tracked {
    bank: usize,
    attempt: Attempt,
    callback: Url,
    state: State,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_for_its_own_attempt_while_that_waits_and_never_else() {
    for seed in 0..RUNS {
        run(seed).await;
    }
}

async fn run(seed: u64) {
    let banks = [FakeProvider::start().await, FakeProvider::start().await, FakeProvider::start().await];
    // No id_token: it would be too old by a clock that is moved on.
    banks
        .iter()
        .for_each(|bank| bank.states("authorization_request.always_scopes", json!(["offline_access"])));
    let mut app = TestApp::start(&banks.each_ref()).await;
    let mut numbers = Numbers(seed);
    let mut all: Vec<Tracked> = Vec::new();
    let mut story = String::new();
    for _ in 0..STEPS {
        let open = all.iter().filter(|a| matches!(a.state, State::Open { .. })).count();
        match numbers.below(6) {
            0 | 1 if open < 6 => {
                let bank = numbers.below(BANKS);
                story += &format!("\nstart {} at bank {bank}", all.len());
                let attempt = app.click_connect(&format!("bank-{}", bank + 1), READS).await;
                let callback = sent_back(&app.opened().await).await.unwrap();
                all.push(Tracked { bank, attempt, callback, state: State::Open { minutes: 0 } });
            }
            _ if all.is_empty() => {}
            2 => {
                let n = numbers.below(all.len());
                story += &format!("\ncancel {n}");
                let _ = app.app.cancel_attempt(all[n].attempt.id).await;
                if matches!(all[n].state, State::Open { .. }) {
                    all[n].state = State::Cancelled;
                }
            }
            3 => {
                story += "\ntwo minutes pass";
                app.clock.pass(Duration::from_secs(120));
                for tracked in &mut all {
                    if let State::Open { minutes } = &mut tracked.state {
                        *minutes += 2;
                        if *minutes >= 5 {
                            tracked.state = State::TimedOut;
                        }
                    }
                }
            }
            4 => {
                let (n, m) = (numbers.below(all.len()), numbers.below(all.len()));
                story += &format!("\nthe answer of {n} arrives where {m} waits");
                let (answer, place) = (all[n].callback.query().unwrap(), &all[m].callback);
                let status = get(&format!("{}?{answer}", &place[..url::Position::AfterPath])).await.0;
                if n == m {
                    answered(&mut all[n], status, &story, seed);
                } else {
                    assert!(matches!(status, 0 | 400 | 404), "seed {seed}: {status}{story}");
                }
            }
            _ => {
                let n = numbers.below(all.len());
                story += &format!("\nthe answer of {n} arrives");
                let status = get(all[n].callback.as_str()).await.0;
                answered(&mut all[n], status, &story, seed);
            }
        }
        for (n, tracked) in all.iter().enumerate() {
            check(&app, n, tracked, seed, &story).await;
        }
    }
    check_banks(&app, &banks, &all, seed, &story).await;
    app.app.shut_down().await;
}

/// The answer at its own address: it is taken while the attempt waits, and the port is closed else.
fn answered(tracked: &mut Tracked, status: u16, story: &str, seed: u64) {
    if matches!(tracked.state, State::Open { .. }) {
        assert_eq!(status, 200, "seed {seed}{story}");
        tracked.state = State::Connected;
    } else {
        // The port may belong to a later attempt by now.
        assert!(matches!(status, 0 | 400 | 404), "seed {seed}: {status}{story}");
    }
}

async fn check(app: &TestApp, n: usize, tracked: &Tracked, seed: u64, story: &str) {
    let view = match tracked.state {
        State::Open { .. } => app.app.show_attempt(tracked.attempt.id).await.unwrap(),
        State::Connected | State::Cancelled | State::TimedOut => app.ended(&tracked.attempt).await,
    };
    let fits = match (tracked.state, &view.ending) {
        (State::Open { .. }, None) => view.step == AttemptStep::AtBank,
        (State::Connected, Some(EndingView::Connected { .. }))
        | (State::Cancelled, Some(EndingView::Cancelled))
        | (State::TimedOut, Some(EndingView::TimedOut)) => true,
        _ => false,
    };
    assert!(fits, "seed {seed}: {n} is {:?}, {:?}{story}", view.ending, tracked.state);
}

/// Every code went to its own bank, once, and every grant is the one that the model says.
async fn check_banks(app: &TestApp, banks: &[FakeProvider], all: &[Tracked], seed: u64, story: &str) {
    let connected = |bank: usize| all.iter().filter(move |a| a.bank == bank && a.state == State::Connected);
    let mut held: BTreeMap<String, usize> = BTreeMap::new();
    for row in app.app.list_grants().await.unwrap().current {
        *held.entry(row.bank.id).or_default() += 1;
    }
    for (n, bank) in banks.iter().enumerate() {
        let mut sent: Vec<String> = bank.seen("token").iter().map(|seen| seen.form["code"].clone()).collect();
        let code = |a: &Tracked| parameter(&a.callback, "code");
        let mut expected: Vec<String> = connected(n).map(code).collect();
        sent.sort();
        expected.sort();
        assert_eq!(sent, expected, "seed {seed}: codes at bank {n}{story}");
        let grants = held.get(&format!("bank-{}", n + 1)).copied().unwrap_or_default();
        assert_eq!(grants, expected.len(), "seed {seed}: grants of bank {n}{story}");
    }
}
