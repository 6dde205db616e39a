//! Agents.

use app::port::{Rows, StoreError};
use domain::agent::{Agent, AgentKey, AgentName, AgentPaused};
use domain::id::AgentId;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{change, col, each, exactly_one, one, optional_json, parsed, to_json};

/// All agents, oldest first.
pub(crate) fn all_agents(conn: &Connection) -> Result<Rows<Agent>, StoreError> {
    each(
        conn,
        "SELECT id, name, key, added_at, paused, removed_at, name AS called FROM agents ORDER BY n",
        read,
    )
}

/// The agent with a key, removed or not.
pub(crate) fn by_key(conn: &Connection, key: &AgentKey) -> Result<Option<Agent>, StoreError> {
    let sql = "SELECT id, name, key, added_at, paused, removed_at FROM agents WHERE key = ?1";
    one(conn, sql, [key.bytes()], read)
}

/// Adds an agent; its key and, whatever the case of its letters, its name are its own.
pub(crate) fn insert(conn: &Connection, agent: &Agent) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO agents (id, name, name_fold, key, added_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            agent.id.to_string(),
            agent.name.as_str(),
            fold(agent.name.as_str()),
            agent.key.bytes(),
            agent.added_at.millis()
        ],
    )
    .map(|_| ())
}

/// Holds an agent back, or lets it go on; `Missing` if there is none, or it was removed.
pub(crate) fn set_paused(
    conn: &Connection,
    id: AgentId,
    paused: Option<&AgentPaused>,
) -> Result<(), StoreError> {
    let paused = paused.map(to_json).transpose()?;
    let sql = "UPDATE agents SET paused = ?2 WHERE id = ?1 AND removed_at IS NULL";
    exactly_one(change(conn, sql, params![id.to_string(), paused])?)
}

/// Removes an agent for ever: its row and its key stay known, its name is free again. `Missing` as above.
pub(crate) fn remove(conn: &Connection, id: AgentId, at: Timestamp) -> Result<(), StoreError> {
    let id = id.to_string();
    let sql = "UPDATE agents SET removed_at = ?2, name_fold = '/' || id WHERE id = ?1 AND removed_at IS NULL";
    exactly_one(change(conn, sql, params![id, at.millis()])?)?;
    change(conn, "DELETE FROM choices WHERE agent = ?1", [id]).map(|_| ())
}

/// A name without its cases. By way of upper case, so that `Straße` and `STRASSE` are one name.
fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

fn read(row: &Row<'_>) -> Result<Agent, StoreError> {
    Ok(Agent {
        id: parsed(row, "id", AgentId::parse)?,
        name: parsed(row, "name", AgentName::parse)?,
        key: AgentKey::from_bytes(col(row, "key")?).map_err(|_| StoreError::Damaged)?,
        added_at: Timestamp::from_millis(col(row, "added_at")?),
        paused: optional_json(row, "paused")?,
        removed_at: col::<Option<i64>>(row, "removed_at")?.map(Timestamp::from_millis),
    })
}
