//! This installation and its key-encryption key's id.

use app::port::{KekRow, StoreError};
use domain::id::{InstallId, KekId};
use rusqlite::{Connection, params};

use crate::row::{change, col, one, parsed};

/// This installation.
pub(crate) fn install(conn: &Connection) -> Result<InstallId, StoreError> {
    one(conn, "SELECT install FROM meta", [], |row| parsed(row, "install", InstallId::parse))?
        .ok_or(StoreError::Damaged)
}

/// Names this installation, once.
pub(crate) fn insert_install(conn: &Connection, install: &InstallId) -> Result<(), StoreError> {
    change(conn, "INSERT INTO meta (only, install) VALUES (1, ?1)", [install.as_str()]).map(|_| ())
}

/// The installed key.
pub(crate) fn kek(conn: &Connection) -> Result<Option<KekRow>, StoreError> {
    one(conn, "SELECT id, check_blob FROM kek", [], |row| {
        Ok(KekRow { id: parsed(row, "id", KekId::parse)?, check: col(row, "check_blob")? })
    })
}

/// Records the first key.
pub(crate) fn insert_kek(conn: &Connection, kek: &KekRow) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO kek (only, id, check_blob) VALUES (1, ?1, ?2)",
        params![kek.id.to_string(), kek.check],
    )
    .map(|_| ())
}
