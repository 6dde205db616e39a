//! This installation: its key-encryption key's id, and what is known of it as a whole.

use app::port::{KekRow, StoreError};
use domain::id::{InstallId, KekId};
use domain::lock::LockSettings;
use domain::rule::Rule;
use domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::row::{change, col, exactly_one, json, one, optional_json, parsed, to_json, to_word, word};

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
    one(conn, "SELECT id, check_blob, protection, wrapped FROM kek", [], |row| {
        Ok(KekRow {
            id: parsed(row, "id", KekId::parse)?,
            check: col(row, "check_blob")?,
            protection: word(row, "protection")?,
            wrapped: col(row, "wrapped")?,
        })
    })
}

/// Records the first key.
pub(crate) fn insert_kek(conn: &Connection, kek: &KekRow) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO kek (only, id, check_blob, protection, wrapped) VALUES (1, ?1, ?2, ?3, ?4)",
        params![kek.id.to_string(), kek.check, to_word(&kek.protection)?, kek.wrapped],
    )
    .map(|_| ())
}

/// Records another key in place of one.
pub(crate) fn replace_kek(conn: &Connection, old: KekId, kek: &KekRow) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE kek SET id = ?1, check_blob = ?2, protection = ?3, wrapped = ?4 WHERE id = ?5",
        params![kek.id.to_string(), kek.check, to_word(&kek.protection)?, kek.wrapped, old.to_string()],
    )?;
    exactly_one(changed)
}

/// Keys that are to be deleted in the keychain.
pub(crate) fn kek_litter(conn: &Connection) -> Result<Vec<KekId>, StoreError> {
    let ids: Vec<String> = one(conn, "SELECT kek_litter FROM meta", [], |row| json(row, "kek_litter"))?
        .ok_or(StoreError::Damaged)?;
    ids.iter().map(|id| KekId::parse(id).map_err(|_| StoreError::Damaged)).collect()
}

/// Records them.
pub(crate) fn set_kek_litter(conn: &Connection, litter: &[KekId]) -> Result<(), StoreError> {
    let ids: Vec<String> = litter.iter().map(ToString::to_string).collect();
    exactly_one(change(conn, "UPDATE meta SET kek_litter = ?1", [to_json(&ids)?])?)
}

/// Whether an anchor was ever written.
pub(crate) fn anchored(conn: &Connection) -> Result<bool, StoreError> {
    one(conn, "SELECT anchored FROM meta", [], |row| col(row, "anchored"))?.ok_or(StoreError::Damaged)
}

/// Remembers that an anchor was written.
pub(crate) fn set_anchored(conn: &Connection) -> Result<(), StoreError> {
    exactly_one(change(conn, "UPDATE meta SET anchored = 1", [])?)
}

/// Whether the stop mark was ever made.
pub(crate) fn marked(conn: &Connection) -> Result<bool, StoreError> {
    one(conn, "SELECT marked FROM meta", [], |row| col(row, "marked"))?.ok_or(StoreError::Damaged)
}

/// Remembers that it was.
pub(crate) fn set_marked(conn: &Connection) -> Result<(), StoreError> {
    exactly_one(change(conn, "UPDATE meta SET marked = 1", [])?)
}

/// Since when every agent is stopped.
pub(crate) fn agents_stopped(conn: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let since: Option<i64> = one(conn, "SELECT stopped_at FROM meta", [], |row| col(row, "stopped_at"))?
        .ok_or(StoreError::Damaged)?;
    Ok(since.map(Timestamp::from_millis))
}

/// Records it.
pub(crate) fn set_agents_stopped(conn: &Connection, since: Option<Timestamp>) -> Result<(), StoreError> {
    exactly_one(change(conn, "UPDATE meta SET stopped_at = ?1", [since.map(Timestamp::millis)])?)
}

/// What the person has chosen about the lock.
pub(crate) fn lock_settings(conn: &Connection) -> Result<LockSettings, StoreError> {
    let chosen = one(conn, "SELECT lock_settings FROM meta", [], |row| optional_json(row, "lock_settings"))?
        .ok_or(StoreError::Damaged)?;
    Ok(chosen.unwrap_or(LockSettings::DEFAULT))
}

/// Records it.
pub(crate) fn set_lock_settings(conn: &Connection, settings: LockSettings) -> Result<(), StoreError> {
    exactly_one(change(conn, "UPDATE meta SET lock_settings = ?1", [to_json(&settings)?])?)
}

/// The rules that the person has set.
pub(crate) fn rules(conn: &Connection) -> Result<Vec<Rule>, StoreError> {
    let set: Option<Vec<Rule>> = one(conn, "SELECT rules FROM meta", [], |row| optional_json(row, "rules"))?
        .ok_or(StoreError::Damaged)?;
    Ok(set.unwrap_or_default())
}

/// Records them.
pub(crate) fn set_rules(conn: &Connection, rules: &[Rule]) -> Result<(), StoreError> {
    exactly_one(change(conn, "UPDATE meta SET rules = ?1", [to_json(&rules)?])?)
}
