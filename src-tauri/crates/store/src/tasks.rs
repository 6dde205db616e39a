//! Tasks that were presented: each once, across restarts, until it could not be presented any more.

use app::port::StoreError;
use domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::row::{change, col, one};

/// Remembers one. `Exists` if it was presented before.
pub(crate) fn insert(conn: &Connection, id: &[u8; 32], ends_at: Timestamp) -> Result<(), StoreError> {
    change(conn, "INSERT INTO tasks (id, ends_at) VALUES (?1, ?2)", params![id, ends_at.millis()]).map(|_| ())
}

/// Whether some ended before a moment.
pub(crate) fn any_before(conn: &Connection, before: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM tasks WHERE ends_at < ?1) AS found";
    one(conn, sql, [before.millis()], |row| col(row, "found")).map(|found| found.unwrap_or(false))
}

/// Forgets those that ended before a moment.
pub(crate) fn forget(conn: &Connection, before: Timestamp) -> Result<(), StoreError> {
    change(conn, "DELETE FROM tasks WHERE ends_at < ?1", [before.millis()]).map(|_| ())
}
