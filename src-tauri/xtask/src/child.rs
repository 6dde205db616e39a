//! Other programs: where they run, what they inherit, and how their failure is told.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

use anyhow::Context as _;

/// A program ended with anything but success.
#[derive(Debug)]
struct Failed {
    line: String,
    status: ExitStatus,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed: {}", self.line, self.status)
    }
}

impl std::error::Error for Failed {}

/// The program's own exit code where a program failed, else 1.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let code = error.downcast_ref::<Failed>().and_then(|failed| failed.status.code());
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0).unwrap_or(1))
}

/// The root of the clone.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.ancestors().nth(2).unwrap_or(xtask).to_path_buf()
}

/// A place under the clone's `target`, whatever folder cargo itself builds in.
pub(crate) fn target(place: &str) -> PathBuf {
    root().join("target").join(place)
}

/// A program that runs at the root, with nothing to read from.
///
/// What `cargo run` added for this program is taken away again: it is not meant for others, and build scripts that
/// look at it would run anew.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    match std::env::var_os("LD_LIBRARY_PATH").map(|path| without_cargos_folders(&path)) {
        Some(path) if !path.is_empty() => command.env("LD_LIBRARY_PATH", path),
        Some(_) => command.env_remove("LD_LIBRARY_PATH"),
        None => &mut command,
    };
    command
}

fn without_cargos_folders(path: &OsStr) -> OsString {
    let built = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf));
    let is_cargos = |folder: &PathBuf| {
        built.as_ref().is_some_and(|built| folder.starts_with(built))
            || folder.components().any(|part| part.as_os_str() == "toolchains")
    };
    let kept: Vec<_> = std::env::split_paths(path).filter(|folder| !is_cargos(folder)).collect();
    std::env::join_paths(kept).unwrap_or_default()
}

/// Cargo itself.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Says what is run, runs it, and waits.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("`{line}` could not be started"))?;
    if status.success() { Ok(()) } else { Err(Failed { line, status }.into()) }
}

/// Runs quietly and gives back what was said on standard output, or nothing where it failed.
pub(crate) fn heard(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The program's name and arguments, as a person would type them.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = if program.starts_with(root()) {
        program
    } else {
        Path::new(program.file_name().unwrap_or_default())
    };
    let mut line = name.strip_prefix(root()).unwrap_or(name).display().to_string();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
