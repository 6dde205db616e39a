//! Dials the public socket.

use std::io;
use std::path::Path;

use thiserror::Error;
use tokio::net::UnixStream;

use crate::address::{self, TooLong};

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum DialError {
    /// Another user listens there.
    #[error("user {uid} listens at the socket")]
    Foreign {
        /// Who it is.
        uid: u32,
    },
    /// The system refused.
    #[error("the socket could not be reached: {0}")]
    Io(io::Error),
    /// Nobody listens there (any more).
    #[error("nobody listens at the socket")]
    Nobody,
    /// No socket can have this path.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Dials a socket and makes sure that the same user listens there.
///
/// # Errors
/// Nobody listens, or another user does.
pub async fn dial(socket: &Path) -> Result<UnixStream, DialError> {
    address::fits(socket)?;
    let stream = UnixStream::connect(socket).await.map_err(|error| {
        let nobody = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
        if nobody { DialError::Nobody } else { DialError::Io(error) }
    })?;
    let uid = stream.peer_cred().map_err(DialError::Io)?.uid();
    if uid == rustix::process::geteuid().as_raw() { Ok(stream) } else { Err(DialError::Foreign { uid }) }
}
