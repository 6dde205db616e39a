//! What others wrote is text: five hundred names that are markup, shown in the real window wherever a name is shown.
//! No element and no attribute comes of them, and what is read is what was written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use support::driver::{PATIENCE, Page};
use support::fake_provider::{Answer, Edit, FakeProvider};
use support::fakes::{come_back, get, parameter, sent_back};
use support::host::HostSettings;
use support::process::root;
use support::session::Session;
use support::world::World;
use url::Url;

use crate::frames::invoke;

const TABLE: &str = include_str!("../tables/markup.jsonl");

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ids: Vec<String>,
    name: String,
    payload: String,
    /// As an account's name is shown.
    as_account: String,
    /// As the holder's name is shown.
    as_holder: String,
    /// As an agent's name: taken, or refused by this rule.
    expect: String,
}

fn table() -> Vec<Row> {
    TABLE
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}")))
        .collect()
}

/// The elements that our own pages are made of.
fn own_elements() -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    support::scan::each_file(&root().join("ui/src"), &mut |path, bytes| {
        if path.extension().is_some_and(|end| end == "svelte") {
            let text = String::from_utf8_lossy(bytes).into_owned();
            for after in text.split('<').skip(1) {
                let tag: String =
                    after.chars().take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit()).collect();
                tags.insert(tag);
            }
        }
    });
    for own in ["", "script", "style"] {
        tags.remove(own);
    }
    tags
}

/// What stands on the page that nobody of ours put there; and whether anything of it has run.
async fn strangers(window: &Page, own: &BTreeSet<String>) -> Value {
    const LOOK: &str = r"
        const own = new Set(arguments[0]);
        const found = [];
        for (const element of document.body.querySelectorAll('*')) {
            const tag = element.localName;
            if (!own.has(tag)) found.push(tag);
            for (const { name } of element.attributes) {
                if (/^on|^(style|src|srcdoc|srcset|href|xlink:href|action|formaction|data|background|poster|is|slot|contenteditable)$/i.test(name))
                    found.push(`${tag} ${name}`);
            }
        }
        if (document.querySelectorAll('head > *').length !== window.heads) found.push('head');
        if (document.title !== 'Countersign') found.push('title');
        if ('pwned' in window) found.push('pwned');
        return [...new Set(found)];";
    window.client.execute(LOOK, vec![json!(own)]).await.expect("the script runs")
}

/// The elements of one kind: their shape without values, and their text.
async fn shapes(window: &Page, css: &str, text: &str) -> Vec<(String, String)> {
    const LOOK: &str = r"
        const shape = e => e.localName + '[' + [...e.attributes].map(a => a.name).sort() + ']' +
            [...e.childNodes].map(n => n.nodeType === 1 ? '(' + shape(n) + ')' : n.nodeType === 3 ? '' : '!').join('');
        const text = e => (arguments[1] ? e.querySelector(arguments[1]) : e).textContent;
        return [...document.querySelectorAll(arguments[0])].map(e => [shape(e), text(e)]);";
    let found = window.client.execute(LOOK, vec![json!(css), json!(text)]).await.expect("the script runs");
    let pair = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_str().unwrap().to_owned());
    found.as_array().expect("a list").iter().map(pair).collect()
}

/// All of one shape, and exactly these texts.
fn assert_texts(what: &str, found: &[(String, String)], expected: &BTreeSet<String>) {
    let shapes: BTreeSet<&String> = found.iter().map(|(shape, _)| shape).collect();
    assert_eq!(shapes.len(), 1, "{what} are all drawn alike: {shapes:?}");
    let texts: BTreeSet<String> = found.iter().map(|(_, text)| text.clone()).collect();
    let strange: Vec<_> = texts.difference(expected).collect();
    let missing: Vec<_> = expected.difference(&texts).collect();
    assert!(strange.is_empty() && missing.is_empty(), "{what}: strange {strange:?}, missing {missing:?}");
}

fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A catalogue in which every name is markup: agents, banks, the files themselves, and members that are not known.
fn write_catalogue(catalogue: &Path, bank: &FakeProvider, rows: &[Row]) {
    let file = bank.file("fake-bank");
    std::fs::write(catalogue.join("fake-bank.toml"), &file).unwrap();
    let put = |path: &Path, text: &str| {
        std::fs::write(path, text).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
    };
    for (n, row) in rows.iter().enumerate() {
        let number = u8::try_from(n % 250).unwrap();
        let mut seed = [7; 32];
        (seed[0], seed[1]) = (number, u8::try_from(n / 250).unwrap());
        let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
        let x = domain::agent::AgentKey::from_bytes(key.to_bytes()).unwrap().text();
        let agent = format!(
            "name = {}\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"{x}\"\n",
            toml_text(&row.payload)
        );
        put(&catalogue.join(format!("agents/agent-{n:04}.toml")), &agent);
        // The bank's name, and the file's, where a file can have it.
        let is_file =
            !row.payload.is_empty() && row.payload.len() < 200 && !row.payload.contains(['/', '\0']);
        let name = if is_file { format!("{n} {}.toml", row.payload) } else { format!("bank-{n}.toml") };
        let other = file
            .replace("fake-bank", &format!("bank-{n}"))
            .replace(&bank.issuer, &format!("https://bank-{n}.example"))
            .replacen(
                &format!("name = \"Fake Bank bank-{n}\""),
                &format!("name = {}", toml_text(&row.payload)),
                1,
            );
        assert!(other.contains(&toml_text(&row.payload)), "{other}");
        put(&catalogue.join(name), &other);
        if n % 20 == 1 {
            let unknown = format!("{} = 1\n{file}", toml_text(&row.payload.replace('\n', " ")));
            put(&catalogue.join(format!("unknown-{n}.toml")), &unknown);
        }
    }
}

/// A window on a bank whose every name is markup.
async fn hostile_world(rows: &[Row]) -> (World, FakeProvider) {
    let bank = FakeProvider::start().await;
    // As small as an account can be: an answer has 64 KiB at most.
    let account = |(n, row): (usize, &Row)| json!({"accountId": n.to_string(), "nickname": row.payload});
    let accounts: Vec<Value> = rows.iter().take(500).enumerate().map(account).collect();
    let says = |value: Value| Answer { body: vec![Edit::Text(value.to_string())], ..Answer::default() };
    bank.answers("accounts", says(json!({ "accounts": accounts })));
    let is_scope = |text: &str| {
        !text.is_empty()
            && text.len() <= 60
            && text.bytes().all(|b| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b))
    };
    let mut scopes: Vec<&str> =
        rows.iter().map(|row| row.payload.as_str()).filter(|text| is_scope(text)).take(40).collect();
    assert_eq!(scopes.len(), 40);
    scopes.extend(["openid", "offline_access", "fdx:accountbasic:read", "fdx:accountdetailed:read"]);
    bank.token("scope", json!(scopes.join(" ")));
    let prepare = |settings: &mut HostSettings| write_catalogue(&settings.catalogue, &bank, rows);
    let world = World::with(Session::start(), &[], prepare);
    (world, bank)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_names_that_are_markup_are_drawn_as_text() {
    let rows = table();
    assert!(rows.len() >= 500 && rows.iter().all(|row| row.ids == ["attack-103"]), "{}", rows.len());
    let own = own_elements();
    assert!(own.len() > 25 && own.contains("button") && !own.contains("img"), "{own:?}");
    let (world, bank) = hostile_world(&rows).await;
    let window = world.window().await;
    window.run("window.heads = document.querySelectorAll('head > *').length; return true").await;
    let none = json!([]);

    // Files that are refused, by their names and what they say.
    window.click_css("[data-testid=catalogue-problems] summary").await;
    let problems = shapes(&window, "[data-testid=catalogue-problems] li", "").await;
    assert!(problems.len() > 400, "{}", problems.len());
    assert_eq!(problems.iter().map(|(shape, _)| shape).collect::<BTreeSet<_>>().len(), 1);
    assert!(
        problems.iter().any(|(_, text)| text.contains("<img src=x onerror=pwned=1>.toml")),
        "names of files are shown"
    );
    assert_eq!(strangers(&window, &own).await, none, "refused files");

    // Agents: those whose names are taken, with the names as they were written.
    let named = |row: &&Row| row.expect == "ok";
    // Of names that differ in case alone, the first.
    let mut folded = BTreeSet::new();
    let taken = rows.iter().filter(named).map(|row| row.payload.trim().to_owned());
    let mut agents: BTreeSet<String> = taken.filter(|name| folded.insert(name.to_lowercase())).collect();
    assert!(agents.len() > 400, "{}", agents.len());
    agents.extend(["Budget Buddy", "Tax Helper"].map(str::to_owned));
    window.click("nav-agents").await;
    window.find_css("[data-testid^=agent-row-]").await;
    assert_texts("agents", &shapes(&window, "[data-testid^=agent-row-]", "h2").await, &agents);
    assert_eq!(strangers(&window, &own).await, none, "agents");
    let refused: BTreeMap<&str, usize> =
        rows.iter().filter(|row| !named(row)).fold(BTreeMap::new(), |mut counts, row| {
            *counts.entry(row.expect.as_str()).or_default() += 1;
            counts
        });
    for (rule, words) in [
        ("name_deceptive", "name holds characters that could imitate another name"),
        ("name_empty", "name is empty"),
        ("name_too_long", "name is too long"),
    ] {
        let said =
            problems.iter().filter(|(_, text)| text.starts_with("agent-") && text.contains(words)).count();
        assert_eq!(Some(&said), refused.get(rule), "{rule}");
    }

    // Banks: what could be markup is no bank's name at all.
    window.click("nav-connections").await;
    window.click("connect-account").await;
    window.find("bank-fake-bank").await;
    let banks = shapes(&window, "[data-testid^=bank-]", ".strong").await;
    assert!(banks.len() > 5, "{banks:?}");
    for (_, text) in &banks {
        assert!(!text.contains(['<', '>', '"', '`', '{']), "{text}");
    }
    assert_eq!(strangers(&window, &own).await, none, "banks");

    one_connection(&world, &window, &bank, &rows, &own).await;

    // The control: what was not made by us is seen, an element, an attribute, and what has run.
    // (An attribute that is a script the policy refuses even to us.)
    window.run("const e = document.createElement('img'); e.setAttribute('src', 'x'); document.querySelector('main').append(e); window.pwned = 1; return true").await;
    assert_eq!(strangers(&window, &own).await, json!(["img", "img src", "pwned"]));
}

/// One agent by one bank, to the end: every page that names them.
async fn one_connection(
    world: &World,
    window: &Page,
    bank: &FakeProvider,
    rows: &[Row],
    own: &BTreeSet<String>,
) {
    let none = json!([]);
    let chosen = "<img src=x onerror=pwned=1>";
    world.choose_in_step(window, "fake-bank", chosen).await;
    assert_eq!(strangers(window, own).await, none, "what it may do");
    window.click("go-connect").await;
    window.says("at-bank-lead", "Your browser is at").await;
    assert_eq!(strangers(window, own).await, none, "at the bank");
    let url = Url::parse(&world.next_opened(0)).unwrap();
    let holder = rows.iter().find(|row| row.name == "eighty-one signs").unwrap();
    let userinfo = json!({"sub": "u1", "name": holder.payload}).to_string();
    bank.answers("userinfo", Answer { body: vec![Edit::Text(userinfo)], ..Answer::default() });
    assert_eq!(come_back(&url).await.0, 200);
    window.find("ending-connected").await;
    window.find("extra").await;
    window.find_css("dl.facts li").await;
    let quoted = |text: &str| format!("“{text}”");
    let accounts: BTreeSet<String> = rows.iter().take(500).map(|row| quoted(&row.as_account)).collect();
    assert_eq!(strangers(window, own).await, none, "connected");
    window.click("see-connection").await;
    window.find_css(".account").await;
    assert_texts("accounts", &shapes(window, ".account", "span").await, &accounts);
    let facts = window.text("connection-page").await;
    assert!(facts.contains(&quoted(&holder.as_holder)) && facts.contains(chosen), "{facts}");
    assert_eq!(strangers(window, own).await, none, "the connection's page");
    window.click("revoke").await;
    assert!(window.text("revoke-dialog").await.contains(chosen));
    assert_eq!(strangers(window, own).await, none, "the question");
    window.click("revoke-confirm").await;
    window.find("cut-off").await;
    assert_eq!(strangers(window, own).await, none, "revoked");
    window.click("nav-connections").await;
    window.find("tab-history").await;
    window.click("tab-history").await;
    window.find_css("[data-testid^=grant-row-]").await;
    assert_eq!(strangers(window, own).await, none, "the history");
}

/// ISS-04 and O21-17 as the window shows them: the bank's free text, or that of someone in its place, is nowhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_says_of_an_error_is_not_shown() {
    const TEXT: &str = "<img src=x onerror=pwned=1> call 555 \u{0}\u{1b}[31m";
    let bank = FakeProvider::start().await;
    let world = World::with(Session::start(), &[], |settings| {
        std::fs::write(settings.catalogue.join("fake-bank.toml"), bank.file("fake-bank")).unwrap();
    });
    let window = world.window().await;
    window.run("window.heads = document.querySelectorAll('head > *').length; return true").await;
    let own = own_elements();
    let error = |iss: &str| {
        let mut answer = url::form_urlencoded::Serializer::new(String::new());
        answer.append_pair("error", "access_denied").append_pair("error_description", TEXT);
        answer.append_pair("error_uri", "javascript:pwned=1").append_pair("iss", iss);
        answer.finish()
    };
    let answers = [
        ("ending-declined", "Nothing was connected.", error(&bank.issuer)),
        ("ending-unexpected_server", "Nothing was connected.", error("https://evil.example")),
    ];
    for (n, (ending, words, query)) in answers.into_iter().enumerate() {
        world.choose(&window, "fake-bank", "Budget Buddy").await;
        window.click("go-connect").await;
        let url = Url::parse(&world.next_opened(n)).unwrap();
        window.find("step-at_bank").await;
        let callback =
            format!("{}?{query}&state={}", parameter(&url, "redirect_uri"), parameter(&url, "state"));
        let (status, page) = get(&callback).await;
        assert_eq!(status, 200);
        window.says(ending, words).await;
        let shown = window.run("return document.documentElement.outerHTML").await;
        let shown = shown.as_str().unwrap();
        for text in ["555", "onerror", "javascript:", "\u{1b}", "error_description"] {
            assert!(!page.contains(text), "the page in the browser says {text:?}");
            assert!(!shown.contains(text), "the window says {text:?}");
        }
        assert_eq!(strangers(&window, &own).await, json!([]));
        // As an address: nothing on the page can be clicked that leads anywhere.
        assert_eq!(window.run("return document.links.length").await, json!(0));
        window.click("back-to-connections").await;
        window.find("home-sentence").await;
    }
    assert_eq!(world.opened().len(), 2, "and nothing else was opened");

    // What a token endpoint says of an error: the registered code, as a code, and none of its text.
    world.choose(&window, "fake-bank", "Budget Buddy").await;
    let refusal =
        json!({"error": "invalid_grant", "error_description": TEXT, "error_uri": "javascript:pwned=1"});
    bank.answers(
        "token",
        Answer { status: Some(400), body: vec![Edit::Text(refusal.to_string())], ..Answer::default() },
    );
    window.click("go-connect").await;
    let url = Url::parse(&world.next_opened(2)).unwrap();
    assert!(sent_back(&url).await.is_some());
    let _ = tokio::time::timeout(PATIENCE, come_back(&url)).await;
    window.find("ending-bank_refused").await;
    let shown = window.run("return document.documentElement.outerHTML").await;
    assert!(!shown.as_str().unwrap().contains("555") && !shown.as_str().unwrap().contains("onerror"));
    window.click_css("details summary").await;
    assert!(
        window.text("ending-detail").await.contains("invalid_grant"),
        "the registered code is for support"
    );
    let log = std::fs::read_to_string(world.session.data().join("countersignd.log")).unwrap();
    assert!(log.contains("everything of ours is logged"));
    assert!(
        !log.contains("call 555") && !log.contains("onerror") && !log.contains('\u{1b}'),
        "none of it is logged"
    );
    assert_eq!(invoke(&window, "list_grants", json!({})).await["answer"]["current"], json!([]));
}
