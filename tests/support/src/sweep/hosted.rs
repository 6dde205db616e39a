//! A host as its window process knows it: the private channel, what it answers, and the addresses it opens.

use std::io::Read as _;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream as StdStream};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use contract::channel::{EVENTS, HELLO, Hello};
use ipc::http::{CallError, Http2Client, Lines};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// No start takes as long, on a machine that is busy with others.
const START: Duration = Duration::from_secs(20);
/// So many windows are let go before a host counts as one that does not come up.
const WINDOWS: u32 = 3;
/// No answer takes as long: the keychain gets three seconds, twice.
const ANSWER: Duration = Duration::from_secs(15);

/// What the stand-in for window and browser hands over.
enum Came {
    Address(String),
    Window { channel: OwnedFd, alive: StdStream },
}

/// A host that runs.
pub(crate) struct Hosted {
    child: Child,
    client: Http2Client,
    came: mpsc::UnboundedReceiver<Came>,
    /// Dropped, it ends what stands in for the window.
    _alive: StdStream,
}

/// What the host says to a request.
#[derive(Debug)]
pub(crate) enum Said {
    /// It is done.
    Done(Value),
    /// Nobody answers any more: what became of it is not known.
    Gone,
    /// It is refused.
    Refused,
}

impl Said {
    pub(crate) fn done(self) -> Option<Value> {
        match self {
            Self::Done(value) => Some(value),
            Self::Gone | Self::Refused => None,
        }
    }
}

/// What a host is started with.
pub(crate) struct Start<'s> {
    pub(crate) host: &'s Path,
    /// Holds `data` and `run`; the stand-in finds the test there.
    pub(crate) home: &'s Path,
    pub(crate) variables: Vec<(String, String)>,
}

/// A host that ended before it had a window, or never came up.
#[derive(Debug)]
pub(crate) struct NotUp(pub(crate) Option<ExitStatus>);

impl Hosted {
    /// Starts a host and greets it.
    pub(crate) async fn start(start: Start<'_>) -> Result<Self, NotUp> {
        let mut came = listen(&start.home.join("driver"));
        let log =
            std::fs::File::options().create(true).append(true).open(start.home.with_extension("stderr"));
        let mut command = Command::new(start.host);
        command
            .env_clear()
            .envs(start.variables)
            .env("HOME", start.home)
            .env("COUNTERSIGN_HOME", start.home.join("data"))
            .env("XDG_RUNTIME_DIR", start.home.join("run"))
            // No window is drawn: what stands in for it asks for no screen.
            .env("DISPLAY", ":none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"))
            .kill_on_drop(true);
        let mut child = command.spawn().expect("countersignd");
        // A window that cannot greet its host ends, and the host starts another.
        for _ in 0..WINDOWS {
            let window = tokio::select! {
                came = timeout(START, came.recv()) => came.ok().flatten(),
                status = child.wait() => return Err(NotUp(status.ok())),
            };
            let Some(Came::Window { channel, alive }) = window else { break };
            if let Some(client) = greet(channel).await {
                return Ok(Self { child, client, came, _alive: alive });
            }
        }
        let _ = child.kill().await;
        Err(NotUp(None))
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    /// Asks as the window does.
    pub(crate) async fn ask(&self, command: &str, request: &Value) -> Said {
        let body = request.to_string().into_bytes();
        match self.client.post_json_within(ANSWER, &format!("/window/{command}"), body).await {
            Ok((http::StatusCode::OK, body)) => serde_json::from_slice(&body).map_or(Said::Gone, Said::Done),
            Ok(_) => Said::Refused,
            Err(_) => Said::Gone,
        }
    }

    /// What the host tells, line by line.
    pub(crate) async fn events(&self) -> Option<Lines> {
        self.client.stream(EVENTS).await.ok()
    }

    /// The next address that the browser is handed.
    pub(crate) async fn address(&mut self) -> String {
        loop {
            match self.came.recv().await {
                Some(Came::Address(address)) => return address,
                // Another window is no business of this test.
                Some(Came::Window { .. }) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Whether it has closed the channel.
    pub(crate) fn is_gone(&self) -> bool {
        self.client.is_closed()
    }

    /// Kills it, if it lives; how it ended before, if it did. One that closed the channel may be ending by itself: it gets
    /// this long.
    pub(crate) async fn kill(mut self, patience: Duration) -> Option<ExitStatus> {
        if self.client.is_closed()
            && let Ok(Ok(status)) = timeout(patience, self.child.wait()).await
        {
            return Some(status);
        }
        let before = self.child.try_wait().ok().flatten();
        let _ = self.child.kill().await;
        before
    }
}

async fn greet(channel: OwnedFd) -> Option<Http2Client> {
    let channel = StdStream::from(channel);
    channel.set_nonblocking(true).ok()?;
    let client = Http2Client::connect(tokio::net::UnixStream::from_std(channel).ok()?).await.ok()?;
    let hello = json!(Hello::of_this_build(true, None)).to_string().into_bytes();
    let greeted: Result<_, CallError> = client.post_json_within(START, HELLO, hello).await;
    greeted.is_ok_and(|(status, _)| status == http::StatusCode::OK).then_some(client)
}

/// Takes what the stand-in hands over, until nobody wants it any more.
fn listen(path: &Path) -> mpsc::UnboundedReceiver<Came> {
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).expect("a socket");
    let listener = {
        listener.set_nonblocking(true).expect("a socket");
        tokio::net::UnixListener::from_std(listener).expect("a socket")
    };
    let (tell, came) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok((stream, _))) = tokio::select! {
            stream = listener.accept() => Some(stream),
            () = tell.closed() => None,
        } {
            let tell = tell.clone();
            tokio::task::spawn_blocking(move || {
                let stream = stream.into_std().ok()?;
                stream.set_nonblocking(false).ok()?;
                tell.send(receive(stream)?).ok()
            });
        }
    });
    came
}

/// An address, or a descriptor with the word `window`.
fn receive(mut stream: StdStream) -> Option<Came> {
    let mut text = [0; 16 * 1024];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [std::io::IoSliceMut::new(&mut text)];
    let got = rustix::net::recvmsg(&stream, &mut parts, &mut rights, RecvFlags::CMSG_CLOEXEC).ok()?;
    for message in rights.drain() {
        if let RecvAncillaryMessage::ScmRights(mut handed) = message {
            return Some(Came::Window { channel: handed.next()?, alive: stream });
        }
    }
    let mut address = String::from_utf8_lossy(text.get(..got.bytes)?).into_owned();
    stream.read_to_string(&mut address).ok()?;
    Some(Came::Address(address))
}
