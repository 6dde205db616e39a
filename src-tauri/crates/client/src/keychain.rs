//! An agent's key in the person's keychain. Entered only where no file holds the key: it speaks to the session's bus.
//!
//! **Invariant:** no prompt is caused. A keychain that is locked is left locked.

use std::sync::mpsc;
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

#[cfg(target_os = "linux")]
#[path = "keychain/linux.rs"]
mod native;
#[cfg(not(target_os = "linux"))]
mod native;

/// The service of every item (design.md section 10).
const SERVICE: &str = "app.countersign.agent";
/// How long a keychain may take: one that does not answer would keep the agent for good.
const LIMIT: Duration = Duration::from_secs(5);

/// Why the keychain gave or took nothing.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeychainError {
    /// There is none, or it does not last.
    #[error("there is no keychain")]
    Absent,
    /// It did not answer in time.
    #[error("the keychain does not answer")]
    Blocked,
    /// It is locked.
    #[error("the keychain is locked")]
    Locked,
}

/// What an item holds, and whose it is.
pub(crate) struct Item {
    /// The agent's name, as files have it.
    pub(crate) account: String,
    /// A private JWK.
    pub(crate) text: Zeroizing<String>,
}

/// The items of one account, or of all.
pub(crate) fn find(account: Option<&str>) -> Result<Vec<Item>, KeychainError> {
    let account = account.map(str::to_owned);
    within_limit(move || native::find(account.as_deref()))
}

/// Keeps a new item.
pub(crate) fn keep(account: &str, text: Zeroizing<String>) -> Result<(), KeychainError> {
    let account = account.to_owned();
    within_limit(move || native::keep(&account, &text))
}

/// A thread that is late is not waited for any more; it ends with the process.
fn within_limit<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeychainError> + Send + 'static,
) -> Result<T, KeychainError> {
    let (done, result) = mpsc::channel();
    let thread = std::thread::Builder::new().name("keychain".to_owned()).spawn(move || {
        let _ = done.send(work());
    });
    thread.map_err(|_| KeychainError::Blocked)?;
    result.recv_timeout(LIMIT).unwrap_or(Err(KeychainError::Blocked))
}
