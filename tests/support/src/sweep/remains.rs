//! What a host left behind, read from a copy of its data.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::audit::{AuditRecord, verify};
use domain::time::Timestamp;
use rusqlite::Connection;

use super::place::copy;
use super::told::Told;

/// A connection as it stands in the database.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) cut_off: bool,
    /// `pending`, `confirmed`, …; empty while it is not cut off.
    pub(super) bank: String,
    pub(super) sealed: bool,
    pub(super) waits: bool,
    /// It says that it does not go on without the person.
    pub(super) reconnect: bool,
    /// A refresh was sent, and what came of it is not known here.
    pub(super) unanswered: bool,
    /// The audit events that name it.
    pub(super) events: Vec<String>,
}

/// What a host left behind.
#[derive(Debug, Default)]
pub(super) struct Remains {
    /// Which installation it is.
    pub(super) install: Option<String>,
    /// No database at all.
    pub(super) is_absent: bool,
    pub(super) unsound: Option<String>,
    pub(super) rows: Vec<Row>,
    pub(super) attempts: BTreeSet<String>,
    /// An attempt that did not end as a connection.
    pub(super) ended_without: bool,
    /// Everything sealed, as it is.
    pub(super) sealed: BTreeSet<String>,
    /// Files in which a token of the bank stands in the clear.
    pub(super) leaks: Vec<String>,
}

impl Remains {
    /// What a person who saw these records was told.
    pub(super) fn told(&self) -> Told {
        let ids = |fits: fn(&Row) -> bool| {
            self.rows.iter().filter(|row| fits(row)).map(|row| row.id.clone()).collect()
        };
        Told {
            connected: ids(|_| true),
            revoked: ids(|row| row.cut_off),
            confirmed: ids(|row| row.bank == "confirmed"),
            works: BTreeSet::new(),
            paused: BTreeSet::new(),
            stopped: None,
            attempts: self.attempts.clone(),
            sealed: self.sealed.clone(),
        }
    }
}

/// Reads what is left, in a copy: the next host finds it as it is.
pub(super) fn autopsy(data: &Path, table: &Path) -> Remains {
    let _ = fs::remove_dir_all(table);
    fs::create_dir(table).expect("a folder");
    copy(data, table);
    let database = table.join("countersign.sqlite");
    let leaks = leaks(data);
    if !database.exists() {
        return Remains { is_absent: true, leaks, ..Remains::default() };
    }
    match read(&database) {
        Ok(remains) => Remains { leaks, ..remains },
        Err(error) => Remains { unsound: Some(error.to_string()), leaks, ..Remains::default() },
    }
}

fn read(database: &Path) -> rusqlite::Result<Remains> {
    let conn = Connection::open(database)?;
    let mut remains = Remains::default();
    let verdict: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let mut statement = conn.prepare("SELECT seq, at, body, hash FROM audit ORDER BY seq")?;
    let records: Vec<AuditRecord> = statement
        .query_map([], |row| {
            let at = Timestamp::from_millis(row.get(1)?);
            let seq = row.get::<_, i64>(0)?.unsigned_abs();
            Ok(AuditRecord { seq, at, body: row.get(2)?, hash: row.get(3)? })
        })?
        .collect::<rusqlite::Result<_>>()?;
    if verdict != "ok" {
        remains.unsound = Some(format!("integrity_check says {verdict}"));
    } else if let Err(error) = verify(records.iter()) {
        remains.unsound = Some(format!("the audit log: {error}"));
    }
    let events: Vec<serde_json::Value> =
        records.iter().map(|record| serde_json::from_str(&record.body).unwrap_or_default()).collect();
    remains.rows = rows(&conn, &events)?;
    let texts = |query: &str| -> rusqlite::Result<BTreeSet<String>> {
        conn.prepare(query)?.query_map([], |row| row.get(0))?.collect()
    };
    remains.install = texts("SELECT install FROM meta")?.pop_first();
    remains.attempts = texts("SELECT id FROM attempts")?;
    remains.ended_without = !texts("SELECT id FROM attempts WHERE grant_id IS NULL")?.is_empty();
    remains.sealed =
        texts("SELECT grant_id || ' ' || kind || ' ' || generation || ' ' || hex(blob) FROM sealed")?;
    Ok(remains)
}

fn rows(conn: &Connection, events: &[serde_json::Value]) -> rusqlite::Result<Vec<Row>> {
    let schema: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A migration that was cut off leaves the schema before.
    let since_2 = if schema < 2 {
        "0, 0"
    } else {
        "reconnect IS NOT NULL, EXISTS (SELECT 1 FROM refreshes WHERE grant_id = id AND \
         (in_flight IS NOT NULL OR unanswered > 0))"
    };
    let query = format!(
        "SELECT id, cut_off_at IS NOT NULL, coalesce(json_extract(token, '$.state'), ''), \
         EXISTS (SELECT 1 FROM sealed WHERE grant_id = id), EXISTS (SELECT 1 FROM outbox WHERE grant_id = id), \
         {since_2} FROM grants"
    );
    let read = |row: &rusqlite::Row<'_>| {
        let id: String = row.get(0)?;
        let named = events.iter().filter(|event| event["grant"] == id.as_str());
        let events = named.filter_map(|event| event["event"].as_str().map(str::to_owned)).collect();
        Ok(Row {
            id,
            cut_off: row.get(1)?,
            bank: row.get(2)?,
            sealed: row.get(3)?,
            waits: row.get(4)?,
            reconnect: row.get(5)?,
            unanswered: row.get(6)?,
            events,
        })
    };
    conn.prepare(&query)?.query_map([], read)?.collect()
}

/// The files of a data folder in which a token of the bank stands: `access-1`, `refresh-2`.
fn leaks(data: &Path) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        [&b"refresh-"[..], b"access-", b"code-"].iter().any(|mark| {
            let digit = |at: usize| bytes.get(at + mark.len()).is_some_and(u8::is_ascii_digit);
            bytes.windows(mark.len()).enumerate().any(|(at, window)| window == *mark && digit(at))
        })
    };
    let files = fs::read_dir(data).expect("the data folder").flatten().map(|entry| entry.path());
    files
        .filter(|path| path.is_file() && fs::read(path).is_ok_and(|bytes| holds(&bytes)))
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect()
}
