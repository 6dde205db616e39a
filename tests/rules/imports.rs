//! The crate graph is the architecture: every edge between our packages is in the table, the process that draws HTML
//! cannot reach a secret, and what must not be in the product is not in the lock file.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use support::process::root;

/// Who may import whom, of our own packages (`countersign-` left out). A new package needs a line here.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("oauth", &["domain"]),
    ("vault", &["domain"]),
    ("contract", &[]),
    ("app", &["domain", "oauth", "vault", "contract"]),
    ("store", &["app", "domain", "vault"]),
    ("keychain", &["app", "domain"]),
    // The port it stands behind speaks in oauth's messages (`oauth::message`): request in, reply out.
    ("net", &["app", "domain", "oauth"]),
    ("ipc", &["domain"]),
    ("broker", &["app", "contract", "domain", "ipc"]),
    ("host", &["app", "broker", "contract", "domain", "ipc", "keychain", "net", "oauth", "store", "vault"]),
    ("client", &["contract", "ipc"]),
    ("mcp", &["client", "contract", "ipc"]),
    // Of domain, the rule of the audit log's chain: it checks exported files.
    ("cli", &["contract", "ipc", "domain"]),
    ("desktop", &["contract", "ipc"]),
    ("empty-window", &[]),
    // In no product: it shows how an agent is written.
    ("sample-agent", &["client", "contract"]),
    ("xtask", &["contract"]),
];
/// May import everything: it proves things of everything, and is in no product.
const TESTS: &str = "tests";

/// What a process that people see, or that draws HTML, must not reach by any way.
const BEHIND_THE_CHANNEL: [&str; 8] = ["app", "broker", "host", "keychain", "net", "oauth", "store", "vault"];

/// In no build of ours: second TLS libraries, a key store that forgets at reboot, and plugins that give a page reach.
const FORBIDDEN: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "keyutils",
    "linux-keyutils",
    "linux-keyutils-keyring-store",
    "tauri-plugin-fs",
    "tauri-plugin-http",
    "tauri-plugin-opener",
    "tauri-plugin-process",
    "tauri-plugin-shell",
    "tauri-plugin-single-instance",
    "tauri-plugin-updater",
    "tauri-plugin-websocket",
];

/// Below these a known hole is open; a crate that is not in the lock file has none.
const AT_LEAST: &[(&str, [u64; 3])] = &[
    ("aes-gcm", [0, 10, 3]),
    ("ed25519-dalek", [2, 0, 0]),
    ("h2", [0, 4, 16]),
    ("idna", [1, 0, 3]),
    ("jsonwebtoken", [10, 3, 0]),
    ("rmcp", [2, 1, 0]),
    ("tauri", [2, 11, 0]),
    ("webbrowser", [1, 2, 2]),
    ("zbus_polkit", [5, 1, 0]),
];

type Edge = (String, String);

struct Graph {
    /// Between our packages, of every kind: normal, build, dev.
    edges: BTreeSet<Edge>,
    /// Between our packages, without what only tests use.
    in_product: BTreeSet<Edge>,
    /// Every package that any build may take in, with its version.
    packages: Vec<(String, String)>,
}

static GRAPH: LazyLock<Graph> = LazyLock::new(|| {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut graph = Graph { edges: BTreeSet::new(), in_product: BTreeSet::new(), packages: Vec::new() };
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        graph.packages.push((name.to_owned(), package["version"].as_str().expect("a version").to_owned()));
        if !package["source"].is_null() {
            continue;
        }
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            if dependency["path"].is_null() {
                continue;
            }
            let edge = (short(name), short(dependency["name"].as_str().expect("a name")));
            if dependency["kind"] != "dev" {
                graph.in_product.insert(edge.clone());
            }
            graph.edges.insert(edge);
        }
    }
    graph
});

fn short(name: &str) -> String {
    name.trim_start_matches("countersign-").to_owned()
}

fn edge(from: &str, to: &str) -> Edge {
    (from.to_owned(), to.to_owned())
}

/// The edges that are not in the table.
fn not_allowed(edges: &BTreeSet<Edge>) -> Vec<&Edge> {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let allowed = |(from, to): &Edge| {
        from == TESTS || table.get(from.as_str()).is_some_and(|to_these| to_these.contains(&to.as_str()))
    };
    edges.iter().filter(|edge| !allowed(edge)).collect()
}

/// Everything that is reached from here.
fn reached_from(edges: &BTreeSet<Edge>, start: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![start.to_owned()];
    while let Some(here) = next.pop() {
        for (_, to) in edges.iter().filter(|(from, _)| *from == here) {
            if reached.insert(to.clone()) {
                next.push(to.clone());
            }
        }
    }
    reached
}

fn reaches_a_secret(edges: &BTreeSet<Edge>, start: &str) -> Vec<String> {
    reached_from(edges, start)
        .into_iter()
        .filter(|name| BEHIND_THE_CHANNEL.contains(&name.as_str()))
        .collect()
}

fn too_old(packages: &[(String, String)]) -> Vec<String> {
    let parts = |version: &str| -> Vec<u64> {
        version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
    };
    let old = |(name, version): &&(String, String)| {
        AT_LEAST.iter().any(|(known, least)| known == name && parts(version) < least.to_vec())
    };
    packages.iter().filter(old).map(|(name, version)| format!("{name} {version}")).collect()
}

fn forbidden(packages: &[(String, String)]) -> Vec<&str> {
    packages.iter().map(|(name, _)| name.as_str()).filter(|name| FORBIDDEN.contains(name)).collect()
}

#[test]
fn every_edge_between_our_packages_is_in_the_table() {
    assert_eq!(not_allowed(&GRAPH.edges), Vec::<&Edge>::new());
    assert!(GRAPH.edges.contains(&edge("host", "vault")), "the graph that was read is ours");
}

#[test]
fn a_planted_edge_is_found() {
    for (from, to) in [
        ("desktop", "vault"),
        ("contract", "domain"),
        ("domain", "app"),
        ("keychain", "store"),
        ("newcomer", "domain"),
    ] {
        let mut planted = GRAPH.edges.clone();
        planted.insert(edge(from, to));
        assert_eq!(not_allowed(&planted), [&edge(from, to)]);
    }
}

#[test]
fn every_package_has_a_line_in_the_table_and_every_line_a_package() {
    let named: BTreeSet<String> =
        MAY_IMPORT.iter().map(|(name, _)| (*name).to_owned()).chain([TESTS.to_owned()]).collect();
    let there: BTreeSet<String> = GRAPH
        .packages
        .iter()
        .filter(|(name, _)| {
            name.starts_with("countersign-") || ["empty-window", "xtask"].contains(&name.as_str())
        })
        .map(|(name, _)| short(name))
        .collect();
    assert_eq!(named, there);
}

#[test]
fn the_window_and_what_crosses_to_it_cannot_reach_a_secret() {
    for start in ["cli", "client", "desktop", "mcp", "contract", "ipc"] {
        assert_eq!(reaches_a_secret(&GRAPH.in_product, start), Vec::<String>::new(), "{start}");
    }
    assert_eq!(
        reaches_a_secret(&GRAPH.in_product, "broker"),
        ["app", "oauth", "vault"],
        "the search goes on from edge to edge"
    );
}

#[test]
fn the_broker_cannot_open_what_is_sealed_by_itself() {
    for name in ["store", "keychain", "vault"] {
        assert!(!GRAPH.edges.contains(&edge("broker", name)), "{name}");
    }
}

#[test]
fn no_package_of_ours_is_part_of_a_circle() {
    for (name, _) in MAY_IMPORT {
        assert!(!reached_from(&GRAPH.in_product, name).contains(*name), "{name}");
    }
}

#[test]
fn forbidden_packages_are_in_no_build() {
    assert_eq!(forbidden(&GRAPH.packages), Vec::<&str>::new());
    let planted =
        [("openssl-probe".to_owned(), "0.2.0".to_owned()), ("native-tls".to_owned(), "0.2.0".to_owned())];
    assert_eq!(forbidden(&planted), ["native-tls"]);
}

#[test]
fn packages_with_known_holes_are_new_enough() {
    assert_eq!(too_old(&GRAPH.packages), Vec::<String>::new());
    assert!(GRAPH.packages.iter().any(|(name, _)| name == "tauri"), "the list that was read is ours");
    let planted = [
        ("h2", "0.4.15"),
        ("h2", "0.4.16"),
        ("tauri", "2.9.9"),
        ("rmcp", "2.1.0-beta.1"),
        ("idna", "0.5.0"),
        ("aes-gcm", "0.11.1"),
    ];
    let planted = planted.map(|(name, version)| (name.to_owned(), version.to_owned()));
    assert_eq!(too_old(&planted), ["h2 0.4.15", "tauri 2.9.9", "idna 0.5.0"]);
}
