//! The data folder and its files: ours alone, plain, and so from the first moment.

use std::fs::{self, Metadata};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use crate::open::OpenStoreError;

/// Where the database is.
pub(crate) struct Place {
    folder: PathBuf,
    /// The database file.
    pub(crate) db: PathBuf,
}

impl Place {
    /// Finds the folder, or makes it, and judges it.
    pub(crate) fn find(path: &Path) -> Result<Self, OpenStoreError> {
        let name = path.file_name().ok_or(OpenStoreError::NotAPlainFile)?;
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        make_folder(folder)?;
        // The folder may be reached by a link (people move folders to other disks); from here on none is followed.
        let folder = fs::canonicalize(folder).map_err(|error| refused(&error))?;
        let found = fs::symlink_metadata(&folder).map_err(|error| refused(&error))?;
        if !found.is_dir() {
            return Err(OpenStoreError::NotAPlainFile);
        }
        owned_by_us_alone(&found)?;
        Ok(Self { db: folder.join(name), folder })
    }

    /// A file beside the database: its name and an ending.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        beside(&self.db, ending)
    }

    /// Makes the names in the folder durable.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        sync_folder(&self.folder)
    }
}

/// A file beside another: its path and an ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// How long a file of ours is; none if there is no such file.
///
/// # Errors
/// It is not a plain file with one name, not ours, or open to others. It is left as it is.
pub(crate) fn length(path: &Path) -> Result<Option<u64>, OpenStoreError> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(&error)),
    };
    if !found.is_file() || has_other_names(&found) {
        return Err(OpenStoreError::NotAPlainFile);
    }
    owned_by_us_alone(&found)?;
    Ok(Some(found.len()))
}

/// Makes an empty file that nobody else may open, where there is none.
pub(crate) fn make_file(path: &Path) -> Result<(), Error> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Gives a file its name, unless that is taken.
pub(crate) fn name_file(from: &Path, to: &Path) -> Result<(), Error> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems cannot; the host's lock on the folder is what then keeps others out.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {}
            done => return done.map_err(Error::from),
        }
    }
    fs::rename(from, to)
}

/// What the operating system's refusal means here.
pub(crate) fn refused(error: &Error) -> OpenStoreError {
    if error.kind() == ErrorKind::PermissionDenied { OpenStoreError::Permissions } else { OpenStoreError::Io }
}

fn make_folder(folder: &Path) -> Result<(), OpenStoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(OpenStoreError::NotAPlainFile),
        made => made.map_err(|error| refused(&error)),
    }
}

#[cfg(unix)]
fn owned_by_us_alone(found: &Metadata) -> Result<(), OpenStoreError> {
    use std::os::unix::fs::MetadataExt as _;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(OpenStoreError::OtherUser);
    }
    if found.mode() & 0o077 != 0 {
        return Err(OpenStoreError::Permissions);
    }
    Ok(())
}

#[cfg(not(unix))]
fn owned_by_us_alone(_found: &Metadata) -> Result<(), OpenStoreError> {
    // The profile folder's access list is inherited: the user, the administrators, the system.
    Ok(())
}

#[cfg(unix)]
fn has_other_names(found: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(found) != 1
}

#[cfg(not(unix))]
fn has_other_names(_found: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> Result<(), Error> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> Result<(), Error> {
    // Windows has no such call; NTFS journals names itself.
    Ok(())
}
