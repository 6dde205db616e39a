//! The outbox: grants whose revocation the bank has not confirmed.

use app::port::StoreError;
use domain::id::GrantId;
use rusqlite::Connection;

use crate::row::{all, change, parsed};

/// What waits, oldest first.
pub(crate) fn waiting(conn: &Connection) -> Result<Vec<GrantId>, StoreError> {
    all(conn, "SELECT grant_id FROM outbox ORDER BY n", [], |row| parsed(row, "grant_id", GrantId::parse))
}

/// Puts a grant in.
pub(crate) fn insert(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "INSERT INTO outbox (grant_id) VALUES (?1)", [grant.to_string()]).map(|_| ())
}

/// Takes a grant out; done is done, also if it was not in.
pub(crate) fn delete(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "DELETE FROM outbox WHERE grant_id = ?1", [grant.to_string()]).map(|_| ())
}
