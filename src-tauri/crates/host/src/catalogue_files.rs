//! The catalogue's files: built in, and, in a sandbox build, those of a folder.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use app::catalogue::{Problem, SourceFile, Sources};

use crate::environment::Environment;

/// A catalogue file is a few kilobytes; a larger one is none.
const MAX_FILE: u64 = 64 * 1024;

/// API profiles that are built in. No real bank is: each needs a registration of its own first.
const PROFILES: [(&str, &str); 1] =
    [("fdx-v6.toml", include_str!("../../oauth/providers/profiles/fdx-v6.toml"))];

/// Reads every file; what cannot be read is named.
pub(crate) fn read(environment: &Environment) -> Sources {
    let mut sources = Sources::default();
    if let Some(folder) = &environment.sandbox().catalogue {
        sources.providers = read_folder(folder, &mut sources.unreadable);
        sources.profiles = read_folder(&folder.join("profiles"), &mut sources.unreadable);
        sources.agents = read_folder(&folder.join("agents"), &mut sources.unreadable);
    }
    sources
        .profiles
        .extend(PROFILES.map(|(name, text)| SourceFile { name: name.to_owned(), text: text.to_owned() }));
    sources
}

fn read_folder(folder: &Path, unreadable: &mut Vec<Problem>) -> Vec<SourceFile> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    paths
        .into_iter()
        .filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            match read_file(&path) {
                Ok(text) => Some(SourceFile { name, text }),
                Err(rule) => {
                    unreadable.push(Problem { file: name, rule: rule.to_owned() });
                    None
                }
            }
        })
        .collect()
}

fn read_file(path: &Path) -> Result<String, &'static str> {
    // A pipe would keep the host waiting for its other end.
    if !std::fs::metadata(path).map_err(|_| "cannot be read")?.is_file() {
        return Err("not a file of a sensible size");
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|_| "cannot be read")?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|_| "cannot be read")?;
    if bytes.len() as u64 > MAX_FILE {
        return Err("not a file of a sensible size");
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8 text")
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
