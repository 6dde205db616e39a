//! What a host is doing while the fault meets it. A new operation is a variant here, what it begins with, and what the
//! person does.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use url::Url;

use super::control::Control;
use super::hosted::{Hosted, Said};
use super::told::{Shown, Told};
use crate::fake_provider::{Answer, FakeProvider};
use crate::fakes::come_back;
use crate::process::root;

/// The bank's id in the catalogue.
pub(super) const BANK: &str = "bank-1";
/// After this nothing is waited for any more: what is missing is for the next start to do.
const PATIENCE: Duration = Duration::from_secs(8);
/// What goes on in the background after a fault gets this long; a pause of the outbox is longer.
const AFTERWARDS: Duration = Duration::from_millis(1500);
/// A host that makes no call for this long is done.
const QUIET: Duration = Duration::from_millis(20);

/// What is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Another account is connected.
    Connect,
    /// The first account is connected: the vault's key is made.
    FirstConnect,
    /// The first start of all: the database is made.
    FirstStart,
    /// A database of an older schema is opened.
    Migrate(u32),
    /// Connecting fails after the bank has issued tokens: the bank is told to forget them.
    NotKept,
    /// The same while the bank does not listen: they go into the outbox.
    NotKeptUntold,
    /// A start with something in the outbox, and the bank listens again.
    Outbox,
    /// A connection is held back.
    Pause,
    /// A connection is asked after whose access token has run out, at a bank that gives a new refresh token each time and
    /// ends everything where an old one comes back.
    Refresh,
    /// A connection is renewed: a new consent takes the place of the old.
    Renew,
    /// Agents that were stopped may go on.
    ResumeAgents,
    /// A connection is revoked and the bank told.
    Revoke,
    /// Every agent is stopped.
    StopAgents,
}

/// What a data folder holds at the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Template {
    /// One connection.
    Connected,
    /// The same, and its access token runs out at once.
    Expiring,
    /// A database of `tests/fixtures/db`.
    Fixture(u32),
    /// Nothing: there is no database.
    Nothing,
    /// One connection, revoked while the bank did not listen.
    Pending,
    /// Agents, and no key yet.
    Started,
    /// One connection, and every agent is stopped.
    Stopped,
}

impl Operation {
    /// What is swept: everything, with every schema that was ever shipped.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let plain = [
            Self::FirstStart,
            Self::FirstConnect,
            Self::Connect,
            Self::NotKept,
            Self::NotKeptUntold,
            Self::Revoke,
            Self::Outbox,
            Self::Refresh,
            Self::Pause,
            Self::Renew,
            Self::StopAgents,
            Self::ResumeAgents,
        ];
        plain.into_iter().chain(Self::migrations()).collect()
    }

    /// The opening of each database of `tests/fixtures/db`.
    #[must_use]
    pub fn migrations() -> Vec<Self> {
        let files = std::fs::read_dir(root().join("tests/fixtures/db")).expect("the fixtures").flatten();
        let schema =
            |file: std::fs::DirEntry| file.file_name().to_str()?.strip_suffix(".sqlite")?.parse().ok();
        let mut schemas: Vec<u32> = files.filter_map(schema).collect();
        schemas.sort_unstable();
        schemas.into_iter().map(Self::Migrate).collect()
    }

    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Connect => "connect".to_owned(),
            Self::FirstConnect => "first connect".to_owned(),
            Self::FirstStart => "first start".to_owned(),
            Self::Migrate(schema) => format!("migrate from schema {schema}"),
            Self::NotKept => "not kept".to_owned(),
            Self::NotKeptUntold => "not kept, bank not told".to_owned(),
            Self::Outbox => "outbox".to_owned(),
            Self::Pause => "pause".to_owned(),
            Self::Refresh => "refresh".to_owned(),
            Self::Renew => "renew".to_owned(),
            Self::ResumeAgents => "resume agents".to_owned(),
            Self::Revoke => "revoke".to_owned(),
            Self::StopAgents => "stop agents".to_owned(),
        }
    }

    pub(super) fn begins_with(self) -> Template {
        match self {
            Self::Connect
            | Self::NotKept
            | Self::NotKeptUntold
            | Self::Pause
            | Self::Renew
            | Self::Revoke
            | Self::StopAgents => Template::Connected,
            Self::FirstConnect => Template::Started,
            Self::FirstStart => Template::Nothing,
            Self::Migrate(schema) => Template::Fixture(schema),
            Self::Outbox => Template::Pending,
            Self::Refresh => Template::Expiring,
            Self::ResumeAgents => Template::Stopped,
        }
    }

    /// Whether calls count from the start of the process, or from what the person does.
    pub(super) fn is_a_start(self) -> bool {
        match self {
            Self::FirstStart | Self::Migrate(_) | Self::Outbox => true,
            Self::Connect
            | Self::FirstConnect
            | Self::NotKept
            | Self::NotKeptUntold
            | Self::Pause
            | Self::Refresh
            | Self::Renew
            | Self::ResumeAgents
            | Self::Revoke
            | Self::StopAgents => false,
        }
    }

    /// Whether the bank issues something. What it has issued and the host never heard of, or had not stored when it was
    /// killed, nobody can revoke: that is no acknowledged connection.
    pub(super) fn asks_for_tokens(self) -> bool {
        match self {
            Self::Connect | Self::FirstConnect | Self::NotKept | Self::NotKeptUntold | Self::Renew => true,
            Self::FirstStart
            | Self::Migrate(_)
            | Self::Outbox
            | Self::Pause
            | Self::Refresh
            | Self::ResumeAgents
            | Self::Revoke
            | Self::StopAgents => false,
        }
    }

    /// How the bank behaves meanwhile.
    pub(super) fn instruct(self, bank: &FakeProvider) {
        let busy = || Answer::json(503, &json!({}));
        match self {
            Self::NotKept => bank.answers("accounts", busy()),
            Self::NotKeptUntold => {
                bank.answers("accounts", busy());
                bank.answers("revoke", busy());
            }
            Self::Connect
            | Self::FirstConnect
            | Self::FirstStart
            | Self::Migrate(_)
            | Self::Outbox
            | Self::Pause
            | Self::Refresh
            | Self::Renew
            | Self::ResumeAgents
            | Self::Revoke
            | Self::StopAgents => {}
        }
    }

    /// What the person does. Ends early where the host is gone.
    pub(super) async fn act(self, person: &mut Person<'_>) {
        let done = match self {
            Self::Connect | Self::FirstConnect => person.connect().await,
            Self::NotKept | Self::NotKeptUntold => person.connect_in_vain().await,
            Self::FirstStart | Self::Migrate(_) => person.look().await.map(drop),
            Self::Outbox => person.wait_for_bank().await,
            Self::Pause => person.pause().await,
            Self::Refresh => person.ask_after_the_first().await,
            Self::Renew => person.renew().await,
            Self::ResumeAgents => person.resume_agents().await,
            Self::Revoke => person.revoke().await,
            Self::StopAgents => person.stop_agents().await,
        };
        if done.is_some() {
            person.settle().await;
        }
    }
}

/// The person at one host, and what they were told.
pub(super) struct Person<'p> {
    pub(super) hosted: &'p mut Hosted,
    pub(super) bank: &'p FakeProvider,
    pub(super) control: &'p Control,
    pub(super) told: &'p mut Told,
    /// When this host was started, in milliseconds since 1970.
    pub(super) began: u64,
    /// What did not come to an end, although the host ran on.
    pub(super) stuck: Option<String>,
}

impl Person<'_> {
    async fn ask(&self, command: &str, request: Value) -> Option<Value> {
        self.hosted.ask(command, &request).await.done()
    }

    /// The list.
    pub(super) async fn look(&mut self) -> Option<Vec<Shown>> {
        let shown = Shown::of(&self.ask("list_grants", json!({})).await?);
        self.told.see(&shown);
        Some(shown)
    }

    /// Connects an account.
    pub(super) async fn connect(&mut self) -> Option<()> {
        let agents = self.ask("list_agents", json!({})).await?;
        self.control.arm();
        let until = crate::sweep::now_millis() + 30 * 86_400_000;
        let request = json!({
            "provider": BANK, "agent": agents["agents"][0]["id"], "permissions": ["accounts", "transactions"], "until": until,
        });
        self.attempt("connect_account", request).await
    }

    /// Renews the connection there is; the old one is over once the new one is shown.
    async fn renew(&mut self) -> Option<()> {
        let old = self.look().await?.first()?.id.clone();
        self.control.arm();
        let until = crate::sweep::now_millis() + 60 * 86_400_000;
        let request = json!({"grant": old, "permissions": ["accounts", "transactions"], "until": until});
        self.attempt("renew_grant", request).await?;
        self.wait_for_bank().await
    }

    /// Holds the connection back.
    async fn pause(&mut self) -> Option<()> {
        let grant = self.look().await?.first()?.id.clone();
        self.control.arm();
        if let Said::Done(view) = self.hosted.ask("pause_grant", &json!({ "grant": grant })).await {
            self.told.see(&Shown::of(&view));
            self.told.paused.insert(grant);
        }
        self.look().await.map(drop)
    }

    /// An attempt from its start to its end, and what the list then shows.
    async fn attempt(&mut self, command: &str, request: Value) -> Option<()> {
        let mut events = self.hosted.events().await?;
        let mut view = self.ask(command, request).await?;
        let id = view["id"].as_str().unwrap_or_default().to_owned();
        self.told.attempts.insert(id.clone());
        let (begin, mut is_out) = (Instant::now(), false);
        while view["step"] != "ended" {
            if begin.elapsed() > PATIENCE {
                self.stuck = Some(format!("the attempt is still at {}", view["step"]));
                return None;
            }
            tokio::select! {
                address = self.hosted.address(), if !is_out => {
                    is_out = true;
                    visit(&address).await;
                }
                event = events.next() => {
                    event.ok().flatten()?;
                }
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    // Where no browser opens, the person takes the link.
                    if !is_out && view["browser"] == "failed" {
                        is_out = true;
                        let link = self.ask("copy_link", json!({"attempt": id})).await?;
                        visit(link["url"].as_str().unwrap_or_default()).await;
                    }
                }
            }
            view = self.ask("show_attempt", json!({"attempt": id})).await?;
        }
        if let (Some(grant), "connected") =
            (view["grant"].as_str(), view["ending"]["kind"].as_str().unwrap_or_default())
        {
            self.told.connected.insert(grant.to_owned());
        }
        self.look().await.map(drop)
    }

    /// The same where it comes to nothing: what the bank has issued is given back in the background.
    async fn connect_in_vain(&mut self) -> Option<()> {
        let before = self.bank.live().len();
        self.connect().await?;
        let begin = Instant::now();
        while begin.elapsed() < AFTERWARDS {
            let waits = self.look().await?.iter().any(Shown::waits);
            if waits || self.bank.live().len() <= before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Some(())
    }

    async fn revoke(&mut self) -> Option<()> {
        let shown = self.look().await?;
        let grant = shown.iter().find(|shown| shown.state == "active")?.id.clone();
        self.control.arm();
        self.cut_off(&grant).await?;
        self.wait_for_bank().await
    }

    /// Whether the agents are stopped, as the person is told.
    pub(super) async fn look_at_agents(&mut self) -> Option<()> {
        let state = self.ask("app_state", json!({})).await?;
        self.told.stopped = Some(!state["stopped"].is_null());
        Some(())
    }

    /// Stops every agent.
    pub(super) async fn stop_agents(&mut self) -> Option<()> {
        self.look().await?;
        self.control.arm();
        self.told.stopped = None;
        let state = self.ask("stop_agents", json!({})).await?;
        // In force at once; that it outlives a restart is said by itself.
        self.told.stopped = Some(true).filter(|_| state["stopped"]["recorded"] == true);
        // The window reads all of it again.
        self.ask("app_state", json!({})).await?;
        self.look().await.map(drop)
    }

    async fn resume_agents(&mut self) -> Option<()> {
        self.look().await?;
        self.control.arm();
        self.told.stopped = None;
        match self.hosted.ask("resume_agents", &json!({})).await {
            Said::Done(_) => self.told.stopped = Some(false),
            Said::Refused => self.told.stopped = Some(true),
            Said::Gone => return None,
        }
        self.look().await.map(drop)
    }

    async fn ask_after_the_first(&mut self) -> Option<()> {
        let grant = self.look().await?.first()?.id.clone();
        self.control.arm();
        // The second time the fresh token is used, which was the reason for asking.
        self.ask_after(&grant).await?;
        self.ask_after(&grant).await?;
        self.look().await.map(drop)
    }

    /// Asks the bank whether a connection still works; nothing where nobody can say.
    pub(super) async fn ask_after(&mut self, grant: &str) -> Option<Option<Shown>> {
        match self.hosted.ask("check_grant", &json!({ "grant": grant })).await {
            Said::Done(view) => {
                let shown = Shown::of(&view).into_iter().next();
                if shown.as_ref().is_some_and(|shown| shown.state == "active") {
                    self.told.works.insert(grant.to_owned());
                }
                self.told.see(shown.as_slice());
                Some(shown)
            }
            Said::Refused => Some(None),
            Said::Gone => None,
        }
    }

    /// Cuts a connection off here.
    pub(super) async fn cut_off(&mut self, grant: &str) -> Option<()> {
        match self.hosted.ask("revoke_grant", &json!({ "grant": grant })).await {
            Said::Done(view) => {
                self.told.see(&Shown::of(&view));
                // The answer alone says so, whatever it shows.
                self.told.revoked.insert(grant.to_owned());
                Some(())
            }
            Said::Refused => Some(()),
            Said::Gone => None,
        }
    }

    /// Waits until every bank has confirmed what it was to be told, for a while.
    pub(super) async fn wait_for_bank(&mut self) -> Option<()> {
        let begin = Instant::now();
        while begin.elapsed() < AFTERWARDS {
            let shown = self.look().await?;
            let waits = shown.iter().any(Shown::waits);
            if !waits || shown.iter().any(|shown| shown.waits_long(self.began)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Some(())
    }

    /// Waits until the bank was asked to revoke something.
    pub(super) async fn wait_for_try(&mut self) -> Option<()> {
        while self.bank.seen("revoke").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.look().await.map(drop)
    }

    /// Waits until the host makes no more calls.
    async fn settle(&mut self) {
        let (mut last, mut since) = (self.control.count(), Instant::now());
        while since.elapsed() < QUIET && !self.hosted.is_gone() {
            tokio::time::sleep(Duration::from_millis(4)).await;
            let count = self.control.count();
            if count != last {
                (last, since) = (count, Instant::now());
            }
        }
    }
}

/// What the browser does: asks the bank, where the person says yes, and comes back.
async fn visit(address: &str) {
    if let Ok(url) = Url::parse(address) {
        come_back(&url).await;
    }
}
