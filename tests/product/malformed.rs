//! What a page could send to the window's program if it were taken over: every command with every wrong shape, raw
//! messages, floods. Each gets an error; nothing panics, nothing hangs, and the window goes on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::driver::Page;
use support::session::Session;
use support::world::World;

use crate::frames::{invoke, request_of};

/// Asks with payloads as they are, one after the other, and says how each ended.
const ASK: &str = r"
    const [asked, done] = [arguments[0], arguments[arguments.length - 1]];
    const special = {
        undefined, bytes: new Uint8Array([123, 125]), buffer: new ArrayBuffer(4), date: new Date(0), map: new Map([['x', 1]]),
        set: new Set([1]), function: () => 1, symbol: Symbol('x'), big: 10n ** 30n, nan: NaN,
        loop: (() => { const o = {}; o.o = o; return o; })(), throws: { get request() { throw new Error('x'); } },
        class: new (class Request { request = {}; })(), array: [{}],
    };
    (async () => {
        const ended = [];
        for (const { command, payload, special: name } of asked) {
            const given = name === undefined ? payload : special[name];
            let how;
            try {
                const asking = window.__TAURI_INTERNALS__.invoke(command, given);
                const late = new Promise(resolve => setTimeout(() => resolve('late'), 5000));
                how = await Promise.race([asking.then(answer => ({ answer }), error => ({ error: String(error.code ?? error) })), late]);
            } catch (error) { how = { thrown: error.name }; }
            ended.push(how);
        }
        done(ended);
    })();";

/// The shapes that no command has. An object that holds a request of the right shape is not among them.
fn wrong_payloads() -> Vec<Value> {
    let wrong = [
        json!(null),
        json!(true),
        json!(0),
        json!("x"),
        json!([]),
        json!({}),
        json!({ "request": null }),
        json!({ "request": true }),
        json!({ "request": 7 }),
        json!({ "request": "{}" }),
        json!({ "request": [] }),
        json!({ "request": [{}] }),
        json!({ "request": { "x": 1 } }),
        json!({ "request": { "request": {} } }),
        json!({ "request": { "__proto__x": {} } }),
        json!({ "Request": {} }),
        json!({ "requests": {} }),
        json!({ "request": { "attempt": 7 } }),
        json!({ "request": { "grant": [] } }),
        json!({ "request": { "grant": "x", "attempt": "x" } }),
        json!({ "request": { "name": null, "key": null } }),
        json!({ "request": { "provider": {}, "agent": {}, "permissions": {}, "until": {} } }),
        json!({ "request": { "provider": "x", "agent": "x", "permissions": [[[]]], "until": 1 } }),
        json!({ "request": { "provider": "x", "agent": "x", "permissions": [], "until": 1.5 } }),
        json!({ "request": { "provider": "x", "agent": "x", "permissions": [], "until": 1e300 } }),
    ];
    wrong.into_iter().map(|payload| json!({ "payload": payload })).collect()
}

const SPECIAL: [&str; 13] = [
    "undefined",
    "bytes",
    "buffer",
    "date",
    "map",
    "set",
    "function",
    "symbol",
    "nan",
    "loop",
    "throws",
    "big",
    "array",
];

/// Names that no command has, and those of Tauri's own that are not allowed.
const NO_COMMANDS: [&str; 22] = [
    "",
    " ",
    "nope",
    "APP_STATE",
    "app_state ",
    "app-state",
    "../quit",
    "/window/quit",
    "hello",
    "closed",
    "refresh_token",
    "export_key",
    "plugin:shell|open",
    "plugin:opener|open_url",
    "plugin:fs|read_text_file",
    "plugin:http|fetch",
    "plugin:window|create",
    "plugin:webview|create_webview_window",
    "plugin:app|version",
    "plugin:event|emit",
    "plugin:",
    "plugin:|",
];

async fn ask(window: &Page, asked: Vec<Value>) -> Vec<Value> {
    let ran = window.client.execute_async(ASK, vec![json!(asked)]);
    let ran = tokio::time::timeout(Duration::from_secs(60), ran).await.expect("in time");
    ran.unwrap_or_else(|err| panic!("{err}")).as_array().expect("a list").clone()
}

/// The same two processes still serve, and nothing has changed.
async fn all_is_as_before(world: &World, window: &Page, before: (u32, Option<u32>)) {
    assert_eq!((world.host().running.pid(), world.host().window()), before, "the same host and window");
    let begin = Instant::now();
    let state = invoke(window, "app_state", json!({})).await;
    assert!(state["answer"]["version"].is_string(), "{state}");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(invoke(window, "list_attempts", json!({})).await, json!({ "answer": [] }));
    let agents = invoke(window, "list_agents", json!({})).await;
    assert_eq!(agents["answer"]["agents"].as_array().map(Vec::len), Some(2), "{agents}");
    let log = std::fs::read(world.session.dir().join("stderr.log")).unwrap();
    let log = String::from_utf8_lossy(&log).into_owned();
    let panics: Vec<&str> = log.lines().filter(|line| line.contains("panicked")).collect();
    assert_eq!(panics, Vec::<&str>::new());
    window.click("nav-agents").await;
    window.click("nav-connections").await;
    window.find("home-sentence").await;
}

/// One window takes it all, so that what one part leaves behind meets the next.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_get_errors_and_freeze_nothing() {
    let world = World::with(Session::start(), &[], |_| {});
    let window = world.window().await;
    let before = (world.host().running.pid(), world.host().window());
    wrong_shapes(&window).await;
    all_is_as_before(&world, &window, before).await;
    raw_messages(&window).await;
    all_is_as_before(&world, &window, before).await;
    floods_and_giants(&window).await;
    all_is_as_before(&world, &window, before).await;
}

/// Every command, and what is none, with every wrong shape.
async fn wrong_shapes(window: &Page) {
    let mut asked = Vec::new();
    let payloads = wrong_payloads();
    let special: Vec<Value> = SPECIAL.iter().map(|name| json!({ "special": name })).collect();
    // Whatever `stop` and `run anew` would do, they must not do it here.
    let commands = contract::bindings::main_window_commands();
    for command in commands.iter().copied().chain(NO_COMMANDS) {
        for payload in payloads.iter().chain(&special) {
            let mut one = payload.clone();
            one["command"] = json!(command);
            asked.push(one);
        }
        // A request of the right shape changes nothing for a command that is not there.
        if NO_COMMANDS.contains(&command) {
            asked.push(json!({ "command": command, "payload": { "request": {} } }));
        }
    }
    let count = asked.len();
    let begin = Instant::now();
    let mut ended = Vec::new();
    for some in asked.chunks(200) {
        ended.extend(ask(window, some.to_vec()).await);
    }
    eprintln!("{count} malformed requests in {:?}", begin.elapsed());
    assert_eq!(ended.len(), count);
    let taken: Vec<String> = std::iter::zip(&asked, &ended)
        .filter(|(_, how)| how.get("error").is_none() && how.get("thrown").is_none())
        .map(|(asked, how)| format!("{asked}: {how}"))
        .collect();
    assert_eq!(taken, Vec::<String>::new(), "of {count}");
}

/// Messages past Tauri's own script, and requests to its protocol.
async fn raw_messages(window: &Page) {
    const POST: &str = r#"
        const done = arguments[arguments.length - 1];
        const deep = '['.repeat(100000);
        const whole = { cmd: 'app_state', callback: 1, error: 2, payload: {}, options: {}, __TAURI_INVOKE_KEY__: 'x' };
        const without = name => { const { [name]: _, ...rest } = whole; return JSON.stringify(rest); };
        const messages = ['', ' ', 'null', 'true', '0', '""', '[]', '{}', '{', deep, '{"cmd":' + deep, '\0', '\ufeff{}', 'undefined', 'NaN',
            ...Object.keys(whole).map(without), JSON.stringify({ ...whole, cmd: null }), JSON.stringify({ ...whole, cmd: 7 }),
            JSON.stringify({ ...whole, callback: 'x' }), JSON.stringify({ ...whole, callback: -1 }), JSON.stringify({ ...whole, callback: 1e30 }),
            JSON.stringify({ ...whole, options: { headers: { 'bad header': '\n' } } }), JSON.stringify({ ...whole, payload: 'x'.repeat(1 << 20) }),
            JSON.stringify({ ...whole, cmd: 'x'.repeat(1 << 20) }), 'x'.repeat(16 << 20)];
        const others = [undefined, null, 7, true, {}, [], new Uint8Array(4), () => 1, Symbol('x'), 10n, document.body];
        let sent = 0, threw = 0;
        for (const message of [...messages, ...others]) {
            for (const post of [m => window.webkit.messageHandlers.ipc.postMessage(m), m => window.ipc.postMessage(m)]) {
                try { post(message); sent++; } catch { threw++; }
            }
        }
        const requests = [];
        for (const method of ['GET', 'PUT', 'DELETE', 'POST', 'OPTIONS', 'PATCH'])
            for (const path of ['', 'app_state', 'quit', '%00', '%ff', 'a'.repeat(5000), '../quit', 'app_state?x', 'app_state#x', 'plugin%3Aevent%7Clisten'])
                for (const headers of [{}, { 'Tauri-Callback': 'x', 'Tauri-Error': 'y', 'Tauri-Invoke-Key': 'z' }, { 'Tauri-Callback': '1', 'Tauri-Error': '2' }])
                    requests.push(fetch('ipc://localhost/' + path, { method, headers, ...(method === 'GET' ? {} : { body: '{' }) })
                        .then(async answer => answer.headers.get('Tauri-Response') ?? 'refused', () => 'refused'));
        const late = new Promise(resolve => setTimeout(() => resolve('late'), 1000));
        Promise.all(requests.map(request => Promise.race([request, late])))
            .then(ended => done({ sent, threw, taken: ended.filter(how => how === 'ok').length, asked: requests.length }));"#;
    let ran = window.client.execute_async(POST, vec![]).await.expect("the page lives");
    assert!(ran["sent"].as_u64() > Some(40), "{ran}");
    assert_eq!((&ran["taken"], &ran["asked"]), (&json!(0), &json!(180)), "{ran}");
}

/// Thousands at once, and a hundred megabytes.
async fn floods_and_giants(window: &Page) {
    const FLOOD: &str = r"
        const [command, request, many, done] = [arguments[0], arguments[1], arguments[2], arguments[arguments.length - 1]];
        const ask = () => window.__TAURI_INTERNALS__.invoke(command, { request }).then(() => 'answered', error => String(error.code ?? error));
        Promise.all(Array.from({ length: many }, ask)).then(ended => {
            const counts = {};
            for (const how of ended) counts[how] = (counts[how] ?? 0) + 1;
            done(counts);
        });";
    const GIANT: &str = r"
        const [megabytes, done] = [arguments[0], arguments[arguments.length - 1]];
        const grant = 'x'.repeat(megabytes << 20);
        window.__TAURI_INTERNALS__.invoke('show_grant', { request: { grant } }).then(() => done('answered'), error => done(String(error.code ?? error)));";
    let unknown = request_of("show_grant");
    for (command, request, many, said) in [
        // Looks at the keychain each time.
        ("app_state", json!({}), 200, "answered"),
        ("show_grant", unknown, 3_000, "grant_unknown"),
        ("connect_account", request_of("connect_account"), 2_000, "provider_unknown"),
    ] {
        let begin = Instant::now();
        let ran = window.client.execute_async(FLOOD, vec![json!(command), request, json!(many)]);
        let ran = tokio::time::timeout(Duration::from_secs(60), ran)
            .await
            .expect("in time")
            .expect("the page lives");
        eprintln!("{many} at once of {command}: {:?}", begin.elapsed());
        assert_eq!(ran, json!({ said: many }), "{command}");
    }
    for megabytes in [1, 100] {
        let begin = Instant::now();
        let ran = window.client.execute_async(GIANT, vec![json!(megabytes)]);
        let ran = tokio::time::timeout(Duration::from_secs(60), ran)
            .await
            .expect("in time")
            .expect("the page lives");
        eprintln!("{megabytes} MiB: {:?}", begin.elapsed());
        assert_eq!(ran, json!("request_malformed"), "{megabytes} MiB");
    }
}
