//! The window process: killed, closed, and asked for again.

use std::time::{Duration, Instant};

use support::driver::PATIENCE;
use support::host::Host;
use support::observe::listening;
use support::process::{signal, wait_until};
use support::world::{World, allow, sign_in};

/// A window process other than this one, once there is one.
fn next_window(world: &World, before: u32) -> u32 {
    let mut now = None;
    wait_until("a fresh window", PATIENCE, || {
        now = world.host().window().filter(|pid| *pid != before);
        now.is_some()
    });
    now.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_killed_while_waiting_comes_back_and_goes_on() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    window.find("step-at_bank").await;
    let reference = window.text("attempt-reference").await;
    let before = world.host().window().unwrap();
    signal(before, "KILL");
    drop(window);
    next_window(&world, before);

    let window = world.window().await;
    window.find("needs-attention").await;
    let waiting = window.testids("continue-").await;
    assert_eq!(waiting.len(), 1);
    window.click(&waiting[0]).await;
    window.find("step-at_bank").await;
    let again = window.text("attempt-reference").await;
    assert_eq!(again[3..6], reference[3..6], "{again} and {reference} are of one attempt");
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    allow(&browser).await;
    window.find("ending-connected").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_arrives_while_there_is_no_window_is_taken() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    window.find("step-at_bank").await;
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    browser.find_css("#allow").await;
    drop(window);
    // A window that keeps dying is not started for ever: from then on there is none.
    let mut last = Instant::now();
    let mut killed = 0;
    while last.elapsed() < Duration::from_secs(4) {
        if let Some(window) = world.host().window() {
            signal(window, "KILL");
            wait_until("its end", PATIENCE, || world.host().window() != Some(window));
            killed += 1;
            last = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(killed > 1, "it is started again at first");
    allow(&browser).await;
    let database = world.database();
    wait_until("the connection", PATIENCE, || database.endings() == ["connected"]);
    assert_eq!(world.host().window(), None, "there was no window all the time");
    assert!(browser.body().await.contains("Done."));

    assert_eq!(Host::start_second(&world.session), Some(0));
    wait_until("the window", PATIENCE, || world.host().window().is_some());
    let window = world.window().await;
    window.find_css("[data-testid^=grant-row-]").await;
    assert_eq!(world.grants(&window).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_ends_its_process_and_leaves_the_host() {
    let world = World::start();
    let window = world.window().await;
    window.says("no-tray", "Closing the window hides Countersign").await;
    let (host, before) = (world.host().running.pid(), world.host().window().unwrap());
    let webview = world.session.data().join("webview");
    assert!(webview.exists());
    drop(window);
    world.session.close_window("Countersign");
    wait_until("the window's end", PATIENCE, || world.host().window().is_none());
    // The tray finds no place on this desktop and ends too.
    wait_until("the tray's end", PATIENCE, || world.host().tray().is_none() && !webview.exists());
    assert!(support::process::command_line(host).contains("countersignd"), "the host lives");

    let asked = Instant::now();
    assert_eq!(Host::start_second(&world.session), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_ne!(next_window(&world, before), before);
    let window = world.window().await;
    window.find("empty").await;
    assert_eq!(listening(host), Vec::<u16>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_while_the_window_is_closed_is_shown_when_it_is_back() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    let before = world.host().window().unwrap();
    drop(window);
    world.session.close_window("Countersign");
    wait_until("the window's end", PATIENCE, || world.host().window().is_none());
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    allow(&browser).await;
    let database = world.database();
    wait_until("the connection", PATIENCE, || database.endings() == ["connected"]);
    assert_eq!(Host::start_second(&world.session), Some(0));
    next_window(&world, before);
    let window = world.window().await;
    window.find_css("[data-testid^=grant-row-]").await;
    assert_eq!(world.grants(&window).await.len(), 1);
}
