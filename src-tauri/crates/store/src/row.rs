//! Reading rows into domain types. What does not parse is damage, and only of that read.

use app::port::{DamagedRow, Rows, StoreError};
use domain::id::GrantId;
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::OrFault as _;

/// All rows of a query.
pub(crate) fn all<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql).or_fault()?;
    let mut rows = statement.query(params).or_fault()?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().or_fault()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// All rows of a query, each for itself: one that does not parse spoils no other. The query names a column `id` and,
/// as `called`, one that a person would know the row by.
pub(crate) fn each<T>(
    conn: &Connection,
    sql: &str,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Rows<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql).or_fault()?;
    let mut rows = statement.query([]).or_fault()?;
    let mut found = Rows { sound: Vec::new(), damaged: Vec::new() };
    while let Some(row) = rows.next().or_fault()? {
        match read(row) {
            Ok(sound) => found.sound.push(sound),
            Err(StoreError::Damaged) => {
                // All ids have the one form.
                let id = col::<String>(row, "id").ok().filter(|id| GrantId::parse(id).is_ok());
                found.damaged.push(DamagedRow { id, name: col(row, "called").ok() });
            }
            Err(error) => return Err(error),
        }
    }
    if !found.damaged.is_empty() {
        tracing::error!(rows = found.damaged.len(), "records are damaged");
    }
    Ok(found)
}

/// The first row of a query, if there is one.
pub(crate) fn one<T>(
    conn: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = conn.prepare_cached(sql).or_fault()?;
    let mut rows = statement.query(params).or_fault()?;
    rows.next().or_fault()?.map(read).transpose()
}

/// Runs a statement and counts the rows it changed.
pub(crate) fn change(conn: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    conn.prepare_cached(sql).or_fault()?.execute(params).or_fault()
}

/// Makes sure that exactly one row was changed.
pub(crate) fn exactly_one(changed: usize) -> Result<(), StoreError> {
    if changed == 1 { Ok(()) } else { Err(StoreError::Missing) }
}

/// A column by its name.
pub(crate) fn col<T: FromSql>(row: &Row<'_>, name: &str) -> Result<T, StoreError> {
    row.get(name).or_fault()
}

/// A text column, parsed.
pub(crate) fn parsed<T, E>(
    row: &Row<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, StoreError> {
    parse(&col::<String>(row, name)?).map_err(|_| StoreError::Damaged)
}

/// A column of JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, name: &str) -> Result<T, StoreError> {
    parsed(row, name, |text| serde_json::from_str(text))
}

/// A column of JSON that may be empty.
pub(crate) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, name: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = col(row, name)?;
    text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| StoreError::Damaged)
}

/// A column that holds the name of an enum's variant.
pub(crate) fn word<T: DeserializeOwned>(row: &Row<'_>, name: &str) -> Result<T, StoreError> {
    let text: String = col(row, name)?;
    serde_json::from_value(Value::String(text)).map_err(|_| StoreError::Damaged)
}

/// The same where there may be none.
pub(crate) fn optional_word<T: DeserializeOwned>(row: &Row<'_>, name: &str) -> Result<Option<T>, StoreError> {
    let text: Option<String> = col(row, name)?;
    text.map(|text| serde_json::from_value(Value::String(text))).transpose().map_err(|_| StoreError::Damaged)
}

/// The JSON of a value.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged)
}

/// The name of an enum's variant.
pub(crate) fn to_word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) | Err(_) => {
            Err(StoreError::Damaged)
        }
    }
}
