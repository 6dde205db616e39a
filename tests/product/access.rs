//! The window for everyone: axe in the real engine, the keyboard alone, and the content security policy.

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;
use serde_json::json;
use support::driver::Page;
use support::process::root;
use support::world::{World, allow, sign_in};

/// Runs axe on what the window shows now, and expects no fault.
async fn no_faults(window: &Page, what: &str) {
    let loaded = window.run("return typeof axe !== 'undefined'").await;
    if loaded != json!(true) {
        let axe = std::fs::read_to_string(root().join("ui/node_modules/axe-core/axe.min.js")).unwrap();
        window.client.execute(&format!("{axe}; window.axe = axe;"), vec![]).await.unwrap();
    }
    let script = "const done = arguments[arguments.length - 1];
        axe.run(document).then(
            r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))),
            e => done(['axe failed: ' + e]));";
    let faults = window.client.execute_async(script, vec![]).await.unwrap();
    assert_eq!(faults, json!([]), "{what}");
    let styled = window.run("return document.querySelectorAll('[style]').length").await;
    assert_eq!(styled, json!(0), "{what}: inline styles");
}

async fn watch_policy(window: &Page) {
    let script = "window.broken = []; document.addEventListener('securitypolicyviolation',
        e => window.broken.push(e.violatedDirective + ' ' + e.blockedURI)); return true";
    window.run(script).await;
}

async fn policy_held(window: &Page) {
    assert_eq!(window.run("return window.broken").await, json!([]));
    // The control: the policy is in force, and a breach of it is seen.
    window.run("const e = document.createElement('p'); e.setAttribute('style', 'color: red'); document.body.append(e); e.remove()").await;
    for _ in 0..100 {
        if window.run("return window.broken.length").await != json!(0) {
            return;
        }
    }
    panic!("an inline style broke no policy");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_view_has_an_accessibility_fault_or_breaks_the_policy() {
    let world = World::start();
    let window = world.window().await;
    watch_policy(&window).await;
    no_faults(&window, "empty").await;
    window.click("connect-account").await;
    window.find("step-bank").await;
    no_faults(&window, "step 1").await;
    window.click("leave-connect").await;
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    no_faults(&window, "step 2").await;
    window.click("go-connect").await;
    let url = world.next_opened(0);
    window.find("step-at_bank").await;
    no_faults(&window, "step 3").await;
    let browser = world.browser().await;
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    allow(&browser).await;
    window.find("ending-connected").await;
    no_faults(&window, "connected").await;
    window.click("done").await;
    let grant = world.grants(&window).await[0].clone();
    no_faults(&window, "list").await;
    window.click(&format!("open-{grant}")).await;
    window.find("connection-page").await;
    no_faults(&window, "connection").await;
    window.click("revoke").await;
    window.find("revoke-confirm").await;
    no_faults(&window, "revoke").await;
    window.click("revoke-confirm").await;
    window.find("bank-told-confirmed").await;
    no_faults(&window, "revoked").await;
    window.click("nav-agents").await;
    window.find("add-agent-name").await;
    no_faults(&window, "agents").await;
    policy_held(&window).await;
}

async fn press(window: &Page, key: Key) {
    let keys = KeyActions::new("keys".into());
    let keys = keys.then(KeyAction::Down { value: key.into() }).then(KeyAction::Up { value: key.into() });
    window.client.perform_actions(keys).await.unwrap();
}

/// Tabs until this has the focus, which must be visible.
async fn tab_to(window: &Page, testid: &str) {
    for _ in 0..80 {
        let focused = window.run("return document.activeElement?.dataset?.testid ?? ''").await;
        if focused == testid {
            let ring = "const s = getComputedStyle(document.activeElement);
                const near = getComputedStyle(document.activeElement.parentElement);
                return s.outlineStyle !== 'none' || s.boxShadow !== 'none' || near.outlineStyle !== 'none' || near.boxShadow !== 'none'";
            assert_eq!(window.run(ring).await, json!(true), "{testid} has the focus and does not show it");
            return;
        }
        press(window, Key::Tab).await;
    }
    panic!("{testid} cannot be reached by Tab:\n{}", window.body().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_connects_and_revokes() {
    let world = World::start();
    let window = world.window().await;
    tab_to(&window, "connect-account").await;
    press(&window, Key::Enter).await;
    window.find("step-bank").await;
    tab_to(&window, "bank-sandbox-bank").await;
    press(&window, Key::Enter).await;
    window.find("step-may").await;
    let agent = window.testids("agent-").await.first().expect("an agent").clone();
    tab_to(&window, &agent).await;
    press(&window, Key::Space).await;
    tab_to(&window, "go-connect").await;
    press(&window, Key::Enter).await;
    let url = world.next_opened(0);
    window.find("step-at_bank").await;
    let browser = world.browser().await;
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    allow(&browser).await;
    window.find("ending-connected").await;
    tab_to(&window, "done").await;
    press(&window, Key::Enter).await;
    window.find("home-sentence").await;
    tab_to(&window, "revoke-row").await;
    press(&window, Key::Enter).await;
    window.find("revoke-confirm").await;
    // Nothing happens to whoever only presses Enter again: the way back has the focus.
    let focused = window.run("return document.activeElement?.dataset?.testid ?? ''").await;
    assert_eq!(focused, json!("revoke-keep"));
    tab_to(&window, "revoke-confirm").await;
    press(&window, Key::Enter).await;
    window.find("bank-told-confirmed").await;
}
