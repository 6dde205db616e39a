//! What every Tauri app does at build time, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tauri_build::try_build(tauri_build::Attributes::new()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error:#}");
            ExitCode::FAILURE
        }
    }
}
