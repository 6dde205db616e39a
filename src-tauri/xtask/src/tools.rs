//! Packages of the system: installed on Debian and its relatives, named elsewhere.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::child;

/// What the packages are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Building,
    Testing,
}

/// To build the window.
const BUILD: [&str; 2] = ["libwebkit2gtk-4.1-dev", "librsvg2-dev"];

/// To run it without a person: a screen, a bus, a keychain, a browser, drivers for all of them, and tools to make faults.
const TEST: [&str; 18] = [
    "webkit2gtk-driver",
    "xvfb",
    "dbus",
    "dbus-x11",
    "gnome-keyring",
    "libsecret-tools",
    "chromium",
    "chromium-driver",
    "xdg-utils",
    "xdotool",
    "strace",
    "openbox",
    "procps",
    "iproute2",
    "python3",
    "python3-venv",
    "xclip",
    "wmctrl",
];

/// The same, as another system would know it: libraries by their pkg-config names, programs by theirs.
const LIBRARIES: [&str; 2] = ["webkit2gtk-4.1", "librsvg-2.0"];
const PROGRAMS: [&str; 16] = [
    "WebKitWebDriver",
    "Xvfb",
    "dbus-daemon",
    "dbus-send",
    "gnome-keyring-daemon",
    "secret-tool",
    "chromium",
    "chromedriver",
    "xdotool",
    "strace",
    "openbox",
    "kill",
    "ip",
    "python3",
    "xclip",
    "wmctrl",
];

/// Installs what is missing, or says what is.
pub(crate) fn install(purpose: For) -> anyhow::Result<()> {
    if cfg!(not(target_os = "linux")) {
        println!("Nothing is installed on this system; building here has not been tried.");
        return Ok(());
    }
    if !(on_path("apt-get") && on_path("dpkg-query")) {
        return name_what_is_missing(purpose);
    }
    let missing = missing_packages(purpose);
    if missing.is_empty() {
        println!("System packages: all there");
        return Ok(());
    }
    if purpose == For::Testing && !is_debian() {
        println!(
            "Note: the tests are made for Debian 12 or later; Ubuntu's Chromium is a snap, which they cannot drive."
        );
    }
    println!("Installing system packages: {}", missing.join(" "));
    child::run(as_root(&missing)?.args(["update", "--quiet"]))?;
    child::run(
        as_root(&missing)?.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(&missing),
    )
}

fn wanted(purpose: For) -> Vec<&'static str> {
    let test: &[&str] = match purpose {
        For::Building => &[],
        For::Testing => &TEST,
    };
    BUILD.iter().chain(test).copied().collect()
}

fn missing_packages(purpose: For) -> Vec<&'static str> {
    let wanted = wanted(purpose);
    // It fails as soon as one name is unknown, and still lists the others.
    let output = child::command("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(&wanted)
        .output();
    let known = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let is_installed = |package: &str| known.lines().any(|line| line == format!("{package} installed"));
    wanted.into_iter().filter(|package| !is_installed(package)).collect()
}

/// `apt-get` with the right to install, asking nothing.
fn as_root(missing: &[&str]) -> anyhow::Result<Command> {
    if rustix::process::geteuid().is_root() {
        let mut command = child::command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        return Ok(command);
    }
    if child::heard(child::command("sudo").args(["-n", "true"])).is_none() {
        bail!(
            "system packages are missing, and this user may not install them without a password. Run:\n  \
             sudo apt-get update && sudo apt-get install --no-install-recommends {}",
            missing.join(" ")
        );
    }
    let mut command = child::command("sudo");
    command.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    Ok(command)
}

fn name_what_is_missing(purpose: For) -> anyhow::Result<()> {
    let has =
        |library: &&str| child::heard(child::command("pkg-config").args(["--exists", library])).is_some();
    let mut missing: Vec<&str> = LIBRARIES.iter().filter(|library| !has(library)).copied().collect();
    if purpose == For::Testing {
        missing.extend(PROGRAMS.iter().filter(|program| !on_path(program)));
    }
    if missing.is_empty() {
        println!("Libraries and programs: all there");
        return Ok(());
    }
    bail!(
        "nothing is installed on systems without apt-get. Please install what provides: {}\n  \
         On Debian 12 these packages do: {}",
        missing.join(" "),
        wanted(purpose).join(" ")
    )
}

fn is_debian() -> bool {
    fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=debian"))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every system of this kind has, and what Rust links with.
    const ALWAYS_THERE: [&str; 12] = [
        "cc", "ls", "mkfifo", "mount", "nsenter", "script", "setpriv", "setsid", "sh", "sleep", "timeout",
        "unshare",
    ];

    #[test]
    fn every_program_the_tests_start_is_installed_by_name() {
        let mut started = Vec::new();
        for folder in ["tests", "src-tauri/crates"] {
            collect(&child::root().join(folder), &mut started);
        }
        assert!(started.contains(&"Xvfb".to_owned()), "the programs are seen: {started:?}");
        let is_name = |program: &str| program.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        started.retain(|program| {
            is_name(program)
                && !PROGRAMS.contains(&program.as_str())
                && !ALWAYS_THERE.contains(&program.as_str())
        });
        assert_eq!(started, Vec::<String>::new(), "not among the programs to install");
    }

    fn collect(folder: &Path, started: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "node_modules" {
                collect(&path, started);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let after = text.split("Command::new(\"").skip(1);
                started.extend(after.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }
}
