//! Hands the command table to Tauri, so that what is not in it is refused before our code is reached.

use std::path::Path;
use std::process::ExitCode;

use tauri_build::{AppManifest, Attributes};

const UI: &str = "../ui/dist";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={UI}");
    println!("cargo::rerun-if-changed=capabilities");
    if !Path::new(UI).join("index.html").is_file() {
        return failed(
            "the user interface is not built: run `npm --prefix ui ci && npm --prefix ui run build` first",
        );
    }
    let commands: &'static [&'static str] = contract::bindings::all_commands().leak();
    match tauri_build::try_build(Attributes::new().app_manifest(AppManifest::new().commands(commands))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("{error:#}")),
    }
}

fn failed(why: &str) -> ExitCode {
    println!("cargo::error={why}");
    ExitCode::FAILURE
}
