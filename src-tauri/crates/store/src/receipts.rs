//! Receipts.

use app::port::{ReceiptRow, StoreError};
use domain::id::{GrantId, ReceiptId};
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{all, change, col, one, parsed};

/// Adds a receipt.
pub(crate) fn insert(conn: &Connection, receipt: &ReceiptRow) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO receipts (id, grant_id, at, body) VALUES (?1, ?2, ?3, ?4)",
        params![receipt.id.to_string(), receipt.grant.to_string(), receipt.at.millis(), receipt.body],
    )
    .map(|_| ())
}

/// One receipt.
pub(crate) fn by_id(conn: &Connection, id: ReceiptId) -> Result<Option<ReceiptRow>, StoreError> {
    one(conn, "SELECT * FROM receipts WHERE id = ?1", [id.to_string()], read)
}

/// The receipts of a grant, oldest first.
pub(crate) fn of_grant(conn: &Connection, grant: GrantId) -> Result<Vec<ReceiptRow>, StoreError> {
    all(conn, "SELECT * FROM receipts WHERE grant_id = ?1 ORDER BY n", [grant.to_string()], read)
}

fn read(row: &Row<'_>) -> Result<ReceiptRow, StoreError> {
    Ok(ReceiptRow {
        id: parsed(row, "id", ReceiptId::parse)?,
        grant: parsed(row, "grant_id", GrantId::parse)?,
        at: Timestamp::from_millis(col(row, "at")?),
        body: col(row, "body")?,
    })
}
