//! Finds the host that runs and asks it; where none runs, has its program read what is stored.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use contract::channel::{EndpointFile, Show};
use contract::error_code::{CommandError, ErrorCode};
use contract::support::{Report, WAIT_SECONDS};
use ipc::http::{CallError, post_once_within};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How long a request may take: what waits for the person takes longest.
const LIMIT: Duration = Duration::from_secs(WAIT_SECONDS + 8);
/// A busy host closes connections it has no place for: the next may be taken.
const TRIES: u32 = 20;
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum Unanswered {
    /// What answers is not a Countersign that we know, or nothing answers in time.
    #[error("Countersign does not answer.")]
    Broken,
    /// No host runs with this data folder.
    #[error("Countersign is not running.")]
    NotRunning,
    /// It answered that it will not.
    #[error("refused")]
    Refused(CommandError),
}

/// The host that runs.
#[derive(Debug)]
pub(crate) struct Host {
    data_folder: PathBuf,
}

impl Host {
    /// The host of this data folder, whether or not it runs.
    pub(crate) fn of(data_folder: PathBuf) -> Self {
        Self { data_folder }
    }

    /// Asks it.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<A, Unanswered> {
        let body = serde_json::to_vec(request).map_err(|_| Unanswered::Broken)?;
        let (status, answer) = self.post(path, body).await?;
        match status {
            200 => serde_json::from_slice(&answer).map_err(|_| Unanswered::Broken),
            _ => Err(serde_json::from_slice(&answer).map_or(Unanswered::Broken, Unanswered::Refused)),
        }
    }

    /// Brings up its window, if it has one. That it runs is all that counts.
    pub(crate) async fn show(&self) -> Result<(), Unanswered> {
        let body = serde_json::to_vec(&Show::default()).unwrap_or_default();
        self.post("/show", body).await.map(drop)
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), Unanswered> {
        for _ in 1..TRIES {
            match self.post_now(path, body.clone()).await {
                Err(CallError::Gone) => tokio::time::sleep(TRY_AGAIN).await,
                other => return other.map_err(|error| unanswered(&error)),
            }
        }
        self.post_now(path, body).await.map_err(|error| unanswered(&error))
    }

    async fn post_now(&self, path: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), CallError> {
        let nobody = || CallError::Dial(ipc::dial::DialError::Nobody);
        let file = std::fs::read(self.data_folder.join("endpoint.json")).map_err(|_| nobody())?;
        let endpoint: EndpointFile = serde_json::from_slice(&file).map_err(|_| nobody())?;
        let authority = endpoint.issuer.strip_prefix("http://").ok_or_else(nobody)?;
        post_once_within(LIMIT, Path::new(&endpoint.socket), authority, path, body).await
    }

    /// What is stored, read by the host's own program, which changes nothing. None where that cannot be read either.
    pub(crate) async fn report(&self) -> Option<Report> {
        let program = std::env::current_exe().ok()?.parent()?.join("countersignd");
        let mut reading = tokio::process::Command::new(program);
        reading.arg("--report").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let read = tokio::time::timeout(LIMIT, reading.output()).await.ok()?.ok()?;
        if read.status.success() { serde_json::from_slice(&read.stdout).ok() } else { None }
    }
}

fn unanswered(error: &CallError) -> Unanswered {
    match error {
        CallError::Dial(ipc::dial::DialError::Nobody) => Unanswered::NotRunning,
        CallError::Dial(_)
        | CallError::Gone
        | CallError::Malformed
        | CallError::Refused(_)
        | CallError::Request
        | CallError::TimedOut
        | CallError::TooLong => Unanswered::Broken,
    }
}

impl Unanswered {
    /// The code that stands for it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Broken => ErrorCode::Internal,
            Self::NotRunning => ErrorCode::HostGone,
            Self::Refused(error) => error.code,
        }
    }
}
