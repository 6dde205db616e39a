//! The app: its ports, its catalogue and what runs, behind one handle that is cheap to clone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use contract::ui::{
    AppState, CatalogueProblem, Event, LockSettingsView, LockView, OtherAccountView, StoppedView,
};
use domain::agent::Agent;
use domain::attempt::{Attempt, Ending};
use domain::audit::AuditEvent;
use domain::id::{AgentId, AttemptId, GrantId, InstallId};
use domain::lock::{Lock, LockedBy, Protection};
use domain::time::Timestamp;
use tokio::sync::{Notify, mpsc, watch};

use crate::anchor::Anchored;
use crate::ask_bank;
use crate::asked::AskedList;
use crate::broker::Broker;
use crate::catalogue::Catalogue;
use crate::door::Door;
use crate::lock_vault::Guesses;
use crate::port::{Clock as _, Dice as _, Events as _, KekRow, Keychain as _, Ports, Store as _, StoreError};
use crate::refresh_token::Deadline;
use crate::report::Refusal;
use crate::rules;
use crate::running::Control;
use crate::stop_agents::Switch;
use crate::uses::Uses;
use crate::view;

/// An exchange and a revocation take ten seconds each at most.
const SHUT_DOWN: Duration = Duration::from_secs(22);

/// What the composition root knows and the use cases show.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `sandbox` feature is in.
    pub sandbox: bool,
    /// The data folder, where it was set by `COUNTERSIGN_HOME`.
    pub home: Option<String>,
    /// The program's version.
    pub version: String,
}

/// All use cases.
pub struct App<P: Ports>(pub(crate) Arc<Inner<P>>);

impl<P: Ports> Clone for App<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What the use cases share.
pub(crate) struct Inner<P: Ports> {
    pub(crate) ports: P,
    pub(crate) catalogue: Catalogue,
    pub(crate) install: InstallId,
    settings: Settings,
    pub(crate) key_making: tokio::sync::Mutex<()>,
    /// Attempts of this run, also those whose end could not be stored: what is shown is what is true.
    pub(crate) live: std::sync::Mutex<BTreeMap<AttemptId, Live>>,
    grants_revision: AtomicU32,
    quit_asked: AtomicBool,
    no_tray: AtomicBool,
    pub(crate) outbox: Notify,
    /// How much is under way that may have left something at a bank which is not yet stored or revoked.
    busy: watch::Sender<usize>,
    /// Deleted records may still stand in the write-ahead log: it is truncated as soon as that works.
    pub(crate) forget: AtomicBool,
    /// Whether every agent is stopped. Read first wherever something could be released.
    pub(crate) switch: Switch,
    /// Whether the vault is locked, and the key that is kept while it is open.
    pub(crate) door: Door,
    /// Held for reading while the key is used, for writing while another takes its place.
    pub(crate) key_use: Arc<tokio::sync::RwLock<()>>,
    /// Wrong passphrases in the window.
    pub(crate) guesses: tokio::sync::Mutex<Guesses>,
    /// Wrong passphrases from anywhere else: no other program keeps the person from opening the vault.
    pub(crate) guesses_elsewhere: tokio::sync::Mutex<Guesses>,
    /// When the person last did something in the window, by the monotonic clock.
    pub(crate) touched: std::sync::Mutex<Duration>,
    /// The audit log's anchor in the keychain.
    pub(crate) anchored: Anchored,
    /// What other programs ask for and only the person may start.
    pub(crate) asked: std::sync::Mutex<AskedList>,
    /// When it was noticed in this run that the store was put back.
    pub(crate) restored_at: std::sync::Mutex<Option<Timestamp>>,
    /// One refresh at a time for each grant.
    pub(crate) refreshing: std::sync::Mutex<BTreeMap<GrantId, Arc<tokio::sync::Mutex<()>>>>,
    /// When the newest access tokens end, by the clock that nobody moves.
    pub(crate) deadlines: std::sync::Mutex<BTreeMap<GrantId, Deadline>>,
    /// How many milliseconds our clock is ahead of the bank that was heard last.
    pub(crate) clock_ahead: AtomicI64,
    /// Wakes whoever looks after the grants' lives: refreshes that are due, ends that come, what is to be forgotten.
    pub(crate) upkeep: Notify,
    /// What is asked of the banks with the grants' tokens.
    pub(crate) uses: Uses,
    /// What agents have and ask for.
    pub(crate) broker: Broker,
}

/// Work that an orderly stop waits for, until it is dropped.
pub(crate) struct Busy(watch::Sender<usize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|under_way| *under_way -= 1);
    }
}

/// An attempt of this run, and the way to it while it goes on.
pub(crate) struct Live {
    pub(crate) attempt: Attempt,
    pub(crate) control: mpsc::Sender<Control>,
    /// What it asks the person about.
    pub(crate) other: Option<OtherAccountView>,
}

impl<P: Ports> App<P> {
    /// Starts: attempts that an earlier run left open are interrupted, agents of the catalogue folder are added, and
    /// what the banks have not been told is told.
    ///
    /// # Errors
    /// The store.
    pub async fn start(ports: P, catalogue: Catalogue, settings: Settings) -> Result<Self, Refusal> {
        let app = Self::not_started(ports, catalogue, settings).await?;
        match app.interrupt_left_open().await {
            Ok(()) => {}
            // One damaged record must not keep the others from being listed and revoked.
            Err(StoreError::Damaged) => tracing::error!("a record of an attempt is damaged"),
            Err(err @ (StoreError::Exists | StoreError::Io | StoreError::Missing | StoreError::Stopped)) => {
                return Err(err.into());
            }
        }
        app.add_listed_agents().await?;
        app.read_stop().await;
        tokio::spawn(app.clone().keep_anchored());
        tokio::spawn(app.clone().tell_banks());
        tokio::spawn(app.clone().keep_up());
        Ok(app)
    }

    /// The app without anything that goes on by itself: to read what is stored.
    ///
    /// # Errors
    /// The store.
    pub async fn not_started(ports: P, catalogue: Catalogue, settings: Settings) -> Result<Self, Refusal> {
        let install = ports.store().read(|tx| tx.install()).await?;
        let lock = match ports.store().read(|tx| tx.kek()).await {
            // Nothing opens then; what is in clear is listed all the same.
            Err(StoreError::Damaged) => Lock::Open,
            kek => first_lock(kek?, ports.clock().now()),
        };
        let touched = ports.clock().monotonic();
        Ok(Self(Arc::new(Inner {
            ports,
            catalogue,
            install,
            settings,
            key_making: tokio::sync::Mutex::new(()),
            live: std::sync::Mutex::new(BTreeMap::new()),
            grants_revision: AtomicU32::new(1),
            quit_asked: AtomicBool::new(false),
            no_tray: AtomicBool::new(false),
            outbox: Notify::new(),
            busy: watch::Sender::new(0),
            forget: AtomicBool::new(true),
            switch: Switch::stopped(),
            asked: std::sync::Mutex::default(),
            door: Door::new(lock),
            key_use: Arc::default(),
            guesses: tokio::sync::Mutex::default(),
            guesses_elsewhere: tokio::sync::Mutex::default(),
            touched: std::sync::Mutex::new(touched),
            anchored: Anchored::default(),
            restored_at: std::sync::Mutex::new(None),
            refreshing: std::sync::Mutex::new(BTreeMap::new()),
            deadlines: std::sync::Mutex::new(BTreeMap::new()),
            clock_ahead: AtomicI64::new(ask_bank::UNHEARD),
            upkeep: Notify::new(),
            uses: Uses::default(),
            broker: Broker::default(),
        })))
    }

    /// This installation.
    #[must_use]
    pub fn install(&self) -> &InstallId {
        &self.0.install
    }

    /// Whether this build talks to sandbox banks.
    pub(crate) fn is_sandbox(&self) -> bool {
        self.0.settings.sandbox
    }

    /// The program's version.
    pub(crate) fn version(&self) -> &str {
        &self.0.settings.version
    }

    /// The whole app in a glance.
    ///
    /// # Errors
    /// The store.
    pub async fn app_state(&self) -> Result<AppState, Refusal> {
        let problem =
            |p: &crate::catalogue::Problem| CatalogueProblem { file: p.file.clone(), rule: p.rule.clone() };
        let read = self.0.ports.store().read(|tx| {
            let protection = tx.kek()?.map_or(Protection::default(), |kek| kek.protection);
            Ok((protection, tx.lock_settings()?, tx.agents_stopped()?, tx.agents()?))
        });
        let (protection, settings, stopped, agents) = read.await?;
        let alerts = self.0.broker.watch().alerts();
        Ok(AppState {
            sandbox: self.0.settings.sandbox,
            home: self.0.settings.home.clone(),
            version: self.0.settings.version.clone(),
            keychain: self.0.keychain_state().await?,
            lock: match self.0.lock_state() {
                Lock::Locked { since, by } => {
                    LockView::Locked { since: since.millis(), by: view::locked_by(by) }
                }
                Lock::Open => LockView::Open,
            },
            protection: view::protection(protection),
            lock_settings: LockSettingsView {
                idle_minutes: settings.idle_minutes,
                with_screen: settings.with_screen,
            },
            stopped: self.0.switch.is_stopped().then(|| StoppedView {
                since: stopped.map(Timestamp::millis),
                recorded: self.0.switch.is_recorded(),
            }),
            restored_at: self.0.restored_at().map(Timestamp::millis),
            clock_ahead: self.0.clock_ahead(),
            asked: self.asked_views().await?,
            rule_alerts: alerts.iter().map(|alert| rules::alert_view(alert, &agents)).collect(),
            catalogue_problems: self.0.catalogue.problems.iter().map(problem).collect(),
            quit_asked: self.0.quit_asked.load(Ordering::Relaxed),
            no_tray: self.0.no_tray.load(Ordering::Relaxed),
        })
    }

    /// Reads the keychain's state again and tries what waited for it.
    ///
    /// # Errors
    /// The store.
    pub async fn check_keychain(&self) -> Result<AppState, Refusal> {
        let state = self.app_state().await?;
        self.0.outbox.notify_one();
        self.0.anchored.wake.notify_one();
        self.0.ports.events().send(Event::AppChanged);
        Ok(state)
    }

    /// Asks the person to unlock the keychain, through the system's own prompt.
    ///
    /// # Errors
    /// The keychain, or the store.
    pub async fn unlock_keychain(&self) -> Result<AppState, Refusal> {
        self.0.ports.keychain().unlock().await?;
        self.check_keychain().await
    }

    /// The person asked to quit outside the window: the window asks once more.
    pub fn ask_quit(&self, asked: bool) {
        self.0.quit_asked.store(asked, Ordering::Relaxed);
        self.0.ports.events().send(Event::AppChanged);
    }

    /// Ends what goes on in an orderly way: attempts are cancelled, and what a bank has issued meanwhile is stored or
    /// revoked, for as long as the exchange and the revocation may take.
    pub async fn shut_down(&self) {
        let running: Vec<_> = self.0.live().values().map(|live| live.control.clone()).collect();
        for control in running {
            // A full queue belongs to an attempt that is busy; it is waited for below.
            let _ = control.try_send(Control::Cancel);
        }
        let mut busy = self.0.busy.subscribe();
        if tokio::time::timeout(SHUT_DOWN, busy.wait_for(|under_way| *under_way == 0)).await.is_err() {
            tracing::error!("an exchange with a bank did not come to an end in time");
        }
        self.anchor_at_stop().await;
    }

    /// The desktop has no tray.
    pub fn set_no_tray(&self) {
        self.0.no_tray.store(true, Ordering::Relaxed);
        self.0.ports.events().send(Event::AppChanged);
    }

    async fn interrupt_left_open(&self) -> Result<(), StoreError> {
        let now = self.0.ports.clock().now();
        self.0
            .ports
            .store()
            .write(move |tx| {
                for mut attempt in tx.open_attempts()? {
                    attempt.ending = Some(Ending::Interrupted);
                    attempt.ended_at = Some(now);
                    attempt.revision += 1;
                    tx.update_attempt(&attempt)?;
                    tx.append_audit(
                        now,
                        &AuditEvent::AttemptEnded { attempt: attempt.id, ending: Ending::Interrupted },
                    )?;
                }
                Ok(())
            })
            .await
    }

    async fn add_listed_agents(&self) -> Result<(), Refusal> {
        let known = self.0.ports.store().read(|tx| tx.agents()).await?;
        for listed in &self.0.catalogue.agents {
            if known.iter().any(|agent| agent.key == listed.key) {
                continue;
            }
            let mut random = [0; 10];
            self.0.ports.dice().fill(&mut random)?;
            let now = self.0.ports.clock().now();
            let id = AgentId::make_from(now, random);
            let (name, key) = (listed.name.clone(), listed.key);
            let agent = Agent { id, name, key, added_at: now, paused: None, removed_at: None };
            let added = self.0.add(agent).await;
            // A name that is taken by then belongs to the person's own agent; the file's agent is left out.
            if !matches!(added, Ok(()) | Err(StoreError::Exists)) {
                added?;
            }
        }
        Ok(())
    }
}

/// How a start finds the vault.
fn first_lock(kek: Option<KekRow>, now: Timestamp) -> Lock {
    match kek {
        // Only the passphrase opens it.
        Some(kek) if kek.protection.has_passphrase() => Lock::Locked { since: now, by: LockedBy::Start },
        Some(_) | None => Lock::Open,
    }
}

impl<P: Ports> Inner<P> {
    /// Stores an agent with its audit record.
    pub(crate) async fn add(&self, agent: Agent) -> Result<(), StoreError> {
        let now = self.ports.clock().now();
        self.ports
            .store()
            .write(move |tx| {
                tx.insert_agent(&agent)?;
                tx.append_audit(
                    now,
                    &AuditEvent::AgentAdded { agent: agent.id, thumbprint: agent.key.thumbprint() },
                )
            })
            .await
    }

    /// Marks work that an orderly stop waits for.
    pub(crate) fn busy(&self) -> Busy {
        self.busy.send_modify(|under_way| *under_way += 1);
        Busy(self.busy.clone())
    }

    /// Whether the vault is locked.
    pub(crate) fn lock_state(&self) -> Lock {
        self.door.lock_state()
    }

    /// When it was noticed that the store was put back.
    pub(crate) fn restored_at(&self) -> Option<Timestamp> {
        *self.restored_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Says that the list changed.
    pub(crate) fn grants_changed(&self) {
        let revision = self.grants_revision.fetch_add(1, Ordering::Relaxed) + 1;
        self.ports.events().send(Event::GrantsChanged { revision });
    }

    pub(crate) fn grants_revision(&self) -> u32 {
        self.grants_revision.load(Ordering::Relaxed)
    }

    /// The live attempts; a poisoned lock still holds valid data, since every change is one assignment.
    pub(crate) fn live(&self) -> std::sync::MutexGuard<'_, BTreeMap<AttemptId, Live>> {
        self.live.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
