//! Where the public socket of an installation is.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use domain::id::InstallId;
use thiserror::Error;

/// The longest path a socket can have here, in bytes, without the closing zero.
pub const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// A path that no socket can have.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the socket's path has {bytes} bytes, and {LONGEST} is the most this system allows")]
pub struct TooLong {
    /// How long it would be.
    pub bytes: usize,
}

/// The data folder of a program's own user, where `COUNTERSIGN_HOME` names no other: the platform's own place. The
/// environment is handed in; a variable that is empty counts as none.
#[must_use]
pub fn platform_data_folder(variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let home = std::env::home_dir().unwrap_or_default();
    if cfg!(target_os = "macos") {
        return home.join("Library/Application Support/app.countersign.desktop");
    }
    if cfg!(windows) {
        let roaming = variable("APPDATA").map(PathBuf::from);
        return roaming.unwrap_or(home).join("Countersign");
    }
    let data = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    data.unwrap_or_else(|| home.join(".local/share")).join("countersign")
}

/// The public socket below the user's runtime folder: `countersign/<install>/broker.sock`.
///
/// # Errors
/// The path would be longer than the system allows.
pub fn socket_path(runtime_dir: &Path, install: &InstallId) -> Result<PathBuf, TooLong> {
    let path = runtime_dir.join("countersign").join(install.as_str()).join("broker.sock");
    fits(&path).map(|()| path)
}

/// Whether a socket can have this path.
///
/// # Errors
/// It is longer than the system allows.
pub fn fits(path: &Path) -> Result<(), TooLong> {
    let bytes = path.as_os_str().as_bytes().len();
    if bytes > LONGEST { Err(TooLong { bytes }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install() -> InstallId {
        InstallId::make_from([0xab; 8])
    }

    #[test]
    fn the_socket_is_named_after_the_installation() {
        assert_eq!(
            socket_path(Path::new("/run/user/1000"), &install()),
            Ok(PathBuf::from("/run/user/1000/countersign/abababababababab/broker.sock"))
        );
    }

    #[test]
    fn a_path_no_socket_can_have_is_refused() {
        let rest = "/countersign/abababababababab/broker.sock".len();
        let longest = format!("/{}", "r".repeat(LONGEST - rest - 1));
        assert!(socket_path(Path::new(&longest), &install()).is_ok());
        let longer = format!("{longest}r");
        assert_eq!(socket_path(Path::new(&longer), &install()), Err(TooLong { bytes: LONGEST + 1 }));
    }
}
