//! The main job, with a picture of each step.

use support::world::{World, allow, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_connected_used_shown_and_revoked() {
    let world = World::start();
    let window = world.window().await;
    window.picture("01-empty").await;
    let browser = world.browser().await;

    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    window.find("step-at_bank").await;
    window.picture("02-at-bank").await;
    browser.client.goto(&url).await.unwrap();
    browser.picture("03-sign-in").await;
    sign_in(&browser, "ada").await;
    browser.find_css("#allow").await;
    browser.picture("04-consent").await;
    allow(&browser).await;

    window.find("ending-connected").await;
    window.picture("05-connected").await;
    assert!(browser.body().await.contains("Done. You can close this tab and go back to Countersign."));
    browser.picture("06-answer-page").await;

    window.click("done").await;
    let grants = world.grants(&window).await;
    assert_eq!(grants.len(), 1);
    window.picture("07-list").await;
    window.click(&format!("open-{}", grants[0])).await;
    window.find("connection-page").await;
    window.picture("08-connection").await;

    let summed = world.sample_agent();
    assert!(summed.status.success(), "{}", String::from_utf8_lossy(&summed.stderr));
    let summed = String::from_utf8_lossy(&summed.stdout).into_owned();
    assert!(summed.contains("Total spent") && summed.contains(" USD"), "{summed}");
    println!("What the agent made of it:\n{summed}");

    window.click("revoke").await;
    window.picture("09-revoke").await;
    window.click("revoke-confirm").await;
    window.find("cut-off").await;
    window.find("bank-told-confirmed").await;
    window.picture("10-revoked").await;
    assert!(!world.sample_agent().status.success(), "and the agent gets nothing any more");
}
