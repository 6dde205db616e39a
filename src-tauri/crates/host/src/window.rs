//! One window process: spawned with its end of the channel, served until it is gone.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use axum::Router;
use contract::error_code::ErrorCode;
use store::OpenStoreError;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// What the process shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The approval window alone, and the tray beside it.
    Approval,
    /// The tray only; it never makes a webview.
    Tray,
    /// The window.
    Window,
}

/// Why this host can do nothing but say so in the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unfit(pub(crate) ErrorCode);

impl Unfit {
    /// The data folder belongs to someone else, is open to others, or cannot be made.
    pub(crate) const DATA_FOLDER: Self = Self(ErrorCode::DataFolderUnfit);

    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let code = match error.downcast_ref::<OpenStoreError>() {
            Some(OpenStoreError::Newer) => ErrorCode::StoreNewer,
            Some(OpenStoreError::Damaged | OpenStoreError::NotOurs) => ErrorCode::StoreDamaged,
            Some(OpenStoreError::NotAPlainFile | OpenStoreError::OtherUser | OpenStoreError::Permissions) => {
                ErrorCode::DataFolderUnfit
            }
            Some(OpenStoreError::Busy | OpenStoreError::Io) => ErrorCode::StoreFailed,
            None => ErrorCode::Internal,
        };
        Self(code)
    }
}

/// A window process that runs.
pub(crate) struct Window {
    pub(crate) mode: Mode,
    pub(crate) closing: bool,
    child: Child,
    serving: JoinHandle<()>,
}

/// How it came to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In an orderly way.
    Done,
    /// By a fault, or by somebody's hand.
    Lost,
    /// There is no display any more.
    NoDisplay,
    /// The desktop has no tray to sit in.
    NoTray,
}

/// `countersign-desktop --tray` ends with this where there is no tray.
const NO_TRAY: i32 = 3;
/// Either mode ends with this where there is no display.
const NO_DISPLAY: i32 = 5;

impl Window {
    /// Spawns the program of this package with one end of a fresh channel as its standard input.
    pub(crate) fn spawn(
        program: &Path,
        mode: Mode,
        environment: Vec<(OsString, OsString)>,
        routes: Router,
    ) -> std::io::Result<Self> {
        let (ours, theirs) = ipc::channel::pair()?;
        let mut command = Command::new(program);
        command.env_clear().envs(environment).stdin(Stdio::from(theirs)).kill_on_drop(true);
        match mode {
            Mode::Approval => drop(command.arg("--approval")),
            Mode::Tray => drop(command.arg("--tray")),
            Mode::Window => {}
        }
        let child = command.spawn()?;
        tracing::info!(?mode, pid = child.id(), "window process started");
        Ok(Self { mode, closing: false, child, serving: tokio::spawn(crate::serve::channel(ours, routes)) })
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> End {
        let status = self.child.wait().await;
        self.serving.abort();
        status.map_or(End::Lost, |status| self.end(status))
    }

    fn end(&self, status: ExitStatus) -> End {
        tracing::info!(mode = ?self.mode, %status, "window process ended");
        match status.code() {
            Some(0) => End::Done,
            Some(NO_DISPLAY) => End::NoDisplay,
            Some(NO_TRAY) if self.mode == Mode::Tray => End::NoTray,
            Some(_) | None => End::Lost,
        }
    }

    /// Ends it: it has been told, and gets a moment.
    pub(crate) async fn stop(mut self) {
        let patience = std::time::Duration::from_secs(2);
        if tokio::time::timeout(patience, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
        self.serving.abort();
    }
}
