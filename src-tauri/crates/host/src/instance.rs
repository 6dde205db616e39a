//! One host per data folder: the lock, `endpoint.json`, and asking the one that runs to show its window.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use contract::channel::{EndpointFile, Show};
use ipc::http::post_once;

/// How long a second start asks: the first may still be starting, or its file be stale (design: 5 s).
const ASK_FOR: Duration = Duration::from_secs(5);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The lock of a data folder, held until dropped. The kernel lets go of it however the process ends.
#[derive(Debug)]
pub(crate) struct Instance {
    _lock: File,
}

impl Instance {
    /// Takes the lock; `None` if another host holds it.
    pub(crate) fn take(data_folder: &Path) -> io::Result<Option<Self>> {
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0))
            .open(data_folder.join("host.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn endpoint_path(data_folder: &Path) -> PathBuf {
    data_folder.join("endpoint.json")
}

/// Names the socket for other programs: written beside and renamed into place, so that no one reads half of it.
pub(crate) fn name_endpoint(data_folder: &Path, socket: &Path, issuer: &str) -> anyhow::Result<()> {
    let socket = socket.to_str().context("the socket's path is not text")?.to_owned();
    let text = serde_json::to_vec(&EndpointFile { socket, issuer: issuer.to_owned() })?;
    let beside = data_folder.join("endpoint.json.new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(beside, endpoint_path(data_folder))?;
    Ok(())
}

/// Asks the host that runs to bring up its window.
pub(crate) async fn ask_to_show(data_folder: &Path, activation_token: Option<String>) -> anyhow::Result<()> {
    let show = serde_json::to_vec(&Show { activation_token })?;
    let asking = async {
        loop {
            if asked(data_folder, show.clone()).await {
                return;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    };
    if tokio::time::timeout(ASK_FOR, asking).await.is_err() {
        bail!("another Countersign holds this data folder and does not answer");
    }
    Ok(())
}

async fn asked(data_folder: &Path, show: Vec<u8>) -> bool {
    let file = std::fs::read(endpoint_path(data_folder)).unwrap_or_default();
    let Ok(endpoint) = serde_json::from_slice::<EndpointFile>(&file) else { return false };
    let Some(authority) = endpoint.issuer.strip_prefix("http://") else { return false };
    let answer = post_once(Path::new(&endpoint.socket), authority, "/show", show).await;
    answer.is_ok_and(|(status, _)| (200..300).contains(&status))
}
