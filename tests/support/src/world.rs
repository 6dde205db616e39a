//! A whole world for one test: session, banks, host, window, browser, and what a person does with them.

use std::path::PathBuf;
use std::time::Duration;

use crate::agent::write_buddy;
use crate::bank::Bank;
use crate::database::Database;
use crate::driver::{PATIENCE, Page};
use crate::host::{Host, HostSettings, recording_opener};
use crate::observe::{is_refused, listening, programs_of};
use crate::process::{programs, signal, wait_until};
use crate::session::Session;

/// The demo's sample agent and a second one, as the catalogue folder names them.
const AGENTS: [(&str, &str); 2] = [
    ("Budget Buddy", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
    ("Tax Helper", "_EuNuHFZTvfwm5Xxsin8KJDo7S2zhzKrKRcTyI9KyFI"),
];

/// Everything one test needs.
pub struct World {
    /// The running host; absent while it is down.
    pub host: Option<Host>,
    /// The banks.
    pub banks: Vec<Bank>,
    /// How the host is started.
    pub settings: HostSettings,
    opened: PathBuf,
    /// The login session; the last to go.
    pub session: Session,
}

impl World {
    /// A session with a keychain, one bank, and the host with its window.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Session::start(), &[("sandbox-bank", "Sandbox Bank")], |_| {})
    }

    /// The same with another session, other banks, or other settings of the host.
    #[must_use]
    pub fn with(session: Session, banks: &[(&str, &str)], change: impl FnOnce(&mut HostSettings)) -> Self {
        let banks: Vec<Bank> = banks.iter().map(|(id, name)| Bank::start(session.dir(), id, name)).collect();
        let catalogue = session.dir().join("catalogue");
        std::fs::create_dir_all(catalogue.join("agents")).expect("a folder");
        for bank in &banks {
            std::fs::write(catalogue.join(format!("{}.toml", bank.id())), bank.provider_file())
                .expect("a provider file");
        }
        for (name, x) in AGENTS {
            let file = catalogue.join("agents").join(format!("{}.toml", name.replace(' ', "-")));
            let text = format!("name = \"{name}\"\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"{x}\"\n");
            std::fs::write(file, text).expect("an agent file");
        }
        let (opener, opened) = recording_opener(session.dir());
        let mut settings = HostSettings {
            catalogue,
            opener: Some(opener),
            clock: None,
            programs: programs(),
            extra: Vec::new(),
        };
        change(&mut settings);
        let mut world = Self { host: None, banks, settings, opened, session };
        world.start_host();
        world
    }

    /// Starts the host, again.
    pub fn start_host(&mut self) {
        self.host = Some(Host::start(&self.session, &self.settings));
    }

    /// The running host.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.host.as_ref().expect("the host runs")
    }

    /// Stops the host as the system does, and waits until it is gone.
    pub fn stop_host(&mut self) {
        let mut host = self.host.take().expect("the host runs");
        host.running.signal("TERM");
        wait_until("the host's end", PATIENCE, || host.running.has_ended());
    }

    /// Kills the host. Its window stays.
    pub fn kill_host(&mut self) {
        let mut host = self.host.take().expect("the host runs");
        host.running.signal("KILL");
        wait_until("the host's end", PATIENCE, || host.running.has_ended());
    }

    /// Attaches to the window and waits until its list can be used.
    pub async fn window(&self) -> Page {
        self.window_at(self.host().inspector).await
    }

    /// The same where the window's inspector is known.
    pub async fn window_at(&self, inspector: u16) -> Page {
        let page = Page::of_window(&self.session, inspector).await;
        page.find_css("html[data-ready=\"true\"]").await;
        page
    }

    /// What is on disk.
    #[must_use]
    pub fn database(&self) -> Database {
        Database::of(&self.session.data())
    }

    /// Makes sure that no attempt has left anything: in the list, on disk, or at a port.
    pub async fn nothing_is_left(&self, window: &Page) {
        window.click("nav-connections").await;
        window.find("home-sentence").await;
        assert_eq!(self.grants(window).await, Vec::<String>::new());
        assert_eq!(self.database().left().into_values().sum::<i64>(), 0, "{:?}", self.database().left());
        assert_eq!(listening(self.host().running.pid()), Vec::<u16>::new());
    }

    /// The port at which the only attempt waits for the bank's answer.
    #[must_use]
    pub fn port(&self) -> u16 {
        let ports = listening(self.host().running.pid());
        assert_eq!(ports.len(), 1, "one attempt has one port");
        assert!(!is_refused(ports[0]));
        ports[0]
    }

    /// At the bank: the consents it has of a customer, by its own page.
    pub async fn consents(&self, browser: &Page, bank: usize) -> Vec<String> {
        let page = format!("{}/connected-apps", self.banks[bank].issuer);
        browser.client.goto(&page).await.expect("the bank's page");
        browser.find_css("#sign-in, #sign-out").await;
        if browser.client.find(fantoccini::Locator::Css("#sign-in")).await.is_ok() {
            browser.type_css("[name=login]", "ada").await;
            browser.type_css("[name=password]", "sandbox").await;
            browser.click_css("#sign-in").await;
        }
        browser.find_css("#sign-out").await;
        let script = "return [...document.querySelectorAll('[data-consent]')].map(e => e.dataset.consent)";
        let found = browser.run(script).await;
        found.as_array().into_iter().flatten().filter_map(|id| id.as_str().map(str::to_owned)).collect()
    }

    /// In the window: opens a connection's page and revokes it there, up to the click.
    pub async fn revoke(&self, window: &Page, grant: &str) {
        window.click("nav-connections").await;
        window.click(&format!("open-{grant}")).await;
        window.click("revoke").await;
        window.click("revoke-confirm").await;
        window.find("cut-off").await;
    }

    /// A fresh system browser.
    pub async fn browser(&self) -> Page {
        Page::of_browser(&self.session).await
    }

    /// Every address that the system browser was handed.
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        std::fs::read_to_string(&self.opened).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// The address that the system browser is handed next, once it is.
    #[must_use]
    pub fn next_opened(&self, before: usize) -> String {
        wait_until("the browser", Duration::from_secs(20), || self.opened().len() > before);
        self.opened()[before].clone()
    }

    /// In the window: chooses bank and agent and goes to the bank; gives the address that is opened.
    pub async fn go_to_bank(&self, window: &Page, bank: &str, agent: &str) -> String {
        let before = self.opened().len();
        self.choose(window, bank, agent).await;
        window.click("go-connect").await;
        self.next_opened(before)
    }

    /// In the window: everything up to the last click.
    pub async fn choose(&self, window: &Page, bank: &str, agent: &str) {
        window.click("connect-account").await;
        self.choose_in_step(window, bank, agent).await;
    }

    /// The same from the first step on, where the banks are.
    pub async fn choose_in_step(&self, window: &Page, bank: &str, agent: &str) {
        window.click(&format!("bank-{bank}")).await;
        window.find("step-may").await;
        let script = format!(
            "const label = [...document.querySelectorAll('[data-testid^=\"agent-\"]')].find(e => (e.closest('label') ?? e.parentElement).innerText.includes({agent:?})); label.click(); return true"
        );
        assert_eq!(
            window.run(&script).await,
            serde_json::json!(true),
            "agent {agent}:\n{}",
            window.body().await
        );
        window.click("until-30").await;
    }

    /// Connects from start to end with everything allowed; the window then shows the connected page.
    pub async fn connect(&self, window: &Page, browser: &Page, bank: &str, agent: &str) {
        let url = self.go_to_bank(window, bank, agent).await;
        browser.client.goto(&url).await.expect("the bank's page");
        sign_in(browser, "ada").await;
        allow(browser).await;
        window.find("ending-connected").await;
    }

    /// Lets Budget Buddy do what it is there for, with the key that the catalogue knows.
    #[must_use]
    pub fn sample_agent(&self) -> std::process::Output {
        std::process::Command::new(programs().join("sample-agent"))
            .env_clear()
            .envs(self.session.environment())
            .env("COUNTERSIGN_HOME", self.session.data())
            .env("COUNTERSIGN_AGENT_KEY_FILE", write_buddy(self.session.dir()))
            .output()
            .expect("sample-agent")
    }

    /// The ids of the connections in the list.
    pub async fn grants(&self, window: &Page) -> Vec<String> {
        let rows = window.testids("grant-row-").await;
        rows.iter().map(|id| id.trim_start_matches("grant-row-").to_owned()).collect()
    }
}

impl Drop for World {
    /// A host that the window itself started is nobody's child here.
    fn drop(&mut self) {
        for pid in programs_of(&self.session.data(), "countersignd") {
            signal(pid, "KILL");
        }
    }
}

/// At the bank: signs in, unless the browser is signed in already.
pub async fn sign_in(browser: &Page, customer: &str) {
    browser.find_css("#sign-in, #allow").await;
    if browser.client.find(fantoccini::Locator::Css("#sign-in")).await.is_ok() {
        browser.type_css("[name=login]", customer).await;
        browser.type_css("[name=password]", "sandbox").await;
        browser.click_css("#sign-in").await;
    }
}

/// At the bank: picks every account and allows what is ticked.
pub async fn allow(browser: &Page) {
    browser.find_css("#allow").await;
    browser
        .run("document.querySelectorAll('[name=account]').forEach(box => { if (!box.checked) box.click(); })")
        .await;
    browser.click_css("#allow").await;
}
