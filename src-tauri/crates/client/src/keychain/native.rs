//! The macOS login keychain and the Windows Credential Manager, by the keyring project's stores. Written, not run.

use keyring_core::Error;
use keyring_core::api::CredentialStoreApi as _;
use zeroize::Zeroizing;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(windows)]
use windows_native_keyring_store::Store;

use super::{Item, KeychainError, SERVICE};

/// Where no name is given: these stores do not list what they hold.
const UNNAMED: &str = "agent";

pub(super) fn find(account: Option<&str>) -> Result<Vec<Item>, KeychainError> {
    let account = account.unwrap_or(UNNAMED);
    let store = Store::new().map_err(|err| fault(&err))?;
    let entry = store.build(SERVICE, account, None).map_err(|err| fault(&err))?;
    match entry.get_password() {
        Ok(text) => Ok(vec![Item { account: account.to_owned(), text: Zeroizing::new(text) }]),
        Err(Error::NoEntry) => Ok(Vec::new()),
        Err(error) => Err(fault(&error)),
    }
}

pub(super) fn keep(account: &str, text: &str) -> Result<(), KeychainError> {
    let store = Store::new().map_err(|err| fault(&err))?;
    let entry = store.build(SERVICE, account, None).map_err(|err| fault(&err))?;
    entry.set_password(text).map_err(|err| fault(&err))
}

fn fault(error: &Error) -> KeychainError {
    if let Error::NoStorageAccess(_) = error { KeychainError::Locked } else { KeychainError::Absent }
}
