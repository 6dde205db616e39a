//! How often grants were used, by day.

use app::port::{DayOfUse, StoreError};
use domain::id::GrantId;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{all, change, col, parsed};

/// Counts a call, or a refused one.
pub(crate) fn count(
    conn: &Connection,
    grant: GrantId,
    at: Timestamp,
    refused: bool,
) -> Result<(), StoreError> {
    let (calls, refused, last) = if refused { (0, 1, None) } else { (1, 0, Some(at.millis())) };
    let sql = "INSERT INTO uses (grant_id, day, calls, refused, last_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (grant_id, day) DO UPDATE SET calls = calls + ?3, refused = refused + ?4, \
               last_at = coalesce(?5, last_at)";
    change(conn, sql, params![grant.to_string(), at.day(), calls, refused, last]).map(|_| ())
}

/// The days from one on, of a grant or of all.
pub(crate) fn since(
    conn: &Connection,
    grant: Option<GrantId>,
    day: i64,
) -> Result<Vec<DayOfUse>, StoreError> {
    match grant {
        Some(grant) => {
            let sql = "SELECT grant_id, day, calls, refused, last_at FROM uses \
                       WHERE grant_id = ?1 AND day >= ?2 ORDER BY day";
            all(conn, sql, params![grant.to_string(), day], read)
        }
        None => {
            let sql = "SELECT grant_id, day, calls, refused, last_at FROM uses WHERE day >= ?1 ORDER BY day";
            all(conn, sql, [day], read)
        }
    }
}

/// When each grant was last used.
pub(crate) fn last(conn: &Connection) -> Result<Vec<(GrantId, Timestamp)>, StoreError> {
    // For each grant its last row, by the key: a count over all days would read them all.
    let sql = "SELECT grant_id, last_at FROM (SELECT id AS grant_id, (SELECT last_at FROM uses \
               WHERE uses.grant_id = grants.id AND last_at IS NOT NULL ORDER BY day DESC LIMIT 1) AS last_at FROM grants) \
               WHERE last_at IS NOT NULL";
    all(conn, sql, [], |row| {
        Ok((parsed(row, "grant_id", GrantId::parse)?, Timestamp::from_millis(col(row, "last_at")?)))
    })
}

fn read(row: &Row<'_>) -> Result<DayOfUse, StoreError> {
    Ok(DayOfUse {
        grant: parsed(row, "grant_id", GrantId::parse)?,
        day: col(row, "day")?,
        calls: col(row, "calls")?,
        refused: col(row, "refused")?,
        last_at: col::<Option<i64>>(row, "last_at")?.map(Timestamp::from_millis),
    })
}
