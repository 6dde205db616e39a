//! The browser opener: one address, one argument, no shell, an environment by allow-list.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use app::port::{OpenError, Opener};
use domain::provider::{AddressRule, check_address};
use tokio::process::{Child, Command};
use url::Url;

/// The program that hands an address to the browser.  macOS and Windows: written, not run.
#[cfg(not(any(target_os = "macos", windows)))]
const PROGRAM: &str = "xdg-open";
#[cfg(target_os = "macos")]
const PROGRAM: &str = "open";
#[cfg(windows)]
const PROGRAM: &str = "rundll32.exe";

/// What stands before the address.
#[cfg(not(windows))]
const ARGUMENTS: &[&str] = &[];
#[cfg(windows)]
const ARGUMENTS: &[&str] = &["url.dll,FileProtocolHandler"];

/// A launcher that runs on after this has become the browser itself, or waits for it: the address is opened.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest address handed on.
const MAX_URL: usize = 8 * 1024;

/// What the host decides about the opener.
#[derive(Clone, Debug)]
pub struct OpenerSettings {
    /// Used in place of the system's launcher; sandbox builds only (`COUNTERSIGN_OPENER`).
    pub program: Option<PathBuf>,
    /// All that the launcher gets to see of the environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Where the launcher is looked for; relative folders are passed over.
    pub path_dirs: Vec<PathBuf>,
    /// Which addresses may be opened.
    pub addresses: AddressRule,
}

/// The system's browser behind [`app::port::Opener`].
pub struct SystemOpener {
    settings: OpenerSettings,
}

impl SystemOpener {
    /// Makes an opener; nothing is looked for before the first address.
    #[must_use]
    pub fn new(settings: OpenerSettings) -> Self {
        Self { settings }
    }

    fn program(&self) -> Option<PathBuf> {
        let found = |path: &PathBuf| path.is_absolute() && path.is_file();
        match &self.settings.program {
            Some(program) => Some(program.clone()).filter(found),
            None => self.settings.path_dirs.iter().map(|dir| dir.join(PROGRAM)).find(found),
        }
    }

    fn spawn(&self, url: &Url) -> Result<Child, OpenError> {
        let mut command = Command::new(self.program().ok_or(OpenError::Absent)?);
        if self.settings.program.is_none() {
            command.args(ARGUMENTS);
        }
        command.arg(url.as_str());
        command.env_clear().envs(self.settings.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Signals meant for us are not the browser's, and it does not keep our folder in use.
        #[cfg(unix)]
        command.process_group(0).current_dir("/");
        command.spawn().map_err(|err| {
            if err.kind() == std::io::ErrorKind::NotFound { OpenError::Absent } else { OpenError::Failed }
        })
    }
}

impl Opener for SystemOpener {
    async fn open(&self, url: &Url) -> Result<(), OpenError> {
        if !may_open(url, self.settings.addresses) {
            return Err(OpenError::Unfit);
        }
        let mut child = self.spawn(url)?;
        // The task outlives this call, so the child is waited for even if nobody waits for us.
        let ended = tokio::spawn(async move { child.wait().await });
        match tokio::time::timeout(PATIENCE, ended).await {
            Ok(Ok(Ok(status))) if status.success() => Ok(()),
            Ok(_) => Err(OpenError::Failed),
            Err(_) => Ok(()),
        }
    }
}

/// What a provider file may name, and nothing in the address that a launcher or a person could read two ways
/// (CVE-2025-6514, OPEN-01, OPEN-03).
fn may_open(url: &Url, addresses: AddressRule) -> bool {
    let text = url.as_str();
    text.len() <= MAX_URL
        && text.bytes().all(|b| (0x21..=0x7e).contains(&b))
        && check_address(url, addresses).is_ok()
        && Url::parse(text).is_ok_and(|again| again == *url)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
