//! The composition root: real ports, one host per data folder, the window process, start and stop.
//!
//! Order at start: harden → lock → open the store → bind the socket → name it in `endpoint.json` → spawn the window.

mod catalogue_files;
mod clock;
mod dice;
mod downloads;
mod environment;
mod guests;
mod instance;
mod log;
mod notify;
mod ports;
mod presence;
mod process;
mod report;
mod serve;
mod session;
mod stop_mark;
mod terminal;
mod window;
mod windows;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use app::{App, Settings};
use broker::Hub;
use contract::channel::Hello;
use domain::id::InstallId;
use store::SqliteStore;

use crate::environment::Environment;
use crate::instance::Instance;
use crate::ports::RealPorts;
use crate::windows::{Outcome, Windows};

/// Whether this build may talk to sandbox banks.
pub(crate) const SANDBOX: bool = cfg!(feature = "sandbox");

/// Runs the host to its end.
#[must_use]
pub fn run() -> ExitCode {
    // First of all: no other process of this user may read what this one will hold.
    let hardened = process::harden();
    if let Some(refused) = process::refuse_arguments() {
        return refused;
    }
    let environment = Environment::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = runtime.context("no runtime").and_then(|runtime| {
        let outcome = if process::wants_report() {
            runtime.block_on(report::write(&environment))
        } else {
            runtime.block_on(start(environment, hardened))
        };
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            // The report goes without a log: it writes nothing to the data folder.
            if process::wants_report() {
                process::complain(&format!("{error:#}"));
            }
            ExitCode::FAILURE
        }
    }
}

async fn start(environment: Environment, hardened: bool) -> anyhow::Result<()> {
    let folder = make_data_folder(environment.data_folder());
    log::start(&environment, folder.is_ok());
    if !hardened {
        tracing::warn!("this process could not be closed to others of the same user");
    }
    let program = std::env::current_exe().context("the program's own path")?;
    if let Err(error) = folder {
        tracing::error!("{error:#}");
        say_in_window(&environment, &program, window::Unfit::DATA_FOLDER).await;
        return Err(error);
    }
    let Some(instance) = Instance::take(environment.data_folder()).context("the lock of the data folder")?
    else {
        return instance::ask_to_show(environment.data_folder(), environment.activation_token()).await;
    };
    let outcome = serve_until_done(&environment, &program).await;
    drop(instance);
    if outcome? == Outcome::Restart {
        tracing::info!("the package was changed: starting anew");
        process::start_anew(&program).context("the new host")?;
    }
    Ok(())
}

/// The data folder: made for its owner alone, or found to be so. The folders above it are the platform's.
fn make_data_folder(folder: &Path) -> anyhow::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).context("the folder above the data folder")?;
    }
    ipc::folder::make_private(folder).with_context(|| format!("the data folder {}", folder.display()))
}

/// Opens everything, serves, and ends when the person, the system or a changed package says so.
async fn serve_until_done(environment: &Environment, program: &Path) -> anyhow::Result<Outcome> {
    let (hub, signals) = Hub::new();
    let opened = match compose(environment, hub.clone()).await {
        Ok(app) => serve::Public::bind(environment, app.clone(), hub.clone()).map(|public| (app, public)),
        Err(error) => Err(error),
    };
    let (app, public) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!("{error:#}");
            say_in_window(environment, program, window::Unfit::of(&error)).await;
            return Err(error);
        }
    };
    instance::name_endpoint(environment.data_folder(), public.path(), &public.issuer())
        .context("endpoint.json")?;
    let serving = tokio::spawn(public.serve());
    let watching =
        tokio::spawn(presence::watch(app.clone(), presence::Buses::new(environment.session_bus())));
    let asking = terminal::Asking::begin(&app);
    let hello = Hello::of_this_build(SANDBOX, environment.shown_home());
    let outcome = Windows::new(environment, program, hub, hello, Ok(app)).run(signals).await;
    drop(asking);
    watching.abort();
    serving.abort();
    Ok(outcome)
}

/// The person hears in the window why nothing works; nothing else is served.
async fn say_in_window(environment: &Environment, program: &Path, why: window::Unfit) {
    let (hub, signals) = Hub::new();
    let hello = Hello::of_this_build(SANDBOX, environment.shown_home());
    Windows::new(environment, program, hub, hello, Err(why)).run(signals).await;
}

async fn compose(environment: &Environment, hub: Hub) -> anyhow::Result<App<RealPorts>> {
    let mut random = [0; 8];
    dice::fill(&mut random).context("randomness")?;
    let path = environment.data_folder().join("countersign.sqlite");
    let install = InstallId::make_from(random);
    let store = tokio::task::spawn_blocking(move || SqliteStore::open(&path, install)).await??;
    let install = app::port::Store::read(&store, |tx| tx.install()).await?;
    let catalogue = catalogue(environment);
    for problem in &catalogue.problems {
        tracing::warn!(file = problem.file, rule = problem.rule, "a catalogue file is refused");
    }
    let ports = RealPorts::new(environment, &install, store, Arc::new(hub))?;
    Ok(App::start(ports, catalogue, settings(environment)).await?)
}

fn catalogue(environment: &Environment) -> app::catalogue::Catalogue {
    app::catalogue::Catalogue::parse(&catalogue_files::read(environment), environment.addresses())
}

fn settings(environment: &Environment) -> Settings {
    Settings {
        sandbox: SANDBOX,
        home: environment.shown_home(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
