//! Sealed records: the vault's bytes, by grant, kind and generation.

use app::port::{SealedRow, StoreError};
use domain::id::GrantId;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};
use vault::label::Kind;

use crate::row::{all, change, col, exactly_one, parsed};

/// All sealed records of a kind, newest first.
pub(crate) fn of_kind(conn: &Connection, grant: GrantId, kind: Kind) -> Result<Vec<SealedRow>, StoreError> {
    all(
        conn,
        "SELECT * FROM sealed WHERE grant_id = ?1 AND kind = ?2 ORDER BY generation DESC",
        params![grant.to_string(), kind.number()],
        read,
    )
}

/// Every sealed record.
pub(crate) fn every(conn: &Connection) -> Result<Vec<SealedRow>, StoreError> {
    all(conn, "SELECT * FROM sealed ORDER BY grant_id, kind, generation", [], read)
}

/// Adds a sealed record.
pub(crate) fn insert(conn: &Connection, row: &SealedRow) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO sealed (grant_id, kind, generation, ends_at, blob) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            row.grant.to_string(),
            row.kind.number(),
            row.generation,
            row.ends_at.map(Timestamp::millis),
            row.blob
        ],
    )
    .map(|_| ())
}

/// Puts other bytes in place of a record's.
pub(crate) fn replace(conn: &Connection, row: &SealedRow) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE sealed SET blob = ?4 WHERE grant_id = ?1 AND kind = ?2 AND generation = ?3",
        params![row.grant.to_string(), row.kind.number(), row.generation, row.blob],
    )?;
    exactly_one(changed)
}

/// Deletes one record; done is done.
pub(crate) fn delete_row(
    conn: &Connection,
    grant: GrantId,
    kind: Kind,
    generation: u32,
) -> Result<(), StoreError> {
    change(
        conn,
        "DELETE FROM sealed WHERE grant_id = ?1 AND kind = ?2 AND generation = ?3",
        params![grant.to_string(), kind.number(), generation],
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
        ends_at: col::<Option<i64>>(row, "ends_at")?.map(Timestamp::from_millis),
        blob: col(row, "blob")?,
    })
}
