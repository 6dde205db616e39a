//! A copy of the database to read from, for a program that must change nothing.

use std::fs;
use std::path::Path;

use domain::id::InstallId;

use crate::folder::{beside, length, refused};
use crate::open::OpenStoreError;
use crate::sqlite_store::SqliteStore;

impl SqliteStore {
    /// Copies the database at this path into a private, empty folder of the caller's, and opens the copy.
    ///
    /// What stands at the path is read and left exactly as it is, also where a crash left a log beside it: opening it
    /// would move that log into the database. No host may be writing meanwhile; a copy that is torn is found damaged.
    ///
    /// # Errors
    /// There is no database, it is not ours, not sound, or not ours alone. Or the disk failed.
    pub fn open_copy(path: &Path, folder: &Path) -> Result<Self, OpenStoreError> {
        if length(path)?.is_none() {
            return Err(OpenStoreError::Io);
        }
        if length(&beside(path, "-journal"))?.is_some_and(|bytes| bytes > 0) {
            return Err(OpenStoreError::Damaged);
        }
        let copy = folder.join(path.file_name().ok_or(OpenStoreError::NotAPlainFile)?);
        fs::copy(path, &copy).map_err(|error| refused(&error))?;
        let log = beside(path, "-wal");
        if length(&log)?.is_some() {
            fs::copy(&log, beside(&copy, "-wal")).map_err(|error| refused(&error))?;
        }
        // The id is for a new database, and this is none.
        Self::open(&copy, InstallId::make_from([0; 8]))
    }
}
