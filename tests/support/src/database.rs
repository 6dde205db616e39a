//! What the host has on disk, read by somebody else.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// The database of a data folder, read-only; the host may be running.
pub struct Database(Connection);

impl Database {
    /// Opens it.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(data.join("countersign.sqlite"), flags).expect("the database");
        conn.busy_timeout(std::time::Duration::from_secs(5)).expect("a time limit");
        Self(conn)
    }

    /// How many rows each table has that an attempt must not leave anything in.
    #[must_use]
    pub fn left(&self) -> BTreeMap<&'static str, i64> {
        let count = |table| self.0.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
        ["grants", "sealed", "outbox", "receipts"].map(|table| (table, count(table).expect("a count"))).into()
    }

    /// How the attempts ended, oldest first, in the store's own words; empty for one that goes on.
    #[must_use]
    pub fn endings(&self) -> Vec<String> {
        let ending = "SELECT coalesce(json_extract(ending, '$.ending'), '') FROM attempts ORDER BY n";
        self.texts(ending)
    }

    /// The texts of one column.
    #[must_use]
    pub fn texts(&self, query: &str) -> Vec<String> {
        let mut statement = self.0.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a text")).collect()
    }

    /// Every row of a query, as it is.
    #[must_use]
    pub fn rows(&self, query: &str) -> Vec<Vec<Value>> {
        let mut statement = self.0.prepare(query).expect("a query");
        let columns = statement.column_count();
        let read =
            |row: &rusqlite::Row<'_>| (0..columns).map(|i| row.get(i)).collect::<Result<Vec<Value>, _>>();
        statement.query_map([], read).expect("rows").map(|row| row.expect("a row")).collect()
    }
}

/// Does something to the database of a host that is stopped.
pub fn spoil(data: &Path, statements: &str) {
    let conn = Connection::open(data.join("countersign.sqlite")).expect("the database");
    conn.execute_batch(statements).expect("statements");
}
