//! `size`: what is released, against an empty Tauri app of the same profile.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::Figure;
use super::record::{Control, Measured, Part};
use crate::build;
use crate::{bundle, child};

const BINARIES: f64 = 2.5;
const PACKAGE_MB: f64 = 10.0;
/// More than any goal leaves room for.
const PLANTED: usize = 24_000_000;

/// Programs are counted in the package itself, so that none is forgotten.
pub(crate) fn measure(_: &Figure, n: usize, seed: u64) -> anyhow::Result<Measured> {
    let empty = bytes(&build::empty_window())?;
    let package = bundle::deb(&[])?;
    bundle::check(&package)?;
    let ours = of_programs(&package)?;
    let package = bytes(&package)?;

    let planted = child::target("figures/planted-size");
    fs::write(&planted, noise(seed))?;
    let planted_package = bundle::deb(&[("/usr/bin/planted", &planted)])?;
    let (planted_programs, planted_package) = (of_programs(&planted_package)?, bytes(&planted_package)?);
    fs::remove_file(planted)?;
    let binaries = |bytes: f64| part("all binaries, of an empty app", bytes / empty, "ratio", BINARIES);
    let deb = |bytes: f64| part("the Debian package", bytes / 1e6, "MB", PACKAGE_MB);
    Ok(Measured {
        n,
        parts: vec![binaries(ours), deb(package)],
        controls: vec![Control {
            planted: "a file of 24 MB that does not compress".to_owned(),
            parts: vec![binaries(planted_programs), deb(planted_package)],
        }],
        detail: [("empty_bytes", empty), ("binaries_bytes", ours), ("package_bytes", package)]
            .map(|(name, bytes)| (name.to_owned(), json!(bytes)))
            .into_iter()
            .collect(),
    })
}

fn part(name: &str, value: f64, unit: &str, at_most: f64) -> Part {
    Part { name: name.to_owned(), value, unit: unit.to_owned(), at_most }
}

fn bytes(file: &Path) -> anyhow::Result<f64> {
    Ok(file.metadata()?.len() as f64)
}

fn of_programs(package: &Path) -> anyhow::Result<f64> {
    let programs = bundle::unpack(package)?.join(bundle::PLACE_OF_PROGRAMS);
    fs::read_dir(programs)?.map(|entry| bytes(&entry?.path())).sum()
}

/// By xorshift: what it makes does not compress.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(PLANTED / 8).flatten().collect()
}
