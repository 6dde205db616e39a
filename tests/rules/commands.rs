//! One table of commands: what the window may ask is what its capability file allows, what Tauri lets through and what
//! the generated TypeScript knows. Everything else of Tauri is off.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use support::process::root;

/// The content security policy of the window, whole.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
    connect-src ipc: http://ipc.localhost; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    object-src 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html";

/// Of Tauri itself the window may only hear events.
const OF_TAURI: [&str; 2] = ["core:event:allow-listen", "core:event:allow-unlisten"];

/// What the window's program must not use: inspectors, scripts from outside, weakened checks.
const DANGEROUS: &[&str] = &[
    "danger",
    "devtools(true)",
    "open_devtools",
    "initialization_script",
    ".eval(",
    "additional_browser_args",
    "proxy_url",
    "register_uri_scheme",
    "enable_clipboard_access",
    "incognito(",
    "with_global_tauri",
    "add_capability",
    "__allow_command",
];

fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|err| panic!("{}: {err}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

fn capability(window: &str) -> Value {
    read_json(&root().join(format!("src-tauri/capabilities/{window}.json")))
}

/// Each window with the commands that it may call.
fn windows() -> [(&'static str, Vec<&'static str>); 2] {
    let approval = contract::bindings::approval_window_commands().to_vec();
    [("approval", approval), ("main", contract::bindings::main_window_commands())]
}

fn configuration() -> Value {
    read_json(&root().join("src-tauri/tauri.conf.json"))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn names_in(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

/// What is wrong with a window's capability file.
fn faults(capability: &Value, window: &str, commands: &[&str]) -> Vec<String> {
    let mut faults = Vec::new();
    let known = ["$schema", "identifier", "description", "local", "windows", "permissions"];
    faults.extend(
        keys(capability).into_iter().filter(|key| !known.contains(key)).map(|key| format!("{key} is set")),
    );
    if capability["windows"] != json!([window]) {
        faults.push(format!("windows are {}", capability["windows"]));
    }
    let expected: BTreeSet<String> = commands
        .iter()
        .map(|name| format!("allow-{}", name.replace('_', "-")))
        .chain(OF_TAURI.map(str::to_owned))
        .collect();
    let listed: Vec<String> = capability["permissions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|permission| permission.as_str().map_or_else(|| permission.to_string(), str::to_owned))
        .collect();
    let set: BTreeSet<String> = listed.iter().cloned().collect();
    if set.len() != listed.len() {
        faults.push("a permission stands twice".into());
    }
    faults.extend(set.difference(&expected).map(|name| format!("{name} is allowed")));
    faults.extend(expected.difference(&set).map(|name| format!("{name} is missing")));
    faults
}

#[test]
fn each_capability_file_is_its_windows_table_and_nothing_else() {
    for (window, commands) in windows() {
        assert_eq!(faults(&capability(window), window, &commands), Vec::<String>::new());
        assert_eq!(capability(window)["local"], json!(true));
    }
    let files = names_in("src-tauri/capabilities");
    assert_eq!(files, ["approval.json", "main.json"], "a file in this folder is a right");
}

#[test]
fn the_approval_window_may_read_the_question_and_answer_it_and_nothing_else() {
    let [(_, approval), (_, main)] = windows();
    assert_eq!(approval, ["pending_approval", "answer_approval"]);
    assert!(approval.iter().all(|command| !main.contains(command)), "{main:?}");
}

#[test]
fn a_planted_permission_is_found() {
    let planted = |change: &dyn Fn(&mut Value)| {
        let [_, (window, commands)] = windows();
        let mut capability = capability(window);
        let before = faults(&capability, window, &commands);
        change(&mut capability);
        let after = faults(&capability, window, &commands);
        after.into_iter().filter(|fault| !before.contains(fault)).collect::<Vec<_>>()
    };
    let add = |name: &'static str| planted(&|c| c["permissions"].as_array_mut().unwrap().push(json!(name)));
    assert_eq!(add("core:default"), ["core:default is allowed"]);
    assert_eq!(add("shell:allow-open"), ["shell:allow-open is allowed"]);
    assert_eq!(add("allow-answer-approval"), ["allow-answer-approval is allowed"]);
    assert_eq!(add("allow-quit"), ["a permission stands twice"]);
    assert_eq!(
        planted(&|c| drop(c["permissions"].as_array_mut().unwrap().remove(0))),
        ["allow-app-state is missing"]
    );
    assert_eq!(planted(&|c| c["windows"] = json!(["*"])), ["windows are [\"*\"]"]);
    assert_eq!(planted(&|c| c["remote"] = json!({"urls": ["https://*"]})), ["remote is set"]);
    assert_eq!(planted(&|c| c["webviews"] = json!(["*"])), ["webviews is set"]);
}

#[test]
fn the_generated_typescript_knows_the_same_commands() {
    let text = std::fs::read_to_string(root().join("ui/src/ipc/generated/contract.ts")).unwrap();
    let [(_, approval), (_, main)] = windows();
    for (table, commands) in [("ApprovalCommands", approval), ("Commands", main)] {
        let begin = format!("export type {table} = {{\n");
        let (_, listed) = text.split_once(&begin).expect("the table");
        let (listed, _) = listed.split_once("\n};").expect("its end");
        let listed: Vec<&str> =
            listed.lines().map(|line| line.trim().split_once(':').expect("a name").0).collect();
        assert_eq!(listed, commands);
    }
}

#[test]
fn no_command_stands_twice() {
    let commands = contract::bindings::all_commands();
    assert_eq!(commands.iter().collect::<BTreeSet<_>>().len(), commands.len());
}

#[test]
fn the_content_security_policy_is_the_written_one() {
    let expected: BTreeMap<&str, &str> =
        POLICY.split("; ").map(|part| part.trim().split_once(' ').expect("a directive")).collect();
    let configuration = configuration();
    let set: BTreeMap<&str, &str> = configuration["app"]["security"]["csp"]
        .as_object()
        .expect("one directive a line")
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("text")))
        .collect();
    assert_eq!(set, expected);
    assert!(!POLICY.contains("unsafe") && !POLICY.contains('*'));
}

#[test]
fn everything_else_of_tauri_is_off() {
    let configuration = configuration();
    let app = &configuration["app"];
    assert_eq!(app["withGlobalTauri"], json!(false));
    assert_eq!(app["windows"], json!([]), "windows are made in code, where every switch is seen");
    assert_eq!(app["enableGTKAppId"], json!(false), "it would merge two data folders");
    assert_eq!(keys(&app["security"]), ["capabilities", "csp", "freezePrototype"]);
    assert_eq!(app["security"]["capabilities"], json!(["approval", "main"]));
    assert_eq!(app["security"]["freezePrototype"], json!(true));
    assert_eq!(
        keys(&configuration["build"]),
        ["frontendDist"],
        "no development server, no command at build time"
    );
    assert_eq!(configuration.get("plugins"), None);
    assert!(configuration["bundle"].get("createUpdaterArtifacts").is_none());
    let overriding = |name: &String| name.starts_with("tauri.") || name == "Tauri.toml";
    let files: Vec<String> = names_in("src-tauri").into_iter().filter(overriding).collect();
    assert_eq!(files, ["tauri.conf.json"], "a file for one platform would override it");
}

#[test]
fn the_windows_program_uses_nothing_dangerous() {
    let found = |text: &str| DANGEROUS.iter().copied().filter(|word| text.contains(word)).collect::<Vec<_>>();
    let mut files = 0;
    support::scan::each_file(&root().join("src-tauri/src"), &mut |path, bytes| {
        files += 1;
        let text = std::str::from_utf8(bytes).expect("text");
        // A test may open what it then finds closed.
        if !path.ends_with("tests.rs") {
            assert_eq!(found(text), Vec::<&str>::new(), "{}", path.display());
        }
    });
    assert!(files >= 12, "{files}");
    assert_eq!(found("builder.devtools(true).danger_accept()"), ["danger", "devtools(true)"]);
    let windows = std::fs::read_to_string(root().join("src-tauri/src/windows.rs")).unwrap();
    assert!(windows.contains(".devtools(false)"), "debug builds have an inspector unless told");
}
