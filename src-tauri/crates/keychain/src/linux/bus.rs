//! A connection to the session bus, and what can be asked about the keychain without asking it for anything.

use app::port::KeychainError;
use secret_service::EncryptionType;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, connection::Builder};

use super::fault;

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";

/// A connection of its own.
pub(super) struct Bus(Connection);

impl Bus {
    /// Connects to the first socket that the address names. Other transports start programs or leave this computer.
    pub(super) async fn connect(address: Option<&str>) -> Result<Self, KeychainError> {
        let address = address.unwrap_or_default().split(';').find(|entry| entry.starts_with("unix:"));
        let builder = Builder::address(address.ok_or(KeychainError::Absent)?);
        builder.map_err(|err| fault::of_bus(&err))?.build().await.map(Self).map_err(|err| fault::of_bus(&err))
    }

    /// The default collection, if it outlives the session.
    pub(super) async fn lasting_collection(&self) -> Result<OwnedObjectPath, KeychainError> {
        let default = self.alias("default").await?;
        let is_none = default.as_str() == "/";
        if is_none
            || default.as_str() == "/org/freedesktop/secrets/collection/session"
            || default == self.alias("session").await?
        {
            return Err(KeychainError::Absent);
        }
        Ok(default)
    }

    async fn alias(&self, name: &str) -> Result<OwnedObjectPath, KeychainError> {
        let reply = self.0.call_method(Some(NAME), PATH, Some(SERVICE), "ReadAlias", &name).await;
        let reply = reply.map_err(|err| fault::of_call(&err))?;
        reply.body().deserialize().map_err(|err| fault::of_call(&err))
    }

    /// The collection's own word for it; reading a property unlocks nothing.
    pub(super) async fn is_locked(&self, collection: &OwnedObjectPath) -> Result<bool, KeychainError> {
        let properties = Some("org.freedesktop.DBus.Properties");
        let reply =
            self.0.call_method(Some(NAME), collection, properties, "Get", &(COLLECTION, "Locked")).await;
        let reply = reply.map_err(|err| fault::of_call(&err))?;
        let value: OwnedValue = reply.body().deserialize().map_err(|err| fault::of_call(&err))?;
        bool::try_from(value).map_err(|_| KeychainError::Absent)
    }

    /// A session with the service; secrets cross the bus encrypted, which keeps them from whoever watches it.
    pub(super) async fn secret_service(
        &self,
    ) -> Result<secret_service::SecretService<'static>, KeychainError> {
        secret_service::SecretService::connect_with_existing(EncryptionType::Dh, self.0.clone())
            .await
            .map_err(|err| fault::of(&err))
    }
}
