//! The keychain locked, absent, frozen, or without our key.

use std::time::{Duration, Instant};

use support::driver::Page;
use support::session::Session;
use support::world::{World, allow, sign_in};

const BANK: [(&str, &str); 1] = [("sandbox-bank", "Sandbox Bank")];

/// At the bank: everything, from the address on.
async fn finish_at_bank(window: &Page, browser: &Page, url: &str) {
    browser.client.goto(url).await.unwrap();
    sign_in(browser, "ada").await;
    allow(browser).await;
    window.find("ending-connected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_keychain_is_said_before_anything_is_opened() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    world.session.lock_keychain();
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    window.click("go-connect").await;
    window.says("ending-keychain_locked", "Nothing was connected.").await;
    assert_eq!(world.opened(), Vec::<String>::new());
    world.session.unlock_keychain();
    window.click("try-again").await;
    window.find("step-may").await;
    window.click("go-connect").await;
    finish_at_bank(&window, &browser, &world.next_opened(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_while_locked_waits_for_the_keychain_and_then_goes_on() {
    let mut world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    world.connect(&window, &browser, "sandbox-bank", "Budget Buddy").await;
    world.stop_host();
    world.session.lock_keychain();
    world.start_host();
    let window = world.window().await;
    window.find("keychain-locked").await;
    window.find_css("[data-testid^=grant-row-]").await;
    let grants = world.grants(&window).await;
    assert_eq!(grants.len(), 1, "the list is shown while locked");
    world.revoke(&window, &grants[0]).await;
    window.says("bank-told-not_yet", "Waits for your keychain.").await;
    assert_eq!(world.consents(&browser, 0).await.len(), 1, "the bank is not told yet, as is said");
    world.session.unlock_keychain();
    window.find("bank-told-confirmed").await;
    assert_eq!(world.consents(&browser, 0).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keychain_nothing_is_connected() {
    let world = World::with(Session::without_keychain(), &BANK, |_| {});
    let window = world.window().await;
    window.says("keychain-absent", "This computer has no keychain Countersign can use.").await;
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    window.click("go-connect").await;
    window.says("ending-keychain_unavailable", "Nothing was connected.").await;
    assert_eq!(world.opened(), Vec::<String>::new());
    world.nothing_is_left(&window).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_that_hangs_blocks_nothing_else() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    world.session.freeze_keychain(true);
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    let clicked = Instant::now();
    window.click("go-connect").await;
    window.find("ending-keychain_unavailable").await;
    assert!(clicked.elapsed() < Duration::from_secs(15), "{:?}", clicked.elapsed());
    assert_eq!(world.opened(), Vec::<String>::new());
    window.click("nav-agents").await;
    window.click("nav-connections").await;
    window.find("home-sentence").await;

    world.session.freeze_keychain(false);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    finish_at_bank(&window, &browser, &url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keychain_that_hangs_at_the_start_is_said_and_looked_at_again() {
    let session = Session::start();
    session.freeze_keychain(true);
    let world = World::with(session, &BANK, |_| {});
    let window = world.window().await;
    window.says("keychain-blocked", "Your keychain does not answer.").await;
    // Looked at in vain first: with that, what the window read by itself at the start is over.
    window.click("keychain-check").await;
    window.find_css("[data-testid=keychain-check][aria-disabled=true]").await;
    window.find_css("[data-testid=keychain-check][aria-disabled=false]").await;
    window.says("keychain-blocked", "Your keychain does not answer.").await;
    world.session.freeze_keychain(false);
    // The window may have noticed by itself before anybody can click.
    window.click_if_there("keychain-check").await;
    window.gone("keychain-blocked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_never_replaced_while_connections_depend_on_it() {
    const SEALED: &str = "SELECT * FROM sealed ORDER BY grant_id, kind";
    let mut world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    world.connect(&window, &browser, "sandbox-bank", "Budget Buddy").await;
    let (sealed, key) = (world.database().rows(SEALED), world.database().rows("SELECT * FROM kek"));
    assert!(!sealed.is_empty() && !key.is_empty());
    assert_eq!(world.session.keys_in_keychain(), 1, "Countersign keeps one key");
    assert!(world.session.delete_keychain_items() >= 1);

    world.stop_host();
    world.start_host();
    let window = world.window().await;
    window.says("keychain-key_missing", "Your keychain no longer has Countersign's key.").await;
    window.find_css("[data-testid^=grant-row-]").await;
    assert_eq!(world.grants(&window).await.len(), 1);
    let opened = world.opened().len();
    world.choose(&window, "sandbox-bank", "Tax Helper").await;
    window.click("go-connect").await;
    window.says("ending-keychain_key_lost", "Nothing was connected.").await;
    assert_eq!(world.opened().len(), opened);
    assert_eq!(world.database().rows(SEALED), sealed);
    assert_eq!(world.database().rows("SELECT * FROM kek"), key);
    assert_eq!(world.session.keys_in_keychain(), 0, "no new key was made");
}
