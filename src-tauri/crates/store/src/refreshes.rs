//! Refreshes that are under way, were lost, or did not work yet.

use app::port::StoreError;
use domain::id::GrantId;
use domain::refresh::Refresh;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{change, col, each, one, optional_json, parsed, to_json};

/// What is known of one grant's.
pub(crate) fn of_grant(conn: &Connection, grant: GrantId) -> Result<Option<Refresh>, StoreError> {
    one(conn, "SELECT * FROM refreshes WHERE grant_id = ?1", [grant.to_string()], read)
}

/// All of them; a row that cannot be read keeps no other from being carried on.
pub(crate) fn every(conn: &Connection) -> Result<Vec<(GrantId, Refresh)>, StoreError> {
    each(conn, "SELECT *, grant_id AS id, NULL AS called FROM refreshes", |row| {
        Ok((parsed(row, "id", GrantId::parse)?, read(row)?))
    })
    .map(|rows| rows.sound)
}

/// Records what is known of a grant's.
pub(crate) fn set(conn: &Connection, grant: GrantId, refresh: &Refresh) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO refreshes (grant_id, in_flight, unanswered, failures, trouble, tried_at, next_try) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (grant_id) DO UPDATE SET in_flight = ?2, \
         unanswered = ?3, failures = ?4, trouble = ?5, tried_at = ?6, next_try = ?7",
        params![
            grant.to_string(),
            refresh.in_flight.map(Timestamp::millis),
            refresh.unanswered,
            refresh.failures,
            refresh.trouble.as_ref().map(to_json).transpose()?,
            refresh.tried_at.map(Timestamp::millis),
            refresh.next_try.map(Timestamp::millis),
        ],
    )
    .map(|_| ())
}

/// Forgets it; done is done.
pub(crate) fn delete(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "DELETE FROM refreshes WHERE grant_id = ?1", [grant.to_string()]).map(|_| ())
}

fn read(row: &Row<'_>) -> Result<Refresh, StoreError> {
    let millis = |name| col::<Option<i64>>(row, name).map(|at| at.map(Timestamp::from_millis));
    Ok(Refresh {
        in_flight: millis("in_flight")?,
        unanswered: col(row, "unanswered")?,
        failures: col(row, "failures")?,
        trouble: optional_json(row, "trouble")?,
        tried_at: millis("tried_at")?,
        next_try: millis("next_try")?,
    })
}
