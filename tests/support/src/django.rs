//! The Django bank as a process: a second honest server, which nobody here wrote either.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use crate::process::{Running, root};

/// A bank that can be stopped and started again on the same port with the same customers and tokens.
pub struct DjangoBank {
    data: PathBuf,
    options: Vec<String>,
    port: u64,
    running: Option<Running>,
}

/// A request as the bank noted it: names and kinds, no values.
#[derive(Clone, Debug, Deserialize)]
pub struct Noted {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// What it was answered.
    pub status: u16,
    /// The scheme of the `Authorization` header.
    pub authorization: Option<String>,
    /// The names in the query.
    pub query: Vec<String>,
    /// The names in the form.
    pub form: Vec<String>,
}

impl DjangoBank {
    /// Starts a bank whose files are in a folder of its own under `parent`.
    #[must_use]
    pub fn start(parent: &Path) -> Self {
        Self::start_with(parent, &[])
    }

    /// The same with options of its own.
    #[must_use]
    pub fn start_with(parent: &Path, options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let mut bank = Self { data: parent.join("django-bank"), options, port: 0, running: None };
        bank.up();
        bank
    }

    /// Starts it, again.
    pub fn up(&mut self) {
        let python = std::env::var_os("COUNTERSIGN_PYTHON")
            .map_or_else(|| root().join("target/tools/django-bank/bin/python"), PathBuf::from);
        let (running, line) = Running::start_and_read_line(
            Command::new(python)
                .arg(root().join("tests/django-bank/main.py"))
                .arg("--data")
                .arg(&self.data)
                .args(&self.options)
                .stderr(Stdio::null()),
        );
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            panic!("the Django bank did not start ({line:?}); `cargo xtask tools` installs what it needs")
        });
        self.port = ready["port"].as_u64().expect("a port");
        self.running = Some(running);
    }

    /// Takes it down: connections are refused.
    pub fn down(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.signal("TERM");
            let _ = running.0.wait();
        }
    }

    /// Its provider file.
    #[must_use]
    pub fn provider_file(&self) -> String {
        let openid = self.options.iter().any(|option| option == "--openid");
        let file = if openid {
            include_str!("../../fixtures/providers/django-bank-openid.toml")
        } else {
            include_str!("../../fixtures/providers/django-bank.toml")
        };
        file.replace("{PORT}", &self.port.to_string())
    }

    /// Every request so far.
    #[must_use]
    pub fn noted(&self) -> Vec<Noted> {
        let text = std::fs::read_to_string(self.data.join("requests.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a noted request")).collect()
    }

    /// The requests at one path so far.
    #[must_use]
    pub fn noted_at(&self, path: &str) -> Vec<Noted> {
        self.noted().into_iter().filter(|noted| noted.path == path).collect()
    }

    /// How many tokens of each kind live, as the bank's own database has them.
    #[must_use]
    pub fn live_tokens(&self) -> BTreeMap<&'static str, i64> {
        let database =
            rusqlite::Connection::open(self.data.join("bank.sqlite")).expect("the bank's database");
        database.busy_timeout(std::time::Duration::from_secs(10)).expect("a time limit");
        let count = |what: &str| {
            database
                .query_row(&format!("SELECT count(*) FROM oauth2_provider_{what}"), [], |row| row.get(0))
                .expect("a count")
        };
        BTreeMap::from([
            ("access", count("accesstoken")),
            ("refresh", count("refreshtoken WHERE revoked IS NULL")),
        ])
    }
}
