//! The table of records that must not open (`tests/tables/sealed_records.jsonl`), and of those that must.

use domain::id::{GrantId, InstallId, KekId};
use domain::secret::KeyEncryptionKey;
use serde_json::Value;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use vault::label::{Kind, Label};
use vault::open;

const TABLE: &str = include_str!("../../../../../tests/tables/sealed_records.jsonl");

fn bytes(row: &Value, name: &str) -> Vec<u8> {
    let hex = row[name].as_str().unwrap().as_bytes();
    hex.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn number(row: &Value, name: &str) -> u32 {
    row[name].as_u64().unwrap().try_into().unwrap()
}

fn judge(row: &Value) -> String {
    let label = Label {
        schema: number(row, "schema"),
        install: InstallId::parse(row["install"].as_str().unwrap()).unwrap(),
        grant: row["grant"].as_str().map(|grant| GrantId::parse(grant).unwrap()),
        issuer: row["issuer"].as_str().unwrap().to_owned(),
        kind: Kind::from_number(number(row, "kind").try_into().unwrap()).unwrap(),
        generation: number(row, "generation"),
    };
    let kek = KeyEncryptionKey::from_random(bytes(row, "kek").try_into().unwrap());
    let kek_id = KekId::make_from(bytes(row, "kek_id").try_into().unwrap());
    match open(&bytes(row, "blob_hex"), &label, &kek, kek_id) {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long a row takes is part of the verdict")]
fn every_sealed_record_of_the_table_is_judged_as_it_says() {
    let rows: Vec<Value> = TABLE.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let begin = Instant::now();
        let judged = judge(row);
        if row["expect"] != judged {
            wrong.push(format!("{}: {judged}, not {}", row["name"], row["expect"]));
        }
        if begin.elapsed() > Duration::from_secs(1) {
            wrong.push(format!("{}: too slow", row["name"]));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let names: HashSet<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rows.len(), "no row stands twice");
    assert!(rows.len() >= 200, "{}", rows.len());
    assert!(rows.iter().filter(|row| row["expect"] == "ok").count() >= 5, "controls");
}
