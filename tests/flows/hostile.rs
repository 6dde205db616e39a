//! Every mode of `tests/fixtures/hostile/modes.jsonl` through the whole app: each ends for its own reason.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use contract::ui::{AttemptView, BankTold, GrantState, GrantView, WaitsForView};
use domain::id::GrantId;
use serde_json::{Value, json};
use support::database::Database;
use support::fake_provider::mode::{Mode, Play};
use support::fakes::{TestApp, get, parameter, sent_back};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const READS: &[&str] = &["accounts", "balances", "transactions"];

/// So many modes at once: most of them wait.
const AT_ONCE: usize = 24;

/// The longest a mode may take: ten seconds for an answer (design.md section 10), and some for what follows.
const LONGEST: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_mode_ends_for_its_own_reason() {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for mode in Mode::all() {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let outcome = tokio::time::timeout(LONGEST, differences(&mode.name)).await;
            (mode.name, outcome.unwrap_or_else(|_| "it does not come to an end".into()))
        });
    }
    let mut wrong = String::new();
    while let Some(done) = running.join_next().await {
        let (name, differences) = done.unwrap();
        if !differences.is_empty() {
            write!(wrong, "\n{name}:{differences}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_list_of_modes_is_sound() {
    let modes = Mode::all();
    let names: BTreeSet<&str> = modes.iter().map(|mode| mode.name.as_str()).collect();
    assert_eq!(names.len(), modes.len(), "a name stands twice");
    assert!(modes.iter().any(|mode| mode.name == "honest"));
    let known = include_str!("../map/catalogue.toml");
    for mode in &modes {
        for id in &mode.ids {
            assert!(known.contains(&format!("\n{id} = ")), "{}: {id} is no rule", mode.name);
        }
        assert!(!mode.ids.is_empty() || mode.name.starts_with("honest"), "{}: proves nothing", mode.name);
        let told = matches!(mode.expect.told.as_deref(), None | Some("confirmed"));
        let connected = mode.expect.ending["kind"] == "connected" && told;
        let theirs = &mode.openid_client;
        let differs = connected != (theirs["verdict"] == "completes") || theirs.get("other").is_some();
        assert_eq!(
            differs,
            theirs["difference"].as_str().is_some_and(|reason| !reason.is_empty()),
            "{}: what openid-client does otherwise has a reason, and nothing else",
            mode.name
        );
    }
}

/// Plays one mode; what differs from what is expected.
async fn differences(name: &str) -> String {
    let play = Play::start(name, 0).await.unwrap();
    let mut app = TestApp::start(&[&play.bank, &play.other]).await;
    let attempt = app.click_connect("bank-1", READS).await;
    let opened = loop {
        tokio::select! {
            url = app.opened() => break Some(url),
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                if app.app.show_attempt(attempt.id).await.unwrap().ending.is_some() {
                    break None;
                }
            }
        }
    };
    let mut wrong = String::new();
    if let Some(url) = opened
        && !go(&play.mode, &url, &mut wrong).await
    {
        app.app.cancel_attempt(attempt.id).await.unwrap();
    }
    let ended = app.ended(&attempt).await;
    let told = match (&ended.grant, &play.mode.expect.told) {
        (Some(grant), Some(expected)) => Some(revoke(&app, grant, expected).await),
        _ => None,
    };
    // An orderly stop waits until what was issued is revoked, or kept for the outbox.
    app.app.shut_down().await;
    compare(&play, &app, &ended, told.as_deref(), &mut wrong);
    wrong
}

/// The person at the bank; false if they are never sent back.
async fn go(mode: &Mode, url: &url::Url, wrong: &mut String) -> bool {
    for stray in &mode.bank.strays {
        let status = if url.query_pairs().any(|(name, _)| name == "redirect_uri") {
            get(&format!("{}?{stray}", parameter(url, "redirect_uri"))).await.0
        } else {
            400
        };
        if status != 400 {
            write!(wrong, "\n  a stray {stray} is answered {status}").unwrap();
        }
    }
    let Some(callback) = sent_back(url).await else { return false };
    let (status, page) = get(callback.as_str()).await;
    if status != 200 || page.contains("EVIL") {
        write!(wrong, "\n  the browser is answered {status}: {page}").unwrap();
    }
    true
}

/// Revokes the connection and waits for what is expected to be known of it.
async fn revoke(app: &TestApp, grant: &str, expected: &str) -> String {
    let grant = GrantId::parse(grant).unwrap();
    app.app.revoke_grant(grant).await.unwrap();
    let mut known = String::new();
    for _ in 0..700 {
        known = told(&app.app.show_grant(grant).await.unwrap());
        if known == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    known
}

fn told(grant: &GrantView) -> String {
    let GrantState::Revoked { facts, .. } = &grant.row.state else { return "not revoked".into() };
    match facts.bank {
        BankTold::Confirmed { .. } => "confirmed",
        BankTold::GivenUp { .. } => "given_up",
        BankTold::NotOffered => "not_offered",
        BankTold::Replaced { .. } => "replaced",
        BankTold::NotYet { waits_for: WaitsForView::BankToAccept, .. } => "waits for the bank to accept",
        BankTold::NotYet { waits_for: WaitsForView::BankToAnswer, .. } => "waits for the bank to answer",
        BankTold::NotYet { .. } => "waits for something else",
    }
    .into()
}

fn compare(play: &Play, app: &TestApp, ended: &AttemptView, told: Option<&str>, wrong: &mut String) {
    let expect = &play.mode.expect;
    let mut same = |what: &str, seen: Value, expected: Value| {
        if seen != expected {
            write!(wrong, "\n  {what}: {seen} instead of {expected}").unwrap();
        }
    };
    let connected = expect.ending["kind"] == "connected";
    same("ending", ending(ended), expect.ending.clone());
    let waits = expect.waits || expect.told.as_deref().is_some_and(|told| told.starts_with("waits"));
    // What waits is tried again, at a time of its own.
    let once =
        |requests: String| if waits { requests.replace(" revoke revoke", " revoke") } else { requests };
    same("requests", json!(once(play.bank.requests())), json!(expect.requests));
    same("requests at the other bank", json!(play.other.requests()), json!(expect.other));
    let revoked = play.bank.seen("revoke");
    let mut revoked: Vec<&str> = revoked.iter().map(|seen| seen.form["token"].as_str()).collect();
    if waits {
        revoked.dedup();
    }
    same("revoked", json!(revoked), json!(expect.revoked));
    same("told", json!(told), json!(expect.told));
    let left = Database::of(app.dir.path()).left();
    let kept = i64::from(connected || expect.waits);
    same("grants", json!(left["grants"]), json!(kept));
    let over = told_all(expect.told.as_deref());
    same("sealed records", json!(left["sealed"] > 0), json!(kept == 1 && !over));
    same(
        "outbox",
        json!(left["outbox"]),
        json!(i64::from(expect.waits || (connected && told.is_some() && !over))),
    );
    same(
        "receipts",
        json!(left["receipts"]),
        json!(if connected { 1 + i64::from(told.is_some()) } else { 0 }),
    );
}

/// Whether nothing is left to tell the bank.
fn told_all(told: Option<&str>) -> bool {
    matches!(told, Some("confirmed" | "not_offered"))
}

/// The ending as the window is shown it; of permissions only the ids.
fn ending(ended: &AttemptView) -> Value {
    let mut ending = serde_json::to_value(&ended.ending).unwrap();
    if let Some(missing) = ending.get_mut("missing").and_then(Value::as_array_mut) {
        missing.iter_mut().for_each(|permission| *permission = permission["id"].clone());
    }
    ending
}
