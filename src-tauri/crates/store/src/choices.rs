//! What the person said once for a while.

use app::port::StoreError;
use domain::id::{AgentId, ChoiceId, GrantId, OperationId};
use domain::policy::Choice;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{all, change, col, exactly_one, parsed, to_word, word};

const COLUMNS: &str = "id, agent, grant_id, operation, purpose_class, until_at, made_at";

/// All of them, oldest first.
pub(crate) fn all_choices(conn: &Connection) -> Result<Vec<Choice>, StoreError> {
    all(conn, &format!("SELECT {COLUMNS} FROM choices ORDER BY n"), [], read)
}

/// Those of an agent under a grant.
pub(crate) fn of(conn: &Connection, agent: AgentId, grant: GrantId) -> Result<Vec<Choice>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM choices WHERE agent = ?1 AND grant_id = ?2 ORDER BY n");
    all(conn, &sql, params![agent.to_string(), grant.to_string()], read)
}

/// Adds one, in place of one for the same.
pub(crate) fn put(conn: &Connection, choice: &Choice) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO choices (id, agent, grant_id, operation, purpose_class, until_at, made_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let row = params![
        choice.id.to_string(),
        choice.agent.to_string(),
        choice.grant.to_string(),
        choice.operation.as_str(),
        to_word(&choice.purpose_class)?,
        choice.until.millis(),
        choice.made_at.millis()
    ];
    change(conn, sql, row).map(|_| ())
}

/// Deletes one; `Missing` if there is none.
pub(crate) fn delete(conn: &Connection, id: ChoiceId) -> Result<(), StoreError> {
    exactly_one(change(conn, "DELETE FROM choices WHERE id = ?1", [id.to_string()])?)
}

/// Deletes all under a grant.
pub(crate) fn delete_of(conn: &Connection, grant: GrantId) -> Result<(), StoreError> {
    change(conn, "DELETE FROM choices WHERE grant_id = ?1", [grant.to_string()]).map(|_| ())
}

fn read(row: &Row<'_>) -> Result<Choice, StoreError> {
    Ok(Choice {
        id: parsed(row, "id", ChoiceId::parse)?,
        agent: parsed(row, "agent", AgentId::parse)?,
        grant: parsed(row, "grant_id", GrantId::parse)?,
        operation: parsed(row, "operation", OperationId::parse)?,
        purpose_class: word(row, "purpose_class")?,
        until: Timestamp::from_millis(col(row, "until_at")?),
        made_at: Timestamp::from_millis(col(row, "made_at")?),
    })
}
