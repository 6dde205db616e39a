//! A host without a screen, a bank, and Budget Buddy, whose key is in a file.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use contract::channel::EndpointFile;
use contract::ui::GrantsView;
use serde_json::Value;
use support::agent::write_buddy;
use support::bank::Bank;
use support::fakes::get;
use support::host::recording_opener;
use support::person::{Person, Wish};
use support::process::{Running, programs, wait_until};
use support::session::Session;
use url::Url;

/// How long anything of this may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Whose key is that of RFC 8037, appendix A.
const AGENT: &str = "name = \"Budget Buddy\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\n";

/// What it printed, and what it ended with.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { exit: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// What it printed, if it did what was wanted.
    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.exit, 0, "{self:?}");
        &self.out
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.done()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(crate) struct Life {
    _host: Running,
    _bank: Bank,
    opener: PathBuf,
    opened: PathBuf,
    session: Session,
}

impl Life {
    /// A host to which Budget Buddy is connected.
    pub(crate) async fn connected(permissions: &str) -> Self {
        let session = Session::start();
        let bank = Bank::start(session.dir(), "sandbox-bank", "Sandbox Bank");
        let catalogue = session.dir().join("catalogue");
        std::fs::create_dir_all(catalogue.join("agents")).unwrap();
        std::fs::write(catalogue.join("sandbox-bank.toml"), bank.provider_file()).unwrap();
        std::fs::write(catalogue.join("agents/buddy.toml"), AGENT).unwrap();
        let (opener, opened) = recording_opener(session.dir());
        let _ = write_buddy(session.dir());
        let log = std::fs::File::create(session.dir().join("host.log")).unwrap();
        let mut host = Self::program(&session, &opener, programs().join("countersignd"));
        let host = Running::start(host.stdout(Stdio::null()).stderr(log));
        let this = Self { _host: host, _bank: bank, opener, opened, session };
        wait_until("the host", PATIENCE, || this.cli(&["status"]).exit == 0);
        this.connect(permissions).await;
        this
    }

    fn program(session: &Session, opener: &PathBuf, program: PathBuf) -> Command {
        let mut command = Command::new(program);
        let environment = session.environment().into_iter().filter(|(name, _)| name != "DISPLAY");
        command
            .env_clear()
            .envs(environment)
            .env("COUNTERSIGN_HOME", session.data())
            .env("COUNTERSIGN_CATALOGUE", session.dir().join("catalogue"))
            .env("COUNTERSIGN_OPENER", opener)
            .env("COUNTERSIGN_AGENT_KEY_FILE", session.dir().join("buddy.jwk"))
            .stdin(Stdio::null());
        command
    }

    /// Any program, in the session of the person.
    pub(crate) fn command(&self, program: PathBuf) -> Command {
        Self::program(&self.session, &self.opener, program)
    }

    pub(crate) fn ran(&self, program: &str, words: &[&str]) -> Ran {
        Ran::of(&self.command(programs().join(program)).args(words).output().expect(program))
    }

    /// The data folder of Countersign.
    pub(crate) fn data(&self) -> PathBuf {
        self.session.data()
    }

    pub(crate) fn freeze_keychain(&self, frozen: bool) {
        self.session.freeze_keychain(frozen);
    }

    pub(crate) fn cli(&self, words: &[&str]) -> Ran {
        self.ran("countersign", words)
    }

    pub(crate) fn agent(&self, words: &[&str]) -> Ran {
        self.ran("countersign-agent", words)
    }

    /// A Node program of a folder of the tests, with where the broker is.
    pub(crate) fn node(&self, script: &str) -> Ran {
        let node = std::env::var_os("COUNTERSIGN_NODE").map_or_else(|| "node".into(), PathBuf::from);
        let endpoint = self.endpoint();
        let mut command = self.command(node);
        command
            .arg(support::process::root().join(script))
            .env("COUNTERSIGN_SOCKET", &endpoint.socket)
            .env("COUNTERSIGN_ISSUER", &endpoint.issuer)
            .env("COUNTERSIGN_GRANT", self.grant())
            .env("COUNTERSIGN_MCP", programs().join("countersign-mcp"));
        Ran::of(&command.output().expect("node"))
    }

    pub(crate) fn endpoint(&self) -> EndpointFile {
        serde_json::from_slice(&std::fs::read(self.session.data().join("endpoint.json")).unwrap()).unwrap()
    }

    /// What the person answers without a window.
    pub(crate) async fn support(&self, path: &str, request: &Value) -> Value {
        let endpoint = self.endpoint();
        let authority = endpoint.issuer.trim_start_matches("http://");
        let (socket, body) = (Path::new(&endpoint.socket), request.to_string().into_bytes());
        let answer = ipc::http::post_once_within(PATIENCE, socket, authority, path, body).await;
        let (status, answer) = answer.unwrap();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    pub(crate) fn grant(&self) -> String {
        let grants: GrantsView = serde_json::from_str(self.cli(&["grants", "--json"]).done()).unwrap();
        grants.current[0].id.clone()
    }

    async fn connect(&self, permissions: &str) {
        let words =
            ["connect", "sandbox-bank", "--agent", "Budget Buddy", "--days", "30", "--yes", "--permissions"];
        let mut running = self.command(programs().join("countersign"));
        running.args(words).arg(permissions).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = running.spawn().unwrap();
        wait_until("the browser", PATIENCE, || self.opened.metadata().is_ok_and(|meta| meta.len() > 0));
        let opened = std::fs::read_to_string(&self.opened).unwrap();
        let opened = Url::parse(opened.lines().last().unwrap()).unwrap();
        let back = Person::new("ada").go(&opened, Wish::Allow).await;
        get(back.as_str()).await;
        Ran::of(&running.wait_with_output().unwrap()).done();
    }
}
