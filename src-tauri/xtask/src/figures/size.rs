//! `size`: what is released, against an empty Tauri app of the same profile.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Figure;
use super::record::{Control, Measured, Part};
use crate::build::{self, Build};
use crate::{bundle, child};

const BINARIES: f64 = 2.5;
const PACKAGE_MB: f64 = 10.0;
/// More than any goal leaves room for.
const PLANTED: usize = 24_000_000;

pub(crate) fn measure(_: &Figure, n: usize, seed: u64) -> anyhow::Result<Measured> {
    let empty = bytes(&build::empty_window())?;
    let ours = of_all(&Build::Release.folder())?;
    let package = bundle::deb(&[])?;
    bundle::check(&package)?;
    let package = bytes(&package)?;

    let planted = child::target("figures/planted-size");
    copy_with(&Build::Release.folder(), &planted, seed)?;
    let planted_package =
        bytes(&bundle::deb(&[("/usr/share/countersign/planted", &planted.join("planted"))])?)?;
    let binaries = |bytes: f64| part("all binaries, of an empty app", bytes / empty, "ratio", BINARIES);
    let deb = |bytes: f64| part("the Debian package", bytes / 1e6, "MB", PACKAGE_MB);
    let measured = Measured {
        n,
        parts: vec![binaries(ours), deb(package)],
        controls: vec![Control {
            planted: "a file of 24 MB that does not compress".to_owned(),
            parts: vec![binaries(of_all(&planted)?), deb(planted_package)],
        }],
        detail: [("empty_bytes", empty), ("binaries_bytes", ours), ("package_bytes", package)]
            .map(|(name, bytes)| (name.to_owned(), json!(bytes)))
            .into_iter()
            .collect(),
    };
    fs::remove_dir_all(planted)?;
    Ok(measured)
}

fn part(name: &str, value: f64, unit: &str, at_most: f64) -> Part {
    Part { name: name.to_owned(), value, unit: unit.to_owned(), at_most }
}

fn bytes(file: &Path) -> anyhow::Result<f64> {
    Ok(file.metadata()?.len() as f64)
}

fn of_all(folder: &Path) -> anyhow::Result<f64> {
    fs::read_dir(folder)?.map(|entry| bytes(&entry?.path())).sum()
}

fn copy_with(from: &Path, to: &Path, seed: u64) -> anyhow::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let file = entry?;
        fs::copy(file.path(), to.join(file.file_name()))?;
    }
    // Xorshift: what it makes does not compress.
    let mut state = seed | 1;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    let noise: Vec<u8> = noise.take(PLANTED / 8).flatten().collect();
    Ok(fs::write(to.join("planted"), noise)?)
}
