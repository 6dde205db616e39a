//! Sealed records: the vault's bytes, one of a kind for each grant.

use app::port::{SealedRow, StoreError};
use domain::id::GrantId;
use rusqlite::{Connection, Row, params};
use vault::label::Kind;

use crate::row::{change, col, one, parsed};

/// A sealed record.
pub(crate) fn by_kind(
    conn: &Connection,
    grant: GrantId,
    kind: Kind,
) -> Result<Option<SealedRow>, StoreError> {
    one(
        conn,
        "SELECT grant_id, kind, generation, blob FROM sealed WHERE grant_id = ?1 AND kind = ?2",
        params![grant.to_string(), kind.number()],
        read,
    )
}

/// Adds a sealed record.
pub(crate) fn insert(conn: &Connection, row: &SealedRow) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO sealed (grant_id, kind, generation, blob) VALUES (?1, ?2, ?3, ?4)",
        params![row.grant.to_string(), row.kind.number(), row.generation, row.blob],
    )
    .map(|_| ())
}

/// Deletes all sealed records of a grant; done is done, also if there were none.
pub(crate) fn delete(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "DELETE FROM sealed WHERE grant_id = ?1", [grant.to_string()]).map(|_| ())
}

fn read(row: &Row<'_>) -> Result<SealedRow, StoreError> {
    Ok(SealedRow {
        grant: parsed(row, "grant_id", GrantId::parse)?,
        kind: Kind::from_number(col(row, "kind")?).ok_or(StoreError::Damaged)?,
        generation: col(row, "generation")?,
        blob: col(row, "blob")?,
    })
}
