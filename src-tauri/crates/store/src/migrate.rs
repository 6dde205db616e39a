//! Schemas: each a file that never changes, run once, in one transaction.

use rusqlite::{Connection, Error};

use crate::open::OpenStoreError;

/// All schemas in order; the number of a schema is its place, counted from 1.
pub(crate) const SCHEMAS: &[&str] = &[
    include_str!("../migrations/0001_init.sql"),
    include_str!("../migrations/0002_life.sql"),
    include_str!("../migrations/0003_broker.sql"),
];

/// One entry of `sqlite_schema`.
type Entry = (String, String, String, Option<String>);

/// Which schema a database has.
pub(crate) fn version(conn: &Connection) -> Result<i64, Error> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings a database from its schema to the newest; all of it or nothing.
pub(crate) fn migrate(conn: &Connection, schemas: &[&str]) -> Result<(), Error> {
    let from = usize::try_from(version(conn)?).unwrap_or(usize::MAX);
    let missing = schemas.get(from..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let newest = i64::try_from(schemas.len()).unwrap_or(i64::MAX);
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let done = missing
        .iter()
        .try_for_each(|schema| conn.execute_batch(schema))
        .and_then(|()| conn.pragma_update(None, "user_version", newest))
        .and_then(|()| conn.execute_batch("COMMIT"));
    if done.is_err() && !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    done
}

/// Makes sure that the database holds the tables, indexes and triggers of its schema, word for word, and none else.
///
/// # Errors
/// `Newer` for a schema of a later version; `Damaged` for any other difference.
pub(crate) fn check(conn: &Connection, schemas: &[&str]) -> Result<(), OpenStoreError> {
    let number = version(conn).map_err(|error| OpenStoreError::from_sqlite(&error))?;
    let number = usize::try_from(number).map_err(|_| OpenStoreError::Damaged)?;
    if number > schemas.len() {
        return Err(OpenStoreError::Newer);
    }
    let known = schemas.get(..number).filter(|known| !known.is_empty()).ok_or(OpenStoreError::Damaged)?;
    let found = entries(conn).map_err(|error| OpenStoreError::from_sqlite(&error))?;
    if found == expected(known).map_err(|_| OpenStoreError::Io)? {
        Ok(())
    } else {
        Err(OpenStoreError::Damaged)
    }
}

fn expected(schemas: &[&str]) -> Result<Vec<Entry>, Error> {
    let conn = Connection::open_in_memory()?;
    schemas.iter().try_for_each(|schema| conn.execute_batch(schema))?;
    entries(&conn)
}

fn entries(conn: &Connection) -> Result<Vec<Entry>, Error> {
    conn.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn, &SCHEMAS[..1]).unwrap();
        conn
    }

    #[test]
    fn a_database_is_brought_to_the_newest_schema_once() {
        let schemas =
            [SCHEMAS[0], "CREATE TABLE second (x INTEGER) STRICT", "CREATE TABLE third (x INTEGER) STRICT"];
        let conn = first();
        for _ in 0..2 {
            migrate(&conn, &schemas).unwrap();
            assert_eq!(version(&conn), Ok(3));
            assert_eq!(check(&conn, &schemas), Ok(()));
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_schema_before() {
        let conn = first();
        let before = entries(&conn).unwrap();
        for broken in
            ["CREATE TABLE agents (x)", "no statement", "INSERT INTO meta (only, install) VALUES (2, '')"]
        {
            let schemas = [SCHEMAS[0], "CREATE TABLE second (x INTEGER) STRICT", broken];
            assert!(migrate(&conn, &schemas).is_err());
            assert!(conn.is_autocommit());
            assert_eq!(version(&conn), Ok(1));
            assert_eq!(entries(&conn).unwrap(), before);
            assert_eq!(check(&conn, &SCHEMAS[..1]), Ok(()));
        }
    }

    #[test]
    fn every_schema_follows_the_one_before() {
        let conn = first();
        conn.execute_batch("INSERT INTO meta (only, install) VALUES (1, '0123456789abcdef')").unwrap();
        migrate(&conn, SCHEMAS).unwrap();
        assert_eq!(check(&conn, SCHEMAS), Ok(()));
        let install: String = conn.query_row("SELECT install FROM meta", [], |row| row.get(0)).unwrap();
        assert_eq!(install, "0123456789abcdef", "what was there stays");
    }

    #[test]
    fn a_schema_is_what_its_number_says() {
        let conn = first();
        assert_eq!(check(&conn, &[]), Err(OpenStoreError::Newer));
        conn.pragma_update(None, "user_version", 2).unwrap();
        assert_eq!(check(&conn, &SCHEMAS[..1]), Err(OpenStoreError::Newer));
        let schemas = [SCHEMAS[0], "CREATE TABLE second (x INTEGER) STRICT"];
        assert_eq!(check(&conn, &schemas), Err(OpenStoreError::Damaged), "the second table is missing");
        for number in [0, -1] {
            conn.pragma_update(None, "user_version", number).unwrap();
            assert_eq!(check(&conn, &SCHEMAS[..1]), Err(OpenStoreError::Damaged));
        }
    }
}
