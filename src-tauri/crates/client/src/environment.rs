//! The environment, read in one place.

use std::ffi::OsString;
use std::path::PathBuf;

/// The data folder of the Countersign that is asked: `COUNTERSIGN_HOME`, else the platform's own.
pub(crate) fn data_folder() -> PathBuf {
    let home = variable("COUNTERSIGN_HOME").and_then(|home| std::path::absolute(home).ok());
    home.unwrap_or_else(|| ipc::address::platform_data_folder(variable))
}

/// The file that holds the agent's key, where it is named.
pub(crate) fn key_file() -> Option<PathBuf> {
    variable("COUNTERSIGN_AGENT_KEY_FILE").map(PathBuf::from)
}

/// The session's bus, where there is one.
#[cfg(target_os = "linux")]
pub(crate) fn session_bus() -> Option<String> {
    let named = variable("DBUS_SESSION_BUS_ADDRESS").and_then(|address| address.into_string().ok());
    named.or_else(|| {
        let folder = variable("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute())?;
        Some(format!("unix:path={}", folder.join("bus").to_str()?))
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place where this library reads its environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
