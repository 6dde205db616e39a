//! What SQLite reports, in the words of the port.

use app::port::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

/// Turns what SQLite reports into a [`StoreError`].
pub(crate) trait OrFault<T> {
    /// The value, or the fault.
    fn or_fault(self) -> Result<T, StoreError>;
}

impl<T> OrFault<T> for Result<T, Error> {
    fn or_fault(self) -> Result<T, StoreError> {
        self.map_err(|error| fault(&error))
    }
}

/// The fault behind an error of SQLite. Its text stays here: it can quote rows.
pub(crate) fn fault(error: &Error) -> StoreError {
    let Some(cause) = error.sqlite_error() else {
        // A column of another type, a number out of range, a text that is not UTF-8.
        return StoreError::Damaged;
    };
    match cause.extended_code {
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID | ffi::SQLITE_CONSTRAINT_UNIQUE => {
            StoreError::Exists
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Missing,
        _ if is_disk(cause.code) => StoreError::Io,
        _ => StoreError::Damaged,
    }
}

fn is_disk(code: ErrorCode) -> bool {
    [
        ErrorCode::CannotOpen,
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::DiskFull,
        ErrorCode::FileLockingProtocolFailed,
        ErrorCode::OutOfMemory,
        ErrorCode::PermissionDenied,
        ErrorCode::ReadOnly,
        ErrorCode::SystemIoFailure,
    ]
    .contains(&code)
}
