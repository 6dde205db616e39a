//! Where one worker of a sweep runs its hosts: a session with a keychain, a bank, and data folders to begin with.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use app::port::{Anchor, Keychain as _};
use domain::id::InstallId;
use keychain::SecretService;
use serde_json::json;
use tempfile::TempDir;

use super::control::{Control, Fault, Tools};
use super::hosted::{Hosted, NotUp, Start};
use super::now_millis;
use super::operation::{BANK, Operation, Person, Template};
use super::remains;
use super::told::Told;
use super::verdict::{self, Case};
use crate::fake_provider::{Answer, FakeProvider, Memory};
use crate::process::root;
use crate::session::Session;

const AGENT: &str = "name = \"Budget Buddy\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"\n";

/// What a data folder is copied from.
struct Snapshot {
    data: PathBuf,
    bank: Memory,
    told: Told,
    install: Option<String>,
    anchor: Option<Anchor>,
}

/// One worker's place.
pub(super) struct Place {
    tools: Tools,
    control: Control,
    bank: FakeProvider,
    snapshots: BTreeMap<Template, Snapshot>,
    runs: u32,
    session: Session,
    dir: TempDir,
}

/// What is done to one host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task {
    pub(super) operation: Operation,
    pub(super) fault: Fault,
    pub(super) at: u64,
}

/// What is done to the data of a host that was killed, before the next one starts: for controls.
pub type Spoil = fn(&Path);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Which call met the fault.
    pub(super) met: Option<String>,
    /// Every call that was counted.
    pub(super) counted: Vec<String>,
    /// What was not as it must be.
    pub(super) violations: Vec<String>,
    /// Consents at the bank that the host never could know of.
    pub(super) unknown: usize,
    /// Connections that do not go on without the person, since an answer was lost.
    pub(super) reconnects: usize,
}

impl Outcome {
    /// Of a run that went on and on.
    pub(super) fn without_end() -> Self {
        Self { violations: vec!["the run does not end".to_owned()], ..Self::default() }
    }
}

impl Place {
    pub(super) async fn open(programs: &Path) -> Self {
        // Nothing here has to outlive the power, and a kill does not care what the disk is.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = tempfile::Builder::new().prefix("sweep-").tempdir_in(parent).expect("a folder");
        let tools = Tools::make(dir.path(), programs);
        let control = Control::new(dir.path().join("control"));
        let bank = FakeProvider::start().await;
        let catalogue = dir.path().join("catalogue");
        fs::create_dir_all(catalogue.join("agents")).expect("a folder");
        fs::write(catalogue.join("bank-1.toml"), bank.file(BANK)).expect("a provider file");
        fs::write(catalogue.join("agents/buddy.toml"), AGENT).expect("an agent file");
        let session = Session::without_screen_in(dir.path());
        let snapshots = BTreeMap::new();
        Self { tools, control, bank, snapshots, runs: 0, session, dir }
    }

    /// Runs one host into its fault, and judges what a fresh one makes of it.
    pub(super) async fn run(&mut self, task: Task, spoil: Option<Spoil>) -> Outcome {
        let Task { operation, fault, at } = task;
        self.prepare(operation.begins_with()).await;
        let (home, mut told) = self.home(operation.begins_with()).await;
        operation.instruct(&self.bank);
        self.control.set(fault, at, self.port());
        if operation.is_a_start() {
            self.control.arm();
        }
        let mut case = Case::new(operation, fault);
        match self.start(&home, true).await {
            Err(NotUp(status)) => case.not_up(status),
            Ok(mut hosted) => {
                let mut person = self.person(&mut hosted, &mut told);
                operation.act(&mut person).await;
                let stuck = person.stuck.take();
                let met = self.control.met().is_some();
                let dying = met && fault.ends_the_process();
                let patience = if dying { Duration::from_secs(10) } else { Duration::from_millis(30) };
                case.acted(stuck, hosted.kill(patience).await);
            }
        }
        self.control.disarm();
        let (met, counted) = (self.control.met(), self.control.counted());
        self.control.forget_unsynced(&home.join("data"));
        if let Some(spoil) = spoil {
            spoil(&home.join("data"));
        }
        case.read_log(&home.with_extension("stderr"));
        let before = remains::autopsy(&home.join("data"), &self.dir.path().join("autopsy"));
        case.judge_remains(&before, &told, &self.bank.live());
        case.seen(&self.bank.seen("token"));
        self.bank.go_back_to(&self.bank.memory());
        self.judge_fresh(&home, &mut case, &mut told).await;
        fs::remove_dir_all(&home).expect("a folder");
        fs::remove_file(home.with_extension("stderr")).expect("a log");
        Outcome {
            met,
            counted,
            violations: case.violations,
            unknown: case.unknown,
            reconnects: case.reconnects,
        }
    }

    /// Starts a fresh host on what is left, without a fault, and ends every connection.
    async fn judge_fresh(&mut self, home: &Path, case: &mut Case, told: &mut Told) {
        let mut hosted = match self.start(home, false).await {
            Ok(hosted) => hosted,
            Err(up) => return case.violation(format!("I7: a fresh host does not start: {up:?}")),
        };
        let mut person = self.person(&mut hosted, told);
        verdict::judge_fresh(case, &mut person).await;
        hosted.kill(Duration::ZERO).await;
    }

    fn person<'p>(&'p self, hosted: &'p mut Hosted, told: &'p mut Told) -> Person<'p> {
        let began = now_millis();
        Person { hosted, bank: &self.bank, control: &self.control, told, began, stuck: None }
    }

    fn keychain(&self) -> SecretService {
        let named = |(name, value)| (name == "DBUS_SESSION_BUS_ADDRESS").then_some(value);
        let bus = self.session.environment().into_iter().find_map(named);
        SecretService::new(keychain::Settings { bus, ..keychain::Settings::default() })
    }

    fn port(&self) -> u16 {
        url::Url::parse(&self.bank.issuer).ok().and_then(|url| url.port()).expect("a port")
    }

    async fn start(&self, home: &Path, faulty: bool) -> Result<Hosted, NotUp> {
        let mut variables = self.session.environment();
        variables.retain(|(name, _)| ["DBUS_SESSION_BUS_ADDRESS", "LANG", "PATH"].contains(&name.as_str()));
        let mut add =
            |name: &str, value: &Path| variables.push((name.to_owned(), value.display().to_string()));
        add("COUNTERSIGN_CATALOGUE", &self.dir.path().join("catalogue"));
        add("COUNTERSIGN_OPENER", &self.tools.opener);
        if faulty {
            add("LD_PRELOAD", &self.tools.fault);
            add("SWEEP_CONTROL", &self.control.path);
            add("SWEEP_ROOT", home);
        }
        Hosted::start(Start { host: &self.tools.host, home, variables }).await
    }

    /// A fresh home with the data of a template, and what was told of it. The bank knows what it knew then.
    async fn home(&mut self, template: Template) -> (PathBuf, Told) {
        self.runs += 1;
        let home = self.dir.path().join(format!("run-{}", self.runs));
        for name in ["data", "run"] {
            fs::create_dir_all(home.join(name)).expect("a folder");
            fs::set_permissions(home.join(name), PermissionsExt::from_mode(0o700)).expect("a mode");
        }
        let Some(snapshot) = self.snapshots.get(&template) else { return (home, Told::default()) };
        copy(&snapshot.data, &home.join("data"));
        // Always: a host can be killed after the keychain took an anchor, and before its store says that it did.
        if let Some(install) = snapshot.install.as_ref() {
            // Else the host would notice that its data was put back, which is another test's business.
            self.session.forget_anchor(install);
            if let (Some(anchor), Ok(install)) = (&snapshot.anchor, InstallId::parse(install)) {
                self.keychain().write_anchor(&install, anchor).await.expect("the keychain");
            }
        }
        self.bank.go_back_to(&snapshot.bank);
        (home, snapshot.told.clone())
    }

    /// Makes what a template is copied from, by a host that meets no fault.
    async fn prepare(&mut self, template: Template) {
        if self.snapshots.contains_key(&template) {
            return;
        }
        let from = match template {
            Template::Nothing | Template::Fixture(_) => None,
            Template::Started => Some(Template::Nothing),
            Template::Connected | Template::Expiring => Some(Template::Started),
            Template::Pending | Template::Stopped => Some(Template::Connected),
        };
        let (home, mut told) = match from {
            None => self.home(template).await,
            Some(from) => {
                Box::pin(self.prepare(from)).await;
                self.home(from).await
            }
        };
        self.control.set(Fault::Count, 0, self.port());
        match template {
            Template::Nothing => {}
            Template::Fixture(schema) => {
                let database = home.join("data/countersign.sqlite");
                fs::copy(root().join(format!("tests/fixtures/db/{schema}.sqlite")), &database)
                    .expect("a fixture");
                fs::set_permissions(&database, PermissionsExt::from_mode(0o600)).expect("a mode");
                told = remains::autopsy(&home.join("data"), &self.dir.path().join("autopsy")).told();
            }
            Template::Connected
            | Template::Expiring
            | Template::Pending
            | Template::Started
            | Template::Stopped => self.live(template, &home, &mut told).await,
        }
        let data = self.dir.path().join(format!("{template:?}"));
        fs::create_dir(&data).expect("a folder");
        copy(&home.join("data"), &data);
        let install = remains::autopsy(&data, &self.dir.path().join("autopsy")).install;
        let anchor = match install.as_ref().and_then(|install| InstallId::parse(install).ok()) {
            Some(install) => self.keychain().read_anchors(&install).await.expect("the keychain").pop(),
            None => None,
        };
        let bank = self.bank.memory();
        self.snapshots.insert(template, Snapshot { data, bank, told, install, anchor });
        fs::remove_dir_all(&home).expect("a folder");
    }

    /// What the person does for a template.
    async fn live(&self, template: Template, home: &Path, told: &mut Told) {
        let mut hosted = self.start(home, false).await.expect("a host without a fault");
        let mut person = self.person(&mut hosted, told);
        match template {
            Template::Connected => person.connect().await.expect("a connection"),
            Template::Expiring => {
                person.bank.token("expires_in", json!(1));
                person.connect().await.expect("a connection");
            }
            Template::Pending => {
                person.bank.answers("revoke", Answer::json(503, &json!({})));
                let grant = person.look().await.expect("the list")[0].id.clone();
                person.cut_off(&grant).await.expect("an answer");
                person.wait_for_try().await.expect("a try");
            }
            Template::Stopped => person.stop_agents().await.expect("an answer"),
            Template::Fixture(_) | Template::Nothing | Template::Started => {
                person.look().await.expect("the list");
            }
        }
        person.look_at_agents().await.expect("the state");
        hosted.kill(Duration::ZERO).await;
    }
}

/// The database, its log and the stop mark; what else is in a data folder is made anew at each start.
pub(super) fn copy(from: &Path, to: &Path) {
    for name in ["countersign.sqlite", "countersign.sqlite-wal", "agents"] {
        let (from, to) = (from.join(name), to.join(name));
        if from.exists() {
            fs::copy(from, to).expect("a copy");
        }
    }
}
