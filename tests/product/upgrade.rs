//! The package changes while the host runs.

use std::path::Path;
use std::time::Duration;

use support::host::Host;
use support::process::{command_line, programs, wait_until};
use support::session::Session;
use support::world::World;

/// Hosts that run from this folder, with their arguments.
fn hosts_of(folder: &Path) -> Vec<(u32, String)> {
    let program = folder.join("countersignd").display().to_string();
    let pids =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    pids.map(|pid| (pid, command_line(pid))).filter(|(_, line)| line.starts_with(&program)).collect()
}

fn put(program: &Path, folder: &Path, name: &str) {
    // Beside and renamed, as a package manager does: a running program cannot be written to.
    let beside = folder.join(format!("{name}.new"));
    std::fs::copy(program, &beside).unwrap();
    std::fs::rename(beside, folder.join(name)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_meets_another_build_makes_way_once_and_waits_for_the_rest() {
    let session = Session::start();
    let folder = session.dir().join("package");
    std::fs::create_dir(&folder).unwrap();
    for name in ["countersignd", "countersign-desktop"] {
        put(&programs().join(name), &folder, name);
    }
    let package = folder.clone();
    let mut world =
        World::with(session, &[("sandbox-bank", "Sandbox Bank")], |settings| settings.programs = package);
    world.window().await;
    let first = world.host().running.pid();

    // The window is of the new build, the host on disk as well; the one that runs is the old one.
    put(Path::new(env!("CARGO_BIN_EXE_other-build")), &folder, "countersign-desktop");
    support::process::signal(world.host().window().expect("a window"), "KILL");
    wait_until("the old host to make way", Duration::from_secs(20), || {
        world.host.as_mut().expect("a host").running.has_ended()
    });
    wait_until("its successor", Duration::from_secs(20), || !hosts_of(&folder).is_empty());
    let [(second, line)] = &hosts_of(&folder)[..] else { panic!("not one host") };
    assert!(*second != first && line.contains("--after-change"), "{line}");

    // The package is still half in place: the new host does not make way again, and waits.
    let log = world.session.data().join("countersignd.log");
    wait_until("the host to give up on windows", Duration::from_secs(30), || {
        std::fs::read_to_string(&log).unwrap_or_default().contains("the window process keeps ending")
    });
    assert_eq!(hosts_of(&folder).iter().map(|(pid, _)| *pid).collect::<Vec<_>>(), [*second]);

    // Complete, a second start shows the window of the host that runs.
    put(&programs().join("countersign-desktop"), &folder, "countersign-desktop");
    assert_eq!(Host::start_second(&world.session), Some(0));
    wait_until("the window", Duration::from_secs(20), || {
        let children = support::process::children_of(*second);
        children.iter().any(|pid| command_line(*pid).contains("countersign-desktop"))
    });
    support::process::signal(*second, "TERM");
    wait_until("its end", Duration::from_secs(20), || hosts_of(&folder).is_empty());
}
