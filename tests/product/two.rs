//! Two banks, two agents: nothing that belongs to one reaches the other.

use std::time::{Duration, Instant};

use support::driver::{PATIENCE, Page};
use support::observe::get;
use support::session::Session;
use support::world::{World, allow, sign_in};
use url::Url;

/// In the browser: allows at the bank, and gives the answer that was not delivered.
async fn held_answer(browser: &Page, url: &str) -> Url {
    browser.client.goto(url).await.unwrap();
    sign_in(browser, "ada").await;
    allow(browser).await;
    Url::parse(&browser.held_callback().await).unwrap()
}

/// The answer of one attempt, sent to where the other waits.
fn crossed(answer: &Url, to: &Url) -> String {
    let mut crossed = to.clone();
    crossed.set_query(answer.query());
    crossed.into()
}

/// The row of an agent in the list, once it is there.
async fn row_of(world: &World, window: &Page, agent: &str) -> (String, String) {
    let start = Instant::now();
    loop {
        for grant in world.grants(window).await {
            let text = window.text(&format!("grant-row-{grant}")).await;
            if text.contains(agent) {
                return (grant, text);
            }
        }
        assert!(start.elapsed() < PATIENCE, "no row of {agent}:\n{}", window.body().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_two_banks_that_are_crossed_do_nothing() {
    let banks = [("sandbox-bank", "Sandbox Bank"), ("second-bank", "Second Bank")];
    let world = World::with(Session::start(), &banks, |_| {});
    let (window, browser) = (world.window().await, world.browser().await);
    let holding = Page::of_browser_that_holds(&world.session, &world.banks).await;
    let first = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    window.find("step-at_bank").await;
    window.click("leave-connect").await;
    let second = world.go_to_bank(&window, "second-bank", "Tax Helper").await;
    window.find("step-at_bank").await;

    let first = held_answer(&holding, &first).await;
    let second = held_answer(&holding, &second).await;
    assert_ne!(first.port(), second.port());
    for url in [crossed(&first, &second), crossed(&second, &first)] {
        let (status, page) = get(&url).expect("somebody listens");
        assert_eq!(status, 400);
        assert!(page.contains("This is not an answer that Countersign waits for."), "{page}");
    }
    assert_eq!(world.database().endings(), ["", ""], "both wait on");
    assert_eq!(world.database().left()["grants"], 0);

    for answer in [&second, &first] {
        browser.client.goto(answer.as_str()).await.unwrap();
        assert!(browser.body().await.contains("Done."), "{}", browser.body().await);
    }
    window.find("ending-connected").await;
    window.click("done").await;
    let (mine, text) = row_of(&world, &window, "Budget Buddy").await;
    assert!(text.contains("Sandbox Bank") && !text.contains("Second"), "{text}");
    let (other, text) = row_of(&world, &window, "Tax Helper").await;
    assert!(text.contains("Second Bank") && !text.contains("Sandbox"), "{text}");
    assert_ne!(mine, other);
    assert_eq!(world.consents(&browser, 0).await.len(), 1);
    assert_eq!(world.consents(&browser, 1).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_one_agent_leaves_the_other_at_the_same_bank() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    for agent in ["Budget Buddy", "Tax Helper"] {
        world.connect(&window, &browser, "sandbox-bank", agent).await;
        window.click("done").await;
        window.find("home-sentence").await;
    }
    let before = world.consents(&browser, 0).await;
    assert_eq!(before.len(), 2, "each agent has a consent of its own");
    let (kept, _) = row_of(&world, &window, "Tax Helper").await;
    let (revoked, _) = row_of(&world, &window, "Budget Buddy").await;
    world.revoke(&window, &revoked).await;
    window.find("bank-told-confirmed").await;

    let after = world.consents(&browser, 0).await;
    assert_eq!(after.len(), 1);
    assert!(before.contains(&after[0]));
    window.click("nav-connections").await;
    window.find("tab-current").await;
    window.click("tab-current").await;
    window.find(&format!("grant-row-{kept}")).await;
    assert_eq!(world.grants(&window).await, [kept.as_str()]);
    let query = format!("SELECT CAST(kind AS TEXT) FROM sealed WHERE grant_id = '{kept}'");
    assert!(!world.database().texts(&query).is_empty(), "its access is kept");

    // And it can be ended too: the bank still knows it.
    world.revoke(&window, &kept).await;
    window.find("bank-told-confirmed").await;
    assert_eq!(world.consents(&browser, 0).await, Vec::<String>::new());
}
