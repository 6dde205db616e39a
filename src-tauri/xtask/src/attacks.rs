//! The map from each attack and rule to the tests that prove it.
//!
//! `tests/map/catalogue.toml` names the attacks and rules; every other file of that folder says, id by id, which tests
//! prove it, which part is still to come, or why it does not bind.

mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::child;
use names::Names;

/// What the map says of one id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// `<crate or suite>::<path>`, `ui: <title>` or `bank: <title>`.
    #[serde(default)]
    tests: BTreeSet<String>,
    /// Tables of `tests/tables` that hold rows with this id.
    #[serde(default)]
    rows: BTreeSet<String>,
    /// The part that waits for something not built yet: what it waits for, a colon, what it is.
    to_come: Option<String>,
    /// Why it does not bind.
    reason: Option<String>,
}

/// Id, what it asks for, and what the map says of it.
type Line = (String, String, Entry);

/// Prints the map; fails on a name that does not exist and on an id of which nothing is said.
pub(crate) fn run() -> anyhow::Result<()> {
    let folder = child::root().join("tests/map");
    let catalogue = catalogue(&folder.join("catalogue.toml"))?;
    let (said, mut wrong) = said(&folder, &catalogue)?;
    let names = Names::of_the_workspace()?;
    let rows = rows(&child::root().join("tests/tables"))?;
    let lines: Vec<Line> = catalogue
        .into_iter()
        .map(|(id, title)| {
            let entry = said.get(&id).cloned().unwrap_or_default();
            (id, title, entry)
        })
        .collect();
    for (id, _, entry) in &lines {
        wrong.extend(faults(id, entry, &names, &rows));
    }
    print(&lines, &rows);
    for fault in &wrong {
        eprintln!("xtask: {fault}");
    }
    ensure!(wrong.is_empty(), "{} faults in the map", wrong.len());
    Ok(())
}

fn faults(id: &str, entry: &Entry, names: &Names, rows: &Rows) -> Vec<String> {
    let mut faults = Vec::new();
    for test in entry.tests.iter().filter(|test| !names.contains(test)) {
        faults.push(format!("{id}: no test is called `{test}`"));
    }
    for table in &entry.rows {
        if rows.get(table).and_then(|ids| ids.get(id)).is_none() {
            faults.push(format!("{id}: no row of `{table}` has this id"));
        }
    }
    if entry.tests.is_empty() && entry.to_come.is_none() && entry.reason.is_none() {
        faults.push(format!("{id}: no test, nothing to come, no reason"));
    }
    faults
}

fn print(lines: &[Line], rows: &Rows) {
    for (id, title, entry) in lines {
        println!("{id:<11} {title}");
        for test in &entry.tests {
            println!("            {test}");
        }
        for table in &entry.rows {
            let count = rows.get(table).and_then(|ids| ids.get(id)).copied().unwrap_or_default();
            println!("            {count} rows of {table}");
        }
        for (word, text) in [("to come", &entry.to_come), ("does not bind", &entry.reason)] {
            if let Some(text) = text {
                println!("            {word}: {text}");
            }
        }
    }
    let count = |kind: fn(&Entry) -> bool| lines.iter().filter(|(_, _, entry)| kind(entry)).count();
    let tested = count(|entry| !entry.tests.is_empty());
    let in_part = count(|entry| !entry.tests.is_empty() && entry.to_come.is_some());
    let to_come = count(|entry| entry.tests.is_empty() && entry.to_come.is_some());
    let excused = count(|entry| entry.tests.is_empty() && entry.reason.is_some());
    println!(
        "\n{} of {} mapped: {tested} have tests ({in_part} of them with a part to come), {excused} do not bind; \
         {to_come} are to come",
        tested + excused,
        lines.len()
    );
}

/// Ids and titles, attacks in the order of their numbers.
fn catalogue(file: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let groups: BTreeMap<String, BTreeMap<String, String>> = read(file)?;
    let mut all: Vec<(String, String)> = groups.into_values().flatten().collect();
    let number =
        |id: &str| id.strip_prefix("attack-").map(|number| number.parse::<u32>().unwrap_or(u32::MAX));
    // Stable: rules stay as their groups have them, attacks come after them.
    all.sort_by_key(|(id, _)| number(id).map_or(0, |number| number.saturating_add(1)));
    Ok(all)
}

/// All files of the folder but the catalogue, merged; and what is wrong with them.
fn said(
    folder: &Path,
    catalogue: &[(String, String)],
) -> anyhow::Result<(BTreeMap<String, Entry>, Vec<String>)> {
    let known: BTreeSet<&str> = catalogue.iter().map(|(id, _)| id.as_str()).collect();
    let (mut all, mut wrong) = (BTreeMap::<String, Entry>::new(), Vec::new());
    for file in files(folder, "toml")? {
        if file.ends_with("catalogue.toml") {
            continue;
        }
        for (id, entry) in read::<BTreeMap<String, Entry>>(&file)? {
            if !known.contains(id.as_str()) {
                wrong.push(format!("{id} of {} is not in the catalogue", file.display()));
            }
            let merged = all.entry(id).or_default();
            merged.tests.extend(entry.tests);
            merged.rows.extend(entry.rows);
            merged.to_come = merged.to_come.take().or(entry.to_come);
            merged.reason = merged.reason.take().or(entry.reason);
        }
    }
    Ok((all, wrong))
}

/// Table, id, how many rows of the table have it.
type Rows = BTreeMap<String, BTreeMap<String, usize>>;

fn rows(folder: &Path) -> anyhow::Result<Rows> {
    let mut all = Rows::new();
    for file in files(folder, "jsonl")? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let table = all.entry(name).or_default();
        for (number, line) in text.lines().enumerate() {
            let row: Value = serde_json::from_str(line)
                .with_context(|| format!("{}, line {}", file.display(), number + 1))?;
            let ids = row.get("ids").and_then(Value::as_array);
            for id in ids.into_iter().flatten().filter_map(Value::as_str) {
                *table.entry(id.to_owned()).or_default() += 1;
            }
        }
    }
    Ok(all)
}

fn files(folder: &Path, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for file in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    toml::from_str(&text).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_the_map_says_and_is_not_so_is_a_fault() {
        let names = Names::from_lists([("net", "loopback::tests::host: test\n")]);
        let rows = Rows::from([("table.jsonl".into(), BTreeMap::from([("LOOP-06".into(), 2)]))]);
        let faults = |text: &str| faults("LOOP-06", &entry(text), &names, &rows).len();
        assert_eq!(faults("tests = ['net::loopback::tests::host']\nrows = ['table.jsonl']"), 0);
        assert_eq!(faults("to_come = 'refresh: the rest'"), 0);
        assert_eq!(faults("reason = 'there is no such thing here'"), 0);
        assert_eq!(faults(""), 1, "nothing is said");
        assert_eq!(faults("tests = ['net::loopback::tests::hosts']"), 1, "no such test");
        assert_eq!(faults("tests = ['flows::loopback::tests::host']"), 1, "no such test there");
        assert_eq!(
            faults("tests = ['net::loopback::tests::host']\nrows = ['other.jsonl']"),
            1,
            "no such table"
        );
        assert_eq!(
            super::faults("LOOP-07", &entry("reason = 'x'\nrows = ['table.jsonl']"), &names, &rows).len(),
            1
        );
    }

    #[test]
    fn attacks_come_in_the_order_of_their_numbers() {
        let dir = std::env::temp_dir().join(format!("attacks-{}", std::process::id()));
        let text = "[A]\nO21-02 = 'b'\nO21-01 = 'a'\n[attacks]\nattack-10 = 'd'\nattack-9 = 'c'\n";
        std::fs::write(&dir, text).unwrap();
        let ids: Vec<String> = catalogue(&dir).unwrap().into_iter().map(|(id, _)| id).collect();
        std::fs::remove_file(dir).unwrap();
        assert_eq!(ids, ["O21-01", "O21-02", "attack-9", "attack-10"]);
    }
}
