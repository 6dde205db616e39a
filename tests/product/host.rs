//! The host: killed, stopped, started twice, and with data it cannot use.

use std::fs::{Permissions, read, set_permissions, write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::database::spoil;
use support::driver::{PATIENCE, Page};
use support::host::Host;
use support::observe::{descriptors_of, is_refused, listening, programs_of, sockets_of};
use support::process::{descendants_of, programs, signal, wait_until};
use support::session::Session;
use support::world::{World, allow, sign_in};

const BANK: [(&str, &str); 1] = [("sandbox-bank", "Sandbox Bank")];

/// The processes of the product that work on this data.
fn all_of(data: &Path) -> Vec<u32> {
    [programs_of(data, "countersignd"), programs_of(data, "countersign-desktop")].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_killed_while_waiting_is_said_and_started_again_from_the_window() {
    let mut world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let (inspector, data) = (world.host().inspector, world.session.data());
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    window.find("step-at_bank").await;
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    browser.find_css("#allow").await;
    let port = world.port();
    let old = world.host().window().unwrap();
    world.kill_host();
    window.says("host-gone", "Countersign stopped").await;
    assert!(is_refused(port));
    assert_eq!(world.database().endings(), [""], "nobody has looked yet");

    // The window ends once the new host answers, perhaps before its driver has said that it clicked.
    drop(tokio::time::timeout(Duration::from_secs(5), window.click("start-again")).await);
    drop(window);
    let fresh = |pids: Vec<u32>| pids.iter().any(|pid| *pid != old);
    wait_until("the old window's end", PATIENCE, || {
        let windows = programs_of(&data, "countersign-desktop");
        !windows.contains(&old) && fresh(windows)
    });
    assert_eq!(programs_of(&data, "countersignd").len(), 1);
    assert_eq!(world.database().endings(), ["interrupted"]);
    allow(&browser).await;
    let start = Instant::now();
    while !browser.body().await.contains("ERR_CONNECTION_REFUSED") {
        assert!(start.elapsed() < PATIENCE, "{}", browser.body().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // The old window still held the inspector's port when the new one came up. The next one finds it free.
    let new = programs_of(&data, "countersign-desktop");
    signal(new[0], "KILL");
    wait_until("a window that can be driven", PATIENCE, || {
        let windows = programs_of(&data, "countersign-desktop");
        !windows.contains(&new[0]) && !is_refused(inspector)
    });
    let window = world.window_at(inspector).await;
    assert_eq!(world.grants(&window).await, Vec::<String>::new());
    world.connect(&window, &browser, "sandbox-bank", "Budget Buddy").await;
    assert_eq!(world.database().endings(), ["interrupted", "connected"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_outlive_a_restart_and_can_be_revoked_after_it() {
    let mut world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    world.connect(&window, &browser, "sandbox-bank", "Budget Buddy").await;
    drop(window);
    world.stop_host();
    world.start_host();
    let window = world.window().await;
    let grants = world.grants(&window).await;
    assert_eq!(grants.len(), 1);
    assert_eq!(world.consents(&browser, 0).await.len(), 1);
    world.revoke(&window, &grants[0]).await;
    window.find("bank-told-confirmed").await;
    assert_eq!(world.consents(&browser, 0).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_shows_the_window_that_is_there() {
    let world = World::start();
    let window = world.window().await;
    let before = all_of(&world.session.data());
    assert_eq!(before.len(), 2, "a host and a window");
    let asked = Instant::now();
    assert_eq!(Host::start_second(&world.session), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    window.find("home-sentence").await;
    assert_eq!(all_of(&world.session.data()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn different_data_folders_do_not_merge() {
    let world = World::start();
    let other = world.session.dir().join("other");
    std::fs::create_dir(&other).unwrap();
    set_permissions(&other, Permissions::from_mode(0o700)).unwrap();
    let mut second = Command::new(programs().join("countersignd"))
        .env_clear()
        .envs(world.session.environment())
        .env("COUNTERSIGN_HOME", &other)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("a second window", PATIENCE, || programs_of(&other, "countersign-desktop").len() == 1);
    assert_eq!(all_of(&world.session.data()).len(), 2);
    let endpoint = |folder: &Path| read(folder.join("endpoint.json")).unwrap();
    assert_ne!(endpoint(&other), endpoint(&world.session.data()));
    second.kill().unwrap();
    second.wait().unwrap();
    for pid in all_of(&other) {
        signal(pid, "KILL");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_told_to_end_ends_everything_and_can_start_again() {
    let mut world = World::start();
    drop(world.window().await);
    let data = world.session.data();
    let endpoint: serde_json::Value =
        serde_json::from_slice(&read(data.join("endpoint.json")).unwrap()).unwrap();
    let socket = endpoint["socket"].as_str().unwrap();
    assert!(Path::new(socket).exists());
    let all = descendants_of(world.host().running.pid());
    assert!(all.len() >= 3, "the window and its web processes: {all:?}");
    world.stop_host();
    assert!(!Path::new(socket).exists(), "the socket is taken away");
    wait_until("the end of all processes", PATIENCE, || {
        all.iter().all(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_err())
    });
    assert!(!data.join("webview").exists());
    world.start_host();
    world.window().await.find("empty").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_listens_on_the_network_only_while_an_attempt_waits() {
    let world = World::start();
    let (window, browser) = (world.window().await, world.browser().await);
    let host = world.host().running.pid();
    assert_eq!(listening(host), Vec::<u16>::new());
    let url = world.go_to_bank(&window, "sandbox-bank", "Budget Buddy").await;
    assert_eq!(listening(host).len(), 1, "the control: a listener is seen");
    browser.client.goto(&url).await.unwrap();
    sign_in(&browser, "ada").await;
    allow(&browser).await;
    window.find("ending-connected").await;
    assert_eq!(listening(host), Vec::<u16>::new());
    for pid in descendants_of(host) {
        // WebKit's own server is there because this test drives the window.
        let foreign: Vec<u16> =
            listening(pid).into_iter().filter(|port| *port != world.host().inspector).collect();
        assert_eq!(foreign, Vec::<u16>::new(), "{pid}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_channel_is_held_by_the_host_and_the_window_alone() {
    let world = World::start();
    drop(world.window().await);
    let (host, window) = (world.host().running.pid(), world.host().window().unwrap());
    let (ours, theirs) = (sockets_of(host), sockets_of(window));
    let children = descendants_of(window);
    assert!(children.len() >= 2, "the web processes: {children:?}");
    for child in children {
        let held = sockets_of(child);
        assert!(!held.is_empty(), "{child} has sockets of its own");
        let shared: Vec<&String> =
            held.iter().filter(|socket| theirs.contains(*socket) || ours.contains(*socket)).collect();
        assert_eq!(shared, Vec::<&String>::new(), "{}", support::process::command_line(child));
        assert!(!descriptors_of(child).values().any(|to| to.contains("countersign.sqlite")));
    }
    // The control: a socket that a child inherits is found in it.
    let (kept, given) = std::os::unix::net::UnixStream::pair().unwrap();
    let inherited = given.try_clone().unwrap();
    let mut child = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(inherited)))
        .spawn()
        .unwrap();
    wait_until("the program", PATIENCE, || support::process::command_line(child.id()).contains("sleep"));
    assert!(!sockets_of(child.id()).is_disjoint(&sockets_of(std::process::id())));
    drop((kept, given));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The page that stands alone when the data cannot be opened.
async fn refused(session: Session, problem: &str, words: &str) {
    let database = session.data().join("countersign.sqlite");
    let before = read(&database).unwrap();
    let world = World::with(session, &BANK, |_| {});
    let window = Page::of_window(&world.session, world.host().inspector).await;
    window.says(problem, words).await;
    window.says(problem, "Nothing was changed.").await;
    assert!(!window.has("connect-account").await);
    assert_eq!(read(&database).unwrap(), before);
    window.click("quit-confirm").await;
    wait_until("the end", PATIENCE, || all_of(&world.session.data()).is_empty());
    assert_eq!(read(&database).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_later_version_is_left_alone_and_said() {
    let mut world = World::start();
    drop(world.window().await);
    world.stop_host();
    spoil(&world.session.data(), "PRAGMA user_version = 4711; PRAGMA wal_checkpoint(TRUNCATE);");
    let database = world.session.data().join("countersign.sqlite");
    let before = read(&database).unwrap();
    world.start_host();
    let window = Page::of_window(&world.session, world.host().inspector).await;
    window.says("problem-store_newer", "A newer Countersign has used this data.").await;
    assert_eq!(read(&database).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_no_database_is_left_alone_and_said() {
    let session = Session::start();
    let database = session.data().join("countersign.sqlite");
    write(&database, "This was once somebody's thesis. ".repeat(1000)).unwrap();
    set_permissions(&database, Permissions::from_mode(0o600)).unwrap();
    refused(session, "problem-store_damaged", "Countersign can't read its own data.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_others_may_read_is_left_alone_and_said() {
    let session = Session::start();
    let database = session.data().join("countersign.sqlite");
    write(&database, "").unwrap();
    set_permissions(&database, Permissions::from_mode(0o644)).unwrap();
    refused(session, "problem-data_folder_unfit", "Countersign's data folder is not private to you.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_others_may_enter_is_left_alone_and_said() {
    let session = Session::start();
    set_permissions(session.data(), Permissions::from_mode(0o755)).unwrap();
    let world = World::with(session, &BANK, |_| {});
    let window = Page::of_window(&world.session, world.host().inspector).await;
    let words = "Countersign's data folder is not private to you.";
    window.says("problem-data_folder_unfit", words).await;
}
