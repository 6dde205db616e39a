//! Attempts. Each change is made on top of the revision before it, and none after the ending.

use app::port::StoreError;
use domain::attempt::Attempt;
use domain::id::{AgentId, AttemptId, GrantId, PermissionId, ProviderId};
use domain::reference::RandomPart;
use domain::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::row::{change, col, each, exactly_one, json, one, optional_json, parsed, to_json, to_word, word};

/// One attempt.
pub(crate) fn by_id(conn: &Connection, id: AttemptId) -> Result<Option<Attempt>, StoreError> {
    one(conn, "SELECT * FROM attempts WHERE id = ?1", [id.to_string()], read)
}

/// Attempts that have not ended, oldest first; one that cannot be read keeps no other from being ended.
pub(crate) fn open(conn: &Connection) -> Result<Vec<Attempt>, StoreError> {
    each(conn, "SELECT *, provider AS called FROM attempts WHERE ending IS NULL ORDER BY n", read)
        .map(|rows| rows.sound)
}

/// The last attempts, newest first; one that cannot be read hides no other.
pub(crate) fn recent(conn: &Connection, most: u16) -> Result<Vec<Attempt>, StoreError> {
    let newest = format!("SELECT *, provider AS called FROM attempts ORDER BY n DESC LIMIT {most}");
    each(conn, &newest, read).map(|rows| rows.sound)
}

/// The attempt that made a grant.
pub(crate) fn of_grant(conn: &Connection, grant: GrantId) -> Result<Option<Attempt>, StoreError> {
    one(conn, "SELECT * FROM attempts WHERE grant_id = ?1", [grant.to_string()], read)
}

/// Adds an attempt.
pub(crate) fn insert(conn: &Connection, attempt: &Attempt) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO attempts (id, random, provider, agent, permissions, until_at, started_at, deadline, openings, \
         strays, browser, stage, ending, ended_at, grant_id, revision, renews) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params_from_iter(values(attempt)?),
    )
    .map(|_| ())
}

/// Replaces an attempt that has not ended, if the stored revision is the one before.
pub(crate) fn update(conn: &Connection, attempt: &Attempt) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE attempts SET random = ?2, provider = ?3, agent = ?4, permissions = ?5, until_at = ?6, \
         started_at = ?7, deadline = ?8, openings = ?9, strays = ?10, browser = ?11, stage = ?12, ending = ?13, \
         ended_at = ?14, grant_id = ?15, revision = ?16, renews = ?17 \
         WHERE id = ?1 AND revision = ?16 - 1 AND ending IS NULL",
        params_from_iter(values(attempt)?),
    )?;
    exactly_one(changed)
}

fn values(attempt: &Attempt) -> Result<[Value; 17], StoreError> {
    let millis = |at: Option<Timestamp>| at.map_or(Value::Null, |at| Value::Integer(at.millis()));
    Ok([
        Value::Text(attempt.id.to_string()),
        Value::Integer(attempt.random.number().into()),
        Value::Text(attempt.provider.to_string()),
        Value::Text(attempt.agent.to_string()),
        Value::Text(to_json(&attempt.permissions.iter().collect::<Vec<_>>())?),
        Value::Integer(attempt.until.millis()),
        Value::Integer(attempt.started_at.millis()),
        millis(attempt.deadline),
        Value::Integer(attempt.openings.into()),
        Value::Integer(attempt.strays.into()),
        Value::Text(to_word(&attempt.browser)?),
        Value::Text(to_word(&attempt.stage)?),
        attempt.ending.as_ref().map(to_json).transpose()?.map_or(Value::Null, Value::Text),
        millis(attempt.ended_at),
        attempt.grant.map_or(Value::Null, |grant| Value::Text(grant.to_string())),
        Value::Integer(attempt.revision.into()),
        attempt.renews.map_or(Value::Null, |grant| Value::Text(grant.to_string())),
    ])
}

fn read(row: &Row<'_>) -> Result<Attempt, StoreError> {
    let millis = |name| col::<Option<i64>>(row, name).map(|at| at.map(Timestamp::from_millis));
    let grant = |name| {
        let id: Option<String> = col(row, name)?;
        id.map(|id| GrantId::parse(&id)).transpose().map_err(|_| StoreError::Damaged)
    };
    Ok(Attempt {
        id: parsed(row, "id", AttemptId::parse)?,
        random: RandomPart::from_number(col(row, "random")?),
        provider: parsed(row, "provider", ProviderId::parse)?,
        agent: parsed(row, "agent", AgentId::parse)?,
        renews: grant("renews")?,
        permissions: json::<Vec<PermissionId>>(row, "permissions")?.into_iter().collect(),
        until: Timestamp::from_millis(col(row, "until_at")?),
        started_at: Timestamp::from_millis(col(row, "started_at")?),
        deadline: millis("deadline")?,
        openings: col(row, "openings")?,
        strays: col(row, "strays")?,
        browser: word(row, "browser")?,
        stage: word(row, "stage")?,
        ending: optional_json(row, "ending")?,
        ended_at: millis("ended_at")?,
        grant: grant("grant_id")?,
        revision: col(row, "revision")?,
    })
}
