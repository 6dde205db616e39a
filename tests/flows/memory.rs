//! What the largest answers cost: the app alone in a process, the banks in others.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

use contract::ui::EndingView;
use serde_json::Value;
use support::fake_provider::FakeProvider;
use support::fakes::{SharedKeychain, TestApp, come_back, private_folder};

/// Set for the process that is measured.
const MEASURED: &str = "COUNTERSIGN_TEST_MEASURED";

/// TOK-17, attack 33.
const MOST_KIB: u64 = 8 * 1024;

/// What is thrown at it; the last is what it must notice.
const MODES: [&str; 12] = [
    "metadata_bomb",
    "metadata_two_mebibytes",
    "token_bomb",
    "token_giant_bomb",
    "token_two_mebibytes",
    "token_zipped_too_much",
    "token_endless_chunks",
    "token_endless_body",
    "token_endless_head",
    "token_many_headers",
    "token_deep",
    "accounts_endless_chunks",
];

/// A bank in a process of its own.
struct Bank(Child, String);

impl Bank {
    fn start(mode: &str) -> Self {
        let mut bank = Command::new(env!("CARGO_BIN_EXE_hostile-provider"))
            .args(["serve", mode])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(bank.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let issuer = said["issuer"].as_str().unwrap().to_owned();
        Self(bank, issuer)
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It says each request; nobody reads any more, and it may end at that or at its standard input.
        drop(self.0.stdout.take());
        drop(self.0.wait());
    }
}

#[test]
fn the_largest_answers_cost_little_memory() {
    if std::env::var_os(MEASURED).is_some() {
        return measured();
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["memory::the_largest_answers_cost_little_memory", "--exact", "--nocapture"])
        .env(MEASURED, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}{}", String::from_utf8_lossy(&child.stderr));
    let grown: u64 = said
        .lines()
        .find_map(|line| line.strip_prefix("grown by KiB: "))
        .unwrap_or_else(|| panic!("no number in {said}"))
        .parse()
        .unwrap();
    assert!(grown < MOST_KIB, "it grew by {grown} KiB");
}

fn measured() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for _ in 0..3 {
        assert!(matches!(runtime.block_on(attempt("honest")).0, EndingView::Connected { .. }));
    }
    let mut most = 0;
    for mode in MODES {
        let (ending, grown) = runtime.block_on(attempt(mode));
        assert!(matches!(ending, EndingView::BankMisbehaved { .. }), "{mode}: {ending:?}");
        most = most.max(grown);
    }
    say(&format!("grown by KiB: {most}\n"));
    // The measure itself: this much is noticed.
    let before = begin();
    let large = vec![1_u8; 32 * 1024 * 1024];
    assert!(grown_since(before) > 30 * 1024, "{}", large.len());
}

/// How it ends, and how much the process grew meanwhile at most.
async fn attempt(mode: &str) -> (EndingView, u64) {
    let bank = Bank::start(mode);
    let file = FakeProvider::file_of(&bank.1, "bank-1");
    let mut app = TestApp::start_with_files(private_folder(), SharedKeychain::empty(), vec![file]).await;
    let before = begin();
    let attempt = app.click_connect("bank-1", &["accounts"]).await;
    if !mode.starts_with("metadata") {
        come_back(&app.opened().await).await;
    }
    let ended = app.ended(&attempt).await.ending.unwrap();
    let grown = grown_since(before);
    app.app.shut_down().await;
    (ended, grown)
}

/// The size now, from where the highest mark begins anew (proc(5), clear_refs).
fn begin() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    status("VmRSS")
}

fn grown_since(before: u64) -> u64 {
    status("VmHWM").saturating_sub(before)
}

fn say(line: &str) {
    use std::io::Write as _;
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}
