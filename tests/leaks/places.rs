//! The places, and what was found there.

use std::collections::BTreeMap;
use std::path::Path;

use support::scan::{Needles, each_file};

/// Looks for the run's secrets and for planted ones, which must be found.
pub(crate) struct Search {
    needles: Needles,
    /// What was found where it must not be.
    leaks: Vec<String>,
    /// Places that were searched, with their size and whether the control was found there.
    searched: BTreeMap<String, (usize, bool)>,
}

/// How a control is named among the needles.
const CONTROL: &str = "control ";

impl Search {
    /// For these secrets, by name; controls are texts that every place must hold one of.
    pub(crate) fn new(secrets: &BTreeMap<String, Vec<u8>>, controls: &[&str]) -> Self {
        let secrets = secrets.iter().map(|(name, value)| (name.clone(), value.clone()));
        let controls =
            controls.iter().map(|control| (format!("{CONTROL}{control}"), control.as_bytes().to_vec()));
        Self { needles: Needles::of(secrets.chain(controls)), leaks: Vec::new(), searched: BTreeMap::new() }
    }

    /// Searches some bytes; `allowed` are names of secrets that may be here.
    pub(crate) fn bytes(&mut self, place: &str, bytes: &[u8], allowed: &[&str]) {
        let found = self.needles.found_in(bytes);
        self.note(place, bytes.len(), found, allowed);
    }

    /// Searches the memory of a process.
    pub(crate) fn memory(&mut self, place: &str, pid: u32) {
        let (found, read) = self.needles.found_in_memory_of(pid);
        self.note(place, read, found, &[]);
    }

    /// Searches every file of a folder, its names too, as one place.
    pub(crate) fn folder(&mut self, place: &str, folder: &Path, skip: &[&Path]) {
        each_file(folder, &mut |path, bytes| {
            if skip.iter().any(|skip| path.starts_with(skip)) {
                return;
            }
            let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
            let found = self.needles.found_in(&[name.as_bytes(), b"\n", bytes].concat());
            for (what, spelling) in found.iter().filter(|(what, _)| !what.starts_with(CONTROL)) {
                eprintln!("{place}: {what} ({spelling}) in {name}");
            }
            self.note(place, bytes.len(), found, &[]);
        });
    }

    fn note(&mut self, place: &str, size: usize, found: support::scan::Found, allowed: &[&str]) {
        let entry = self.searched.entry(place.to_owned()).or_default();
        entry.0 += size;
        for (name, spelling) in found {
            if name.starts_with(CONTROL) {
                entry.1 = true;
            } else if !allowed.iter().any(|allowed| name.starts_with(allowed)) {
                self.leaks.push(format!("{place}: {name} ({spelling})"));
            }
        }
    }

    /// Ends the search: every place held its control, and no place held a secret.
    pub(crate) fn judge(mut self) {
        for (place, (size, control)) in &self.searched {
            eprintln!("{place}: {size} bytes, control {}", if *control { "found" } else { "NOT FOUND" });
        }
        let blind: Vec<&String> =
            self.searched.iter().filter(|(_, (_, control))| !control).map(|(place, _)| place).collect();
        self.leaks.sort();
        self.leaks.dedup();
        assert_eq!(self.leaks, Vec::<String>::new(), "secrets where they must not be");
        assert_eq!(blind, Vec::<&String>::new(), "places in which the planted control was not found");
    }
}
