//! A key in a file that is the person's alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::key::AgentKey;
use crate::keys::KeyError;

/// No key is longer.
const LONGEST: u64 = 4096;

/// Reads a key, if the file is ours, no link, and closed to others.
pub(crate) fn load(path: &Path) -> Result<AgentKey, KeyError> {
    let file = open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            KeyError::NoKey
        } else if is_link(path) {
            // It was not followed.
            KeyError::FileUnfit
        } else {
            KeyError::FileUnreadable
        }
    })?;
    if !is_private(&file).map_err(|_| KeyError::FileUnreadable)? {
        return Err(KeyError::FileUnfit);
    }
    // Room for all of it from the start, so that growing leaves no copy behind.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
    file.take(LONGEST).read_to_string(&mut text).map_err(|_| KeyError::FileUnreadable)?;
    Ok(AgentKey::parse(&text)?)
}

/// Writes a new file; one that is there is never replaced.
pub(crate) fn save(path: &Path, key: &AgentKey) -> Result<(), KeyError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_private_folder(folder).map_err(|_| KeyError::FileUnwritable)?;
    }
    let mut file = create(path).map_err(|error| {
        let taken = error.kind() == io::ErrorKind::AlreadyExists;
        if taken { KeyError::FileTaken } else { KeyError::FileUnwritable }
    })?;
    let written = file.write_all(key.expose_jwk().as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
        return Err(KeyError::FileUnwritable);
    }
    Ok(())
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // Not blocking: somebody may have put a pipe there.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn is_private(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let found = file.metadata()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    Ok(found.is_file() && ours && found.mode() & 0o077 == 0)
}

/// Written, not run: a person's own folders are closed to others by what they inherit.
#[cfg(windows)]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(windows)]
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(windows)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(windows)]
fn is_private(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.is_file())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_key_is_written_once_for_its_owner_alone_and_reads_back() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("new/agent.jwk");
        let key = AgentKey::make().unwrap();
        save(&path, &key).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
        assert_eq!(load(&path).unwrap().thumbprint(), key.thumbprint());
        assert_eq!(save(&path, &AgentKey::make().unwrap()).err(), Some(KeyError::FileTaken));
        assert_eq!(load(&path).unwrap().thumbprint(), key.thumbprint(), "the one that is there stays");
    }

    #[test]
    fn a_file_that_others_can_get_at_is_not_read() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("agent.jwk");
        save(&path, &AgentKey::make().unwrap()).unwrap();
        let link = base.path().join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(load(&link).err(), Some(KeyError::FileUnfit));
        assert_eq!(load(base.path()).err(), Some(KeyError::FileUnfit), "a folder");
        assert_eq!(load(&base.path().join("none")).err(), Some(KeyError::NoKey));
        for mode in [0o640, 0o604, 0o644, 0o620, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(load(&path).err(), Some(KeyError::FileUnfit), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(load(&path).is_ok());
        if std::os::unix::fs::chown(&path, Some(65534), None).is_ok() {
            assert_eq!(load(&path).err(), Some(KeyError::FileUnfit), "somebody else's");
        }
    }

    #[test]
    fn a_file_that_holds_no_key_says_so() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("agent.jwk");
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load(&path), Err(KeyError::Text(_))));
    }
}
