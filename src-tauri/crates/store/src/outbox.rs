//! The outbox: grants whose revocation the bank has not confirmed.

use app::port::StoreError;
use domain::id::GrantId;
use rusqlite::Connection;

use crate::row::{change, each, parsed};

/// What waits, oldest first; a row that cannot be read keeps no other from being tried.
pub(crate) fn waiting(conn: &Connection) -> Result<Vec<GrantId>, StoreError> {
    each(conn, "SELECT grant_id AS id, NULL AS called FROM outbox ORDER BY n", |row| {
        parsed(row, "id", GrantId::parse)
    })
    .map(|rows| rows.sound)
}

/// Puts a grant in.
pub(crate) fn insert(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "INSERT INTO outbox (grant_id) VALUES (?1)", [grant.to_string()]).map(|_| ())
}

/// Takes a grant out; done is done, also if it was not in.
pub(crate) fn delete(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "DELETE FROM outbox WHERE grant_id = ?1", [grant.to_string()]).map(|_| ())
}
