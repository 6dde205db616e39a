//! The Sandbox Bank as a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{Running, root};

/// A bank that can be stopped and started again on the same port with the same customers and tokens.
pub struct Bank {
    id: String,
    name: String,
    data: PathBuf,
    /// Its issuer.
    pub issuer: String,
    running: Option<Running>,
}

impl Bank {
    /// Starts a bank whose files are in a folder of its own under `parent`.
    #[must_use]
    pub fn start(parent: &Path, id: &str, name: &str) -> Self {
        let data = parent.join(format!("bank-{id}"));
        let mut bank = Self { id: id.into(), name: name.into(), data, issuer: String::new(), running: None };
        bank.up();
        bank
    }

    /// Starts it, again.
    pub fn up(&mut self) {
        let node = std::env::var("COUNTERSIGN_NODE").unwrap_or_else(|_| "node".into());
        let (running, line) = Running::start_and_read_line(
            Command::new(node)
                .arg(root().join("tests/sandbox-bank/src/main.js"))
                .args(["--id", &self.id, "--name", &self.name, "--data"])
                .arg(&self.data)
                .stderr(Stdio::null()),
        );
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("the bank did not start: {line}"));
        self.issuer = ready["issuer"].as_str().expect("an issuer").to_owned();
        self.running = Some(running);
    }

    /// Takes it down: connections are refused.
    pub fn down(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.signal("TERM");
            let _ = running.0.wait();
        }
    }

    /// Freezes it, so that it takes connections and says nothing, or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        self.running.as_ref().expect("a bank").signal(if frozen { "STOP" } else { "CONT" });
    }

    /// Its provider file.
    #[must_use]
    pub fn provider_file(&self) -> String {
        std::fs::read_to_string(self.data.join("catalogue").join(format!("{}.toml", self.id)))
            .expect("the bank's file")
    }

    /// Its provider id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Everything it keeps on disk.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }
}
