//! The private channel: a socket pair, one end kept by the host, the other the standard input of its child.
//!
//! **Invariant:** it has no name, so nobody can dial it; both ends are close-on-exec, so no grandchild inherits it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdStream;

use rustix::fs::FileType;
use rustix::net::AddressFamily;
use tokio::net::UnixStream;

/// The lowest number the child's clone may get: below it are the standard streams, which every child of the child
/// would inherit.
const ABOVE_STDIO: i32 = 3;

/// Makes the pair: the host's end, and the end to give to [`std::process::Command::stdin`].
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// The system refused.
pub fn pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, childs) = StdStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, childs.into()))
}

/// Takes the channel off standard input, if that is what is there, and puts `/dev/null` in its place.
///
/// The first act of the child's `main`: before another thread or library could start a program with it.
/// A stream of another kind, or nothing at all, is left as it is.
#[must_use]
pub fn take_inherited() -> Option<StdStream> {
    let stdin = rustix::stdio::stdin();
    if !is_unix_stream(stdin) {
        return None;
    }
    let ours = rustix::io::fcntl_dupfd_cloexec(stdin, ABOVE_STDIO).ok()?;
    let nothing = File::open("/dev/null").ok()?;
    rustix::stdio::dup2_stdin(&nothing).ok()?;
    Some(StdStream::from(ours))
}

fn is_unix_stream(fd: impl AsFd) -> bool {
    let is_socket =
        rustix::fs::fstat(&fd).is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Socket);
    is_socket && rustix::net::getsockname(&fd).is_ok_and(|name| name.address_family() == AddressFamily::UNIX)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const AS_CHILD: &str = "as-child";

    /// Runs in the copies of this program that the tests below start; else does nothing.
    #[test]
    fn as_the_child() {
        if !std::env::args().any(|arg| arg == AS_CHILD) {
            return;
        }
        let Some(mut channel) = take_inherited() else {
            println!("no channel");
            return;
        };
        let again = take_inherited().is_some();
        let grandchild = Command::new("ls").args(["-l", "/proc/self/fd"]).output().unwrap();
        let leaked = String::from_utf8_lossy(&grandchild.stdout).contains("socket:");
        let mut word = [0; 5];
        channel.read_exact(&mut word).unwrap();
        write!(channel, "{} again={again} leaked={leaked}", String::from_utf8_lossy(&word)).unwrap();
    }

    fn child() -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "channel::tests::as_the_child", "--nocapture", "--", AS_CHILD]);
        command
    }

    #[tokio::test]
    async fn the_child_takes_the_channel_and_its_children_do_not() {
        let (mut ours, childs) = pair().unwrap();
        let mut running = child().stdin(childs).stdout(Stdio::null()).spawn().unwrap();
        ours.write_all(b"hello").await.unwrap();
        let mut answer = String::new();
        ours.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "hello again=false leaked=false");
        assert!(running.wait().unwrap().success());
    }

    #[test]
    fn what_is_no_unix_socket_is_left_alone() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        for stdin in [Stdio::null(), Stdio::piped(), Stdio::from(OwnedFd::from(tcp))] {
            let run = child().stdin(stdin).output().unwrap();
            assert!(String::from_utf8_lossy(&run.stdout).contains("no channel"), "{run:?}");
        }
    }
}
