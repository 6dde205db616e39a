//! The place where Countersign listens: a Unix socket, or a named pipe on Windows. What is there is looked at before a
//! byte is sent, so that another user who came first learns nothing.

use thiserror::Error;

#[cfg(unix)]
#[path = "place/unix.rs"]
mod native;
#[cfg(windows)]
#[path = "place/windows.rs"]
mod native;

pub(crate) use native::{Stream, dial, end, is_quiet, limit};

/// Why nobody was reached.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DialError {
    /// Another user listens there.
    #[error("user {uid} listens at the socket")]
    Foreign {
        /// Who it is.
        uid: u32,
    },
    /// Nobody listens there (any more).
    #[error("Countersign is not running")]
    Nobody,
    /// The system refused.
    #[error("the socket could not be reached")]
    Refused,
    /// No socket can have this path.
    #[error("no socket can have this path")]
    TooLong,
    /// The socket or its folder is a link, somebody else's, or open to others.
    #[error("the socket or its folder is a link, somebody else's, or open to others")]
    Unfit,
}
