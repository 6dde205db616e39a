//! The private channel between the host and the window process it started: HTTP/2, JSON bodies.
//!
//! `POST /window/<command>` for each command of the table; the routes below besides.

use serde::{Deserialize, Serialize};

/// `POST /window/hello`: first of all. A pair that does not match refuses.
pub const HELLO: &str = "/window/hello";
/// `GET /window/events`: one streamed answer, one JSON [`HostEvent`] a line.
pub const EVENTS: &str = "/window/events";
/// `POST /window/copy_link` with an `AttemptRef`: a fresh [`Link`] for the clipboard.
pub const COPY_LINK: &str = "/window/copy_link";
/// `POST /window/closed`: the person closed the window; the process ends and the host starts one with `--tray`.
pub const CLOSED: &str = "/window/closed";
/// `POST /window/approval_closed` with an `ApprovalRef`: the person closed the approval window over a question, which is
/// a no to it.
pub const APPROVAL_CLOSED: &str = "/window/approval_closed";
/// `POST /window/no_tray`: this desktop has no place for a tray icon; said before the first close, so that the person
/// can be told what closing means.
pub const NO_TRAY: &str = "/window/no_tray";
/// `POST /window/quit`: stop the host too.
pub const QUIT: &str = "/window/quit";
/// `POST /window/show`: from the tray process, the person wants the window.
pub const SHOW: &str = "/window/show";

/// The longest body of a request, on both sides of the channel: the longest request holds a pasted key.
pub const MAX_REQUEST: usize = 16 * 1024;

/// What both sides are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The build: version and commit, the same for both programs of a package.
    pub build: String,
    /// Whether the `sandbox` feature is in.
    pub sandbox: bool,
    /// The data folder, where it was set by `COUNTERSIGN_HOME`; only the host says it.
    pub home: Option<String>,
}

/// `POST /window/show`: what the tray's menu asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShowWindow {
    /// Ask about quitting too.
    #[serde(default)]
    pub quit: bool,
}

impl Hello {
    /// What this binary is, apart from the data folder.
    #[must_use]
    pub fn of_this_build(sandbox: bool, home: Option<String>) -> Self {
        Self { build: env!("CARGO_PKG_VERSION").to_owned(), sandbox, home }
    }
}

/// A link for the person's clipboard. It never enters a webview, and `Debug` does not print it.
#[derive(Serialize, Deserialize)]
pub struct Link {
    /// The bank's authorization address.
    pub url: String,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

/// What the host tells the window process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HostEvent {
    /// For the webview, as it is.
    Ui {
        /// The event.
        event: crate::ui::Event,
    },
    /// Bring the window up; a tray process is replaced by a fresh one with a window instead.
    Show {
        /// What the desktop gave the asker so that a window may come to the front.
        activation_token: Option<String>,
    },
    /// An agent asks: bring the approval window up; a tray process is replaced by a fresh one that shows it alone.
    Approval {
        /// What the desktop gave somebody so that a window may come to the front.
        activation_token: Option<String>,
    },
    /// The host ends in an orderly way: the process ends too.
    Ending,
}

/// `POST /show` on the public socket, which any program of the user may send.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// At most an activation token.
    #[serde(default)]
    pub activation_token: Option<String>,
}

/// `endpoint.json` in the data folder: where the running host listens, and who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointFile {
    /// The socket's path.
    pub socket: String,
    /// The broker's issuer, also the authority of every URL on the socket.
    pub issuer: String,
}
