//! The approval window as it is: it comes up beside the main window and in the tray's place, draws what an agent asks,
//! and goes when nobody asks any more.

use std::time::{Duration, SystemTime};

use serde_json::json;
use support::agent::{TestAgent, look};
use support::driver::{PATIENCE, Page};
use support::process::wait_until;
use support::wire::{Answered, Wire};
use support::world::World;

const TITLE: &str = "Countersign — Sandbox";
const APPROVAL_TITLE: &str = "Countersign asks — Sandbox";

/// A connection that allows personal things, which are asked for the first time; and no window over it.
async fn without_window() -> (World, String) {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let before = world.opened().len();
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    window.click("permission-identity").await;
    window.click("go-connect").await;
    browser.client.goto(&world.next_opened(before)).await.unwrap();
    support::world::sign_in(&browser, "ada").await;
    support::world::allow(&browser).await;
    window.find("ending-connected").await;
    window.click("nav-connections").await;
    let grant = world.grants(&window).await.remove(0);
    drop(window);
    world.session.close_window(TITLE);
    wait_until("the window's end", PATIENCE, || world.host().window().is_none());
    (world, grant)
}

/// An agent asks, and waits for the answer.
fn ask(world: &World, grant: &str) -> tokio::task::JoinHandle<Answered> {
    let (socket, issuer) = Wire::endpoint(&world.session.data());
    let grant = grant.to_owned();
    tokio::spawn(async move {
        let mut wire = Wire::dial(&socket, &issuer).await.unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let asks = look(&["get_customer"]);
        let task = wire.token(&TestAgent::buddy(), &grant, &asks, 1, i64::try_from(now).unwrap());
        wire.send(&task).await.unwrap()
    })
}

/// Attaches to the approval window, once there is one.
async fn approval(world: &World) -> Page {
    wait_until("the approval window", PATIENCE, || world.host().window().is_some());
    let page = Page::of_window(&world.session, world.host().inspector).await;
    page.find("approval-asks").await;
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_comes_up_without_a_window_and_goes_with_its_answer() {
    let (world, grant) = without_window().await;
    let asked = ask(&world, &grant);
    let page = approval(&world).await;
    page.picture("approval").await;
    page.says("approval-asks", "Budget Buddy asks to").await;
    page.says("approval-purpose", "To see where the money goes").await;
    let focus = "return document.activeElement?.dataset.testid ?? null";
    assert_eq!(page.run(focus).await, json!("approval-deny"));
    page.find_css("[data-testid=approval-once][aria-disabled=false]").await;
    page.click("approval-once").await;
    let answered = asked.await.unwrap();
    assert_eq!(answered.status, 200, "{answered:?}");
    page.find("approval-over-allowed").await;
    drop(page);
    wait_until("the approval window's end", PATIENCE, || world.host().window().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_it_is_a_no() {
    let (world, grant) = without_window().await;
    let asked = ask(&world, &grant);
    let page = approval(&world).await;
    drop(page);
    world.session.close_window(APPROVAL_TITLE);
    let answered = tokio::time::timeout(Duration::from_secs(10), asked).await.expect("at once").unwrap();
    assert_eq!((answered.status, &answered.json()["error"]), (403, &json!("access_denied")), "{answered:?}");
    wait_until("the approval window's end", PATIENCE, || world.host().window().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_page_may_ask_for_nothing_else() {
    let (world, grant) = without_window().await;
    let asked = ask(&world, &grant);
    let page = approval(&world).await;
    let script = "const done = arguments[arguments.length - 1]; const invoke = window.__TAURI_INTERNALS__.invoke; \
        Promise.allSettled([invoke('list_grants', { request: {} }), invoke('stop_agents', { request: {} }), \
        invoke('pending_approval', { request: {} })]).then(all => done(all.map(one => one.status)))";
    let said = page.client.execute_async(script, Vec::new()).await.unwrap();
    assert_eq!(said, json!(["rejected", "rejected", "fulfilled"]));
    page.click("approval-deny").await;
    assert_eq!(asked.await.unwrap().status, 403);
}
