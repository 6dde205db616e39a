//! Where the public socket of an installation is.

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
