//! Folders that only their owner may enter.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use thiserror::Error;

/// Why a folder cannot be relied on.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The system refused.
    #[error("a private folder could not be made or read: {0}")]
    Io(#[from] io::Error),
    /// Others may enter it, or change what is in it.
    #[error("the folder's mode is {mode:03o}, and only its owner may have rights in it")]
    Loose {
        /// Its mode.
        mode: u32,
    },
    /// It belongs to another user, who could change it at any time.
    #[error("the folder belongs to user {uid}")]
    NotOurs {
        /// Whose it is.
        uid: u32,
    },
    /// A link, a file or something else stands in its place.
    #[error("there is something in the folder's place that is not a folder")]
    NotAFolder,
}

/// Makes a folder with mode 0700, or makes sure that the one that is there is ours alone.
///
/// What is found is never repaired: a folder that was open to others may hold what others put there.
///
/// # Errors
/// The folder is a link, another user's, or open to others; or the system refused.
pub fn make_private(folder: &Path) -> Result<(), FolderError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(FolderError::NotAFolder);
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(FolderError::NotOurs { uid: found.uid() });
    }
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 { Err(FolderError::Loose { mode }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_new_folder_is_ours_alone_and_found_again() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("new");
        make_private(&folder).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        make_private(&folder).unwrap();
    }

    #[test]
    fn a_folder_others_may_enter_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("loose");
        for mode in [0o710, 0o701, 0o720, 0o755, 0o777] {
            let _ = fs::create_dir(&folder);
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            let refused = make_private(&folder);
            assert!(
                matches!(refused, Err(FolderError::Loose { mode: m }) if m == mode),
                "{mode:o}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_link_or_a_file_in_the_folders_place_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let real = base.path().join("real");
        make_private(&real).unwrap();
        symlink(&real, base.path().join("link")).unwrap();
        symlink("/nonexistent", base.path().join("dangling")).unwrap();
        fs::write(base.path().join("file"), "").unwrap();
        for name in ["link", "dangling", "file"] {
            assert!(matches!(make_private(&base.path().join(name)), Err(FolderError::NotAFolder)), "{name}");
        }
    }

    #[test]
    fn another_users_folder_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("theirs");
        make_private(&folder).unwrap();
        if std::os::unix::fs::chown(&folder, Some(65534), None).is_err() {
            return; // only root can give a folder away
        }
        assert!(matches!(make_private(&folder), Err(FolderError::NotOurs { uid: 65534 })));
    }
}
