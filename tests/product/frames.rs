//! No frame comes to be in the window, so no frame asks for anything: the policy forbids them all.
//!
//! The control is the same page in the same engine without the policy: there every frame of the list lives.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use support::driver::Page;
use support::session::Session;
use support::world::World;

/// Adds a frame in every way a page could. Each holds a script that tells its name to the page that holds it; what
/// was heard, what the policy refused, and what could not even be asked for comes back.
const FRAMES: &str = r#"
const [port, done] = [arguments[0], arguments[arguments.length - 1]];
const heard = new Set(), refused = new Set(), threw = {};
addEventListener('message', e => heard.add(String(e.data)));
document.addEventListener('securitypolicyviolation', e => refused.add(e.effectiveDirective));
const told = name => `<script>(parent === window ? opener : parent).postMessage('${name}', '*')<\/script>`;
const remote = name => `http://127.0.0.1:${port}/frame?${name}`;
const data = name => 'data:text/html,' + encodeURIComponent(told(name));
const add = (name, tag, attributes) => {
    try {
        const frame = document.createElement(tag);
        for (const [key, value] of Object.entries(attributes)) frame.setAttribute(key, value);
        document.body.append(frame);
        return frame;
    } catch (error) { threw[name] = error.name; }
};
add('remote', 'iframe', { src: remote('remote') });
add('srcdoc', 'iframe', { srcdoc: told('srcdoc') });
add('blob', 'iframe', { src: URL.createObjectURL(new Blob([told('blob')], { type: 'text/html' })) });
add('data', 'iframe', { src: data('data') });
add('javascript', 'iframe', { src: "javascript:void parent.postMessage('javascript', '*')" });
add('sandboxed', 'iframe', { sandbox: 'allow-scripts', src: remote('sandboxed') });
add('object', 'object', { type: 'text/html', data: remote('object') });
add('object of data', 'object', { type: 'text/html', data: data('object of data') });
add('embed', 'embed', { type: 'text/html', src: remote('embed') });
add('frame', 'frame', { src: remote('frame') });
const named = add('named', 'iframe', { name: 'named' });
try {
    const link = document.createElement('a');
    link.target = 'named'; link.href = remote('named'); document.body.append(link); link.click();
} catch (error) { threw.named = error.name; }
const empty = add('written', 'iframe', {});
try { empty.contentDocument.write(told('written')); empty.contentDocument.close(); } catch (error) { threw.written = error.name; }
const later = add('moved', 'iframe', {});
try { later.contentWindow.location = remote('moved'); } catch (error) { threw.moved = error.name; }
try {
    const shadow = document.createElement('div').attachShadow({ mode: 'open' });
    document.body.append(shadow.host);
    const frame = document.createElement('iframe'); frame.src = remote('shadow'); shadow.append(frame);
} catch (error) { threw.shadow = error.name; }
try {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const foreign = document.createElementNS('http://www.w3.org/2000/svg', 'foreignObject');
    foreign.setAttribute('width', 9); foreign.setAttribute('height', 9);
    const frame = document.createElement('iframe'); frame.src = remote('foreign');
    foreign.append(frame); svg.append(foreign); document.body.append(svg);
} catch (error) { threw.foreign = error.name; }
const wanted = arguments[1];
const begin = performance.now();
const look = () => (heard.size >= wanted && wanted > 0) || performance.now() - begin > (wanted > 0 ? 10000 : 1000)
    ? done({ heard: [...heard].sort(), refused: [...refused].sort(), threw }) : setTimeout(look, 20);
look();
"#;

/// A page elsewhere, which tells its name to whoever frames it; and the names it was asked for.
pub(crate) struct Elsewhere {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Elsewhere {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 8192];
                let length = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                let Some(target) = head.split(' ').nth(1) else { continue };
                if !target.contains("favicon") {
                    noted.lock().unwrap().push(target.to_owned());
                }
                let page = page_of(target);
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
            }
        });
        Self { port, asked }
    }

    /// What was asked for so far, without the page itself.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().filter(|target| *target != "/").cloned().collect()
    }
}

fn page_of(target: &str) -> String {
    match target.split_once("/frame?") {
        Some((_, name)) => {
            format!("<!doctype html><script>parent.postMessage({:?}, '*')</script>", name.replace("%20", " "))
        }
        None => "<!doctype html><title>elsewhere</title><body><p>elsewhere</p>".to_owned(),
    }
}

async fn frames(page: &Page, port: u16, wanted: usize) -> Value {
    let ran = page.client.execute_async(FRAMES, vec![json!(port), json!(wanted)]);
    tokio::time::timeout(support::driver::PATIENCE, ran).await.expect("in time").expect("the script runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_lives_in_the_window() {
    let elsewhere = Elsewhere::start();
    let world = World::with(Session::start(), &[], |_| {});
    let window = world.window().await;
    let found = frames(&window, elsewhere.port, 0).await;
    assert_eq!(found["heard"], json!([]), "{found}");
    assert_eq!(elsewhere.asked(), Vec::<String>::new(), "nothing was fetched: {found}");
    let refused = found["refused"].as_array().unwrap();
    assert!(refused.contains(&json!("frame-src")) && refused.contains(&json!("object-src")), "{found}");

    // What is left of a frame, an empty one of the page's own, has no key to ask with; neither has a page's script.
    assert_eq!(without_the_key(&window).await, json!([]), "nothing answers whoever does not know the key");
    assert_eq!(world.database().left().values().sum::<i64>(), 0);
    let agents = invoke(&window, "list_agents", json!({})).await;
    let names: Vec<&str> =
        agents["answer"]["agents"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Budget Buddy", "Tax Helper"]);
    // The control: with the key, which Tauri's own script holds, the same request adds an agent.
    let added = invoke(&window, "add_agent", request_of("add_agent")).await;
    assert_eq!(added["answer"]["name"], "Framed", "{added}");
}

/// The control of the test above: in the same engine, without the policy, each of these frames lives.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_policy_the_same_frames_live() {
    let elsewhere = Elsewhere::start();
    let session = Session::without_keychain();
    let page = Page::of_engine(&session).await;
    page.client.goto(&format!("http://127.0.0.1:{}/", elsewhere.port)).await.unwrap();
    let lives = [
        "blob",
        "data",
        "embed",
        "foreign",
        "frame",
        "javascript",
        "moved",
        "named",
        "object",
        "object of data",
        "remote",
        "sandboxed",
        "shadow",
        "srcdoc",
        "written",
    ];
    let found = frames(&page, elsewhere.port, lives.len()).await;
    assert_eq!(found["heard"], json!(lives), "{found}");
    assert_eq!(found["refused"], json!([]));
}

/// A request of the right shape for every command.
pub(crate) fn request_of(command: &str) -> Value {
    const UNKNOWN: &str = "018bcfe5-6800-7000-8000-000000000000";
    match command {
        "add_agent" => json!({"name": "Framed", "key": "709i-EeXM62HnPrO08ianDndT8eV7y76HD6v5NcpoIE"}),
        "connect_account" => {
            json!({"provider": "x", "agent": UNKNOWN, "permissions": ["accounts"], "until": 1})
        }
        "cancel_attempt" | "copy_link" | "open_again" | "show_attempt" => json!({"attempt": UNKNOWN}),
        "revoke_grant" | "show_grant" | "stop_telling_bank" => json!({"grant": UNKNOWN}),
        _ => json!({}),
    }
}

/// Asks as the window's own script does.
pub(crate) async fn invoke(window: &Page, command: &str, request: Value) -> Value {
    let ask = "const done = arguments[arguments.length - 1]; \
        window.__TAURI_INTERNALS__.invoke(arguments[0], { request: arguments[1] }).then(a => done({ answer: a }), e => done({ error: e }))";
    window.client.execute_async(ask, vec![json!(command), request]).await.expect("an answer")
}

/// Asks for every command by every way that a page or an empty frame has, without the key; gives what was answered.
async fn without_the_key(window: &Page) -> Value {
    const ASK: &str = r"
        const [all, done] = [arguments[0], arguments[arguments.length - 1]];
        const answered = [];
        const frame = document.createElement('iframe');
        document.body.append(frame);
        const places = [window, frame.contentWindow].filter(Boolean);
        const keys = [undefined, '', 'null', '0'.repeat(32)];
        let n = 0;
        for (const [command, request] of Object.entries(all)) {
            for (const place of places) for (const key of keys) {
                const [callback, error] = [++n + 1e9, ++n + 1e9];
                for (const id of [callback, error]) window[`_${id}`] = () => answered.push(command);
                const message = { cmd: command, callback, error, payload: { request }, options: {}, __TAURI_INVOKE_KEY__: key };
                try { place.webkit?.messageHandlers?.ipc?.postMessage(JSON.stringify(message)); } catch {}
                try { place.ipc?.postMessage(JSON.stringify(message)); } catch {}
                const headers = { 'Content-Type': 'application/json', 'Tauri-Callback': callback, 'Tauri-Error': error };
                if (key !== undefined) headers['Tauri-Invoke-Key'] = key;
                try {
                    place.fetch(`ipc://localhost/${command}`, { method: 'POST', headers, body: JSON.stringify({ request }) })
                        .then(answer => answer.headers.get('Tauri-Response') && answered.push(`${command}: ${answer.status}`), () => {});
                } catch {}
            }
        }
        frame.remove();
        setTimeout(() => done([...new Set(answered)]), 1000);";
    let commands = contract::bindings::main_window_commands();
    let all: serde_json::Map<String, Value> =
        commands.into_iter().map(|name| (name.to_owned(), request_of(name))).collect();
    window.client.execute_async(ASK, vec![Value::Object(all)]).await.expect("the script runs")
}
