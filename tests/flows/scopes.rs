//! What was asked against what the bank grants, in every way in which the two can differ.

use contract::ui::EndingView;
use domain::id::GrantId;
use serde::Deserialize;
use serde_json::Value;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back};

const PAIRS: &str = include_str!("../fixtures/hostile/scopes.jsonl");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    name: String,
    asked: Vec<String>,
    /// The `scope` of the token response; none if `null`.
    scope: Value,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expect {
    /// The permissions that can be used, those not given, and what came unasked.
    Connected(Vec<String>, Vec<String>, Vec<String>),
    /// None of what was asked.
    NothingAllowed,
    /// No scope at all.
    ScopeMalformed,
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_pairs_of_asked_and_granted_end_as_they_must() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let mut wrong = Vec::new();
    let pairs: Vec<Pair> = PAIRS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(pairs.len(), 40);
    for pair in pairs {
        bank.token("scope", pair.scope.clone());
        let asked: Vec<&str> = pair.asked.iter().map(String::as_str).collect();
        let attempt = app.click_connect("bank-1", &asked).await;
        let (revoked, grants) = (bank.seen("revoke").len(), app.grants().await);
        come_back(&app.opened().await).await;
        let ended = app.ended(&attempt).await;
        app.app.shut_down().await;
        let given_back = bank.seen("revoke").len() - revoked;
        let made = app.grants().await - grants;
        let fits = match (&pair.expect, &ended.ending) {
            (Expect::NothingAllowed, Some(EndingView::NothingAllowed)) => made == 0 && given_back == 1,
            (Expect::ScopeMalformed, Some(EndingView::BankMisbehaved { rule })) => {
                rule == "scope_malformed" && made == 0 && given_back == 1
            }
            (
                Expect::Connected(usable, missing, extra),
                Some(EndingView::Connected { missing: m, extra: e }),
            ) => {
                let grant = GrantId::parse(&ended.grant.unwrap()).unwrap();
                let view = app.app.show_grant(grant).await.unwrap();
                let ids: Vec<&str> = view.row.permissions.iter().map(|p| p.id.as_str()).collect();
                // More than asked is never usable, always shown, and stays in the list with its mark.
                let shown = view.extra == *extra && view.row.has_extra != extra.is_empty();
                m.iter().map(|p| p.id.as_str()).eq(missing.iter())
                    && e == extra
                    && ids == *usable
                    && shown
                    && (made, given_back) == (1, 0)
            }
            _ => false,
        };
        if !fits {
            wrong.push(format!("{}: {:?}, {made} made, {given_back} given back", pair.name, ended.ending));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
