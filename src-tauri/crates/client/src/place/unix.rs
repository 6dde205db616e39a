//! A Unix socket.

use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::RecvFlags;

use super::DialError;

/// A connection.
pub(crate) type Stream = UnixStream;

/// Connects, if the folder is the person's alone, the socket is theirs, and they are who listens.
pub(crate) fn dial(socket: &Path) -> Result<Stream, DialError> {
    ipc::address::fits(socket).map_err(|_| DialError::TooLong)?;
    check(socket)?;
    let stream = UnixStream::connect(socket).map_err(|error| fault(&error))?;
    let uid = listener(&stream)?;
    if uid == own() { Ok(stream) } else { Err(DialError::Foreign { uid }) }
}

fn check(socket: &Path) -> Result<(), DialError> {
    let folder = socket.parent().filter(|folder| folder.is_absolute()).ok_or(DialError::Unfit)?;
    let found = fs::symlink_metadata(folder).map_err(|error| fault(&error))?;
    if !found.is_dir() || found.uid() != own() || found.mode() & 0o077 != 0 {
        return Err(DialError::Unfit);
    }
    let found = fs::symlink_metadata(socket).map_err(|error| fault(&error))?;
    if found.file_type().is_socket() && found.uid() == own() { Ok(()) } else { Err(DialError::Unfit) }
}

fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(target_os = "linux")]
fn listener(stream: &Stream) -> Result<u32, DialError> {
    let found = rustix::net::sockopt::socket_peercred(stream).map_err(|_| DialError::Refused)?;
    Ok(found.uid.as_raw())
}

/// Written, not run: elsewhere the folder, which nobody else may enter, stands for who listens in it.
#[cfg(not(target_os = "linux"))]
fn listener(_: &Stream) -> Result<u32, DialError> {
    Ok(own())
}

fn fault(error: &io::Error) -> DialError {
    let nobody = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
    if nobody { DialError::Nobody } else { DialError::Refused }
}

/// How long the next read or write may take.
pub(crate) fn limit(stream: &Stream, limit: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))
}

/// Whether nothing has come on a connection that nothing was asked on: it has not been closed either.
pub(crate) fn is_quiet(stream: &Stream) -> bool {
    let peeked =
        rustix::net::recv(stream, &mut [0_u8; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT).map(|_| ());
    peeked == Err(rustix::io::Errno::AGAIN)
}

/// Ends a connection under whoever reads from it.
pub(crate) fn end(stream: &Stream) {
    // One that is gone already is as good as ended.
    let _ = stream.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::*;

    fn folder(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("install");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        (base, folder.join("broker.sock"))
    }

    #[test]
    fn who_listens_in_a_private_folder_is_reached() {
        let (_base, socket) = folder(0o700);
        let _listener = UnixListener::bind(&socket).unwrap();
        let stream = dial(&socket).unwrap();
        assert!(is_quiet(&stream));
    }

    #[test]
    fn a_connection_that_was_closed_is_not_quiet() {
        let (_base, socket) = folder(0o700);
        let listener = UnixListener::bind(&socket).unwrap();
        let stream = dial(&socket).unwrap();
        drop(listener.accept().unwrap());
        assert!(!is_quiet(&stream));
    }

    #[test]
    fn a_place_that_others_can_get_at_is_not_dialled() {
        for mode in [0o755, 0o710, 0o701, 0o770, 0o777] {
            let (_base, socket) = folder(mode);
            let _listener = UnixListener::bind(&socket).unwrap();
            assert_eq!(dial(&socket).err(), Some(DialError::Unfit), "{mode:o}");
        }
        let (base, socket) = folder(0o700);
        let _listener = UnixListener::bind(&socket).unwrap();
        symlink(socket.parent().unwrap(), base.path().join("link")).unwrap();
        assert_eq!(dial(&base.path().join("link/broker.sock")).err(), Some(DialError::Unfit), "a folder");
        symlink("broker.sock", socket.with_file_name("link.sock")).unwrap();
        assert_eq!(dial(&socket.with_file_name("link.sock")).err(), Some(DialError::Unfit), "a socket");
        fs::write(socket.with_file_name("file"), "").unwrap();
        assert_eq!(dial(&socket.with_file_name("file")).err(), Some(DialError::Unfit), "a file");
        assert_eq!(dial(Path::new("broker.sock")).err(), Some(DialError::Unfit), "not absolute");
        if std::os::unix::fs::chown(&socket, Some(65534), None).is_ok() {
            assert_eq!(dial(&socket).err(), Some(DialError::Unfit), "somebody else's socket");
            std::os::unix::fs::chown(socket.parent().unwrap(), Some(65534), None).unwrap();
            assert_eq!(dial(&socket).err(), Some(DialError::Unfit), "somebody else's folder");
        }
    }

    #[test]
    fn a_place_where_nobody_is_says_so() {
        let (_base, socket) = folder(0o700);
        assert_eq!(dial(&socket).err(), Some(DialError::Nobody), "no socket");
        drop(UnixListener::bind(&socket).unwrap());
        assert_eq!(dial(&socket).err(), Some(DialError::Nobody), "a stale one");
        assert_eq!(dial(Path::new("/nonexistent/x/broker.sock")).err(), Some(DialError::Nobody));
        let long = PathBuf::from(format!("/{}", "l".repeat(200)));
        assert_eq!(dial(&long).err(), Some(DialError::TooLong));
    }
}
