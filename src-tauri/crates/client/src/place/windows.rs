//! A named pipe. Written, not run: nothing listens at one yet.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::DialError;

/// A connection.
pub(crate) type Stream = File;

/// Connects to a pipe of this computer.
pub(crate) fn dial(pipe: &Path) -> Result<Stream, DialError> {
    if !pipe.to_str().is_some_and(|path| path.starts_with(r"\\.\pipe\")) {
        return Err(DialError::Unfit);
    }
    OpenOptions::new().read(true).write(true).open(pipe).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound { DialError::Nobody } else { DialError::Refused }
    })
}

/// A pipe opened as a file has no time limit.
pub(crate) fn limit(_: &Stream, _: Duration) -> io::Result<()> {
    Ok(())
}

/// A pipe opened as a file cannot be peeked into: a new one is opened for each request.
pub(crate) fn is_quiet(_: &Stream) -> bool {
    false
}

/// It ends when both ends are dropped.
pub(crate) fn end(_: &Stream) {}
