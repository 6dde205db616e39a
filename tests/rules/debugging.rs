//! Nobody looks into the window of a build that people use: whatever stands in the environment it was started with, no
//! debugger listens, and where the variables reach the window's own program it refuses to start.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::host::{Host, HostSettings, recording_opener};
use support::inherited::{HOSTILE, hostile};
use support::observe::{environment_of, listening};
use support::process::{command_line, descendants_of, free_port, root, wait_until};
use support::session::Session;

use crate::switches::{plain, title};

/// Each of these lets another program drive the webview.
const DRIVERS: [&str; 3] =
    ["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_HTTP_SERVER", "WEBKIT_INSPECTOR_SERVER"];

fn names_of(pid: u32) -> BTreeSet<String> {
    environment_of(pid).lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
}

#[test]
fn no_variable_opens_a_build_that_people_use_to_a_debugger() {
    let session = Session::start();
    let (dir, port) = (session.dir().join("hostile"), free_port());
    std::fs::create_dir(&dir).unwrap();
    let (opener, _) = recording_opener(session.dir());
    let extra: Vec<_> = hostile(&dir.display().to_string(), port).into_iter().collect();
    let settings =
        HostSettings { catalogue: dir.clone(), opener: Some(opener), clock: None, programs: plain(), extra };
    let host = Host::start(&session, &settings);
    assert_eq!(title(&session), "Countersign");
    let pid = host.running.pid();
    let given = names_of(pid);
    assert!(HOSTILE.iter().all(|(name, _)| given.contains(*name)), "the host was started with them all");

    let window = host.window().unwrap();
    let ours = [
        "COUNTERSIGN_HOME",
        "COUNTERSIGN_LOG",
        "COUNTERSIGN_WEBVIEW_DATA",
        "WEBKIT_DISABLE_COMPOSITING_MODE",
    ]
    .map(str::to_owned);
    let session_names = session.environment().into_iter().map(|(name, _)| name);
    let mut of_window = names_of(window);
    // How pages are drawn, which the host may decide.
    let mut expected: BTreeSet<String> = session_names.chain(ours).collect();
    for names in [&mut of_window, &mut expected] {
        names.remove("WEBKIT_DISABLE_COMPOSITING_MODE");
    }
    assert_eq!(of_window, expected, "of the login session, and our own");
    assert!(
        !environment_of(window).contains("hostile/webview"),
        "where the webview keeps its files is the host's word"
    );
    wait_until("the web processes", support::driver::PATIENCE, || descendants_of(window).len() >= 2);
    for pid in [vec![pid], descendants_of(pid)].concat() {
        assert_eq!(listening(pid), Vec::<u16>::new(), "{}", command_line(pid));
    }
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    let left: Vec<_> = std::fs::read_dir(&dir).unwrap().collect();
    assert!(left.is_empty(), "nobody wrote where a variable pointed: {left:?}");
    // The control, that an inspector of a sandbox build is seen to listen, is in `switches`.
}

#[test]
fn the_windows_program_refuses_to_start_where_it_could_be_driven() {
    let session = Session::without_keychain();
    let run = |variables: &[(&str, &str)]| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut child = Command::new(plain().join("countersign-desktop"))
            .env_clear()
            .envs(session.environment())
            .envs(variables.iter().copied())
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A host that says nothing would be waited for: it is gone at once where the environment is fine.
        drop(ours);
        let mut ended = None;
        wait_until("its end", Duration::from_secs(15), || {
            ended = child.try_wait().unwrap();
            ended.is_some()
        });
        let said = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
        (ended.unwrap().code(), said.contains("the environment would let another program drive the window"))
    };
    for name in DRIVERS {
        assert_eq!(run(&[(name, "127.0.0.1:1")]), (Some(1), true), "{name}");
    }
    assert_eq!(run(&[]), (Some(1), false), "the control: without them it goes on, to a host that is gone");
}

/// The features that the window's crates are built with, for what people get.
fn features_of(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let id = packages.iter().find(|one| one["name"] == package).map(|one| &one["id"]).expect("the package");
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes");
    let node = nodes.iter().find(|node| node["id"] == *id).expect("the node");
    node["features"].as_array().expect("features").iter().map(|f| f.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_inspector_is_compiled_in() {
    for package in ["tauri", "tauri-runtime", "tauri-runtime-wry", "wry"] {
        let features = features_of(package);
        for unwanted in [
            "devtools",
            "tracing",
            "isolation",
            "unstable",
            "dynamic-acl",
            "protocol-asset",
            "webview-data-url",
        ] {
            assert!(!features.contains(unwanted), "{package} has {unwanted}: {features:?}");
        }
    }
    let tauri = features_of("tauri");
    assert!(tauri.contains("wry") && tauri.contains("compression"), "features are found: {tauri:?}");
}
