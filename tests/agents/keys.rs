//! Where an agent's key is, and how the agent is added.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use contract::support::{AGENTS, START};
use serde_json::{Value, json};
use support::process::programs;

use crate::life::{Life, Ran};

/// Starts to enrol, and gives the first line that is said: where the key is.
fn enrol(
    life: &Life,
    name: &str,
    bus: Option<&str>,
) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut command = life.command(programs().join("countersign-agent"));
    command.args(["enrol", name]).env_remove("COUNTERSIGN_AGENT_KEY_FILE");
    if let Some(bus) = bus {
        command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    (child, errors, line)
}

/// A program of the agent's side without the key file that the others have.
fn without_file(life: &Life, words: &[&str]) -> Ran {
    let mut command = life.command(programs().join("countersign-agent"));
    Ran::of(&command.args(words).env_remove("COUNTERSIGN_AGENT_KEY_FILE").output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_added_by_its_code_and_its_key_is_in_the_keychain() {
    let life = Life::connected("accounts").await;
    let nobody = without_file(&life, &["connections"]);
    assert_eq!(nobody.exit, 1, "{nobody:?}");
    assert!(nobody.err.contains("There is no key"), "{nobody:?}");

    let (child, mut errors, line) = enrol(&life, "My Script", None);
    assert!(line.contains("kept in your keychain"), "{line}");
    let mut asks = String::new();
    errors.read_line(&mut asks).unwrap();
    let requests = life.support(AGENTS, &json!({})).await;
    let request = &requests["enrolments"][0];
    assert!(asks.contains(request["code"].as_str().unwrap()), "{asks} and {requests}");
    let wanted = json!({"kind": "enrol", "id": request["id"], "name": "The script", "replaces": null});
    life.support(START, &json!({"wanted": wanted, "unasked": true})).await;
    let added = Ran::of(&child.wait_with_output().unwrap());
    assert!(added.done().contains("The agent is added as The script."), "{added:?}");

    let alone = without_file(&life, &["connections"]);
    assert!(alone.done().contains("Nothing is connected for this agent"), "{alone:?}");
    let named = without_file(&life, &["key", "--agent", "my script"]).json();
    assert_eq!((&named["kty"], &named["d"]), (&json!("OKP"), &Value::Null));

    // A keychain that does not answer keeps nobody who has a file.
    life.freeze_keychain(true);
    life.agent(&["connections"]).done();
    let frozen = without_file(&life, &["connections"]);
    assert_eq!(frozen.exit, 6, "{frozen:?}");
    assert!(frozen.err.contains("Your keychain does not answer"), "{frozen:?}");
    life.freeze_keychain(false);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_keychain_the_key_is_in_a_file_of_the_persons_own() {
    use std::os::unix::fs::MetadataExt as _;
    let life = Life::connected("accounts").await;
    let (mut child, _errors, line) = enrol(&life, "My Script", Some("unix:path=/nonexistent"));
    assert!(line.contains("kept in the file"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
    let file = life.data().with_file_name("data-agent").join("my-script.jwk");
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
    let key = without_file(&life, &["key"]).json();
    assert_eq!(key["crv"], "Ed25519");
    // Asking again is asking with the same key.
    let (mut child, _errors, line) = enrol(&life, "My Script", Some("unix:path=/nonexistent"));
    assert!(line.contains("compare the code"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(without_file(&life, &["key"]).json(), key);
}

/// Figure `lease_vs_peer`: a lease for a process that begins costs a key, an address and a connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_begins_opens_its_key_the_address_and_one_socket() {
    let life = Life::connected("accounts").await;
    let trace = life.data().with_file_name("trace");
    let mut strace = life.command("/usr/bin/strace".into());
    strace.args(["-f", "-e", "trace=connect,openat,clone,clone3", "-o"]).arg(&trace);
    strace.arg(programs().join("countersign-agent"));
    let grant = life.grant();
    strace.args(["token", "--grant", &grant, "--purpose", "Look", "--actions", "list_accounts"]);
    assert_eq!(Ran::of(&strace.output().unwrap()).json()["token_type"], "DPoP");
    let calls = std::fs::read_to_string(&trace).unwrap();
    let count = |what: &str| calls.lines().filter(|line| line.contains(what)).count();
    assert_eq!((count("connect("), count("broker.sock")), (1, 1), "{calls}");
    assert_eq!(count("clone"), 0, "no thread: no runtime, no keychain\n{calls}");
    assert_eq!((count("buddy.jwk"), count("endpoint.json")), (1, 1), "{calls}");
}
