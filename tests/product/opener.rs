//! What the programs that we start are given of our environment: what a browser needs of the login session, and
//! nothing else of whatever the host was started with.

use std::collections::BTreeSet;

use support::inherited::hostile;
use support::observe::environment_of;
use support::process::{children_of, command_line, descendants_of, free_port, wait_until};
use support::session::Session;
use support::world::World;

/// The names in an environment as the kernel keeps it.
fn names(environment: &str) -> BTreeSet<String> {
    environment.split(['\0', '\n']).filter_map(|entry| Some(entry.split_once('=')?.0.to_owned())).collect()
}

/// What a sandbox build adds for its own window, so that a test can drive it.
const OF_THE_SANDBOX: [&str; 4] =
    ["COUNTERSIGN_CATALOGUE", "COUNTERSIGN_OPENER", "TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER"];
/// How pages are drawn, which the host may decide.
const DRAWING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
const OURS: [&str; 4] =
    ["COUNTERSIGN_HOME", "COUNTERSIGN_LOG", "COUNTERSIGN_WEBVIEW_DATA", "WEBKIT_DISABLE_COMPOSITING_MODE"];

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn children_are_given_what_a_browser_needs_of_the_session_and_nothing_else() {
    let session = Session::start();
    let dir = session.dir().join("hostile");
    std::fs::create_dir(&dir).unwrap();
    let given = session.dir().join("given");
    let mut inherited = hostile(&dir.display().to_string(), free_port());
    // These the harness itself needs, and the sandbox build hands them on.
    inherited.retain(|name, _| !OF_THE_SANDBOX.contains(&name.as_str()));
    let names_of_hostile: BTreeSet<String> = inherited.keys().cloned().collect();
    let (program, given_to) = (session.dir().join("opener-that-tells"), given.clone());
    let mut all_of_session = set(&[]);
    all_of_session.extend(session.environment().into_iter().map(|(name, _)| name));
    let world = World::with(session, &[("sandbox-bank", "Sandbox Bank")], move |settings| {
        use std::os::unix::fs::PermissionsExt;
        // As the kernel has it: a shell adds names of its own.
        let script = format!(
            "#!/bin/sh\ncat /proc/$$/environ > '{0}.new' && mv '{0}.new' '{0}'\n",
            given_to.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        settings.opener = Some(program);
        settings.extra.extend(inherited);
    });
    let window = world.window().await;
    world.choose(&window, "sandbox-bank", "Budget Buddy").await;
    window.click("go-connect").await;
    window.find("step-at_bank").await;
    wait_until("the opener", support::driver::PATIENCE, || given.exists());
    let opener = names(&std::fs::read_to_string(&given).unwrap());
    assert_eq!(opener, all_of_session, "the browser's launcher");

    let host = world.host().running.pid();
    let of_host = names(&environment_of(host));
    assert!(names_of_hostile.is_subset(&of_host), "the control: the host was given them all");
    let window = world.host().window().unwrap();
    let mut expected: BTreeSet<String> =
        all_of_session.iter().cloned().chain(set(&OURS)).chain(set(&OF_THE_SANDBOX)).collect();
    let mut of_window = names(&environment_of(window));
    of_window.remove(DRAWING);
    expected.remove(DRAWING);
    assert_eq!(of_window, expected, "the window's program");
    assert_eq!(children_of(host), [window], "and no other child");
    let webview = descendants_of(window);
    assert!(webview.len() >= 2, "{webview:?}");
    for pid in webview {
        let strange: Vec<String> = names(&environment_of(pid))
            .intersection(&names_of_hostile)
            .filter(|name| !OURS.contains(&name.as_str()))
            .cloned()
            .collect();
        assert_eq!(strange, Vec::<String>::new(), "{}", command_line(pid));
    }
    let left: Vec<_> = std::fs::read_dir(&dir).unwrap().collect();
    assert!(left.is_empty(), "nobody wrote where a variable pointed: {left:?}");
}
