//! Connect Account to an end that is no connection, to one that allows less, and to the second try.

use std::time::Duration;

use support::driver::{PATIENCE, Page};
use support::host::failing_opener;
use support::observe::is_refused;
use support::process::wait_until;
use support::session::Session;
use support::world::{World, allow, sign_in};

const BANK: [(&str, &str); 1] = [("sandbox-bank", "Sandbox Bank")];
const NOTHING: &str = "Nothing was connected.";

/// In the browser: up to the page where the bank asks.
async fn up_to_consent(browser: &Page, url: &str) {
    browser.client.goto(url).await.unwrap();
    sign_in(browser, "ada").await;
    browser.find_css("#allow").await;
}

/// In the browser: allows at the bank when nobody waits any more.
async fn allow_in_vain(browser: &Page) {
    allow(browser).await;
    wait_for_text(browser, "ERR_CONNECTION_REFUSED").await;
}

async fn wait_for_text(page: &Page, text: &str) {
    let start = std::time::Instant::now();
    while !page.body().await.contains(text) {
        assert!(start.elapsed() < PATIENCE, "no {text:?}:\n{}", page.body().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn declining_at_the_bank_connects_nothing() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    up_to_consent(&browser, &url).await;
    browser.click_css("#decline").await;
    window.says("ending-declined", NOTHING).await;
    wait_for_text(&browser, "Not connected. Go back to Countersign to see why.").await;
    world.nothing_is_left(&window).await;
    assert_eq!(world.database().endings(), ["declined"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_while_the_person_is_at_the_bank_closes_the_port_at_once() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    up_to_consent(&browser, &url).await;
    let port = world.port();
    window.click("cancel-attempt").await;
    wait_until("a refused connection", Duration::from_secs(1), || is_refused(port));
    window.says("ending-cancelled", NOTHING).await;
    allow_in_vain(&browser).await;
    world.nothing_is_left(&window).await;
    assert_eq!(world.database().endings(), ["cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_right_after_the_click_leaves_nothing() {
    let world = World::start();
    let window = world.window().await;
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    let script = "const by = id => document.querySelector(`[data-testid=\"${id}\"]`);
        by('go-connect').click();
        const again = setInterval(() => {
            const cancel = by('cancel-attempt');
            if (cancel && cancel.getAttribute('aria-disabled') !== 'true') cancel.click();
            if (by('ending-cancelled')) clearInterval(again);
        }, 1);
        return true";
    assert_eq!(window.run(script).await, true);
    window.says("ending-cancelled", NOTHING).await;
    world.nothing_is_left(&window).await;
    assert_eq!(world.database().endings(), ["cancelled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_nobody_finishes_times_out() {
    let world = World::with(Session::start(), &BANK, |host| host.clock = Some("speed=60".into()));
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    let port = world.port();
    window.says("ending-timed_out", NOTHING).await;
    assert!(is_refused(port));
    up_to_consent(&browser, &url).await;
    allow_in_vain(&browser).await;
    world.nothing_is_left(&window).await;
    assert_eq!(world.database().endings(), ["timed_out"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_down_is_said_and_can_be_tried_again() {
    let mut world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    world.banks[0].down();
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    window.click("go-connect").await;
    window.says("ending-bank_unreachable", NOTHING).await;
    assert_eq!(world.opened(), Vec::<String>::new());
    world.banks[0].up();
    window.click("try-again").await;
    window.find("step-may").await;
    window.click("go-connect").await;
    up_to_consent(&browser, &world.next_opened(0)).await;
    allow(&browser).await;
    window.find("ending-connected").await;
    assert_eq!(world.database().endings(), ["bank_unreachable", "connected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_browser_opens_the_link_can_be_copied() {
    let session = Session::start();
    let opener = failing_opener(session.dir());
    let world = World::with(session, &BANK, |host| host.opener = Some(opener));
    let (window, browser) = (world.window().await, world.browser().await);
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    window.click("go-connect").await;
    window.says("browser-failed", "Your browser did not open.").await;
    window.click("copy-link").await;
    window.says("link-copied", "Link copied.").await;
    let url = world.session.clipboard();
    assert!(url.starts_with(&world.banks[0].issuer), "{url}");
    assert!(!window.run("return document.documentElement.outerHTML").await.as_str().unwrap().contains(&url));
    up_to_consent(&browser, &url).await;
    allow(&browser).await;
    window.find("ending-connected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_allowed_at_the_bank_is_named() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    up_to_consent(&browser, &url).await;
    browser.click_css("[name=scope][value=\"fdx:transactions:read\"]").await;
    allow(&browser).await;
    window.find("ending-connected").await;
    window.says("missing", "It can't see your transactions.").await;
    window.click("see-connection").await;
    window.says("connection-cannot", "see your transactions").await;
    assert!(!window.text("connection-can").await.contains("transactions"));
    window.click("back").await;
    let grants = world.grants(&window).await;
    let row = window.text(&format!("grant-row-{}", grants[0])).await;
    assert!(row.contains("balances") && !row.contains("transactions"), "{row}");
}
