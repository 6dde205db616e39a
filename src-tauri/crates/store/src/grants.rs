//! Grants, and what is known of their end.

use app::port::{Rows, StoreError};
use domain::grant::{Grant, Paused, Revocation, TokenRevocation};
use domain::id::{AgentId, GrantId, PermissionId, ProviderId};
use domain::time::Timestamp;
use rusqlite::{Connection, Row, params};

use crate::row::{
    all, change, col, each, exactly_one, json, one, optional_json, optional_word, parsed, to_json, to_word,
};

/// One grant.
pub(crate) fn by_id(conn: &Connection, id: GrantId) -> Result<Option<Grant>, StoreError> {
    one(conn, "SELECT * FROM grants WHERE id = ?1", [id.to_string()], read)
}

/// All grants, newest first.
pub(crate) fn all_grants(conn: &Connection) -> Result<Rows<Grant>, StoreError> {
    each(conn, "SELECT *, provider_name AS called FROM grants ORDER BY n DESC", read)
}

/// The grants of an agent, or at a bank, newest first.
pub(crate) fn ids(
    conn: &Connection,
    agent: Option<AgentId>,
    provider: Option<&ProviderId>,
    most: u16,
) -> Result<Vec<GrantId>, StoreError> {
    let (agent, provider) = (agent.map(|agent| agent.to_string()), provider.map(ProviderId::as_str));
    let sql = "SELECT id FROM grants WHERE (?1 IS NULL OR agent = ?1) AND (?2 IS NULL OR provider = ?2) \
               ORDER BY n DESC LIMIT ?3";
    all(conn, sql, params![agent, provider, most], |row| parsed(row, "id", GrantId::parse))
}

/// Adds a grant.
pub(crate) fn insert(conn: &Connection, grant: &Grant) -> Result<(), StoreError> {
    change(
        conn,
        "INSERT INTO grants (id, provider, provider_name, issuer, agent, permissions, missing, extra, accounts, \
         holder, created_at, ends_at, access_token_ends_at, generation, cut_off_at, token, scopes, confirmed_at, \
         narrowing, paused_at, reconnect, renews, reminded) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, \
         ?22, ?23)",
        params![
            grant.id.to_string(),
            grant.provider.as_str(),
            grant.provider_name,
            grant.issuer,
            grant.agent.to_string(),
            to_json(&grant.permissions.iter().collect::<Vec<_>>())?,
            to_json(&grant.missing)?,
            to_json(&grant.extra)?,
            to_json(&grant.accounts)?,
            grant.holder,
            grant.created_at.millis(),
            grant.ends_at.millis(),
            grant.access_token_ends_at.map(Timestamp::millis),
            grant.generation,
            grant.revocation.as_ref().map(|end| end.cut_off_at.millis()),
            grant.revocation.as_ref().map(|end| to_json(&end.token)).transpose()?,
            grant.scopes.as_ref().map(to_json).transpose()?,
            grant.confirmed_at.millis(),
            grant.narrowing.as_ref().map(to_json).transpose()?,
            grant.paused.as_ref().map(|paused| paused.at.millis()),
            grant.reconnect.as_ref().map(to_json).transpose()?,
            grant.renews.map(|id| id.to_string()),
            grant.reminded.as_ref().map(to_word).transpose()?,
        ],
    )
    .map(|_| ())
}

/// Replaces what may change of a grant while it lives.
pub(crate) fn update(conn: &Connection, grant: &Grant) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE grants SET accounts = ?3, holder = ?4, scopes = ?5, confirmed_at = ?6, narrowing = ?7, \
         paused_at = ?8, reconnect = ?9, reminded = ?10, permissions = ?11, missing = ?12, extra = ?13 WHERE id = ?1 AND generation = ?2 AND cut_off_at IS NULL",
        params![
            grant.id.to_string(),
            grant.generation,
            to_json(&grant.accounts)?,
            grant.holder,
            grant.scopes.as_ref().map(to_json).transpose()?,
            grant.confirmed_at.millis(),
            grant.narrowing.as_ref().map(to_json).transpose()?,
            grant.paused.as_ref().map(|paused| paused.at.millis()),
            grant.reconnect.as_ref().map(to_json).transpose()?,
            grant.reminded.as_ref().map(to_word).transpose()?,
            to_json(&grant.permissions.iter().collect::<Vec<_>>())?,
            to_json(&grant.missing)?,
            to_json(&grant.extra)?,
        ],
    )?;
    exactly_one(changed)
}

/// Moves a grant on by one generation: of all who try with the same generation in hand, one succeeds.
pub(crate) fn advance(
    conn: &Connection,
    grant: GrantId,
    from: u32,
    access_token_ends_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE grants SET generation = generation + 1, access_token_ends_at = ?3 \
         WHERE id = ?1 AND generation = ?2 AND cut_off_at IS NULL",
        params![grant.to_string(), from, access_token_ends_at.map(Timestamp::millis)],
    )?;
    exactly_one(changed)
}

/// Records when the access token of a generation ends.
pub(crate) fn set_access_end(
    conn: &Connection,
    grant: GrantId,
    generation: u32,
    ends_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE grants SET access_token_ends_at = ?3 \
         WHERE id = ?1 AND generation = ?2 AND cut_off_at IS NULL",
        params![grant.to_string(), generation, ends_at.map(Timestamp::millis)],
    )?;
    exactly_one(changed)
}

/// Records what is known of a grant's end; refuses what would take back something known.
pub(crate) fn set_revocation(conn: &Connection, grant: GrantId, new: &Revocation) -> Result<(), StoreError> {
    let stored =
        one(conn, "SELECT cut_off_at, token FROM grants WHERE id = ?1", [grant.to_string()], revocation)?
            .ok_or(StoreError::Missing)?;
    if stored.is_some_and(|old| !may_follow(&old, new)) {
        return Err(StoreError::Missing);
    }
    let changed = change(
        conn,
        "UPDATE grants SET cut_off_at = ?2, token = ?3 WHERE id = ?1",
        params![grant.to_string(), new.cut_off_at.millis(), to_json(&new.token)?],
    )?;
    exactly_one(changed)
}

/// Opens the question again whether the bank has revoked everything: tokens have arrived after the end.
pub(crate) fn reopen(conn: &Connection, grant: GrantId, pending: &TokenRevocation) -> Result<(), StoreError> {
    let changed = change(
        conn,
        "UPDATE grants SET token = ?2 WHERE id = ?1 AND cut_off_at IS NOT NULL",
        params![grant.to_string(), to_json(pending)?],
    )?;
    exactly_one(changed)
}

/// The cut-off stays as it is. The bank's yes is the last word; after the person gave up, only a yes that was already
/// on its way can still arrive.
fn may_follow(old: &Revocation, new: &Revocation) -> bool {
    let told = match &old.token {
        TokenRevocation::Confirmed { .. } => old.token == new.token,
        TokenRevocation::GivenUp { .. } => {
            old.token == new.token || matches!(new.token, TokenRevocation::Confirmed { .. })
        }
        TokenRevocation::NotOffered | TokenRevocation::Pending { .. } | TokenRevocation::Replaced { .. } => {
            true
        }
    };
    told && old.cut_off_at == new.cut_off_at
}

fn revocation(row: &Row<'_>) -> Result<Option<Revocation>, StoreError> {
    let cut_off_at: Option<i64> = col(row, "cut_off_at")?;
    let token: Option<TokenRevocation> = optional_json(row, "token")?;
    match (cut_off_at, token) {
        (None, None) => Ok(None),
        (Some(at), Some(token)) => Ok(Some(Revocation { cut_off_at: Timestamp::from_millis(at), token })),
        (Some(_), None) | (None, Some(_)) => Err(StoreError::Damaged),
    }
}

fn read(row: &Row<'_>) -> Result<Grant, StoreError> {
    let created_at = Timestamp::from_millis(col(row, "created_at")?);
    let millis = |name| col::<Option<i64>>(row, name).map(|at| at.map(Timestamp::from_millis));
    let renews: Option<String> = col(row, "renews")?;
    Ok(Grant {
        id: parsed(row, "id", GrantId::parse)?,
        provider: parsed(row, "provider", ProviderId::parse)?,
        provider_name: col(row, "provider_name")?,
        issuer: col(row, "issuer")?,
        agent: parsed(row, "agent", AgentId::parse)?,
        permissions: json::<Vec<PermissionId>>(row, "permissions")?.into_iter().collect(),
        missing: json(row, "missing")?,
        extra: json(row, "extra")?,
        accounts: json(row, "accounts")?,
        holder: col(row, "holder")?,
        created_at,
        ends_at: Timestamp::from_millis(col(row, "ends_at")?),
        scopes: optional_json(row, "scopes")?,
        access_token_ends_at: millis("access_token_ends_at")?,
        generation: col(row, "generation")?,
        confirmed_at: millis("confirmed_at")?.unwrap_or(created_at),
        narrowing: optional_json(row, "narrowing")?,
        paused: millis("paused_at")?.map(|at| Paused { at }),
        reconnect: optional_json(row, "reconnect")?,
        renews: renews.map(|id| GrantId::parse(&id)).transpose().map_err(|_| StoreError::Damaged)?,
        reminded: optional_word(row, "reminded")?,
        revocation: revocation(row)?,
    })
}
