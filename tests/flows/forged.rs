//! Answers that the bank did not send, in numbers, and the one that it did.

use std::time::Duration;

use contract::ui::EndingView;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, get, parameter, sent_back, throw};
use tokio::task::JoinSet;

const READS: &[&str] = &["accounts", "transactions"];

/// How many forged answers arrive while the bank makes up its mind.
const FORGED: usize = 10_000;
/// How many strangers send them at once.
const STRANGERS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_forged_answers_leave_the_genuine_one_its_way() {
    let bank = FakeProvider::start().await;
    bank.delays("authorize", 300);
    let mut app = TestApp::start(&[&bank]).await;
    let old = app.click_connect("bank-1", READS).await;
    let old_state = parameter(&app.opened().await, "state");
    app.app.cancel_attempt(old.id).await.unwrap();
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    let redirect = parameter(&url, "redirect_uri");
    let mut strangers = JoinSet::new();
    for stranger in 0..STRANGERS {
        let (redirect, old_state) = (redirect.clone(), old_state.clone());
        strangers.spawn(async move {
            let mut thrown = 0;
            for n in (stranger..FORGED).step_by(STRANGERS) {
                let target = format!("{redirect}?{}", forged(n, &old_state));
                // Some wait for what they get: the same refusal as everybody, or nothing at all.
                if n % 100 == 3 {
                    assert!(matches!(get(&target).await.0, 0 | 400), "{target}");
                }
                throw(&target).await.expect("the port is open all the while");
                thrown += 1;
            }
            thrown
        });
    }
    // In the midst of it the bank sends the browser back.
    let genuine = sent_back(&url).await.unwrap();
    assert!(bank.seen("token").is_empty(), "no forged answer was exchanged");
    let thrown: usize = strangers.join_all().await.into_iter().sum();
    assert_eq!(thrown, FORGED);
    assert_eq!(get(genuine.as_str()).await.0, 200);
    let ended = app.ended(&attempt).await;
    assert!(matches!(ended.ending, Some(EndingView::Connected { .. })));
    let [exchange] = &bank.seen("token")[..] else { panic!("not one exchange") };
    assert_eq!(exchange.form["code"], "code-1");
    let interference: Vec<_> =
        app.audit().into_iter().filter(|body| body.contains("callback_interference")).collect();
    assert_eq!(
        interference.len(),
        5,
        "the 1st, 10th, 100th, 1,000th and 10,000th are recorded: {interference:?}"
    );
    assert!(!format!("{ended:?} {:?}", app.audit()).contains("Nocturne"), "nothing of them is kept or shown");
}

/// Codes and refusals without a state, with a wrong one, with one of an older attempt; every fiftieth with words.
fn forged(n: usize, old_state: &str) -> String {
    match n % 50 {
        0 => format!("error=access_denied&error_description=Call+Mr+Nocturne+{n}"),
        1 => format!("error=access_denied&error_description=Call+Mr+Nocturne+{n}&state={old_state}"),
        odd if odd % 5 == 0 => format!("code=EVIL{n}"),
        odd if odd % 5 == 1 => format!("code=EVIL{n}&state="),
        odd if odd % 5 == 2 => format!("code=EVIL{n}&state={old_state}"),
        odd if odd % 5 == 3 => format!("code=EVIL{n}&state={}", "A".repeat(43)),
        _ => format!("code=EVIL{n}&state={}", old_state.to_lowercase()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_genuine_answer_gets_through_while_forged_ones_arrive() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let url = app.opened().await;
    let redirect = parameter(&url, "redirect_uri");
    let mut strangers = JoinSet::new();
    for n in 0..STRANGERS {
        let target = format!("{redirect}?code=EVIL{n}&state=EVIL");
        // Until the port is closed: then the genuine answer has arrived.
        strangers.spawn(async move { while get(&target).await.0 != 0 {} });
    }
    let genuine = sent_back(&url).await.unwrap();
    let begin = tokio::time::Instant::now();
    assert_eq!(get(genuine.as_str()).await.0, 200);
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
    strangers.join_all().await;
    assert_eq!(bank.seen("token").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_copies_of_the_answer_exchange_once_and_the_grant_survives() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let callback = sent_back(&app.opened().await).await.unwrap();
    let mut copies = JoinSet::new();
    for _ in 0..50 {
        let callback = callback.clone();
        copies.spawn(async move { get(callback.as_str()).await });
    }
    let answers = copies.join_all().await;
    let pages: Vec<&str> =
        answers.iter().filter(|(status, _)| *status == 200).map(|(_, page)| page.as_str()).collect();
    assert!(!pages.is_empty() && pages.iter().all(|page| *page == pages[0]), "the page is always the same");
    assert!(matches!(app.ended(&attempt).await.ending, Some(EndingView::Connected { .. })));
    // The bank revokes what a code brought that is used twice: a second exchange would have ended the grant.
    assert_eq!(bank.seen("token").len(), 1);
    assert!(bank.seen("revoke").is_empty());
    assert_eq!(app.app.list_grants().await.unwrap().current.len(), 1);
    // An hour later, from the history: nobody listens.
    assert_eq!(get(callback.as_str()).await.0, 0);
    assert_eq!(bank.seen("token").len(), 1);
}
