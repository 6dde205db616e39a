//! The list of ways in which a bank can be hostile: `tests/fixtures/hostile/modes.jsonl`, one a line.

use serde::Deserialize;
use serde_json::Value;

use super::{FakeProvider, Script};

const LINES: &str = include_str!("../../../fixtures/hostile/modes.jsonl");

/// One way of being hostile, and what has to come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// Its name.
    pub name: String,
    /// Which rules and attacks it proves.
    pub ids: Vec<String>,
    /// What the bank does.
    #[serde(default)]
    pub bank: Script,
    /// What a second bank does, which is there in every mode and honest unless this says otherwise.
    #[serde(default)]
    pub other: Script,
    /// What Countersign does.
    pub expect: Expect,
    /// What `openid-client` does; read by its own suite.
    pub openid_client: Value,
}

/// What Countersign does: all of it, so that a mode refused for another reason fails.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The ending, as the window is shown it; of permissions only the ids.
    pub ending: Value,
    /// Every request at the bank, in order.
    pub requests: String,
    /// Every request at the other bank, in order.
    #[serde(default)]
    pub other: String,
    /// The tokens that were sent back for revocation, in order.
    #[serde(default)]
    pub revoked: Vec<String>,
    /// True if what the bank did not take back waits in the outbox.
    #[serde(default)]
    pub waits: bool,
    /// What is known once the person has revoked the connection that was made; nothing if they do not.
    #[serde(default)]
    pub told: Option<String>,
}

impl Mode {
    /// All modes, with what stands for the banks' addresses still in them.
    ///
    /// # Panics
    /// A line is not a mode.
    #[must_use]
    pub fn all() -> Vec<Self> {
        LINES.lines().map(|line| Self::of_line(line, "http://127.0.0.1:1", "http://127.0.0.1:2")).collect()
    }

    /// The lines themselves.
    #[must_use]
    pub fn lines() -> Vec<&'static str> {
        LINES.lines().collect()
    }

    fn of_line(line: &str, bank: &str, other: &str) -> Self {
        let line = line.replace("{self}", bank).replace("{other}", other);
        serde_json::from_str(&line).unwrap_or_else(|err| panic!("{err} in {line:.80}"))
    }
}

/// Two banks that play a mode.
pub struct Play {
    /// What is played, with the banks' addresses in it.
    pub mode: Mode,
    /// The bank that the person chose.
    pub bank: FakeProvider,
    /// The one beside it.
    pub other: FakeProvider,
}

impl Play {
    /// Starts both; nothing if there is no such mode.
    pub async fn start(name: &str, port: u16) -> Option<Self> {
        let named = |line: &&&str| {
            let mode: Value = serde_json::from_str(line).expect("a line of JSON");
            mode.get("name").and_then(Value::as_str) == Some(name)
        };
        let lines = Mode::lines();
        let line = lines.iter().find(named)?;
        let (bank, other) = (FakeProvider::start_at(port).await, FakeProvider::start().await);
        let mode = Mode::of_line(line, &bank.issuer, &other.issuer);
        // Each knows one address of ours and no other (RFC 8252 §8.10).
        bank.registers("/callback/bank-1");
        other.registers("/callback/bank-2");
        bank.play(mode.bank.clone());
        other.play(mode.other.clone());
        Some(Self { mode, bank, other })
    }
}
