//! The Debian package: what Tauri's own bundler makes of the release build, looked into before it is called done.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, json};

use crate::build::{self, Build};
use crate::child;
use crate::node::Node;
use crate::tools::{self, For};

/// Tauri's own bundler, of one version, in the project's own folder.
const CLI: &str = "2.12.5";
/// Where programs are in an unpacked package.
pub(crate) const PLACE_OF_PROGRAMS: &str = "usr/bin";
/// What must be there, and nothing else.
const PROGRAMS: [&str; 5] =
    ["countersign", "countersign-agent", "countersign-desktop", "countersign-mcp", "countersignd"];
/// What draws tray icons for most programs: loaded at run time, so that no tool names it, and its absence is a panic.
/// Ours speak to the desktop themselves, and must not have it.
const TRAY_LIBRARY: &str = "appindicator3";
/// Words that only a build with the feature `sandbox` knows.
const SANDBOX_WORDS: [&str; 2] = ["COUNTERSIGN_CATALOGUE", "COUNTERSIGN_OPENER"];

/// Builds the package, and says where it is.
pub(crate) fn run() -> anyhow::Result<()> {
    tools::install(For::Building)?;
    build::ui(&Node::find()?)?;
    build::programs(Build::Release)?;
    let package = deb(&[])?;
    check(&package)?;
    println!("{}", package.display());
    Ok(())
}

/// Packs the release build that is there, with further files where a figure plants some.
pub(crate) fn deb(further: &[(&str, &Path)]) -> anyhow::Result<PathBuf> {
    let node = Node::find()?;
    let bundler = cli(&node)?;
    let folder = build::release_target().join("release/bundle/deb");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    // The bundler takes the window's program from cargo's folder; the others are named here.
    let beside = ["countersign", "countersign-agent", "countersign-mcp", "countersignd"]
        .map(|name| (format!("/usr/bin/{name}"), json!(build::release_target().join("release").join(name))));
    let mut files = Map::from_iter(beside);
    files.extend(further.iter().map(|(place, file)| ((*place).to_owned(), json!(file))));
    let config = json!({ "bundle": { "linux": { "deb": { "files": files } } } });
    let mut packing = node.command();
    packing
        .arg(bundler)
        .args(["bundle", "--bundles", "deb", "--ci", "--config", &config.to_string()])
        .current_dir(child::root().join("src-tauri"))
        .env("CARGO_TARGET_DIR", build::release_target());
    child::run(&mut packing)?;
    let mut made = fs::read_dir(&folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let package = made.find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    package.context("the bundler made no package")
}

/// Installs the bundler where it is not there. Without a lock file: it names a package for every system there is, and
/// npm takes a lock file without the others for an old one.
fn cli(node: &Node) -> anyhow::Result<PathBuf> {
    let prefix = child::target("tools/tauri");
    let program = prefix.join("node_modules/@tauri-apps/cli/tauri.js");
    let version = child::heard(node.command().arg(&program).arg("--version")).unwrap_or_default();
    if version.split_whitespace().last() == Some(CLI) {
        return Ok(program);
    }
    println!("Installing @tauri-apps/cli {CLI} into target/tools/tauri");
    fs::create_dir_all(&prefix)?;
    let options = ["install", "--no-audit", "--no-fund", "--no-save", "--prefix"];
    child::run(node.npm("").args(options).arg(&prefix).arg(format!("@tauri-apps/cli@{CLI}")))?;
    Ok(program)
}

/// Unpacks a package and holds it against what design says must be in it.
pub(crate) fn check(package: &Path) -> anyhow::Result<()> {
    let depends = child::heard(child::command("dpkg-deb").arg("--field").arg(package).arg("Depends"));
    let depends = depends.context("dpkg-deb")?;
    ensure!(!depends.contains(TRAY_LIBRARY), "the package depends on {TRAY_LIBRARY}: {depends}");
    let folder = unpack(package)?;
    check_programs(&folder.join(PLACE_OF_PROGRAMS))?;
    let (name, text) = only_file(&folder.join("usr/share/applications"))?;
    check_launcher(&text).with_context(|| name)
}

/// Unpacks a package into a folder that the next one takes over.
pub(crate) fn unpack(package: &Path) -> anyhow::Result<PathBuf> {
    let folder = child::target("figures/package");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    child::run(child::command("dpkg-deb").arg("--extract").arg(package).arg(&folder))?;
    Ok(folder)
}

fn check_programs(folder: &Path) -> anyhow::Result<()> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<Vec<_>>>()?;
    names.sort();
    ensure!(names == PROGRAMS, "the package's programs are {names:?}, not {PROGRAMS:?}");
    for name in PROGRAMS {
        let path = folder.join(name);
        let mode = path.metadata()?.permissions().mode() & 0o7777;
        ensure!(mode == 0o755, "{name} has the mode {mode:o}");
        let program = fs::read(&path)?;
        if let Some(word) = SANDBOX_WORDS.iter().find(|word| holds(&program, word.as_bytes())) {
            bail!("{name} is a sandbox build: it knows {word}");
        }
        ensure!(!holds(&program, TRAY_LIBRARY.as_bytes()), "{name} would load {TRAY_LIBRARY}");
    }
    Ok(())
}

/// The launcher starts the host, which starts the window; no address or file opens it.
fn check_launcher(text: &str) -> anyhow::Result<()> {
    let of = |key: &str| text.lines().filter_map(|line| line.strip_prefix(key)).collect::<Vec<_>>();
    ensure!(of("Exec=") == ["countersignd"], "the launcher runs {:?}", of("Exec="));
    ensure!(of("MimeType=").is_empty(), "the launcher opens {:?}", of("MimeType="));
    ensure!(of("StartupWMClass=") == ["countersign-desktop"], "the window's class is not named");
    ensure!(!text.contains('%'), "the launcher takes arguments:\n{text}");
    Ok(())
}

fn only_file(folder: &Path) -> anyhow::Result<(String, String)> {
    let files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let [file] = files.as_slice() else { bail!("{} holds {files:?}", folder.display()) };
    Ok((file.display().to_string(), fs::read_to_string(file)?))
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str =
        "[Desktop Entry]\nExec=countersignd\nStartupWMClass=countersign-desktop\nName=Countersign\n";

    #[test]
    fn a_launcher_starts_the_host_and_opens_nothing() {
        assert!(check_launcher(SOUND).is_ok());
        for (what, with) in [
            ("Exec=countersignd", "Exec=countersign-desktop"),
            ("Exec=countersignd", "Exec=countersignd %u"),
            ("Exec=countersignd\n", ""),
            ("Name=Countersign", "MimeType=x-scheme-handler/countersign;"),
            ("StartupWMClass=countersign-desktop", "StartupWMClass=countersignd"),
        ] {
            assert!(check_launcher(&SOUND.replace(what, with)).is_err(), "{with}");
        }
    }

    #[test]
    fn what_is_no_sound_release_is_not_packed() {
        let folder = child::target("figures/planted-programs");
        fs::create_dir_all(&folder).unwrap();
        let write = |name: &str, text: &str| {
            fs::write(folder.join(name), text).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        };
        PROGRAMS.iter().for_each(|name| write(name, "sound"));
        assert!(check_programs(&folder).is_ok());
        write("countersignd", "..COUNTERSIGN_OPENER..");
        assert!(check_programs(&folder).unwrap_err().to_string().contains("sandbox build"));
        write("countersignd", "..libayatana-appindicator3.so.1..");
        assert!(check_programs(&folder).unwrap_err().to_string().contains("would load"));
        write("countersignd", "sound");
        fs::set_permissions(folder.join("countersignd"), fs::Permissions::from_mode(0o4755)).unwrap();
        assert!(check_programs(&folder).unwrap_err().to_string().contains("4755"));
        fs::remove_file(folder.join("countersignd")).unwrap();
        assert!(check_programs(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
