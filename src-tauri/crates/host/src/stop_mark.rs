//! The mark that every agent is stopped: files that can be changed with a full disk and without a keychain.
//!
//! Two places. The file `agents` in the data folder says in eight bytes that agents may run, and stopping overwrites
//! them in place, which needs no room on the disk; where that fails the file is cut to nothing, or removed. What is
//! missing, unreadable or says anything else means stopped. A file `stopped` in the runtime folder, which is on
//! another file system, says so until the computer is started anew, for a data folder that nothing can be written to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::port::{StopMark, StopMarkError};
use domain::id::InstallId;

/// What the file says while agents may run.
const MAY_RUN: &[u8; 8] = b"may run\n";
/// What it says when they are stopped: as many bytes.
const STOPPED: &[u8; 8] = b"stopped\n";

/// The mark of one data folder.
#[derive(Clone, Debug)]
pub(crate) struct FileMark(Arc<Places>);

#[derive(Debug)]
struct Places {
    folder: PathBuf,
    flag: PathBuf,
    runtime: PathBuf,
}

impl FileMark {
    /// The mark of this installation.
    pub(crate) fn new(data_folder: &Path, runtime_folder: &Path, install: &InstallId) -> Self {
        let runtime = runtime_folder.join("countersign").join(install.as_str());
        let flag = data_folder.join("agents");
        Self(Arc::new(Places { folder: data_folder.to_owned(), flag, runtime }))
    }

    /// File systems can hang: never on a thread that serves.
    async fn blocking<T: Send + 'static>(&self, work: fn(&Places) -> T, if_lost: T) -> T {
        let places = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&places)).await.unwrap_or(if_lost)
    }
}

impl StopMark for FileMark {
    async fn is_set(&self) -> bool {
        self.blocking(Places::is_set, true).await
    }

    async fn set(&self) -> bool {
        self.blocking(Places::set, false).await
    }

    async fn clear(&self) -> Result<(), StopMarkError> {
        self.blocking(|places| places.clear().map_err(|_| StopMarkError), Err(StopMarkError)).await
    }
}

impl Places {
    fn stopped(&self) -> PathBuf {
        self.runtime.join("stopped")
    }

    fn is_set(&self) -> bool {
        let may_run = read_flag(&self.flag).is_ok_and(|text| &text == MAY_RUN);
        // Anything there, a dangling link too, counts.
        let marked = !matches!(fs::symlink_metadata(self.stopped()), Err(error) if error.kind() == io::ErrorKind::NotFound);
        !may_run || marked
    }

    /// Each way for itself; the first that is durable is enough, the others make it surer.
    fn set(&self) -> bool {
        let marked = self.mark_runtime().is_ok();
        let flagged = self.overwrite().or_else(|_| self.cut()).or_else(|_| self.remove());
        if let Err(error) = &flagged {
            tracing::error!(%error, "the data folder does not take the stop mark");
        }
        marked || flagged.is_ok()
    }

    fn overwrite(&self) -> io::Result<()> {
        let flag = plain(OpenOptions::new().write(true)).open(&self.flag)?;
        flag.write_all_at(STOPPED, 0)?;
        flag.sync_all()
    }

    fn cut(&self) -> io::Result<()> {
        let flag = plain(OpenOptions::new().write(true)).open(&self.flag)?;
        flag.set_len(0)?;
        flag.sync_all()
    }

    fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.flag) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        File::open(&self.folder)?.sync_all()
    }

    fn mark_runtime(&self) -> io::Result<()> {
        for folder in self.runtime.parent().into_iter().chain([self.runtime.as_path()]) {
            ipc::folder::make_private(folder).map_err(io::Error::other)?;
        }
        match plain(OpenOptions::new().write(true).create_new(true)).open(self.stopped()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map(drop),
        }
    }

    /// Written beside and renamed into place: at no moment does half of it stand there.
    fn clear(&self) -> io::Result<()> {
        let new = self.folder.join("agents.new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = plain(OpenOptions::new().write(true).create_new(true)).open(&new)?;
        file.write_all(MAY_RUN)?;
        file.sync_all()?;
        fs::rename(&new, &self.flag)?;
        File::open(&self.folder)?.sync_all()?;
        match fs::remove_file(self.stopped()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        if self.is_set() { Err(io::Error::other("the mark is still set")) } else { Ok(()) }
    }
}

fn read_flag(path: &Path) -> io::Result<[u8; 8]> {
    let flag = plain(OpenOptions::new().read(true)).open(path)?;
    let mut text = [0; 8];
    flag.read_exact_at(&mut text, 0)?;
    if flag.metadata()?.len() == 8 { Ok(text) } else { Err(io::Error::other("another length")) }
}

/// For its owner alone, and never through a link, nor waiting for whoever holds the other end of a pipe.
fn plain(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.mode(0o600).custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tempfile::TempDir;

    use super::*;

    fn private() -> TempDir {
        tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap()
    }

    fn places() -> (TempDir, TempDir, Places) {
        let (data, runtime) = (private(), private());
        let mark = FileMark::new(data.path(), runtime.path(), &InstallId::make_from([7; 8]));
        let places = Arc::into_inner(mark.0).unwrap();
        (data, runtime, places)
    }

    #[test]
    fn it_is_set_until_it_is_cleared() {
        let (_data, _runtime, places) = places();
        assert!(places.is_set(), "what was never written means stopped");
        places.clear().unwrap();
        assert!(!places.is_set());
        assert!(places.set() && places.is_set());
        places.clear().unwrap();
        assert!(!places.is_set());
    }

    #[test]
    fn each_place_is_enough() {
        let (_data, _runtime, places) = places();
        places.clear().unwrap();
        places.mark_runtime().unwrap();
        assert!(places.is_set(), "the runtime folder says so");
        places.clear().unwrap();
        for way in [Places::overwrite, Places::cut, Places::remove] {
            places.clear().unwrap();
            way(&places).unwrap();
            assert!(places.is_set());
        }
    }

    #[test]
    fn what_cannot_be_read_or_says_something_else_means_stopped() {
        let (data, _runtime, places) = places();
        for text in [&b""[..], b"may run", b"may run\n\n", b"MAY RUN\n", b"stopped\n"] {
            places.clear().unwrap();
            fs::write(&places.flag, text).unwrap();
            assert!(places.is_set(), "{text:?}");
        }
        let elsewhere = data.path().join("elsewhere");
        fs::write(&elsewhere, MAY_RUN).unwrap();
        fs::remove_file(&places.flag).unwrap();
        symlink(&elsewhere, &places.flag).unwrap();
        assert!(places.is_set(), "a link is not followed");
        places.clear().unwrap();
        assert!(!places.is_set());
        assert_eq!(fs::read(&elsewhere).unwrap(), MAY_RUN, "nor written through");
    }

    #[test]
    fn a_data_folder_that_takes_nothing_leaves_the_runtime_folder() {
        let (_data, _runtime, mut places) = places();
        places.clear().unwrap();
        places.flag = PathBuf::from("/proc/self/status");
        assert!(places.set(), "the runtime folder took it");
        assert!(places.stopped().exists());
    }
}
