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
/// What must be in `/usr/bin`, and nothing else.
const PROGRAMS: [&str; 2] = ["countersign-desktop", "countersignd"];
/// Loaded at run time, so that no tool finds it by itself; its absence is a panic.
const TRAY_LIBRARY: &str = "libayatana-appindicator3-1";
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
    // The bundler takes the window's program from cargo's folder; the host's is named here.
    let host = build::release_target().join("release/countersignd");
    let mut files = Map::from_iter([("/usr/bin/countersignd".to_owned(), json!(host))]);
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
    ensure!(
        depends.split(',').any(|name| name.split_whitespace().next() == Some(TRAY_LIBRARY)),
        "the package does not depend on {TRAY_LIBRARY}: {depends}"
    );
    let folder = child::target("figures/package");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    child::run(child::command("dpkg-deb").arg("--extract").arg(package).arg(&folder))?;
    check_programs(&folder.join("usr/bin"))?;
    let (name, text) = only_file(&folder.join("usr/share/applications"))?;
    check_launcher(&text).with_context(|| name)
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
    fn a_sandbox_build_is_not_packed() {
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
        write("countersignd", "sound");
        fs::set_permissions(folder.join("countersignd"), fs::Permissions::from_mode(0o4755)).unwrap();
        assert!(check_programs(&folder).unwrap_err().to_string().contains("4755"));
        fs::remove_file(folder.join("countersignd")).unwrap();
        assert!(check_programs(&folder).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
