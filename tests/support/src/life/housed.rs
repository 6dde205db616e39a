//! Lives of a connection at a real host: without a screen, with a real keychain, at a bank whose secrets are known.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{InstallId, KekId};
use domain::secret::Passphrase;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::agent::TestAgent;
use crate::fake_provider::FakeProvider;
use crate::fakes::come_back;
use crate::session::Session;
use crate::sweep::control::Tools;
use crate::sweep::hosted::{Hosted, Start};

const BANK: &str = "bank-1";
const AGENT: &str = "name = \"Budget Buddy\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\n";

/// Where hosts live, one after the other, over one data folder.
pub struct House {
    tools: Tools,
    /// The bank. Every code and token of it ends with [`Self::mark`].
    pub bank: FakeProvider,
    /// What every code and token of the bank ends with, and nothing else holds.
    pub mark: String,
    /// The login session, with the keychain.
    pub session: Session,
    dir: TempDir,
    /// What its hosts write down of what they do.
    log: &'static str,
}

/// A host that runs there.
pub struct Housed<'h> {
    house: &'h House,
    host: Hosted,
    agent: Value,
}

impl House {
    /// Opens it for the programs of this folder, a sandbox build.
    pub async fn open(programs: &Path, mark: &str) -> Self {
        let dir = super::folder();
        let tools = Tools::make(dir.path(), programs);
        let bank = FakeProvider::start().await;
        bank.marks(mark);
        // Every use of a token needs a fresh one.
        bank.token("expires_in", json!(1));
        let catalogue = dir.path().join("catalogue");
        std::fs::create_dir_all(catalogue.join("agents")).expect("a folder");
        std::fs::write(catalogue.join("bank-1.toml"), bank.file(BANK)).expect("a provider file");
        std::fs::write(catalogue.join("agents/buddy.toml"), AGENT).expect("an agent file");
        for name in ["home/data", "home/run", "home/temp"] {
            use std::os::unix::fs::DirBuilderExt as _;
            let folder = dir.path().join(name);
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).expect("a folder");
        }
        let session = Session::without_screen_in(dir.path());
        Self { tools, bank, mark: mark.to_owned(), session, dir, log: "trace" }
    }

    /// Adds an agent that the next host lists, and lets hosts write down what a released one does.
    #[must_use]
    pub fn with_agents(mut self, agents: &[TestAgent]) -> Self {
        self.log = "warn";
        for (n, agent) in agents.iter().enumerate() {
            let x = agent.x();
            let text =
                format!("name = \"Agent {n}\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"{x}\"\n");
            let path = self.dir.path().join(format!("catalogue/agents/agent-{n}.toml"));
            std::fs::write(path, text).expect("an agent file");
        }
        self
    }

    /// The home of its hosts: `data`, `run`, `temp`.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// What its hosts said on standard error.
    #[must_use]
    pub fn stderr(&self) -> PathBuf {
        self.home().with_extension("stderr")
    }

    /// The key-encryption key, as the keychain has it.
    #[must_use]
    pub fn key(&self) -> Vec<u8> {
        let output = Command::new("secret-tool")
            .args(["search", "--all", "--unlock", "service", "app.countersign.desktop"])
            .envs(self.session.environment())
            .output()
            .expect("secret-tool");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // The anchor begins like a key, and is none.
        let keys = text.lines().filter_map(|line| line.strip_prefix("secret = v1."));
        let mut keys = keys.filter_map(|key| URL_SAFE_NO_PAD.decode(key.trim()).ok());
        keys.find(|key| key.len() == 32).expect("a key")
    }

    /// The key-encryption key, as it is kept under a passphrase alone.
    #[must_use]
    pub fn wrapped_key(&self, passphrase: &str) -> Vec<u8> {
        let store =
            rusqlite::Connection::open(self.home().join("data/countersign.sqlite")).expect("the database");
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let (install, id, wrapped): (String, String, Vec<u8>) =
            store.query_row("SELECT install, id, wrapped FROM meta, kek", [], row).expect("a wrapped key");
        let install = InstallId::parse(&install).expect("an id");
        let id = KekId::parse(&id).expect("an id");
        let passphrase = Passphrase::parse(passphrase.to_owned()).expect("a passphrase");
        let key = vault::passphrase::unwrap(&wrapped, &install, id, &passphrase, None).expect("the key");
        key.expose_bytes().to_vec()
    }

    /// Starts a host.
    pub async fn start(&self) -> Housed<'_> {
        let mut variables = self.session.environment();
        variables.retain(|(name, _)| ["DBUS_SESSION_BUS_ADDRESS", "LANG", "PATH"].contains(&name.as_str()));
        let mut add =
            |name: &str, value: &Path| variables.push((name.to_owned(), value.display().to_string()));
        add("COUNTERSIGN_CATALOGUE", &self.dir.path().join("catalogue"));
        add("COUNTERSIGN_OPENER", &self.tools.opener);
        add("TMPDIR", &self.home().join("temp"));
        variables.push(("COUNTERSIGN_LOG".to_owned(), self.log.to_owned()));
        let home = self.home();
        let host = Hosted::start(Start { host: &self.tools.host, home: &home, variables }).await;
        let host = host.expect("a host");
        let agents = host.ask("list_agents", &json!({})).await.done().expect("the agents");
        Housed { house: self, host, agent: agents["agents"][0]["id"].clone() }
    }
}

impl Housed<'_> {
    /// The process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.host.pid()
    }

    /// Asks as the window does.
    pub async fn ask(&self, command: &str, request: Value) -> Option<Value> {
        self.host.ask(command, &request).await.done()
    }

    /// Begins to connect: the attempt, and the address that the browser is handed.
    pub async fn begin(&mut self) -> (String, Url) {
        let until = super::days_from_now(30);
        let request = json!({
            "provider": BANK, "agent": self.agent, "permissions": ["accounts", "transactions"], "until": until,
        });
        let view = self.ask("connect_account", request).await.expect("an attempt");
        let address = self.host.address().await;
        (view["id"].as_str().expect("an id").to_owned(), Url::parse(&address).expect("an address"))
    }

    /// Connects; the grant.
    pub async fn connect(&mut self) -> String {
        let (attempt, address) = self.begin().await;
        come_back(&address).await;
        for _ in 0..2000 {
            let view = self.ask("show_attempt", json!({ "attempt": attempt })).await.expect("the attempt");
            if let Some(grant) = view["grant"].as_str() {
                return grant.to_owned();
            }
            assert!(view["ending"].is_null(), "not connected: {view}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the attempt does not end");
    }

    /// Connects another agent, by its key's thumbprint; the grant.
    pub async fn connect_agent(&mut self, thumbprint: &str) -> String {
        let listed = self.ask("list_agents", json!({})).await.expect("the agents");
        let agents = listed["agents"].as_array().expect("a list");
        let agent = agents.iter().find(|agent| agent["thumbprint"] == thumbprint).expect("the agent");
        self.agent = agent["id"].clone();
        self.connect().await
    }

    /// Asks after the connection, which needs a fresh token.
    pub async fn refresh(&self, grant: &str) {
        let before = self.house.bank.seen("token").len();
        self.ask("check_grant", json!({ "grant": grant })).await.expect("an answer");
        assert!(self.house.bank.seen("token").len() > before, "the token was replaced");
    }

    /// Revokes; when this returns the bank has been told and the records are gone.
    pub async fn revoke(&self, grant: &str) {
        self.ask("revoke_grant", json!({ "grant": grant })).await.expect("an answer");
        for _ in 0..2000 {
            let view = self.ask("show_grant", json!({ "grant": grant })).await.expect("the page").to_string();
            if view.contains("\"confirmed\"") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the bank is not told");
    }

    /// Ends it as the system does.
    pub async fn end(self) {
        self.host.kill(Duration::ZERO).await;
    }
}

impl House {
    /// What is known of each attempt beside the bank's own tokens: state, nonce, challenge, verifier.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<Vec<u8>> {
        let mut secrets = BTreeSet::new();
        for seen in self.bank.all_seen() {
            let query = seen.query_pairs().into_iter();
            for (name, value) in query.chain(seen.pairs()) {
                let is_one = ["state", "nonce", "code_challenge", "code_verifier"].contains(&name.as_str());
                if is_one {
                    secrets.insert(value.into_bytes());
                }
            }
        }
        secrets
    }
}
