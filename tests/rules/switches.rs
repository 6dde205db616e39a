//! The switches of demo and tests are in no build that people use.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use support::host::{Host, HostSettings, recording_opener};
use support::process::{programs, root, wait_until};
use support::session::Session;

/// What a sandbox build reads from its environment.
const SWITCHES: [&str; 4] =
    ["COUNTERSIGN_CA", "COUNTERSIGN_CATALOGUE", "COUNTERSIGN_CLOCK", "COUNTERSIGN_OPENER"];
/// What lets another program drive a window.
const DRIVERS: [&str; 2] = ["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER"];

/// The build without `sandbox`: `COUNTERSIGN_BIN_PLAIN`, else what `cargo xtask build` made.
pub(crate) fn plain() -> PathBuf {
    std::env::var_os("COUNTERSIGN_BIN_PLAIN")
        .map_or_else(|| root().join("target/bin/plain"), |path| root().join(path))
}

fn switches_in(program: &Path) -> Vec<&'static str> {
    let bytes = std::fs::read(program)
        .unwrap_or_else(|err| panic!("{}: {err}; `cargo xtask build` makes it", program.display()));
    let text = String::from_utf8_lossy(&bytes);
    // One name begins another.
    let apart = |name: &str| {
        if name == "COUNTERSIGN_CA" { text.replace("COUNTERSIGN_CATALOGUE", "") } else { text.to_string() }
    };
    SWITCHES.into_iter().filter(|name| apart(name).contains(name)).collect()
}

#[test]
fn a_build_that_people_use_does_not_know_the_switches() {
    assert_eq!(switches_in(&plain().join("countersignd")), Vec::<&str>::new());
    assert_eq!(switches_in(&plain().join("countersign-desktop")), Vec::<&str>::new());
    for program in ["countersign", "countersign-agent", "countersign-mcp"] {
        assert_eq!(switches_in(&plain().join(program)), Vec::<&str>::new(), "{program}");
    }
    assert_eq!(
        switches_in(&programs().join("countersignd")),
        SWITCHES,
        "a sandbox build does: the search finds them"
    );
}

/// What can be seen from outside of a host that was started with every switch set.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// The switches that its window process was given.
    handed_on: Vec<&'static str>,
    /// Whether a WebDriver could attach.
    inspector: bool,
    /// The window's title.
    title: String,
    /// Agents that were enrolled without the person, from the catalogue folder.
    agents: i64,
}

fn see(programs: PathBuf) -> Seen {
    let session = Session::start();
    let catalogue = session.dir().join("catalogue");
    std::fs::create_dir_all(catalogue.join("agents")).unwrap();
    let agent = "name = \"Uninvited\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\n";
    std::fs::write(catalogue.join("agents/uninvited.toml"), agent).unwrap();
    let ca = session.dir().join("ca.pem");
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&ca, certificate.cert.pem()).unwrap();
    let (opener, _) = recording_opener(session.dir());
    let extra = vec![("COUNTERSIGN_CA".to_owned(), ca.display().to_string())];
    let clock = Some("offset=1".to_owned());
    let settings = HostSettings { catalogue, opener: Some(opener), clock, programs, extra };
    let host = Host::start(&session, &settings);
    let title = title(&session);
    let environ =
        std::fs::read(format!("/proc/{}/environ", host.window().unwrap())).expect("root may read it");
    let environ = String::from_utf8_lossy(&environ).into_owned();
    let set = |name: &&str| environ.split('\0').any(|variable| variable.split('=').next() == Some(name));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let store = Connection::open_with_flags(session.data().join("countersign.sqlite"), flags).unwrap();
    assert!(["DISPLAY", "HOME"].iter().all(set), "the environment was read:\n{environ}");
    Seen {
        handed_on: SWITCHES.into_iter().chain(DRIVERS).filter(set).collect(),
        inspector: listens(host.inspector),
        title,
        agents: store.query_row("SELECT count(*) FROM agents", [], |row| row.get(0)).unwrap(),
    }
}

/// Whether something listens at this port, now or soon: a window has its title before its inspector.
fn listens(port: u16) -> bool {
    (0..50).any(|_| {
        let open = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        if !open {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        open
    })
}

/// The title of the one window, once it is there.
pub(crate) fn title(session: &Session) -> String {
    let mut title = String::new();
    wait_until("the window's title", support::driver::PATIENCE, || {
        let output = std::process::Command::new("xdotool")
            .args(["search", "--onlyvisible", "--name", "^Countersign", "getwindowname"])
            .envs(session.environment())
            .output()
            .expect("xdotool");
        title = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        !title.is_empty()
    });
    title
}

#[test]
fn a_build_that_people_use_heeds_no_switch() {
    let seen = see(plain());
    assert_eq!(seen, Seen { handed_on: vec![], inspector: false, title: "Countersign".into(), agents: 0 });
}

#[test]
fn a_sandbox_build_heeds_them_so_the_search_would_notice() {
    let seen = see(programs());
    let handed_on = SWITCHES.into_iter().chain(DRIVERS).collect();
    assert_eq!(seen, Seen { handed_on, inspector: true, title: "Countersign — Sandbox".into(), agents: 1 });
}
