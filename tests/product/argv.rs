//! What the programs are started with: links, files and other programs' options start nothing and are passed on to
//! nobody, whether a host runs already or not.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use support::host::Host;
use support::observe::programs_of;
use support::process::{programs, root};
use support::session::Session;
use support::world::World;

use crate::frames::invoke;

const TABLE: &str = include_str!("../tables/argv.jsonl");
/// How both programs end that were misused, and what they say: their own name, and nothing of what was given.
const MISUSED: i32 = 2;
const SAYS: [(&str, &str); 2] = [
    ("countersignd", "countersignd takes no arguments but --report. Nothing was started.\n"),
    (
        "countersign-desktop",
        "countersign-desktop takes no arguments but --approval or --tray. Nothing was started.\n",
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    ids: Vec<String>,
    name: String,
    program: String,
    args: Vec<String>,
    #[serde(default)]
    args_hex: Vec<String>,
    expect: String,
}

impl Row {
    fn run(&self, session: &Session) -> Output {
        let bytes = |hex: &String| -> Vec<u8> {
            let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap().to_owned());
            pairs.map(|pair| u8::from_str_radix(&pair, 16).unwrap()).collect()
        };
        let mut child = Command::new(programs().join(&self.program))
            .args(&self.args)
            .args(self.args_hex.iter().map(|hex| OsString::from_vec(bytes(hex))))
            .env_clear()
            .envs(session.environment())
            .env("COUNTERSIGN_HOME", session.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that started something stays: it is ended, and has no exit code.
        let begin = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begin.elapsed() > Duration::from_secs(6) {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    }

    /// What became of it, in the words of the table.
    fn outcome(&self, ran: &Output) -> String {
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        let words = SAYS.iter().find(|(program, _)| *program == self.program).map(|(_, words)| *words);
        match ran.status.code() {
            Some(MISUSED) if Some(said.as_str()) == words && ran.stdout.is_empty() => "misused".to_owned(),
            Some(0) if !said.contains("takes no arguments") => "shown".to_owned(),
            code => format!("{code:?}: {}", said.chars().take(200).collect::<String>()),
        }
    }
}

fn table() -> Vec<Row> {
    TABLE
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_arguments_start_nothing_beside_a_host_that_runs() {
    let world = World::with(Session::start(), &[("sandbox-bank", "Sandbox Bank")], |_| {});
    let window = world.window().await;
    let before = [
        programs_of(&world.session.data(), "countersignd"),
        programs_of(&world.session.data(), "countersign-desktop"),
    ];
    let mut wrong = Vec::new();
    let rows = table();
    assert!(rows.len() >= 60 && rows.iter().all(|row| row.ids == ["attack-109"]));
    for row in &rows {
        let begin = Instant::now();
        let outcome = row.outcome(&row.run(&world.session));
        if outcome != row.expect {
            wrong.push(format!("{} {}: {outcome} and not {}", row.program, row.name, row.expect));
        }
        // The loader reads a hundred libraries before `main`, on a machine that may be busy.
        if begin.elapsed() > Duration::from_secs(5) {
            wrong.push(format!("{} {}: {:?}", row.program, row.name, begin.elapsed()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let after = [
        programs_of(&world.session.data(), "countersignd"),
        programs_of(&world.session.data(), "countersign-desktop"),
    ];
    assert_eq!(after, before, "the same host and the same window");
    // Nothing was started, asked or approved.
    assert_eq!(invoke(&window, "list_attempts", json!({})).await, json!({ "answer": [] }));
    assert_eq!(world.opened(), Vec::<String>::new());
    assert!(!window.has("quit-dialog").await);
    window.find("home-sentence").await;
    assert_eq!(Host::start_second(&world.session), Some(0));
}

#[test]
fn hostile_arguments_start_no_host_where_none_runs() {
    let session = Session::without_keychain();
    for row in table().iter().filter(|row| row.expect == "misused").step_by(3) {
        assert_eq!(row.outcome(&row.run(&session)), "misused", "{} {}", row.program, row.name);
        assert_eq!(programs_of(&session.data(), "countersignd"), Vec::<u32>::new(), "{}", row.name);
    }
    let left: Vec<_> = std::fs::read_dir(session.data()).unwrap().collect();
    assert!(left.is_empty(), "not even a lock: {left:?}");
}

/// No kind of link and no kind of file is ours: a click on one cannot start us.
#[test]
fn no_scheme_and_no_kind_of_file_is_ours() {
    let configuration = std::fs::read_to_string(root().join("src-tauri/tauri.conf.json")).unwrap();
    let handlers = |text: &str| {
        let words = [
            "deep-link",
            "deepLink",
            "deep_link",
            "fileAssociations",
            "schemes",
            "mimeType",
            "MimeType",
            "x-scheme-handler",
            "%u",
            "%U",
            "%f",
            "%F",
        ];
        words.iter().copied().filter(|word| text.contains(word)).collect::<Vec<_>>()
    };
    assert_eq!(handlers(&configuration), Vec::<&str>::new());
    assert_eq!(
        handlers("Exec=x %u\nMimeType=x-scheme-handler/countersign;"),
        ["MimeType", "x-scheme-handler", "%u"]
    );
    let mut entries = 0;
    for folder in ["src-tauri/linux", "src-tauri/src", "icons"] {
        support::scan::each_file(&root().join(folder), &mut |path, bytes| {
            if path.extension().is_some_and(|end| end == "desktop") {
                entries += 1;
                assert_eq!(
                    handlers(&String::from_utf8_lossy(bytes)),
                    Vec::<&str>::new(),
                    "{}",
                    path.display()
                );
            }
        });
    }
    let named = configuration.matches("desktopTemplate").count();
    assert_eq!(entries, named, "every entry for a menu is looked at");
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    assert!(!lock.contains("tauri-plugin-deep-link") && !lock.contains("tauri-plugin-single-instance"));
}
