//! Every way in which a connection can fail, with a bank that writes our secrets into its errors, and every library
//! asked to say all it can: then the places where errors are written.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::driver::{PATIENCE, Page};
use support::fake_provider::{Answer, Edit, FakeProvider};
use support::fakes::come_back;
use support::process::wait_until;
use support::session::Session;
use support::world::World;
use url::Url;

use crate::places::Search;

/// What a careless library prints when it is asked to.
const LOUD: [(&str, &str); 10] = [
    ("RUST_LOG", "trace"),
    ("RUST_BACKTRACE", "full"),
    ("RUST_LIB_BACKTRACE", "full"),
    ("G_MESSAGES_DEBUG", "all"),
    ("GTK_DEBUG", "all"),
    ("WEBKIT_DEBUG", "all"),
    ("SOUP_DEBUG", "all"),
    ("DBUS_VERBOSE", "1"),
    ("SQLITE_TRACE", "1"),
    ("SSLKEYLOGFILE", "/dev/stderr"),
];

/// A secret of one failure, unlike any other text.
fn mark(kind: &str, flow: &str) -> String {
    format!("{kind}-of-{flow}-0c1a7e55b2d94f6e8831").replace(' ', "-")
}

fn says(status: u16, body: &Value) -> Answer {
    Answer { status: Some(status), body: vec![Edit::Text(body.to_string())], ..Answer::default() }
}

/// One way to fail: its name, what the bank does, and the ending.
type Failure = (&'static str, fn(&FakeProvider, &str), &'static str);

/// Everything that a bank could know of an attempt, in every member that an error can have.
fn telltale(flow: &str) -> Value {
    let (access, refresh, code) = (mark("access", flow), mark("refresh", flow), mark("code", flow));
    json!({
        "error": "invalid_grant", "error_description": format!("{access} {refresh} {code}"),
        "error_uri": format!("https://bank.example/{refresh}?code={code}"), "access_token": access,
        "refresh_token": refresh, "id_token": format!("{access}.{refresh}.{code}"), "code": code,
    })
}

fn with(flow: &str, changes: Value) -> Value {
    let mut answer = telltale(flow);
    let members = answer.as_object_mut().unwrap();
    members.remove("error");
    let Value::Object(changes) = changes else { panic!("an object") };
    members.extend(changes);
    answer
}

/// The bank's answers after the tokens are honest but for these.
const FAILURES: [Failure; 12] = [
    ("a refusal", |bank, flow| bank.answers("token", says(400, &telltale(flow))), "bank_refused"),
    (
        "an answer that is cut off",
        |bank, flow| {
            let text = telltale(flow).to_string();
            let half = text[..text.len() - 9].to_owned();
            bank.answers(
                "token",
                Answer { status: Some(200), body: vec![Edit::Text(half)], ..Answer::default() },
            );
        },
        "bank_misbehaved",
    ),
    (
        "another type of token",
        |bank, flow| {
            bank.answers("token", says(200, &with(flow, json!({"token_type": "mac"}))));
        },
        "bank_misbehaved",
    ),
    (
        "a type that is no text",
        |bank, flow| {
            bank.answers(
                "token",
                says(200, &with(flow, json!({"token_type": {"Bearer": mark("access", flow)}}))),
            );
        },
        "bank_misbehaved",
    ),
    (
        "a lifetime that is no number",
        |bank, flow| {
            bank.answers(
                "token",
                says(200, &with(flow, json!({"token_type": "Bearer", "expires_in": mark("refresh", flow)}))),
            );
        },
        "bank_misbehaved",
    ),
    (
        "a page",
        |bank, flow| {
            let page = format!("<html>{}</html>", telltale(flow));
            let headers = [("content-type".to_owned(), Some("text/html".to_owned()))].into();
            bank.answers(
                "token",
                Answer { status: Some(502), headers, body: vec![Edit::Text(page)], ..Answer::default() },
            );
        },
        "bank_unreachable",
    ),
    (
        "a redirect",
        |bank, flow| {
            let to = format!("https://evil.example/{}", mark("access", flow));
            let headers = [("location".to_owned(), Some(to))].into();
            bank.answers("token", Answer { status: Some(307), headers, ..Answer::default() });
        },
        "bank_misbehaved",
    ),
    (
        "an id_token of another",
        |bank, flow| {
            bank.token("access_token", json!(mark("access", flow)));
            bank.token("refresh_token", json!(mark("refresh", flow)));
            bank.claims("iss", json!("https://evil.example"));
            bank.claims("sub", json!(mark("subject", flow)));
        },
        "bank_misbehaved",
    ),
    (
        "an id_token that is none",
        |bank, flow| {
            bank.answers("token", says(200, &with(flow, json!({"token_type": "Bearer"}))));
        },
        "bank_misbehaved",
    ),
    (
        "a holder of another",
        |bank, flow| {
            bank.token("access_token", json!(mark("access", flow)));
            bank.token("refresh_token", json!(mark("refresh", flow)));
            bank.answers(
                "userinfo",
                says(200, &json!({"sub": mark("subject", flow), "name": mark("access", flow)})),
            );
        },
        "bank_misbehaved",
    ),
    (
        "accounts that are refused",
        |bank, flow| {
            bank.token("access_token", json!(mark("access", flow)));
            bank.token("refresh_token", json!(mark("refresh", flow)));
            bank.answers("userinfo", says(200, &json!({"sub": "u1", "name": "Fay Kester"})));
            let challenge =
                format!("Bearer error=\"invalid_token\", error_description=\"{}\"", mark("access", flow));
            let headers = [("www-authenticate".to_owned(), Some(challenge))].into();
            bank.answers(
                "accounts",
                Answer {
                    status: Some(403),
                    headers,
                    body: vec![Edit::Text(telltale(flow).to_string())],
                    ..Answer::default()
                },
            );
        },
        "bank_misbehaved",
    ),
    (
        "a pushed request that is refused",
        |bank, flow| bank.answers("par", says(400, &telltale(flow))),
        "bank_refused",
    ),
];

/// Asks as the window's own script does.
async fn invoke(window: &Page, command: &str, request: Value) -> Value {
    let ask = "const done = arguments[arguments.length - 1]; \
        window.__TAURI_INTERNALS__.invoke(arguments[0], { request: arguments[1] }).then(a => done({ answer: a }), e => done({ error: e }))";
    window.client.execute_async(ask, vec![json!(command), request]).await.expect("an answer")
}

/// All that a page holds now.
async fn page(window: &Page) -> String {
    window.run("return document.documentElement.outerHTML").await.as_str().expect("a page").to_owned()
}

/// Starts an attempt from the window.
async fn start(window: &Page, bank: &str, agent: &str) -> String {
    let until = "return Date.now() + 86400000 * 30";
    let until = window.run(until).await;
    let request =
        json!({"provider": bank, "agent": agent, "permissions": ["accounts", "balances"], "until": until});
    let started = invoke(window, "connect_account", request).await;
    started["answer"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
}

/// The attempt's ending, once it has one.
async fn ended(window: &Page, attempt: &str) -> Value {
    let begin = std::time::Instant::now();
    loop {
        let view = invoke(window, "show_attempt", json!({ "attempt": attempt })).await["answer"].clone();
        if !view["ending"].is_null() {
            return view;
        }
        assert!(begin.elapsed() < PATIENCE, "{view}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The secrets of every attempt, as the bank knows them.
fn learn(banks: &[FakeProvider]) -> BTreeMap<String, Vec<u8>> {
    let mut secrets = BTreeMap::new();
    let mut note = |name: String, value: &str| {
        if value.len() >= 20 {
            secrets.insert(name, value.as_bytes().to_vec());
        }
    };
    for (n, bank) in banks.iter().enumerate() {
        for (m, seen) in bank.all_seen().into_iter().enumerate() {
            let query: BTreeMap<String, String> = seen.query_pairs().into_iter().collect();
            for name in
                ["state", "nonce", "code", "code_challenge", "code_verifier", "token", "refresh_token"]
            {
                for values in [&seen.form, &query] {
                    if let Some(value) = values.get(name) {
                        note(format!("{name} of request {m} at bank {n}"), value);
                    }
                }
            }
        }
        for (flow, ..) in FAILURES {
            for kind in ["access", "refresh", "code", "subject"] {
                note(format!("{kind} of {flow} at bank {n}"), &mark(kind, flow));
            }
        }
    }
    for kind in ["access", "refresh"] {
        note(format!("{kind} that was revoked in vain"), &mark(kind, "revoking"));
    }
    assert!(
        secrets.keys().any(|name| name.starts_with("state"))
            && secrets.keys().any(|name| name.starts_with("code_verifier"))
    );
    secrets
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_failure_is_anywhere() {
    let mut banks = Vec::new();
    for _ in 0..=FAILURES.len() {
        banks.push(FakeProvider::start().await);
    }
    let planted = format!("planted-{}", std::process::id());
    let mut world = World::with(Session::start(), &[], |settings| {
        for (n, bank) in banks.iter().enumerate() {
            if FAILURES.get(n).is_some_and(|(name, ..)| name.contains("pushed")) {
                bank.states("behaviour.par", json!("required"));
            }
            let file = settings.catalogue.join(format!("bank-{n}.toml"));
            std::fs::write(file, bank.file(&format!("bank-{n}"))).unwrap();
        }
        settings.extra.extend(LOUD.map(|(name, value)| (name.to_owned(), value.to_owned())));
    });
    let window = world.window().await;
    let agent = invoke(&window, "list_agents", json!({})).await["answer"]["agents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut shown, mut attempts) = (String::new(), Vec::new());

    for (n, (flow, prepare, ending)) in FAILURES.into_iter().enumerate() {
        prepare(&banks[n], flow);
        let opened = world.opened().len();
        let attempt = start(&window, &format!("bank-{n}"), &agent).await;
        if !flow.contains("pushed") {
            let url = Url::parse(&world.next_opened(opened)).unwrap();
            come_back(&url).await;
        }
        let view = ended(&window, &attempt).await;
        assert_eq!(view["ending"]["kind"], ending, "{flow}: {view}");
        shown += &view.to_string();
        attempts.push(attempt);
    }

    // Connected, and then a bank that answers a revocation with the token.
    let bank = &banks[FAILURES.len()];
    bank.token("access_token", json!(mark("access", "revoking")));
    bank.token("refresh_token", json!(mark("refresh", "revoking")));
    bank.answers("userinfo", says(200, &json!({"sub": "u1", "name": "Fay Kester"})));
    bank.answers("accounts", says(200, &json!({"accounts": [{"accountId": "a1", "nickname": "Main"}]})));
    let refusal = json!({"error": "invalid_token", "error_description": mark("refresh", "revoking")});
    bank.answers("revoke", says(400, &refusal));
    let opened = world.opened().len();
    let attempt = start(&window, &format!("bank-{}", FAILURES.len()), &agent).await;
    come_back(&Url::parse(&world.next_opened(opened)).unwrap()).await;
    let view = ended(&window, &attempt).await;
    assert_eq!(view["ending"]["kind"], "connected", "{view}");
    let grant = view["grant"].as_str().unwrap().to_owned();
    invoke(&window, "revoke_grant", json!({ "grant": grant })).await;
    wait_until("a try to revoke", PATIENCE, || !bank.seen("revoke").is_empty());
    window.click("nav-connections").await;
    window.click("tab-history").await;
    window.find(&format!("grant-row-{grant}")).await;
    shown += &page(&window).await;
    shown += &invoke(&window, "show_grant", json!({ "grant": grant })).await.to_string();
    for command in ["app_state", "list_providers", "list_agents", "list_attempts", "list_grants"] {
        shown += &invoke(&window, command, json!({})).await.to_string();
    }
    attempts.push(attempt);

    let mut controls: Vec<&str> = attempts.iter().map(String::as_str).collect();
    controls.push(&planted);
    let mut search = Search::new(&learn(&banks), &controls);
    search.bytes("what the window was shown and can ask", shown.as_bytes(), &[]);
    drop(window);
    world.stop_host();
    let (data, dir) = (world.session.data(), world.session.dir().to_owned());
    for (place, path) in [("log", data.join("countersignd.log")), ("standard error", dir.join("stderr.log"))]
    {
        let bytes = std::fs::read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.contains("everything of ours is logged"), "{place} is as loud as it gets");
        search.bytes(place, &bytes, &[]);
    }
    search.bytes("database", &std::fs::read(data.join("countersign.sqlite")).unwrap(), &[]);
    std::fs::write(dir.join("planted"), &planted).unwrap();
    search.folder("the whole session, after the end", &dir, &[&dir.join("opened")]);
    search.judge();
}
