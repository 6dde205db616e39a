//! The TypeScript that the contract crate writes for the window.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::child;

fn file() -> PathBuf {
    child::root().join("ui/src/ipc/generated/contract.ts")
}

/// Writes the file, where it would change.
pub(crate) fn write() -> anyhow::Result<()> {
    let file = file();
    if is_current() {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&file, contract::bindings::typescript()).with_context(|| file.display().to_string())
}

fn is_current() -> bool {
    fs::read_to_string(file()).is_ok_and(|committed| committed == contract::bindings::typescript())
}

/// Compares the file with what would be written.
pub(crate) fn check() -> anyhow::Result<()> {
    anyhow::ensure!(
        is_current(),
        "ui/src/ipc/generated/contract.ts is not what the contract crate writes: run `cargo xtask bindings` and commit it"
    );
    println!("ui/src/ipc/generated/contract.ts is current");
    Ok(())
}
