//! Other programs on the same bus, and faults in the middle of every operation.

use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use super::real::{items, plant};
use super::session::Session;
use super::*;

/// What any other program of the session can do with a tool of the system.
async fn secret_tool(session: &Session, account: String) -> (Option<i32>, Vec<u8>) {
    let address = session.address.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let mut command = Command::new("timeout");
        command.args(["3", "secret-tool", "lookup", "service", item::SERVICE, "username", &account]);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("DBUS_SESSION_BUS_ADDRESS", address);
        command.stdin(Stdio::null()).output().expect("secret-tool is installed (package libsecret-tools)")
    });
    let output = looking.await.unwrap();
    (output.status.code(), output.stdout)
}

/// The documented limit (docs/security.md): while the keychain is unlocked, every program of the session reads the key.
/// Locking ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_reads_the_key_while_it_is_unlocked_and_only_then() {
    let session = Session::new().await;
    session.keychain().write_kek(&install(), kek(1), &key(1)).await.unwrap();
    let account = item::kek_account(&install(), kek(1));
    assert_eq!(secret_tool(&session, account.clone()).await, (Some(0), item::text(&key(1)).to_vec()));
    session.lock().await;
    let (code, printed) = secret_tool(&session, account).await;
    assert!(code != Some(0) && printed.is_empty(), "{code:?}");
    let limit = include_str!("../../../../../docs/security.md");
    assert!(limit.contains("any process on the session bus can read any unlocked Secret Service item"));
}

/// Another keyring takes the name: its key is not ours, it is handed out as what it is, and it is given nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_impostor_is_asked_and_given_nothing() {
    let mut session = Session::new().await;
    let keychain = session.keychain();
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    session.kill_keyring();
    session.start_keyring_over("impostor", Some("another password")).await;
    session.until(None).await;
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap().is_empty(), "it has no key of ours");
    let account = item::kek_account(&install(), kek(1));
    plant(&session, &account, &item::text(&key(9)), None).await;
    let found = keychain.read_keks(&install(), kek(1)).await.unwrap();
    assert!(found.len() == 1 && found[0].same_as(&key(9)), "whether that is ours, the key check says");
    assert_eq!(items(&session).await, 1, "nothing was written to it");
    session.kill_keyring();
    session.start_keyring(Some("correct horse")).await;
    session.until(None).await;
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap()[0].same_as(&key(1)), "ours is untouched");
}

/// A restart in order, as a log-out and log-in is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_outlives_the_daemon() {
    let mut session = Session::new().await;
    let keychain = session.keychain();
    assert_eq!(keychain.probe(&install()).await, Ok(()));
    keychain.write_kek(&install(), kek(1), &key(1)).await.unwrap();
    session.signal_keyring(Signal::TERM);
    session.until(Some(KeychainError::Absent)).await;
    session.kill_keyring();
    session.start_keyring(Some("correct horse")).await;
    session.until(None).await;
    assert!(keychain.read_keks(&install(), kek(1)).await.unwrap()[0].same_as(&key(1)));
    assert_eq!(items(&session).await, 1);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Status,
    Probe,
    Read,
    WriteAgain,
    WriteNew,
    Unlock,
}

const OPERATIONS: [Operation; 6] = [
    Operation::Status,
    Operation::Probe,
    Operation::Read,
    Operation::WriteAgain,
    Operation::WriteNew,
    Operation::Unlock,
];

async fn run(keychain: &SecretService, operation: Operation) -> Result<(), KeychainError> {
    match operation {
        Operation::Status => keychain.status().await,
        Operation::Probe => keychain.probe(&install()).await,
        Operation::Read => keychain.read_keks(&install(), kek(1)).await.map(drop),
        Operation::WriteAgain => keychain.write_kek(&install(), kek(1), &key(1)).await,
        Operation::WriteNew => keychain.write_kek(&install(), kek(2), &key(2)).await,
        Operation::Unlock => keychain.unlock().await,
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Locked behind our back while the operation runs.
    Lock,
    /// Frozen.
    Stop,
    /// Killed.
    Kill,
    /// Locked before, and nobody answers the prompt.
    PromptLeft,
}

/// Every fault at every operation, a moment after it began: the answer is in time and one of those that fit, and afterwards
/// the key is the one it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_in_the_middle_of_any_operation_is_answered_in_time_and_changes_nothing() {
    use KeychainError::{Absent, Blocked, Locked};
    let limits = Limits { call: Duration::from_secs(2), prompt: Duration::from_secs(1) };
    for fault in [Fault::Lock, Fault::Stop, Fault::Kill, Fault::PromptLeft] {
        let mut session = Session::new().await;
        session.keychain().write_kek(&install(), kek(1), &key(1)).await.unwrap();
        for (turn, operation) in (0..).zip(OPERATIONS) {
            let keychain = keychain(&session.address, limits);
            let _prompter = session.watch_prompts().await;
            if matches!(fault, Fault::PromptLeft) {
                session.lock().await;
            }
            let begin = Instant::now();
            let disturb = async {
                tokio::time::sleep(Duration::from_millis(turn % 3 * 4)).await;
                match fault {
                    Fault::Lock => session.ask_to_lock().await,
                    Fault::Stop => session.signal_keyring(Signal::STOP),
                    Fault::Kill => session.signal_keyring(Signal::KILL),
                    Fault::PromptLeft => {}
                }
            };
            let (answer, ()) = tokio::join!(run(&keychain, operation), disturb);
            let within = limits.call * 2 + limits.prompt + Duration::from_secs(2);
            assert!(begin.elapsed() < within, "{fault:?} {operation:?}: {:?}", begin.elapsed());
            let fits = match (fault, answer) {
                // It may have been over before, and what was half done may say more than one thing about it.
                (Fault::Lock, answer) => matches!(answer, Ok(()) | Err(Locked | Blocked | Absent)),
                (Fault::Stop, answer) => matches!(answer, Ok(()) | Err(Blocked)),
                (Fault::Kill, answer) => matches!(answer, Ok(()) | Err(Absent | Blocked)),
                (Fault::PromptLeft, answer) => answer == Err(Locked),
            };
            assert!(fits, "{fault:?} {operation:?}: {answer:?}");
            recover(&mut session, fault).await;
            let kept = session.keychain().read_keks(&install(), kek(1)).await.unwrap();
            assert!(kept.len() == 1 && kept[0].same_as(&key(1)), "{fault:?} {operation:?}");
            let second = session.keychain().read_keks(&install(), kek(2)).await.unwrap();
            assert!(
                second.iter().all(|found| found.same_as(&key(2))),
                "{fault:?} {operation:?}: whole or not there"
            );
        }
    }
}

async fn recover(session: &mut Session, fault: Fault) {
    match fault {
        Fault::Lock | Fault::PromptLeft => {
            session.until(Some(KeychainError::Locked)).await;
            session.unlock_as_login_does().await;
        }
        Fault::Stop => session.signal_keyring(Signal::CONT),
        Fault::Kill => {
            session.kill_keyring();
            session.start_keyring(Some("correct horse")).await;
        }
    }
    session.until(None).await;
}
