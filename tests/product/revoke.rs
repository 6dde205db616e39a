//! Revoking: cut off here at once, then the bank, however long that takes and whatever happens to the host.

use support::driver::Page;
use support::session::Session;
use support::world::World;

const BANK: [(&str, &str); 1] = [("sandbox-bank", "Sandbox Bank")];

/// A world with one connection; the window shows the list.
async fn connected(world: &World) -> (Page, Page, String) {
    let (window, browser) = (world.window().await, world.browser().await);
    world.connect(&window, &browser, "sandbox-bank", "Budget Buddy").await;
    window.click("done").await;
    window.find_css("[data-testid^=grant-row-]").await;
    let grants = world.grants(&window).await;
    assert_eq!(grants.len(), 1);
    (window, browser, grants[0].clone())
}

/// The history tab, with its one connection.
async fn history(world: &World, window: &Page, grant: &str) {
    window.click("nav-connections").await;
    window.click("tab-history").await;
    window.find(&format!("grant-row-{grant}")).await;
    assert_eq!(world.grants(window).await, [grant]);
}

/// Whether a text holds a time of day.
fn has_time(text: &str) -> bool {
    let is_time =
        |w: &[u8]| matches!(w, [a, b, b':', c, d] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()));
    text.as_bytes().windows(5).any(is_time)
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_says_what_it_does_and_then_what_is_done() {
    let world = World::start();
    let (window, browser, grant) = connected(&world).await;
    assert_eq!(world.consents(&browser, 0).await.len(), 1);

    window.click("revoke-row").await;
    let dialog = window.text("revoke-dialog").await;
    for words in [
        "Revoke Budget Buddy at Sandbox Bank",
        "Budget Buddy stops right away.",
        "Sandbox Bank is told.",
        "Budget Buddy may keep what it has already seen.",
    ] {
        assert!(dialog.contains(words), "{words:?} is not in:\n{dialog}");
    }
    window.click("revoke-keep").await;
    window.gone("revoke-dialog").await;
    assert_eq!(world.database().left()["outbox"], 0, "nothing was asked for yet");

    world.revoke(&window, &grant).await;
    let cut_off = window.text("cut-off").await;
    assert!(cut_off.starts_with("Cut off here at") && has_time(&cut_off), "{cut_off}");
    let told = window.text("bank-told-confirmed").await;
    assert!(told.starts_with("Sandbox Bank confirmed at") && has_time(&told), "{told}");

    assert_eq!(world.consents(&browser, 0).await, Vec::<String>::new());
    history(&world, &window, &grant).await;
    window.find("cut-off").await;
    window.find("bank-told-confirmed").await;
    let left = world.database().left();
    assert_eq!(
        (left["grants"], left["sealed"], left["outbox"]),
        (1, 0, 0),
        "the access is gone from the disk too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_is_down_is_told_when_it_is_up_again() {
    let mut world = World::with(Session::start(), &BANK, |host| host.clock = Some("speed=10".into()));
    let (window, browser, grant) = connected(&world).await;
    world.banks[0].down();
    world.revoke(&window, &grant).await;
    window.says("bank-told-not_yet", "Sandbox Bank has not answered yet; we keep trying.").await;
    window.says("bank-told-not_yet", "Next try").await;

    world.stop_host();
    world.start_host();
    let window = world.window().await;
    window.find(&format!("attention-untold-{grant}")).await;
    history(&world, &window, &grant).await;
    window.find("cut-off").await;
    window.find("bank-told-not_yet").await;

    world.banks[0].up();
    window.find("bank-told-confirmed").await;
    assert_eq!(world.consents(&browser, 0).await, Vec::<String>::new());
    assert_eq!(world.database().left()["outbox"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_killed_after_revoking_goes_on_telling_the_bank() {
    let mut world = World::start();
    let (window, browser, grant) = connected(&world).await;
    assert_eq!(world.consents(&browser, 0).await.len(), 1, "the bank can tell");
    world.banks[0].down();
    world.revoke(&window, &grant).await;
    world.kill_host();
    let left = world.database().left();
    assert_eq!((left["sealed"] > 0, left["outbox"]), (true, 1), "the bank is still to be told");

    world.start_host();
    let window = world.window().await;
    assert_eq!(world.grants(&window).await, Vec::<String>::new(), "it does not come back");
    history(&world, &window, &grant).await;
    window.find("cut-off").await;
    window.find("bank-told-not_yet").await;
    world.banks[0].up();
    window.find("bank-told-confirmed").await;
    assert_eq!(world.consents(&browser, 0).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_on_the_bank_says_what_stays_true() {
    let mut world = World::start();
    let (window, browser, grant) = connected(&world).await;
    world.banks[0].down();
    world.revoke(&window, &grant).await;
    window.find("bank-told-not_yet").await;
    window.click("stop-telling").await;
    let dialog = window.text("stop-telling-dialog").await;
    for words in [
        "Sandbox Bank may go on believing that the access is allowed.",
        "Countersign can't tell it later.",
        "The agent stays cut off here.",
    ] {
        assert!(dialog.contains(words), "{words:?} is not in:\n{dialog}");
    }
    window.click("stop-telling-confirm").await;
    window.says("bank-told-given_up", "You stopped telling Sandbox Bank at").await;
    window.says("bank-told-given_up", "Sandbox Bank has not confirmed.").await;
    window.says("bank-help", "/connected-apps").await;
    let left = world.database().left();
    assert_eq!((left["sealed"], left["outbox"]), (0, 0), "nothing is kept that could be used later");
    world.banks[0].up();
    assert_eq!(world.consents(&browser, 0).await.len(), 1, "as was said");
}
