//! The audit log as a file: written by the host that runs, and checked without one.

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back, private_folder};

use crate::golden::golden;
use crate::program::{Door, Ran, run_words};

/// A host with one connection, and a file of its log.
async fn exported(folder: &Path) -> (TestApp, Door, String) {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let attempt = app.click_connect("bank-1", &["accounts", "balances"]).await;
    come_back(&app.opened().await).await;
    app.ended(&attempt).await;
    let door = Door::open(&app);
    let file = folder.join("activity.jsonl").to_str().unwrap().to_owned();
    let ran = door.run_words(words(&["audit", "export", &file])).await;
    assert_eq!((ran.exit, &*ran.err), (0, ""), "{ran:?}");
    (app, door, file)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Without a host: the data folder is empty.
fn verify(file: &str, more: &[&str]) -> Ran {
    let home = private_folder();
    run_words(home.path(), &[&["audit", "verify", file], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_out_is_found_sound_and_a_change_is_named() {
    let folder = private_folder();
    let (app, door, file) = exported(folder.path()).await;
    let text = fs::read_to_string(&file).unwrap();
    let records = app.audit().len();
    assert_eq!(text.lines().count(), records + 1);
    let printed = door.run("audit export").await;
    let (shown, written) = (printed.out.lines().skip(1), text.lines().skip(1));
    assert!(printed.exit == 0 && shown.eq(written), "to the terminal, the same");

    let mut said = String::new();
    let mut show = |what: &str, text: &str, exit: i32| {
        let path = folder.path().join("changed.jsonl");
        fs::write(&path, text).unwrap();
        let ran = verify(path.to_str().unwrap(), &[]);
        assert_eq!((ran.exit, &*ran.err), (exit, ""), "{what}: {ran:?}");
        said += &format!("--- {what}\n{}", ran.out);
    };
    let lines: Vec<&str> = text.lines().collect();
    let with = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    show(
        "a byte of the third record",
        &text.replacen(lines[3], &lines[3].replacen("at\":1", "at\":2", 1), 1),
        1,
    );
    show("the third record taken out", &with(&[&lines[..3], &lines[4..]].concat()), 1);
    show("the last record cut off", &with(&lines[..records]), 1);
    show("half a line cut off", &text[..text.len() - 40], 1);
    show(
        "two records in another order",
        &with(&[&lines[..2], &[lines[3], lines[2]], &lines[4..]].concat()),
        1,
    );
    show("a record put in", &with(&[&lines[..], &lines[2..3]].concat()), 1);
    show("the first line", &text.replacen("\"records\":", "\"records\": ", 1), 1);
    show("another file", "no log\n", 1);
    show("no file at all", "", 1);
    golden(
        "audit",
        &said.replace(&format!(" {records} "), " <last> ").replace(&format!(" {} ", records + 1), " <more> "),
    );

    let ran = verify(&file, &["--json"]);
    let verdict: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.exit, &verdict["sound"], &verdict["records"]), (0, &true.into(), &records.into()));
    let ran = verify(&file, &[]);
    assert!(ran.exit == 0 && ran.out.contains("none was changed"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_left_alone_and_one_that_is_not_is_said() {
    let folder = private_folder();
    let (_app, door, file) = exported(folder.path()).await;
    let before = fs::read(&file).unwrap();
    let ran = door.run_words(words(&["audit", "export", &file])).await;
    assert_eq!((ran.exit, &*ran.out), (6, ""));
    assert!(ran.err.contains("can't be written"), "{}", ran.err);
    assert_eq!(fs::read(&file).unwrap(), before);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "the person's alone");
    let missing = verify("/nowhere/activity.jsonl", &[]);
    assert_eq!(missing.exit, 6, "{missing:?}");
    let home = private_folder();
    let ran = run_words(home.path(), &["audit", "export"]);
    assert_eq!(ran.exit, 3, "without a host there is no log to be had");
}
