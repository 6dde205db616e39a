//! `countersignd --report`: what is stored, without secrets, for a command line that finds no host.
//!
//! **Invariant:** it takes no lock, asks no keychain and changes nothing: the database is copied, and the copy is read.

use std::fs::{self, DirBuilder};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use app::App;
use broker::Hub;
use domain::id::hex;
use store::SqliteStore;

use crate::dice;
use crate::environment::Environment;
use crate::ports::RealPorts;

/// A folder for the copy, gone when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> anyhow::Result<Self> {
        let mut random = [0; 8];
        dice::fill(&mut random).context("randomness")?;
        let folder = std::env::temp_dir().join(format!("countersign-report-{}", hex(&random)));
        DirBuilder::new().mode(0o700).create(&folder).context("a folder for the copy")?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing in it is in clear that the data folder does not have in clear.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes the report to standard output.
pub(crate) async fn write(environment: &Environment) -> anyhow::Result<()> {
    let path = environment.data_folder().join("countersign.sqlite");
    let scratch = Scratch::make()?;
    let folder = scratch.0.clone();
    let store = tokio::task::spawn_blocking(move || SqliteStore::open_copy(&path, &folder)).await??;
    let install = app::port::Store::read(&store, |tx| tx.install()).await?;
    let ports = RealPorts::new(environment, &install, store, Arc::new(Hub::new().0))?;
    let app = App::not_started(ports, crate::catalogue(environment), crate::settings(environment)).await?;
    let report = serde_json::to_vec(&app.report().await?)?;
    std::io::stdout().write_all(&report)?;
    Ok(())
}
