//! Agents.

use app::port::{Rows, StoreError};
use domain::agent::{Agent, AgentKey, AgentName};
use domain::id::AgentId;
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{change, col, each, parsed};

/// All agents, oldest first.
pub(crate) fn all_agents(conn: &Connection) -> Result<Rows<Agent>, StoreError> {
    each(conn, "SELECT id, name, key, added_at, name AS called FROM agents ORDER BY n", read)
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
    })
}
