//! Who may call what: the access list as Tauri resolves it, and every command called from where it must not be.

use std::collections::{BTreeMap, BTreeSet};

use contract::bindings::{all_commands, approval_window_commands, main_window_commands};
use contract::error_code::ErrorCode;
use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody, Origin};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::utils::acl::ExecutionContext;
use tauri::utils::acl::capability::Capability;
use tauri::utils::acl::manifest::Manifest;
use tauri::utils::acl::resolved::{Resolved, ResolvedCommand};
use tauri::utils::platform::Target;
use tauri::webview::InvokeRequest;
use tauri::{App, Context, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use super::*;
use crate::channel::tests::{greeted, refuses_everything};

/// The access list of the product, one permission a line. A change here is a change of what a webview may do.
const GOLDEN: &str = include_str!("golden/access.txt");
/// What Tauri's own macro puts into the program.
const MANIFESTS: &str = include_str!(concat!(env!("OUT_DIR"), "/acl-manifests.json"));
const CAPABILITIES: &str = include_str!(concat!(env!("OUT_DIR"), "/capabilities.json"));

/// Events, the one part of Tauri itself that the window may use.
const HEARS: [&str; 2] = ["plugin:event|listen", "plugin:event|unlisten"];

fn manifests() -> BTreeMap<String, Manifest> {
    serde_json::from_str(MANIFESTS).unwrap()
}

fn capabilities() -> BTreeMap<String, Capability> {
    serde_json::from_str(CAPABILITIES).unwrap()
}

/// An access list as text.
fn written(capabilities: BTreeMap<String, Capability>) -> String {
    let resolved = Resolved::resolve(&manifests(), capabilities, Target::Linux).unwrap();
    let line = |verb: &str, command: &str, one: &ResolvedCommand| {
        let context = match &one.context {
            ExecutionContext::Local => "local".to_owned(),
            ExecutionContext::Remote { url } => format!("remote {}", url.as_str()),
        };
        let of = |patterns: &[String]| patterns.join(",");
        let windows: Vec<String> = one.windows.iter().map(|p| p.as_str().to_owned()).collect();
        let webviews: Vec<String> = one.webviews.iter().map(|p| p.as_str().to_owned()).collect();
        let scope = if one.scope_id.is_some() { " scoped" } else { "" };
        format!(
            "{verb} {command}: {context}, windows [{}], webviews [{}]{scope}\n",
            of(&windows),
            of(&webviews)
        )
    };
    let mut text = format!("app commands need a permission: {}\n", resolved.has_app_acl);
    for (verb, list) in [("allow", &resolved.allowed_commands), ("deny", &resolved.denied_commands)] {
        text.extend(list.iter().flat_map(|(name, all)| all.iter().map(move |one| line(verb, name, one))));
    }
    text.extend(resolved.command_scope.keys().map(|id| format!("scope of a command: {id}\n")));
    text.extend(resolved.global_scope.keys().map(|plugin| format!("scope of a plugin: {plugin}\n")));
    text
}

#[test]
fn the_resolved_access_list_is_the_golden_one() {
    assert_eq!(written(capabilities()), GOLDEN, "what a webview may do has changed");
}

#[test]
fn a_planted_permission_shows_in_the_resolved_access_list() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut all: Value = serde_json::from_str(CAPABILITIES).unwrap();
        change(&mut all["main"]);
        let text = written(serde_json::from_value(all).unwrap());
        text.lines().filter(|line| !GOLDEN.contains(line)).map(str::to_owned).collect::<Vec<_>>()
    };
    let add = |permission: &'static str| {
        with(&|main| main["permissions"].as_array_mut().unwrap().push(json!(permission)))
    };
    assert_eq!(
        add("core:webview:allow-create-webview-window"),
        ["allow plugin:webview|create_webview_window: local, windows [main], webviews []"]
    );
    assert!(add("core:default").len() > 10, "a default set is many permissions");
    let answers = "allow answer_approval: local, windows [main], webviews []";
    assert_eq!(add("allow-answer-approval"), [answers]);
    assert_eq!(with(&|main| main["webviews"] = json!(["*"])).len(), main_window_commands().len() + 2);
    assert_eq!(with(&|main| main["windows"] = json!(["main", "*"])).len(), main_window_commands().len() + 2);
    let remote = with(&|main| main["remote"] = json!({ "urls": ["https://evil.example/*"] }));
    assert_eq!(remote.len(), main_window_commands().len() + 2);
    assert!(remote.iter().all(|line| line.contains("remote https://evil.example")), "{remote:?}");
}

#[test]
fn the_capability_files_allow_the_command_tables_and_to_hear_events() {
    let files = [
        (MAIN, include_str!("../../capabilities/main.json"), main_window_commands()),
        (APPROVAL, include_str!("../../capabilities/approval.json"), approval_window_commands().to_vec()),
    ];
    for (label, file, commands) in files {
        let file: Value = serde_json::from_str(file).unwrap();
        let allowed: BTreeSet<&str> =
            file["permissions"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        let ours: Vec<String> =
            commands.iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
        let mut expected: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
        expected.extend(["core:event:allow-listen", "core:event:allow-unlisten"]);
        assert_eq!(allowed, expected);
        assert_eq!(file["windows"], json!([label]));
    }
}

/// Every command that Tauri itself has, as a page would name it.
fn commands_of_tauri() -> BTreeSet<String> {
    let commands = manifests().into_iter().filter_map(|(key, manifest)| {
        let plugin = key.strip_prefix("core:")?.to_owned();
        let permissions = manifest.permissions.into_values();
        let named = permissions.flat_map(|one| [one.commands.allow, one.commands.deny].concat());
        Some(named.map(|command| format!("plugin:{plugin}|{command}")).collect::<Vec<_>>())
    });
    commands.flatten().collect()
}

/// The program with its own access list and commands, over a host that refuses everything in its own words.
fn program(change: impl FnOnce(&mut Context<MockRuntime>)) -> App<MockRuntime> {
    let mut context = crate::context();
    change(&mut context);
    let host = tauri::async_runtime::block_on(greeted(refuses_everything)).unwrap();
    mock_builder()
        .manage(host)
        .manage(Clipboard::default())
        .manage(Approval::default())
        .manage(None::<HostProgram>)
        .invoke_handler(handler())
        .build(context)
        .unwrap()
}

fn window(app: &App<MockRuntime>, label: &str) -> WebviewWindow<MockRuntime> {
    WebviewWindowBuilder::new(app, label, WebviewUrl::default()).build().unwrap()
}

/// What a page at this address hears when it calls a command with a request of the right shape.
fn refusal(window: &WebviewWindow<MockRuntime>, page: &str, command: &str) -> Option<Value> {
    let request = match command {
        "add_agent" => json!({"name": "x", "key": "x"}),
        "connect_account" => json!({"provider": "x", "agent": "x", "permissions": [], "until": 1}),
        "cancel_attempt" | "copy_link" | "open_again" | "show_attempt" => json!({"attempt": "x"}),
        "check_grant" | "pause_grant" | "resume_grant" | "revoke_grant" | "show_grant" | "stop_reminding"
        | "stop_telling_bank" | "widen_grant" => json!({"grant": "x"}),
        "renew_grant" => json!({"grant": "x", "permissions": [], "until": 1}),
        "narrow_grant" => json!({"grant": "x", "permissions": [], "accounts": [], "until": 1}),
        "decide_account" => json!({"attempt": "x", "keep": false}),
        "show_receipt" | "save_receipt" => json!({"receipt": "x"}),
        "unlock" => json!({"passphrase": null}),
        "set_lock_settings" => json!({"idle_minutes": null, "with_screen": false}),
        "change_protection" => json!({"protection": "keychain", "current": null, "new": null}),
        "answer_asked" => json!({"id": "x", "yes": false}),
        "answer_approval" => {
            json!({"id": "x", "drawn": "x", "answer": {"kind": "deny"}, "passphrase": null})
        }
        "answer_enrolment" => json!({"id": "x", "accept": false, "name": null, "replaces": null}),
        "pause_agent" | "resume_agent" | "remove_agent" => json!({"agent": "x"}),
        "forget_choice" => json!({"agent": "x", "choice": "x"}),
        "list_activity" => json!({"agent": null, "grant": null, "bank": null, "kinds": [], "before": null,
            "text": null, "most": 1}),
        "show_activity" => json!({"seq": 1}),
        "set_rule" => json!({"id": "replays", "threshold": 1, "act": "notify"}),
        "dismiss_alert" => json!({"alert": "x"}),
        _ => json!({}),
    };
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: page.parse().unwrap(),
        body: InvokeBody::Json(json!({ "request": request })),
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).err()
}

const OWN_PAGE: &str = "tauri://localhost/index.html";

fn is_denied_by_the_list(refusal: Option<&Value>) -> bool {
    refusal.and_then(Value::as_str).is_some_and(|why| why.contains("not allowed"))
}

#[test]
fn every_command_is_denied_to_a_foreign_window_and_to_a_foreign_page() {
    let app = program(|_| {});
    let (main, other) = (window(&app, MAIN), window(&app, "receipt"));
    let approval = window(&app, APPROVAL);
    let mut all: Vec<String> = all_commands().into_iter().map(str::to_owned).collect();
    assert!(commands_of_tauri().len() > 100, "{:?}", commands_of_tauri());
    all.extend(commands_of_tauri());
    for command in &all {
        for (window, page) in [
            (&other, OWN_PAGE),
            (&approval, "https://evil.example/"),
            (&main, "https://evil.example/"),
            (&main, "http://127.0.0.1:8080/callback/bank"),
            (&main, "https://tauri.localhost.evil.example/"),
            (&main, "http://localhost/"),
            (&main, "tauri://evil.example/index.html"),
            (&main, "about:blank"),
            (&main, "about:srcdoc"),
            (&main, "data:text/html,x"),
            (&main, "blob:tauri://localhost/018bcfe5-6800-7000-8000-000000000000"),
            (&main, "file:///tmp/x.html"),
            (&main, "ipc://localhost/app_state"),
        ] {
            let said = refusal(window, page, command);
            assert!(is_denied_by_the_list(said.as_ref()), "{command} from {page}: {said:?}");
        }
    }
}

/// The control of the test above, and the other half of the list: from its own page the window gets through to the
/// host with our commands, and nowhere with Tauri's.
#[test]
fn the_main_window_gets_through_with_our_commands_alone() {
    let app = program(|_| {});
    let main = window(&app, MAIN);
    for command in main_window_commands() {
        let said = refusal(&main, OWN_PAGE, command);
        let expected = match command {
            "start_again" => Some(json!({"code": ErrorCode::HostGone, "reference": null})),
            "quit" => None,
            _ => Some(json!({"code": ErrorCode::StoreFailed, "reference": "K7-4MQ-2P"})),
        };
        assert_eq!(said, expected, "{command}");
    }
    for command in commands_of_tauri().iter().filter(|command| !HEARS.contains(&command.as_str())) {
        let said = refusal(&main, OWN_PAGE, command);
        assert!(is_denied_by_the_list(said.as_ref()), "{command}: {said:?}");
    }
}

/// The same for the approval window: its two commands, and nothing that the main window may.
#[test]
fn the_approval_window_gets_through_with_its_own_commands_alone() {
    let app = program(|_| {});
    let (main, approval) = (window(&app, MAIN), window(&app, APPROVAL));
    for command in approval_window_commands() {
        let said = refusal(&approval, OWN_PAGE, command);
        let refused = json!({"code": ErrorCode::StoreFailed, "reference": "K7-4MQ-2P"});
        assert_eq!(said, Some(refused), "{command}");
        let said = refusal(&main, OWN_PAGE, command);
        assert!(is_denied_by_the_list(said.as_ref()), "{command}: {said:?}");
    }
    for command in main_window_commands() {
        let said = refusal(&approval, OWN_PAGE, command);
        assert!(is_denied_by_the_list(said.as_ref()), "{command}: {said:?}");
    }
    for command in commands_of_tauri().iter().filter(|command| !HEARS.contains(&command.as_str())) {
        let said = refusal(&approval, OWN_PAGE, command);
        assert!(is_denied_by_the_list(said.as_ref()), "{command}: {said:?}");
    }
}

/// Were the access list open, the label would still be looked at.
#[test]
fn every_command_looks_at_the_label_itself() {
    let app = program(|context| {
        for command in all_commands() {
            context.runtime_authority_mut().__allow_command(command.to_owned(), ExecutionContext::Local);
        }
    });
    let (main, approval) = (window(&app, MAIN), window(&app, APPROVAL));
    let of_main = main_window_commands().into_iter().map(|command| (&approval, command));
    let of_approval = approval_window_commands().iter().map(|command| (&main, *command));
    for (window, command) in of_main.chain(of_approval) {
        let said = refusal(window, OWN_PAGE, command);
        let malformed = json!({"code": ErrorCode::RequestMalformed, "reference": null});
        assert_eq!(said, Some(malformed), "{command}");
    }
}

#[test]
fn a_command_without_the_runs_own_key_is_not_answered() {
    let mut context: Context<MockRuntime> = crate::context();
    let allowed = context.runtime_authority_mut().resolve_access("app_state", MAIN, MAIN, &Origin::Local);
    assert!(allowed.is_some(), "the list alone would allow it");
    let app = program(|_| {});
    let main = window(&app, MAIN);
    let (answered, hears) = std::sync::mpsc::channel();
    for key in ["", "undefined", "null", "__invoke-key_", "__invoke-key__ "] {
        let answered = answered.clone();
        let request = InvokeRequest {
            cmd: "app_state".to_owned(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: OWN_PAGE.parse().unwrap(),
            body: InvokeBody::Json(json!({ "request": {} })),
            headers: tauri::http::HeaderMap::default(),
            invoke_key: key.to_owned(),
        };
        let webview: &tauri::Webview<MockRuntime> = main.as_ref();
        webview
            .clone()
            .on_message(request, Box::new(move |_, _, _, _, _| answered.send(()).unwrap_or_default()));
    }
    drop(answered);
    // Whoever could still answer holds the other end; all have let go of it.
    assert!(hears.recv().is_err(), "somebody answered");
}

#[test]
fn a_request_of_the_wrong_shape_gets_an_error_and_nothing_else() {
    let app = program(|_| {});
    let (main, approval) = (window(&app, MAIN), window(&app, APPROVAL));
    let of_main = main_window_commands().into_iter().map(|command| (&main, command));
    let of_approval = approval_window_commands().iter().map(|command| (&approval, *command));
    for (window, command) in of_main.chain(of_approval) {
        for body in [
            json!(null),
            json!({}),
            json!([]),
            json!("x"),
            json!({ "request": null }),
            json!({ "request": [] }),
            json!({ "request": "{}" }),
            json!({ "request": {"x": 1} }),
            json!({ "request": {"request": {}} }),
            json!({ "Request": {} }),
        ] {
            let request = InvokeRequest {
                cmd: command.to_owned(),
                callback: CallbackFn(0),
                error: CallbackFn(1),
                url: OWN_PAGE.parse().unwrap(),
                body: InvokeBody::Json(body.clone()),
                headers: tauri::http::HeaderMap::default(),
                invoke_key: INVOKE_KEY.to_owned(),
            };
            let said = get_ipc_response(window, request).unwrap_err();
            assert!(
                said.as_str().is_some_and(|why| why.contains("invalid args")),
                "{command} {body}: {said}"
            );
        }
    }
}
