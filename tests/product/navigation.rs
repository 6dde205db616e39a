//! The window stays where it is: whatever a page does to go elsewhere, its address never leaves the app's own, and no
//! other window appears. The control is the same page in the same engine, from which every way leads away.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::driver::{PATIENCE, Page};
use support::process::wait_until;
use support::session::Session;
use support::world::{World, allow, sign_in};

use crate::frames::Elsewhere;

/// Every way that a page has to go somewhere, by name.
const WAYS: &str = r#"
const click = (tag, attributes) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    document.body.append(element);
    element.click();
    element.remove();
};
const submit = (method, to, target) => {
    const form = document.createElement('form');
    Object.assign(form, { method, action: to, target });
    document.body.append(form);
    try { form.submit(); } finally { form.remove(); }
};
const ways = {
    'location': to => { location = to; },
    'location.assign': to => location.assign(to),
    'location.replace': to => location.replace(to),
    'top.location': to => { top.location.href = to; },
    'a link': to => click('a', { href: to }),
    'a link to a new window': to => click('a', { href: to, target: '_blank', rel: 'opener' }),
    'a link to a named window': to => click('a', { href: to, target: 'elsewhere' }),
    'a download': to => click('a', { href: to, download: 'x.html' }),
    'window.open': to => { window.open(to); },
    'window.open here': to => { window.open(to, '_self'); },
    'a window without features': to => { window.open(to, '', 'popup,width=90,height=90'); },
    'a form': to => submit('get', to, ''),
    'a form that posts': to => submit('post', to, ''),
    'a form to a new window': to => submit('get', to, '_blank'),
    'a refresh': to => {
        const meta = document.createElement('meta');
        meta.httpEquiv = 'refresh'; meta.content = `0;url=${to}`;
        document.head.append(meta); setTimeout(() => meta.remove(), 5);
    },
    'a base and a relative link': to => {
        const base = document.createElement('base');
        base.href = to; document.head.append(base); click('a', { href: '#next' }); base.remove();
    },
    'a link in a picture': to => {
        const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
        const link = document.createElementNS('http://www.w3.org/2000/svg', 'a');
        link.setAttribute('href', to); svg.append(link); document.body.append(svg);
        link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })); svg.remove();
    },
    'a map': to => {
        const map = document.createElement('map'); map.name = 'm';
        const area = document.createElement('area'); area.href = to; map.append(area);
        document.body.append(map); area.click(); map.remove();
    },
    'history.pushState': to => { try { history.pushState(null, '', to); } catch {} },
};
"#;

/// Ways that leave the window where it is in any engine, and so prove nothing in the control: another origin cannot be
/// pushed, and what is downloaded is not shown.
const NOWHERE: [&str; 2] = ["a download", "history.pushState"];

/// Ways that an engine goes only after a person's click.
const BY_CLICK: [&str; 5] = [
    "a link to a new window",
    "a link to a named window",
    "window.open",
    "a window without features",
    "a form to a new window",
];

/// Takes one way after a click as a person makes it.
async fn after_a_click(page: &Page, way: &str, to: &str) {
    let button = format!(
        "{WAYS}
        const button = document.createElement('button');
        button.id = 'way'; button.textContent = 'way';
        button.addEventListener('click', () => {{ try {{ ways[{way:?}]({to:?}); }} catch {{}} }});
        document.body.prepend(button);
        return true"
    );
    assert_eq!(page.run(&button).await, json!(true));
    page.click_css("#way").await;
    page.run("document.getElementById('way')?.remove(); return true").await;
}

/// Where to, and nothing of it is the app's own page.
fn addresses(port: u16) -> Vec<String> {
    let mut addresses: Vec<String> = [
        "https://evil.example/",
        "http://tauri.localhost.evil.com/",
        "https://tauri.localhost/",
        "http://tauri.localhost/",
        "http://localhost/",
        "https://localhost/index.html",
        "tauri://evil.example/",
        "tauri://localhost.evil.example/",
        "tauri://localhost:8080/",
        "tauri://user@localhost.evil.example/",
        "tauri:evil",
        "ipc://localhost/quit",
        "http://ipc.localhost/quit",
        "asset://localhost/etc/passwd",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "about:blank",
        "about:srcdoc",
        "data:text/html,<script>opener.pwned=1</script>",
        "javascript:void(window.pwned=1)",
        "view-source:https://evil.example/",
        "countersign://connect?issuer=evil",
        "mailto:a@evil.example",
        "tel:112",
        "smb://evil.example/share",
        "ftp://evil.example/",
        "ws://evil.example/",
        "intent://evil.example/#Intent;end",
        "x-scheme-nobody-has:x",
        "//evil.example/",
        "inspector:///Main.html",
        "resource:///org/gtk/libgtk/",
        "webkit://gpu",
    ]
    .map(str::to_owned)
    .into();
    addresses.push(format!("http://127.0.0.1:{port}/away"));
    addresses.push(format!("http://[::ffff:127.0.0.1]:{port}/away"));
    addresses
}

/// Takes every way to one address, with a moment after each, and says what has become of the page.
async fn every_way(window: &Page, to: &str) -> Value {
    let script = format!(
        "{WAYS}
        const [to, done] = [arguments[0], arguments[arguments.length - 1]];
        (async () => {{
            for (const way of Object.values(ways)) {{
                try {{ way(to); }} catch {{}}
                await new Promise(resolve => setTimeout(resolve, 5));
            }}
            done({{ marker: window.marker, pwned: window.pwned ?? null, address: location.href.split(/[?#]/)[0] }});
        }})();"
    );
    let ran = window.client.execute_async(&script, vec![json!(to)]);
    match tokio::time::timeout(PATIENCE, ran).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => json!(format!("the page is gone: {error}")),
        Err(_) => json!("the page does not answer"),
    }
}

/// How many windows the screen shows that belong to this process.
fn windows_of(session: &Session, pid: u32) -> usize {
    let found = Command::new("xdotool")
        .args(["search", "--onlyvisible", "--pid", &pid.to_string()])
        .envs(session.environment())
        .output()
        .expect("xdotool");
    String::from_utf8_lossy(&found.stdout).lines().count()
}

/// How often the window's program has refused to go away from the app.
fn refusals(session: &Session) -> usize {
    let log = std::fs::read(session.dir().join("stderr.log")).unwrap_or_default();
    String::from_utf8_lossy(&log).matches("a navigation away from the app was refused").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_stays_on_the_apps_own_pages() {
    let elsewhere = Elsewhere::start();
    let world = World::with(Session::start(), &[], |_| {});
    let window = world.window().await;
    let pid = world.host().window().unwrap();
    wait_until("one window", PATIENCE, || windows_of(&world.session, pid) == 1);
    window.run("window.marker = 'the same page'; return true").await;
    let here = window.run("return location.href.split(/[?#]/)[0]").await;
    assert!(
        ["tauri://localhost", "tauri://localhost/", "tauri://localhost/index.html"]
            .contains(&here.as_str().unwrap()),
        "{here}"
    );

    let mut wrong = Vec::new();
    for to in addresses(elsewhere.port) {
        let before = refusals(&world.session);
        let found = every_way(&window, &to).await;
        let still = json!({ "marker": "the same page", "pwned": null, "address": here });
        if found != still {
            wrong.push(format!("{to}: {found}"));
        }
        // What an engine asks about at all is refused by the program, not by chance.
        if to.starts_with("http") && refusals(&world.session) == before {
            wrong.push(format!("{to}: nobody was asked"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let away = format!("http://127.0.0.1:{}/away", elsewhere.port);
    for to in [away.as_str(), "about:blank", "tauri://localhost/index.html"] {
        for way in BY_CLICK {
            after_a_click(&window, way, to).await;
        }
    }
    assert_eq!(window.run("return window.marker").await, json!("the same page"));
    assert_eq!(elsewhere.asked(), Vec::<String>::new(), "nothing was fetched");
    assert_eq!(windows_of(&world.session, pid), 1, "no other window");
    assert_eq!(window.client.windows().await.unwrap().len(), 1);
    assert_eq!(world.host().window(), Some(pid));
    window.run("history.go(-1); history.go(1); return true").await;
    window.find("home-sentence").await;

    // The control: the app's own page may be loaded again, and then the mark is gone.
    window.run("location.href = 'index.html?again'; return true").await;
    let begin = Instant::now();
    while window.run("return window.marker ?? null").await != Value::Null {
        assert!(begin.elapsed() < PATIENCE, "the mark stays on a page that was loaded anew");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The control of the test above: in the same engine, without our program around it, every way leads away.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_refusal_every_way_leads_elsewhere() {
    let elsewhere = Elsewhere::start();
    let session = Session::without_keychain();
    let page = Page::of_engine(&session).await;
    let home = format!("http://127.0.0.1:{}/", elsewhere.port);
    page.client.goto(&home).await.unwrap();
    let names = page.run(&format!("{WAYS} return Object.keys(ways)")).await;
    let names: Vec<String> =
        names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert!(names.len() >= 19, "{names:?}");
    let mut nowhere = Vec::new();
    for (n, name) in names.iter().enumerate().filter(|(_, name)| !NOWHERE.contains(&name.as_str())) {
        page.client.goto(&home).await.unwrap();
        let to = format!("{home}away/{n}/");
        if BY_CLICK.contains(&name.as_str()) {
            after_a_click(&page, name, &to).await;
        } else {
            page.run(&format!("{WAYS} ways[{name:?}]({to:?}); return true")).await;
        }
        let begin = Instant::now();
        let arrived = || elsewhere.asked().iter().any(|target| target.starts_with(&format!("/away/{n}/")));
        while !arrived() && begin.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if !arrived() {
            nowhere.push(name.clone());
        }
    }
    assert_eq!(nowhere, Vec::<String>::new());
}

/// R8252-01: the person signs in in the browser they know, and the window never goes to the bank.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_connection_makes_the_window_go_nowhere() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    the_page_opens_nothing(&world, &window).await;
    window.run("window.marker = 'the same page'; return true").await;
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    allow(&browser).await;
    window.find("ending-connected").await;
    window.click("done").await;
    window.find("home-sentence").await;
    assert_eq!(world.opened(), std::slice::from_ref(&url), "the browser was opened once");
    assert_eq!(refusals(&world.session), 0, "the window did not even try");
    assert_eq!(window.run("return window.marker").await, json!("the same page"));
    let seen = window.run("return performance.getEntries().map(e => e.name)").await;
    let seen: Vec<&str> = seen.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let ours = |name: &&str| name.starts_with("tauri://localhost") || name.starts_with("ipc://localhost");
    let foreign: Vec<&&str> = seen.iter().filter(|name| name.contains("://") && !ours(name)).collect();
    assert_eq!(foreign, Vec::<&&str>::new(), "of {seen:?}");
    assert!(seen.iter().any(ours), "what the page fetches is seen");
    // The control: the one address that must not be gone to is one that is refused.
    window.run(&format!("location.href = {url:?}; return true")).await;
    wait_until("the refusal", PATIENCE, || refusals(&world.session) == 1);
}

/// OPEN-04: what opens addresses is in Rust; a page that is taken over has no way to it.
async fn the_page_opens_nothing(world: &World, window: &Page) {
    let ask = "const done = arguments[arguments.length - 1]; \
        window.__TAURI_INTERNALS__.invoke(arguments[0], arguments[1]).then(a => done({ answer: a }), e => done({ error: String(e) }))";
    for address in ["file:///etc/passwd", "https://evil.test/", "javascript:1", &world.banks[0].issuer] {
        for (command, payload) in [
            ("plugin:opener|open_url", json!({ "url": address, "with": null })),
            ("plugin:opener|open_path", json!({ "path": address, "with": null })),
            ("plugin:opener|reveal_item_in_dir", json!({ "paths": [address] })),
            ("plugin:shell|open", json!({ "path": address, "with": null })),
            ("plugin:shell|execute", json!({ "program": "xdg-open", "args": [address], "options": {} })),
            ("plugin:shell|spawn", json!({ "program": "xdg-open", "args": [address], "options": {} })),
            ("open", json!({ "request": { "url": address } })),
            ("open_url", json!({ "request": { "url": address } })),
            ("open_again", json!({ "request": { "attempt": address } })),
            ("copy_link", json!({ "request": { "attempt": address } })),
        ] {
            let said = window.client.execute_async(ask, vec![json!(command), payload]).await.unwrap();
            assert!(said["error"].is_string(), "{command} {address}: {said}");
        }
    }
    assert_eq!(world.opened(), Vec::<String>::new());
}
