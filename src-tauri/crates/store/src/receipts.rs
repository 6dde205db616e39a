//! Receipts.

use app::port::{ReceiptRow, StoreError};
use rusqlite::{Connection, params};

use crate::row::change;

/// Adds a receipt.
pub(crate) fn insert(conn: &Connection, receipt: &ReceiptRow) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO receipts (id, grant_id, at, body) VALUES (?1, ?2, ?3, ?4)",
        params![receipt.id.to_string(), receipt.grant.to_string(), receipt.at.millis(), receipt.body],
    )
    .map(|_| ())
}
