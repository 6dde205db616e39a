//! Which keychain a build gets, for every system and set of features: the system's own, and no other to fall back on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops with what it saw")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Stores and pieces of stores that any feature of any crate could bring in.
const STORES: [&str; 14] = [
    "android-native-keyring-store",
    "apple-native-keyring-store",
    "db-keystore",
    "dbus-secret-service",
    "dbus-secret-service-keyring-store",
    "keyring",
    "keyring-core",
    "keyutils",
    "linux-keyutils",
    "linux-keyutils-keyring-store",
    "secret-service",
    "security-framework",
    "windows-native-keyring-store",
    "zbus-secret-service-keyring-store",
];

fn crates() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The stores in what a host is built from.
fn stores(target: &str, features: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--quiet",
            "--package",
            "countersign-host",
            "--edges",
            "normal,build",
            "--target",
            target,
        ])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}", "--offline", "--locked"])
        .args(features)
        .current_dir(crates())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| STORES.contains(name))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_build_has_the_keychain_of_its_system_and_no_other() {
    for features in [&[][..], &["--all-features"]] {
        assert_eq!(stores("x86_64-unknown-linux-gnu", features), ["secret-service"], "{features:?}");
        let mac = ["apple-native-keyring-store", "keyring-core", "security-framework"];
        assert_eq!(stores("aarch64-apple-darwin", features), mac, "{features:?}");
        let windows = ["keyring-core", "windows-native-keyring-store"];
        assert_eq!(stores("x86_64-pc-windows-msvc", features), windows, "{features:?}");
    }
}

/// The lines of our sources that name something, tests left out.
fn naming(folder: &Path, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(naming(&path, name));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = product.lines().filter(|line| line.contains(name));
            found.extend(lines.map(|line| format!("{}: {line}", path.display())));
        }
    }
    found
}

/// `keyring-core` brings a store in memory of its own, and this crate has one for tests: neither is what a host takes.
#[test]
fn no_host_takes_a_store_in_memory() {
    for name in ["MemoryKeychain", "keyring_core", "keychain::memory"] {
        assert_eq!(naming(&crates().join("host/src"), name), Vec::<String>::new());
    }
    for name in ["mock", "sample", "set_default_store"] {
        let native = std::fs::read_to_string(crates().join("keychain/src/native.rs")).unwrap();
        assert!(!native.contains(name), "{name}");
    }
    assert!(
        !naming(&crates().join("host/src"), "SecretService").is_empty(),
        "the search finds what is there"
    );
}
