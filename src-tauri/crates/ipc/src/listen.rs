//! The public socket: made so that only its owner can dial it, and read only when the owner did.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

use crate::address::{self, TooLong};
use crate::folder::{self, FolderError};

/// How many connections the system keeps waiting.
const WAITING: i32 = 128;

/// Why the socket could not be made.
#[derive(Debug, Error)]
pub enum ListenError {
    /// One of the socket's folders cannot be relied on.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The system refused.
    #[error("the socket could not be made: {0}")]
    Io(#[from] io::Error),
    /// Something that is not a socket has its name; it is left alone.
    #[error("there is something in the socket's place that is not a socket")]
    NotASocket,
    /// No socket can have this path.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The user: always the one this process runs as.
    pub uid: u32,
    /// The process that dialled, to be shown only: it may have ended, or have handed its end on.
    pub pid: Option<i32>,
}

/// Listens at the public socket until it is dropped, and then removes it.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    /// Device and inode: the socket is removed only while it is still this one.
    made: (u64, u64),
    owner: u32,
}

impl Listener {
    /// Makes the socket with mode 0600 and its two folders (`countersign` and the installation's) with mode 0700.
    ///
    /// A socket that is there already is removed: the caller holds the lock of the data folder, so nobody listens
    /// there any more. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// A folder is a link, another user's or open to others; something else has the socket's name; the system refused.
    pub fn bind(path: &Path) -> Result<Self, ListenError> {
        address::fits(path)?;
        let own = path.parent().ok_or(ListenError::NotASocket)?;
        if let Some(shared) = own.parent() {
            folder::make_private(shared)?;
        }
        folder::make_private(own)?;
        remove_stale(path)?;
        let socket = UnixListener::from_std(bound(path)?.into())?;
        let found = fs::symlink_metadata(path)?;
        let owner = rustix::process::geteuid().as_raw();
        Ok(Self { socket, path: path.to_owned(), made: (found.dev(), found.ino()), owner })
    }

    /// Waits for the next connection of the same user. Others' are closed before a byte of them is read.
    ///
    /// # Errors
    /// The system refused, most likely for want of file descriptors; the listener stays good.
    pub async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        loop {
            let (stream, _) = self.socket.accept().await?;
            // A peer that is gone already has no name; it is passed over like a stranger.
            let Ok(who) = stream.peer_cred() else { continue };
            if who.uid() == self.owner {
                return Ok((stream, Peer { uid: who.uid(), pid: who.pid() }));
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let still_ours =
            fs::symlink_metadata(&self.path).is_ok_and(|found| (found.dev(), found.ino()) == self.made);
        if still_ours {
            // Best effort: the next host removes what is left.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn remove_stale(path: &Path) -> Result<(), ListenError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => Ok(fs::remove_file(path)?),
        Ok(_) => Err(ListenError::NotASocket),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Binds, narrows the mode and only then listens: until then every dial is refused, whatever the umask was.
fn bound(path: &Path) -> io::Result<OwnedFd> {
    let socket = new_socket()?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, WAITING)?;
    Ok(socket)
}

#[cfg(target_os = "linux")]
fn new_socket() -> io::Result<OwnedFd> {
    use rustix::net::SocketFlags;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

#[cfg(not(target_os = "linux"))]
fn new_socket() -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener as StdListener;
    use std::os::unix::net::UnixStream as StdStream;
    use std::process::Command;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;
    use crate::dial::{DialError, dial};

    /// Tells the copy of this test program that runs as another user where to dial.
    const DIAL_AT: &str = "COUNTERSIGN_IPC_TEST_DIAL";

    fn place() -> (TempDir, PathBuf) {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("countersign/0123456789abcdef/broker.sock");
        (base, path)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn socket_and_folders_are_for_their_owner_alone() {
        let (base, path) = place();
        let listener = Listener::bind(&path).unwrap();
        assert_eq!(mode(&base.path().join("countersign")), 0o700);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(listener.path(), path);
    }

    #[tokio::test]
    async fn the_peer_is_named() {
        let (_base, path) = place();
        let listener = Listener::bind(&path).unwrap();
        let (dialled, accepted) = tokio::join!(dial(&path), listener.accept());
        dialled.unwrap();
        let (_, peer) = accepted.unwrap();
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(peer.pid, Some(std::process::id().cast_signed()));
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_ours_is_removed_at_the_end() {
        let (_base, path) = place();
        drop(Listener::bind(&path).unwrap());
        assert!(!path.exists());
        drop(StdListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(matches!(dial(&path).await, Err(DialError::Nobody)));
        let listener = Listener::bind(&path).unwrap();
        dial(&path).await.unwrap();
        drop(listener);
        assert!(!path.exists());
        assert!(matches!(dial(&path).await, Err(DialError::Nobody)));
    }

    #[tokio::test]
    async fn a_later_hosts_socket_is_left_alone() {
        let (_base, path) = place();
        let first = Listener::bind(&path).unwrap();
        let second = Listener::bind(&path).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let (_base, path) = place();
        drop(Listener::bind(&path).unwrap());
        fs::write(&path, "somebody's").unwrap();
        assert!(matches!(Listener::bind(&path), Err(ListenError::NotASocket)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");
        fs::remove_file(&path).unwrap();
        symlink("/nonexistent", &path).unwrap();
        assert!(matches!(Listener::bind(&path), Err(ListenError::NotASocket)));
    }

    #[tokio::test]
    async fn a_folder_that_is_loose_or_a_link_is_refused() {
        let (base, path) = place();
        let shared = base.path().join("countersign");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(
            Listener::bind(&path),
            Err(ListenError::Folder(FolderError::Loose { mode: 0o750 }))
        ));
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o700)).unwrap();
        let elsewhere = base.path().join("elsewhere");
        folder::make_private(&elsewhere).unwrap();
        symlink(&elsewhere, path.parent().unwrap()).unwrap();
        assert!(matches!(Listener::bind(&path), Err(ListenError::Folder(FolderError::NotAFolder))));
    }

    #[tokio::test]
    async fn a_path_no_socket_can_have_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("x".repeat(120)).join("broker.sock");
        assert!(matches!(Listener::bind(&path), Err(ListenError::TooLong(_))));
        assert!(matches!(dial(&path).await, Err(DialError::TooLong(_))));
    }

    /// Runs in the copy of this program that [`another_users_connection_is_closed_unread`] starts; else does nothing.
    #[test]
    fn dialling_as_told() {
        let Some(path) = std::env::args().skip_while(|arg| arg != DIAL_AT).nth(1) else { return };
        let mut stream = StdStream::connect(path).unwrap();
        stream.write_all(b"let me in").unwrap_or_default();
        let mut answer = Vec::new();
        // The end of a refused connection is an end of file or a reset, as timing has it.
        let _ = stream.read_to_end(&mut answer);
        println!("answer={}", String::from_utf8_lossy(&answer));
    }

    #[tokio::test]
    async fn another_users_connection_is_closed_unread() {
        if !rustix::process::geteuid().is_root() {
            return; // only root can become somebody else
        }
        let (base, path) = place();
        let listener = Listener::bind(&path).unwrap();
        // Everything the file system says is opened up, so that only the peer check is left to refuse.
        for (open, bits) in [
            (base.path(), 0o755),
            (path.parent().unwrap().parent().unwrap(), 0o755),
            (path.parent().unwrap(), 0o755),
        ] {
            fs::set_permissions(open, fs::Permissions::from_mode(bits)).unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let program = base.path().join("dialler");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let told = ["--exact", "listen::tests::dialling_as_told", "--nocapture", "--", DIAL_AT];

        let mut stranger = Command::new("setpriv");
        stranger.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        let mut owner = Command::new(&program);
        let asked = tokio::task::spawn_blocking(move || {
            let [refused, welcome] =
                [&mut stranger, &mut owner].map(|dialler| dialler.args(told).arg(&path).output().unwrap());
            (refused, welcome)
        });
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"welcome").await.unwrap();
        drop(stream);
        let more = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(more.is_err(), "the stranger's connection must not come out of accept");
        let (refused, welcome) = asked.await.unwrap();
        let text = |run: &std::process::Output| String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(text(&refused).contains("answer=\n"), "{refused:?}");
        assert!(text(&welcome).contains("answer=welcome\n"), "{welcome:?}");
    }
}
