//! Without a host: the command line shows what `countersignd --report` reads, which changes nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use contract::support::Report;
use serde_json::Value;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back, private_folder};
use support::process::programs;
use tempfile::TempDir;

use crate::golden::golden;
use crate::program::run;

/// Everything in a folder: names, modes, times of change and bytes.
fn all_of(folder: &Path) -> BTreeMap<String, (u32, std::time::SystemTime, Vec<u8>)> {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let meta = entry.metadata().unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, (meta.mode(), meta.modified().unwrap(), bytes))
        })
        .collect()
}

/// A data folder as a crash leaves it: the database with its log beside it.
async fn crashed() -> TempDir {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", &["accounts", "balances"]).await;
    come_back(&app.opened().await).await;
    app.ended(&attempt).await;
    let left = private_folder();
    for entry in std::fs::read_dir(app.dir.path()).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), left.path().join(entry.file_name())).unwrap();
    }
    // Beside it, what says that agents may run: the app of a test has its mark elsewhere.
    std::fs::write(left.path().join("agents"), "may run\n").unwrap();
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_is_shown_and_not_touched() {
    let left = crashed().await;
    let before = all_of(left.path());
    assert!(before["countersign.sqlite-wal"].2.len() > 1000, "the newest is in the log");
    let mut said = String::new();
    for line in ["status", "grants", "agents", "attempts"] {
        let ran = run(left.path(), line);
        assert_eq!(
            (ran.exit, &*ran.err),
            (3, "Countersign is not running. This is what it last knew.\n"),
            "{line}"
        );
        said += &format!("$ countersign {line}\n{}\n", ran.out);
    }
    golden("without_host", &said);
    let json: Value = serde_json::from_str(&run(left.path(), "status --json").out).unwrap();
    let report: Report = serde_json::from_value(json["report"].clone()).unwrap();
    assert_eq!((&json["running"], report.counts.connections), (&false.into(), 1));
    for line in ["kill", "revoke 0193a2b4", "pause a@b", "resume --agents"] {
        let ran = run(left.path(), line);
        assert_eq!((ran.exit, &*ran.out), (3, ""), "{line}: nothing is done without a host");
    }
    assert_eq!(all_of(left.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_asks_no_keychain_and_makes_nothing() {
    let left = crashed().await;
    let report = |home: &Path| {
        let mut command = Command::new(programs().join("countersignd"));
        command.arg("--report").env_clear().env("COUNTERSIGN_HOME", home).stdin(Stdio::null());
        command.output().unwrap()
    };
    // No bus, so no keychain: what is stored is shown all the same.
    let read = report(left.path());
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let text = String::from_utf8(read.stdout).unwrap();
    serde_json::from_str::<Report>(&text).unwrap();
    for word in ["access-1", "refresh-1", "sealed", "blob"] {
        assert!(!text.contains(word), "{word}");
    }
    let empty = private_folder();
    assert!(!report(empty.path()).status.success());
    assert!(!report(&empty.path().join("nowhere")).status.success());
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
}
