//! Every page of help, and every verb against a host.

use contract::support::{AttemptRow, Started, Status};
use contract::ui::{GrantView, GrantsView};
use domain::id::AskedId;
use serde_json::Value;
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back, private_folder};

use crate::golden::golden;
use crate::program::{Door, Ran, run, run_words};

const VERBS: [&str; 17] = [
    "agents", "approve", "attempts", "audit", "check", "connect", "grants", "kill", "lock", "narrow",
    "pause", "renew", "resume", "revoke", "status", "unlock", "widen",
];

fn done(ran: Ran) -> String {
    assert_eq!((ran.exit, &*ran.err), (0, ""), "{ran:?}");
    ran.out
}

/// A host with one connection, made at a bank that answers.
async fn connected(bank: &FakeProvider) -> (TestApp, Door, String) {
    let mut app = TestApp::start(&[bank]).await;
    let attempt = app.click_connect("bank-1", &["accounts", "balances"]).await;
    come_back(&app.opened().await).await;
    let grant = app.ended(&attempt).await.grant.expect("a grant");
    let door = Door::open(&app);
    (app, door, grant)
}

#[test]
fn every_verb_has_a_page_of_help() {
    let home = private_folder();
    let mut pages = done(run(home.path(), "--help"));
    for verb in VERBS {
        pages += &format!("\n--- {verb}\n{}", done(run(home.path(), &format!("{verb} --help"))));
        assert!(pages.contains(&format!("\n  {verb}")), "{verb} is on the first page");
    }
    golden("help", &pages);
    for line in pages.lines() {
        assert!(line.chars().count() <= 84, "{line}");
        for word in ["token", "scope", "OAuth", "!", "please"] {
            assert!(!line.contains(word), "{line}");
        }
    }
    assert_eq!(done(run(home.path(), "--version")), "countersign 0.1.0\n");
}

#[test]
fn what_is_not_understood_ends_with_two_and_asks_nobody() {
    let home = private_folder();
    let mut said = String::new();
    for line in ["nonsense", "pause", "status now", "--nonsense", "connect bank", "kill --yes"] {
        let ran = run(home.path(), line);
        assert_eq!((ran.exit, &*ran.out), (2, ""), "{line}");
        said += &format!("$ countersign {line}\n{}", ran.err);
    }
    golden("usage", &said);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_things_stand_is_said_in_plain_words() {
    let bank = FakeProvider::start().await;
    let (app, door, grant) = connected(&bank).await;
    let mut said = String::new();
    for line in ["status", "grants", "grants --history", "agents", "attempts"] {
        said += &format!("$ countersign {line}\n{}\n", done(door.run(line).await));
    }
    said += &done(door.run(&format!("grants {grant}")).await);
    golden("reading", &said);
    let status: Status = serde_json::from_str(&done(door.run("status --json").await)).unwrap();
    assert_eq!(status.counts.connections, 1);
    let grants: GrantsView = serde_json::from_str(&done(door.run("grants --json").await)).unwrap();
    assert_eq!(grants.current[0].id, grant);
    let attempts: Vec<AttemptRow> = serde_json::from_str(&done(door.run("attempts --json").await)).unwrap();
    assert_eq!(attempts[0].attempt.grant, Some(grant));
    assert_eq!(app.grants().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_needs_nothing_and_is_said_as_it_is() {
    let bank = FakeProvider::start().await;
    let (app, door, grant) = connected(&bank).await;
    // Not told in time for this test.
    bank.delays("revoke", 60_000);
    let mut said = done(door.run("kill").await);
    app.app.may_serve().unwrap_err();
    said += &done(door.run("status").await);
    let words = ["revoke", "budget buddy@bank-1"].map(str::to_owned).to_vec();
    said += &done(door.run_words(words).await);
    golden("stopping", &said);
    let view: GrantView =
        serde_json::from_str(&done(door.run(&format!("grants {grant} --json")).await)).unwrap();
    assert!(matches!(view.row.state, contract::ui::GrantState::Revoked { .. }));
    let again = door.run(&format!("revoke {grant}")).await;
    assert_eq!((again.exit, again.err.lines().next()), (1, Some("This connection is already revoked.")));
    let again = door.run(&format!("revoke {grant} --json")).await;
    let refused: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((again.exit, &refused["refused"]["code"]), (1, &"grant_revoked".into()));
    let unknown = door.run("revoke nobody@nowhere").await;
    assert_eq!((unknown.exit, &*unknown.err), (1, "There is no such connection. Nothing changed.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_waits_for_the_click() {
    let app = TestApp::start(&[]).await;
    let door = Door::open(&app);
    app.app.stop_agents().await;
    for (yes, exit, last) in
        [(false, 1, "You said no, or nothing. Nothing changed."), (true, 0, "The agents go on.")]
    {
        let clicking = async {
            loop {
                if let Some(asked) = app.app.app_state().await.unwrap().asked.first() {
                    break app.app.answer_asked(AskedId::parse(&asked.id).unwrap(), yes).await.unwrap();
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let (ran, ()) = tokio::join!(door.run("resume --agents"), clicking);
        assert_eq!((ran.exit, &*ran.err), (exit, ""));
        let first = "Confirm this in Countersign's window. Without a screen, use --passphrase.";
        assert_eq!(ran.out, format!("{first}\n{last}\n"));
        assert_eq!(app.app.may_serve().is_ok(), yes);
    }
    app.app.stop_agents().await;
    let ran = door.run("resume --agents --yes --json").await;
    let started: Started = serde_json::from_str(&done(ran)).unwrap();
    assert_eq!(started, Started::Resumed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_read_from_a_terminal_or_not_at_all() {
    let app = TestApp::start(&[]).await;
    let door = Door::open(&app);
    app.app.stop_agents().await;
    let home = door.home();
    let given = tokio::task::spawn_blocking(move || {
        // A session of its own has no terminal; what comes by the pipe is not one.
        let mut command = std::process::Command::new("setsid");
        command
            .arg("--wait")
            .arg(support::process::programs().join("countersign"))
            .args(["resume", "--agents", "--passphrase"])
            .env("COUNTERSIGN_HOME", &home)
            .env("COUNTERSIGN_PASSPHRASE", "guess")
            .stdin(std::process::Stdio::piped());
        crate::program::ran(&command.output().unwrap())
    });
    let ran = given.await.unwrap();
    assert_eq!((ran.exit, &*ran.err), (1, "No passphrase was typed. Nothing changed.\n"));
    app.app.may_serve().unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_that_is_typed_is_not_shown() {
    use std::io::{Read as _, Write as _};

    let app = TestApp::start(&[]).await;
    let door = Door::open(&app);
    app.app.stop_agents().await;
    let home = door.home();
    let typed = tokio::task::spawn_blocking(move || {
        let program = support::process::programs().join("countersign");
        let line = format!("{} resume --agents --passphrase", program.display());
        // A terminal of its own, whose screen is the output.
        let mut command = std::process::Command::new("script");
        command.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]);
        command.env("COUNTERSIGN_HOME", &home);
        let mut terminal =
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
        let mut seen = Vec::new();
        while !seen.ends_with(b"passphrase: ") {
            let mut byte = [0];
            screen.read_exact(&mut byte).unwrap();
            seen.push(byte[0]);
        }
        keys.write_all(b"correct horse\n").unwrap();
        screen.read_to_end(&mut seen).unwrap();
        (terminal.wait().unwrap().code(), String::from_utf8(seen).unwrap())
    });
    let (exit, screen) = typed.await.unwrap();
    assert_eq!(exit, Some(1), "{screen}");
    assert!(screen.contains("This is not the passphrase."), "{screen}");
    assert!(!screen.contains("horse"), "{screen}");
    app.app.may_serve().unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_shows_its_steps_and_its_end() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let door = Door::open(&app);
    let connect = |days: &str| {
        let words = ["connect", "bank-1", "--agent", "budget buddy", "--permissions", "accounts,balances"];
        words.iter().map(|w| (*w).to_owned()).chain(["--days".into(), days.into(), "--yes".into()]).collect()
    };
    let going = async { come_back(&app.opened().await).await };
    let (ran, _) = tokio::join!(door.run_words(connect("30")), going);
    let said = done(ran);
    assert!(said.starts_with("Checking your keychain and the bank's addresses. Reference "), "{said}");
    assert!(said.ends_with("Connected. Budget Buddy is connected to Fake Bank bank-1.\n"), "{said}");
    let too_long = door.run_words(connect("3000")).await;
    assert_eq!((too_long.exit, too_long.err.lines().next()), (1, Some("The bank does not allow this date.")));
    bank.calls_back("error=access_denied&state={state}&iss={iss}");
    let going = async { come_back(&app.opened().await).await };
    let (ran, _) = tokio::join!(door.run_words(connect("30")), going);
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.out.contains("You said no at the bank. Nothing was connected."), "{}", ran.out);
}

#[test]
fn without_a_host_nothing_is_done() {
    let home = private_folder();
    for line in ["status", "grants", "kill", "resume --agents", "revoke 0193a2b4"] {
        let ran = run_words(home.path(), &line.split(' ').collect::<Vec<_>>());
        assert_eq!((ran.exit, &*ran.out), (3, ""), "{line}");
        assert_eq!(ran.err.lines().next(), Some("Countersign is not running."), "{line}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "and nothing is made");
}
