//! The real ports.

use std::sync::Arc;

use anyhow::Context as _;
use app::port::{ApprovalPrompt, Events, Ports};
use broker::Hub;
use contract::ui::Event;
use domain::id::InstallId;
use keychain::SecretService;
use net::browser::{OpenerSettings, SystemOpener};
use net::http::{HttpClient, Settings};
use net::loopback::SystemLoopback;
use store::SqliteStore;

use crate::clock::SystemClock;
use crate::dice::SystemDice;
use crate::downloads::Downloads;
use crate::environment::Environment;
use crate::notify::DesktopNotes;
use crate::process::memory::Memory;
use crate::stop_mark::FileMark;

/// Everything the use cases need from this machine.
pub(crate) struct RealPorts {
    clock: SystemClock,
    dice: SystemDice,
    opener: SystemOpener,
    loopback: SystemLoopback,
    http: HttpClient,
    keychain: SecretService,
    store: SqliteStore,
    events: HubEvents,
    prompt: HubPrompt,
    notes: DesktopNotes,
    mark: FileMark,
    files: Downloads,
    memory: Memory,
}

/// Events, to every window.
pub(crate) struct HubEvents(Arc<Hub>);

impl Events for HubEvents {
    fn send(&self, event: Event) {
        self.0.tell_ui(event);
    }
}

/// The approval window, by whoever starts windows.
pub(crate) struct HubPrompt(Arc<Hub>);

impl ApprovalPrompt for HubPrompt {
    fn prompt(&self) {
        self.0.prompt();
    }
}

impl RealPorts {
    pub(crate) fn new(
        environment: &Environment,
        install: &InstallId,
        store: SqliteStore,
        hub: Arc<Hub>,
    ) -> anyhow::Result<Self> {
        let extra_roots_pem = environment
            .sandbox()
            .extra_ca
            .as_ref()
            .map(std::fs::read)
            .transpose()
            .context("the extra root certificates")?;
        let http = HttpClient::new(Settings { addresses: environment.addresses(), extra_roots_pem })?;
        let path = environment.session_variable("PATH").unwrap_or_default();
        let opener = SystemOpener::new(OpenerSettings {
            program: environment.sandbox().opener.clone(),
            environment: environment.session().to_vec(),
            path_dirs: std::env::split_paths(path).collect(),
            addresses: environment.addresses(),
        });
        let bus = environment.session_bus();
        Ok(Self {
            clock: SystemClock::new(environment.sandbox().clock.as_deref()),
            dice: SystemDice::default(),
            opener,
            loopback: SystemLoopback,
            http,
            keychain: SecretService::new(keychain::Settings {
                bus: bus.clone(),
                ..keychain::Settings::default()
            }),
            store,
            events: HubEvents(Arc::clone(&hub)),
            prompt: HubPrompt(hub),
            notes: DesktopNotes::new(bus),
            mark: FileMark::new(environment.data_folder(), environment.runtime_folder(), install),
            files: Downloads::new(
                environment.session_variable("HOME"),
                environment.session_variable("XDG_CONFIG_HOME"),
            ),
            memory: Memory::default(),
        })
    }
}

impl Ports for RealPorts {
    type Clock = SystemClock;
    type Dice = SystemDice;
    type Opener = SystemOpener;
    type Loopback = SystemLoopback;
    type Http = HttpClient;
    type Keychain = SecretService;
    type Store = SqliteStore;
    type Events = HubEvents;
    type ApprovalPrompt = HubPrompt;
    type Notify = DesktopNotes;
    type StopMark = FileMark;
    type Files = Downloads;
    type Memory = Memory;

    fn clock(&self) -> &SystemClock {
        &self.clock
    }
    fn dice(&self) -> &SystemDice {
        &self.dice
    }
    fn opener(&self) -> &SystemOpener {
        &self.opener
    }
    fn loopback(&self) -> &SystemLoopback {
        &self.loopback
    }
    fn http(&self) -> &HttpClient {
        &self.http
    }
    fn keychain(&self) -> &SecretService {
        &self.keychain
    }
    fn store(&self) -> &SqliteStore {
        &self.store
    }
    fn events(&self) -> &HubEvents {
        &self.events
    }
    fn approval_prompt(&self) -> &HubPrompt {
        &self.prompt
    }
    fn notify(&self) -> &DesktopNotes {
        &self.notes
    }
    fn stop_mark(&self) -> &FileMark {
        &self.mark
    }
    fn files(&self) -> &Downloads {
        &self.files
    }
    fn memory(&self) -> &Memory {
        &self.memory
    }
}
