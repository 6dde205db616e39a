//! An agent's calls while the token behind them runs out, is refused, ends at the bank, or is revoked here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use app::Refused;
use contract::ui::{ApprovalAnswer, GrantState, ReconnectWhyView};
use domain::policy::Denial;
use serde_json::json;
use support::agent::look;
use support::fake_provider::{Answer, FakeProvider};
use tokio::task::JoinSet;

use crate::lease::{ALL, PAYMENT, Stage, pay};

/// The access token of the fake bank lives for ten minutes.
const LIFE: Duration = Duration::from_secs(600);
const READS: &[&str] = &["accounts", "balances"];
const ACCOUNT: &str = "/fdx/v6/accounts/a1";
const CHALLENGE: &str =
    r#"Basic realm="x", Bearer realm="a, b", error="invalid_token", error_description="EVIL""#;

/// A lease for many looks at one account.
async fn lease(stage: &Stage) -> String {
    let task = stage.task_with(&look(&["get_balance"]), |claims| claims["uses"] = json!(50));
    stage.present(&task).await.unwrap().lease.as_str().to_owned()
}

async fn look_at(stage: &Stage, lease: &str) -> Result<u16, Refused> {
    stage.call(lease, "GET", "/accounts/a1", "").await.map(|(status, _)| status)
}

fn refused_call() -> Answer {
    Answer::status(401).header("www-authenticate", CHALLENGE)
}

/// How often the account was asked for, and how often a refresh was.
fn counts(bank: &FakeProvider) -> (usize, usize) {
    (bank.seen(ACCOUNT).len(), bank.seen("token").len())
}

async fn why(stage: &Stage) -> Option<ReconnectWhyView> {
    match stage.app.app.show_grant(stage.grant).await.unwrap().row.state {
        GrantState::Reconnect { why, .. } => Some(why),
        GrantState::Active { .. }
        | GrantState::Ended { .. }
        | GrantState::Paused { .. }
        | GrantState::Revoked { .. } => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_banks_token_is_in_its_header_and_nowhere_else() {
    let stage = Stage::set(ALL).await;
    let lease = lease(&stage).await;
    assert_eq!(look_at(&stage, &lease).await, Ok(200));
    let task = stage.task(&pay());
    let (given, ()) = tokio::join!(stage.present(&task), stage.answer(ApprovalAnswer::AllowOnce {}));
    let paid = stage.call(given.unwrap().lease.as_str(), "POST", "/payments", PAYMENT).await.unwrap();
    assert_eq!(paid.0, 200);
    let seen = stage.bank.all_seen();
    assert_eq!(seen.len(), 2);
    for mut seen in seen {
        assert!(seen.authorization.take().unwrap().starts_with("Bearer access-1"));
        let before = seen.headers.len();
        seen.headers.retain(|(name, _)| name != "authorization");
        assert_eq!(before - seen.headers.len(), 1, "once");
        assert!(seen.header("cookie").is_none() && seen.header("referer").is_none());
        assert!(!format!("{seen:?}").contains("access-1"), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_the_bank_refuses_is_made_once_more_with_a_fresh_token_and_no_more() {
    let stage = Stage::set(ALL).await;
    let lease = lease(&stage).await;
    stage.bank.play_once(ACCOUNT, refused_call());
    assert_eq!(look_at(&stage, &lease).await, Ok(200));
    assert_eq!(counts(&stage.bank), (2, 1));

    let not_allowed = r#"Bearer error="insufficient_scope""#;
    for status in [401, 403] {
        stage.bank.forget_seen();
        stage.bank.answers(ACCOUNT, Answer::status(status).header("www-authenticate", not_allowed));
        assert_eq!(look_at(&stage, &lease).await, Ok(status), "the agent is told");
        assert_eq!(counts(&stage.bank), (1, 0));
    }

    // What may have been carried out is not sent again.
    stage.bank.answers("/fdx/v6/payments", refused_call());
    let task = stage.task(&pay());
    let (given, ()) = tokio::join!(stage.present(&task), stage.answer(ApprovalAnswer::AllowOnce {}));
    let paid = stage.call(given.unwrap().lease.as_str(), "POST", "/payments", PAYMENT).await.unwrap();
    assert_eq!((paid.0, stage.bank.seen("/fdx/v6/payments").len()), (401, 1));

    stage.bank.forget_seen();
    stage.bank.answers(ACCOUNT, refused_call());
    let refused = look_at(&stage, &lease).await;
    assert_eq!(refused, Err(Refused::Denied(Denial::NeedsReconnect)));
    assert_eq!(counts(&stage.bank), (2, 1), "two calls and one refresh");
    assert_eq!(why(&stage).await, Some(ReconnectWhyView::RefusedAtBank));
    let page = stage.app.app.show_grant(stage.grant).await.unwrap();
    assert!(!format!("{page:?}{:?}", stage.app.audit()).contains("EVIL"), "the bank's own words");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_follows_a_bank_elsewhere() {
    let (stage, other) = (Stage::set(READS).await, FakeProvider::start().await);
    let lease = lease(&stage).await;
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Answer::status(status).header("location", &format!("{}/accounts/a1", other.issuer));
        stage.bank.answers(ACCOUNT, elsewhere);
        assert_eq!(look_at(&stage, &lease).await, Err(Refused::BadAnswer), "{status}");
    }
    assert_eq!((stage.bank.seen(ACCOUNT).len(), other.all_seen().len()), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_at_the_bank_gives_an_agent_nothing() {
    let stage = Stage::set(READS).await;
    stage.bank.pass(LIFE);
    stage.app.clock.pass(LIFE);
    let lease = lease(&stage).await;
    stage.bank.ends_consent(1);
    let denied = Refused::Denied(Denial::NeedsReconnect);
    assert_eq!(look_at(&stage, &lease).await, Err(denied));
    assert_eq!(counts(&stage.bank), (0, 1), "the refresh was refused, and nothing was called");
    assert_eq!(why(&stage).await, Some(ReconnectWhyView::EndedAtBank));
    assert_eq!(stage.app.notes.told().len(), 1, "the person is told");
    assert_eq!(stage.refused(&stage.task(&look(&["get_balance"]))).await, denied);
    assert!(look_at(&stage, &lease).await.is_err());
    assert_eq!(counts(&stage.bank), (0, 1), "the bank hears no more of it");
}

/// A bank that is away for a moment takes nothing from an agent for good.
#[tokio::test(flavor = "multi_thread")]
async fn what_passes_at_the_bank_is_over_for_an_agent_when_it_has_passed() {
    let stage = Stage::set(READS).await;
    stage.bank.pass(LIFE);
    stage.app.clock.pass(LIFE);
    let lease = lease(&stage).await;
    stage.bank.answers("token", Answer::of(503, "text/html", "busy").unheard());
    assert_eq!(look_at(&stage, &lease).await, Err(Refused::BankUnavailable));
    stage.bank.answers_honestly("token");
    assert_eq!(look_at(&stage, &lease).await, Ok(200));
}

/// A lease is asked for and calls are made while the person revokes: of forty schedules none has anything given, sent or
/// answered afterwards (attack 27, REV-06).
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_given_or_sent_once_a_revocation_is_acknowledged() {
    let mut under_way = 0;
    for schedule in 0..40_u64 {
        let stage = Arc::new(Stage::set(READS).await);
        stage.bank.delays(ACCOUNT, schedule % 5 * 4);
        if schedule % 3 == 0 {
            stage.bank.pass(LIFE);
            stage.app.clock.pass(LIFE);
        }
        let held = lease(&stage).await;
        let mut agents = JoinSet::new();
        for n in 0..8_u64 {
            let (stage, held) = (Arc::clone(&stage), held.clone());
            let wait = Duration::from_micros((n * 1777 + schedule * 613) % 9000);
            agents.spawn(async move {
                tokio::time::sleep(wait).await;
                if n % 4 == 3 {
                    let given = stage.present(&stage.task(&look(&["get_balance"]))).await;
                    return (given.ok().map(|given| given.lease.as_str().to_owned()), false);
                }
                (None, look_at(&stage, &held).await.is_ok())
            });
        }
        let begun = usize::try_from(schedule % 6).unwrap();
        while stage.bank.seen(ACCOUNT).len() < begun {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        tokio::time::sleep(Duration::from_micros(schedule * 557 % 11_000)).await;
        stage.app.app.revoke_grant(stage.grant).await.unwrap();
        let acknowledged = Instant::now();
        assert_eq!(
            stage.refused(&stage.task(&look(&["get_balance"]))).await,
            Refused::Denied(Denial::GrantRevoked)
        );
        assert!(look_at(&stage, &held).await.is_err());
        let (mut leases, mut answered) = (vec![held], 0);
        for (lease, done) in agents.join_all().await {
            leases.extend(lease);
            answered += usize::from(done);
        }
        under_way += usize::from(begun > 0 && answered < 6);
        for lease in leases {
            assert!(look_at(&stage, &lease).await.is_err(), "schedule {schedule}: a lease that outlives it");
        }
        assert_eq!(stage.app.sent.after(acknowledged, "/fdx/"), 0, "schedule {schedule}");
        let audit = stage.app.audit();
        let of = |event: &str| format!("\"event\":\"{event}\"");
        let cut = audit.iter().position(|body| body.contains(&of("grant_revoked"))).unwrap();
        let after = |event: &str| audit.iter().skip(cut).filter(|body| body.contains(&of(event))).count();
        assert_eq!((after("lease_given"), after("call_made")), (0, 0), "schedule {schedule}: {audit:#?}");
        for _ in 0..1000 {
            if stage.app.raw("SELECT count(*) FROM sealed") == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stage.app.raw("SELECT count(*) FROM sealed"), 0, "schedule {schedule}");
        let live = stage.bank.live();
        assert!(live.is_empty() || schedule % 3 == 0 && live.iter().all(|t| t == "access-1"), "{live:?}");
    }
    assert!(under_way > 5, "a revocation fell among the calls in {under_way} schedules");
}
