//! The Secret Service (freedesktop.org).

use std::collections::HashMap;

use secret_service::blocking::{Collection, SecretService};
use secret_service::{EncryptionType, Error};
use zbus::blocking::connection::Builder;
use zeroize::Zeroizing;

use super::{Item, KeychainError, SERVICE};
use crate::environment;

/// Gone with the session.
const SESSION: &str = "/org/freedesktop/secrets/collection/session";

pub(super) fn find(account: Option<&str>) -> Result<Vec<Item>, KeychainError> {
    let service = connect()?;
    let collection = unlocked(&service)?;
    let mut attributes = HashMap::from([("service", SERVICE)]);
    attributes.extend(account.map(|account| ("username", account)));
    let mut items = Vec::new();
    for item in collection.search_items(attributes).map_err(|err| fault(&err))? {
        let account = item.get_attributes().map_err(|err| fault(&err))?.remove("username");
        let secret = Zeroizing::new(item.get_secret().map_err(|err| fault(&err))?);
        let text = std::str::from_utf8(&secret).map(|text| Zeroizing::new(text.to_owned()));
        if let (Some(account), Ok(text)) = (account, text) {
            items.push(Item { account, text });
        }
    }
    Ok(items)
}

pub(super) fn keep(account: &str, text: &str) -> Result<(), KeychainError> {
    let service = connect()?;
    let collection = unlocked(&service)?;
    let label = format!("Countersign agent: {account}");
    let attributes = HashMap::from([("service", SERVICE), ("username", account)]);
    let created = collection.create_item(&label, attributes, text.as_bytes(), false, "application/json");
    created.map(drop).map_err(|err| fault(&err))
}

/// Connects to a socket of this computer; other kinds of address start programs or leave it.
fn connect<'a>() -> Result<SecretService<'a>, KeychainError> {
    let address = environment::session_bus().ok_or(KeychainError::Absent)?;
    let address = address.split(';').find(|entry| entry.starts_with("unix:"));
    let builder = Builder::address(address.ok_or(KeychainError::Absent)?);
    let bus = builder.and_then(Builder::build).map_err(|_| KeychainError::Absent)?;
    SecretService::connect_with_existing(EncryptionType::Dh, bus).map_err(|err| fault(&err))
}

/// The collection that outlives the session, if it is open. Asking that unlocks nothing.
fn unlocked<'a>(service: &'a SecretService<'_>) -> Result<Collection<'a>, KeychainError> {
    let collection = service.get_default_collection().map_err(|err| fault(&err))?;
    if collection.collection_path.as_str() == SESSION {
        return Err(KeychainError::Absent);
    }
    let is_locked = collection.is_locked().map_err(|err| fault(&err))?;
    if is_locked { Err(KeychainError::Locked) } else { Ok(collection) }
}

fn fault(error: &Error) -> KeychainError {
    if let Error::Locked | Error::Prompt = error { KeychainError::Locked } else { KeychainError::Absent }
}
