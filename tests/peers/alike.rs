//! What these servers do alike for a person who connects, refuses, or revokes.

use std::time::Duration;

use contract::ui::{BankTold, EndingView, GrantState, GrantView, WaitsForView};
use domain::attempt::Attempt;
use domain::id::GrantId;
use oauth::revoke::TokenKind;
use support::fakes::{TestApp, get};
use support::person::{Person, Wish};

use crate::client::{Client, READS};
use crate::peer::{Peer, against_each};

const CHOSEN: &[&str] = &["accounts", "balances", "transactions", "identity"];

against_each! {
    a_bank_connects_by_its_file_alone
    a_refusal_at_the_bank_leaves_nothing
    a_mistyped_password_is_the_banks_own_affair
    what_the_person_leaves_out_is_shown_as_missing
    a_name_nobody_may_see_is_not_asked_for
    two_connections_end_each_for_itself
    what_is_revoked_is_refused_by_api_and_token_endpoint
    a_bank_that_is_down_is_told_once_it_is_up
}

/// One visit to the bank, from the click to the attempt's end.
async fn visit(
    app: &mut TestApp,
    peer: &Peer,
    person: &mut Person,
    chosen: &[&str],
    wish: Wish<'_>,
) -> EndingView {
    let attempt = app.click_connect(peer.id(), chosen).await;
    let opened = app.opened().await;
    let back = person.go(&opened, wish).await;
    let (status, _) = get(back.as_str()).await;
    assert_eq!(status, 200, "the listener takes the bank's answer");
    ended(app, &attempt).await
}

async fn ended(app: &TestApp, attempt: &Attempt) -> EndingView {
    app.ended(attempt).await.ending.unwrap()
}

async fn connected(app: &mut TestApp, peer: &Peer, person: &mut Person) -> GrantId {
    let ending = visit(app, peer, person, CHOSEN, Wish::Allow).await;
    assert_eq!(ending, EndingView::Connected { missing: vec![], extra: vec![] });
    let grants = app.app.list_grants().await.unwrap();
    GrantId::parse(&grants.current[0].id).unwrap()
}

async fn grant(app: &TestApp) -> GrantView {
    let grants = app.app.list_grants().await.unwrap();
    assert_eq!(grants.current.len(), 1);
    app.app.show_grant(GrantId::parse(&grants.current[0].id).unwrap()).await.unwrap()
}

async fn told(app: &TestApp, grant: GrantId, fits: impl Fn(&BankTold) -> bool) {
    for _ in 0..1500 {
        let view = app.app.show_grant(grant).await.unwrap();
        if let GrantState::Revoked { facts, .. } = view.row.state
            && fits(&facts.bank)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the bank was not told as expected");
}

fn confirmed(told: &BankTold) -> bool {
    matches!(told, BankTold::Confirmed { .. })
}

async fn a_bank_connects_by_its_file_alone(peer: Peer) {
    let mut app = peer.app().await;
    connected(&mut app, &peer, &mut peer.person()).await;
    let grant = grant(&app).await;
    assert_eq!(grant.holder.as_deref(), Some(peer.holder));
    let masked: Vec<_> = grant.accounts.iter().map(|account| account.masked.as_str()).collect();
    assert_eq!(masked, peer.accounts);
    let may: Vec<_> = grant.row.permissions.iter().map(|permission| permission.id.as_str()).collect();
    assert_eq!(may, CHOSEN);
    assert_eq!(peer.consents().await, 1);
}

async fn a_refusal_at_the_bank_leaves_nothing(peer: Peer) {
    let mut app = peer.app().await;
    let ending = visit(&mut app, &peer, &mut peer.person(), CHOSEN, Wish::Refuse).await;
    assert_eq!(ending, peer.refused);
    assert_eq!((app.grants().await, peer.consents().await), (0, 0));
    // And it is no obstacle to another try.
    connected(&mut app, &peer, &mut peer.person()).await;
}

async fn a_mistyped_password_is_the_banks_own_affair(peer: Peer) {
    let mut app = peer.app().await;
    let mut person = Person::mistyping(peer.customer);
    connected(&mut app, &peer, &mut person).await;
    assert_eq!(person.asked_for_password, 2);
}

async fn what_the_person_leaves_out_is_shown_as_missing(peer: Peer) {
    let mut app = peer.app().await;
    let wish = Wish::AllowBut("fdx:accountdetailed:read");
    let ending = visit(&mut app, &peer, &mut peer.person(), CHOSEN, wish).await;
    let EndingView::Connected { missing, extra } = ending else { panic!("{ending:?}") };
    assert_eq!(missing.iter().map(|permission| permission.id.as_str()).collect::<Vec<_>>(), ["balances"]);
    assert!(extra.is_empty(), "{extra:?}");
    let may = grant(&app).await.row.permissions;
    assert!(may.iter().all(|permission| permission.id != "balances"), "{may:?}");
}

/// Some banks tell the name with the sign-in, some by a call that needs a permission of its own.
async fn a_name_nobody_may_see_is_not_asked_for(peer: Peer) {
    let mut app = peer.app().await;
    visit(&mut app, &peer, &mut peer.person(), &["accounts"], Wish::Allow).await;
    let by_operation = peer.file().contains("source = \"operation\"");
    let holder = grant(&app).await.holder;
    assert_eq!(holder.as_deref(), Some(peer.holder).filter(|_| !by_operation));
    assert!(peer.calls("/fdx/v6/customers/current").is_none_or(|calls| calls == 0));
}

async fn two_connections_end_each_for_itself(peer: Peer) {
    let mut app = peer.app().await;
    // One browser: the second time the person is signed in already.
    let mut person = peer.person();
    let first = connected(&mut app, &peer, &mut person).await;
    let second = connected(&mut app, &peer, &mut person).await;
    assert_ne!(first, second);
    assert_eq!((person.asked_for_password, peer.consents().await), (1, 2));
    app.app.revoke_grant(first).await.unwrap();
    told(&app, first, confirmed).await;
    assert_eq!(peer.consents().await, 1, "the other stands");
    app.app.revoke_grant(second).await.unwrap();
    told(&app, second, confirmed).await;
    assert_eq!(peer.consents().await, 0);
}

async fn what_is_revoked_is_refused_by_api_and_token_endpoint(peer: Peer) {
    let client = Client::by_file(&peer.file());
    let issued = client.issued(&mut peer.person(), &READS).await;
    let refresh = issued.refresh.unwrap();
    assert_eq!(client.api("/accounts", &issued.access).await, 200);
    assert_eq!(client.api("/customers/current", &issued.access).await, 403, "not a scope of this token");
    assert_eq!(client.revoke(TokenKind::Refresh, refresh.expose_secret()).await, 200);
    // The provider files of all say "cascades": the access token ends with it.
    assert_eq!(client.api("/accounts", &issued.access).await, 401);
    assert_eq!(peer.consents().await, 0);
    assert_eq!(
        client.revoke(TokenKind::Refresh, refresh.expose_secret()).await,
        200,
        "told twice is no fault"
    );
    assert_eq!(client.revoke(TokenKind::Refresh, "never-issued").await, 200, "nor is an unknown token");
}

async fn a_bank_that_is_down_is_told_once_it_is_up(mut peer: Peer) {
    let mut app = peer.app().await;
    let grant = connected(&mut app, &peer, &mut peer.person()).await;
    peer.down();
    app.app.revoke_grant(grant).await.unwrap();
    let waits =
        |told: &BankTold| matches!(told, BankTold::NotYet { waits_for: WaitsForView::BankToAnswer, .. });
    told(&app, grant, waits).await;
    peer.up();
    app.clock.pass(Duration::from_secs(60));
    told(&app, grant, confirmed).await;
    assert_eq!(peer.consents().await, 0);
}
