//! The environment, read once: where the data folder is.

use std::ffi::OsString;
use std::path::PathBuf;

/// The data folder whose host is asked: `COUNTERSIGN_HOME`, else the platform's own.
pub(crate) fn data_folder() -> PathBuf {
    let home = variable("COUNTERSIGN_HOME").and_then(|home| std::path::absolute(home).ok());
    home.unwrap_or_else(|| ipc::address::platform_data_folder(variable))
}

#[expect(clippy::disallowed_methods, reason = "the one place where this program reads its environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
