//! The audit log: append-only by triggers, chained by [`AuditRecord::next`].

use app::port::{Anchor, RecordsOf, StoreError};
use domain::audit::{AuditEvent, AuditRecord, CHAIN_START};
use domain::id::{AgentId, GrantId};
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{all, change, col, one};

/// Appends a record to the chain. The record before it is read in the same transaction, so no two follow the same one.
pub(crate) fn append(conn: &Connection, at: Timestamp, event: &AuditEvent) -> Result<(), StoreError> {
    let (seq, before) = head(conn)?.map_or((0, CHAIN_START), |last| (last.seq, last.hash));
    let record = AuditRecord::next(&before, seq + 1, at, event);
    change(
        conn,
        "INSERT INTO audit (seq, at, body, hash) VALUES (?1, ?2, ?3, ?4)",
        params![
            i64::try_from(record.seq).map_err(|_| StoreError::Damaged)?,
            record.at.millis(),
            record.body,
            record.hash
        ],
    )
    .map(|_| ())
}

/// The whole log in order.
pub(crate) fn whole(conn: &Connection) -> Result<Vec<AuditRecord>, StoreError> {
    all(conn, "SELECT seq, at, body, hash FROM audit ORDER BY seq", [], read)
}

/// The newest record's number and hash.
pub(crate) fn head(conn: &Connection) -> Result<Option<Anchor>, StoreError> {
    one(conn, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
        Ok(Anchor { seq: number(row)?, hash: col(row, "hash")? })
    })
}

/// The hash of one record.
pub(crate) fn hash_of(conn: &Connection, seq: u64) -> Result<Option<[u8; 32]>, StoreError> {
    // A number beyond SQLite's is none of ours.
    let Ok(seq) = i64::try_from(seq) else { return Ok(None) };
    one(conn, "SELECT hash FROM audit WHERE seq = ?1", [seq], |row| col(row, "hash"))
}

/// Records about one grant's life, oldest first; not what its agent did day by day.
pub(crate) fn of_grant(conn: &Connection, grant: GrantId) -> Result<Vec<AuditRecord>, StoreError> {
    // As the index `audit_life` has it, word for word: else it is not used.
    let sql = "SELECT seq, at, body, hash FROM audit WHERE grant_id = ?1 AND kind NOT IN \
               ('call_answered', 'call_made', 'call_refused', 'lease_given', 'lease_returned', 'question_answered', \
               'question_asked', 'task_refused') ORDER BY seq";
    all(conn, sql, [grant.to_string()], read)
}

/// Records before a number, newest first: the last of one index, or of the log itself.
pub(crate) fn before(
    conn: &Connection,
    of: &RecordsOf,
    before: Option<u64>,
    most: u16,
) -> Result<Vec<AuditRecord>, StoreError> {
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let of_column = |column: &str, value: String| {
        let sql = format!(
            "SELECT seq, at, body, hash FROM audit WHERE {column} = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
        );
        all(conn, &sql, params![value, before, most], read)
    };
    match of {
        RecordsOf::All => {
            let sql = "SELECT seq, at, body, hash FROM audit WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
            all(conn, sql, params![before, most], read)
        }
        RecordsOf::Agent(agent) => of_column("agent_id", agent.to_string()),
        RecordsOf::Event(event) => of_column("kind", (*event).to_owned()),
        RecordsOf::Grant(grant) => of_column("grant_id", grant.to_string()),
    }
}

/// Records after a number, oldest first.
pub(crate) fn after(conn: &Connection, seq: u64, most: u16) -> Result<Vec<AuditRecord>, StoreError> {
    let Ok(seq) = i64::try_from(seq) else { return Ok(Vec::new()) };
    let sql = "SELECT seq, at, body, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    all(conn, sql, params![seq, most], read)
}

/// What banks answered to a grant's calls after a number, oldest first.
pub(crate) fn answers(
    conn: &Connection,
    grant: GrantId,
    seq: u64,
    most: u16,
) -> Result<Vec<AuditRecord>, StoreError> {
    let Ok(seq) = i64::try_from(seq) else { return Ok(Vec::new()) };
    let sql = "SELECT seq, at, body, hash FROM audit WHERE grant_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let found = all(conn, sql, params![grant.to_string(), seq, most], read)?;
    Ok(found
        .into_iter()
        .filter(|record| matches!(record.event(), Some(AuditEvent::CallAnswered { .. })))
        .collect())
}

/// When an agent's last calls went to banks, newest first.
pub(crate) fn call_times(conn: &Connection, agent: AgentId, most: u16) -> Result<Vec<Timestamp>, StoreError> {
    let sql = "SELECT at FROM audit WHERE agent_id = ?1 AND kind = 'call_made' ORDER BY seq DESC LIMIT ?2";
    all(conn, sql, params![agent.to_string(), most], |row| col(row, "at").map(Timestamp::from_millis))
}

/// When an agent last got or was refused something.
pub(crate) fn seen(conn: &Connection, agent: AgentId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT at FROM audit WHERE agent_id = ?1 AND kind IN \
               ('call_made', 'call_refused', 'lease_given', 'question_asked', 'task_refused') ORDER BY seq DESC LIMIT 1";
    one(conn, sql, [agent.to_string()], |row| col(row, "at").map(Timestamp::from_millis))
}

fn read(row: &Row<'_>) -> Result<AuditRecord, StoreError> {
    Ok(AuditRecord {
        seq: number(row)?,
        at: Timestamp::from_millis(col(row, "at")?),
        body: col(row, "body")?,
        hash: col(row, "hash")?,
    })
}

fn number(row: &Row<'_>) -> Result<u64, StoreError> {
    u64::try_from(col::<i64>(row, "seq")?).map_err(|_| StoreError::Damaged)
}
