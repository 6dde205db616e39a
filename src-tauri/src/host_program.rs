//! The host's program beside this one, and whether a host answers.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use contract::channel::{EndpointFile, Show};
use ipc::http::post_once;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use tracing::error;

use crate::Ending;

/// How long a fresh host may take to answer.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How often it is asked whether a host answers.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// `countersignd` in the folder that this program was started from. Resolved once, at the start: after an upgrade in
/// place, the path of a running program leads nowhere.
#[derive(Debug)]
pub(crate) struct HostProgram {
    path: PathBuf,
}

/// Why there is no new host.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error("it could not be run: {0}")]
    NotRun(#[from] io::Error),
    #[error("it ended with {0}")]
    Ended(std::process::ExitStatus),
    #[error("it did not end this process in time")]
    Silent,
}

impl HostProgram {
    /// The program beside this one.
    pub(crate) fn beside_this_one() -> Option<Self> {
        let ours = std::env::current_exe().ok()?;
        Some(Self { path: ours.parent()?.join("countersignd") })
    }

    /// Replaces this process by the host; returns only if that failed.
    pub(crate) fn become_it(&self) -> Ending {
        let error = std::process::Command::new(&self.path).exec();
        error!(%error, path = %self.path.display(), "countersignd could not be run");
        Ending::Failed
    }

    /// Runs a host in a process group of its own and waits until it has ended (because another one runs already) or
    /// is taken to work: [`until_one_answers`] ends this process first where all is well.
    pub(crate) async fn start_again(&self, home: Option<&str>) -> Result<(), StartError> {
        let mut command = tokio::process::Command::new(&self.path);
        command.stdin(Stdio::null()).process_group(0);
        if let Some(home) = home {
            command.env("COUNTERSIGN_HOME", home);
        }
        let mut running = command.spawn()?;
        let ended = match timeout(START_LIMIT, running.wait()).await {
            Ok(ended) => ended?,
            Err(_) => return Err(StartError::Silent),
        };
        if ended.success() { Ok(()) } else { Err(StartError::Ended(ended)) }
    }
}

/// Waits until a host answers at the socket that `endpoint.json` names, and has it show its own window.
pub(crate) async fn until_one_answers(data_folder: &Path) {
    while !answers(data_folder).await {
        sleep(ASK_EVERY).await;
    }
}

async fn answers(data_folder: &Path) -> bool {
    let file = std::fs::read(data_folder.join("endpoint.json")).unwrap_or_default();
    let Ok(endpoint) = serde_json::from_slice::<EndpointFile>(&file) else { return false };
    let Some(authority) = endpoint.issuer.strip_prefix("http://") else { return false };
    let show = serde_json::to_vec(&Show::default()).unwrap_or_default();
    let answer = post_once(Path::new(&endpoint.socket), authority, "/show", show).await;
    answer.is_ok_and(|(status, _)| (200..300).contains(&status))
}
