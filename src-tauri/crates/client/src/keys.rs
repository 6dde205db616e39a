//! Where an agent's key is kept: in a file that was named, in the person's own folder of agents, or in the keychain.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::dice::NoRandomness;
use crate::environment;
use crate::key::{AgentKey, KeyTextError};
use crate::key_file;
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
pub use crate::keychain::KeychainError;

/// What the file of an agent's key ends with.
const ENDING: &str = "jwk";

/// Why there is no key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// There is a file already, and no key is written over another.
    #[error("there is a file in the key's place already")]
    FileTaken,
    /// The file is a link, somebody else's, or open to others.
    #[error("the key's file is a link, somebody else's, or open to others")]
    FileUnfit,
    /// The file could not be read.
    #[error("the key's file cannot be read")]
    FileUnreadable,
    /// The file could not be written.
    #[error("the key's file cannot be written")]
    FileUnwritable,
    /// The keychain gave or took nothing.
    #[cfg(any(target_os = "linux", target_os = "macos", windows))]
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// No letter or digit is in it.
    #[error("an agent's name has letters or digits")]
    NameUnfit,
    /// No key was made for this agent.
    #[error("there is no key for this agent")]
    NoKey,
    /// No key could be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// There are keys for several agents, and none was named.
    #[error("there are keys for several agents")]
    Several(Vec<String>),
    /// What is in the key's place is no key.
    #[error(transparent)]
    Text(#[from] KeyTextError),
}

/// Where a key was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// In this file.
    File(PathBuf),
    /// In the keychain.
    Keychain,
}

/// Where an agent's key is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySource {
    file: Option<PathBuf>,
    name: Option<String>,
    folder: PathBuf,
}

impl KeySource {
    /// The file that `COUNTERSIGN_AGENT_KEY_FILE` names; else the person's own folder of agents, beside the data folder
    /// of Countersign; else the keychain.
    #[must_use]
    pub fn of_person() -> Self {
        let mut folder = environment::data_folder().into_os_string();
        folder.push("-agent");
        Self { file: environment::key_file(), name: None, folder: folder.into() }
    }

    /// The key of the agent with this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self.file = None;
        self
    }

    /// Where a new agent of this name has, or gets, its key: in the file that the environment names, if it names one.
    #[must_use]
    pub fn for_new(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The key in this file.
    #[must_use]
    pub fn in_file(mut self, path: PathBuf) -> Self {
        self.file = Some(path);
        self
    }

    /// Reads the key. Where a file holds it, nothing else is asked.
    ///
    /// # Errors
    /// There is none, there are several and none was named, or it is not safe where it is.
    pub fn load(&self) -> Result<AgentKey, KeyError> {
        if let Some(file) = &self.file {
            return key_file::load(file);
        }
        let name = self.name.as_deref().map(short_name).transpose()?;
        let named = name.as_deref();
        let files = files_in(&self.folder).map_err(|_| KeyError::FileUnreadable)?;
        let fits = |found: &&(String, PathBuf)| named.is_none_or(|name| found.0 == name);
        match files.iter().filter(fits).collect::<Vec<_>>()[..] {
            [] => in_keychain(named),
            [(_, file)] => key_file::load(file),
            ref several => Err(KeyError::Several(several.iter().map(|(name, _)| name.clone()).collect())),
        }
    }

    /// Makes a key and keeps it under a name: in the file that was named, else in the keychain, else in a file of the
    /// person's own folder of agents.
    ///
    /// # Errors
    /// It could not be kept; then nothing is left of it.
    pub fn make(&self, name: &str) -> Result<(AgentKey, Kept), KeyError> {
        let short = short_name(name)?;
        let key = AgentKey::make()?;
        if let Some(file) = &self.file {
            key_file::save(file, &key)?;
            return Ok((key, Kept::File(file.clone())));
        }
        if keep_in_keychain(&short, &key)? {
            return Ok((key, Kept::Keychain));
        }
        let file = self.folder.join(format!("{short}.{ENDING}"));
        key_file::save(&file, &key)?;
        Ok((key, Kept::File(file)))
    }
}

/// A name as files and the keychain have it: letters and digits, small, with `-` for all else.
fn short_name(name: &str) -> Result<String, KeyError> {
    let small = name.chars().flat_map(char::to_lowercase);
    let kept: String = small.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let short = kept.split_whitespace().collect::<Vec<_>>().join("-");
    if short.is_empty() || short.len() > 200 { Err(KeyError::NameUnfit) } else { Ok(short) }
}

/// The key files of a folder, by their names. No folder is as good as an empty one.
fn files_in(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_key = path.extension().is_some_and(|ending| ending == ENDING);
        if let (true, Some(name)) = (is_key, path.file_stem().and_then(|stem| stem.to_str())) {
            files.push((name.to_owned(), path));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(any(target_os = "linux", target_os = "macos", windows))]
fn in_keychain(name: Option<&str>) -> Result<AgentKey, KeyError> {
    use crate::keychain;
    let items = match keychain::find(name) {
        Err(KeychainError::Absent) => return Err(KeyError::NoKey),
        other => other?,
    };
    match &items[..] {
        [] => Err(KeyError::NoKey),
        [item] => Ok(AgentKey::parse(&item.text)?),
        several => Err(KeyError::Several(several.iter().map(|item| item.account.clone()).collect())),
    }
}

/// Whether there is a keychain, which then holds the key.
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
fn keep_in_keychain(name: &str, key: &AgentKey) -> Result<bool, KeyError> {
    match crate::keychain::keep(name, key.expose_jwk()) {
        Ok(()) => Ok(true),
        Err(KeychainError::Absent) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn in_keychain(_: Option<&str>) -> Result<AgentKey, KeyError> {
    Err(KeyError::NoKey)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn keep_in_keychain(_: &str, _: &AgentKey) -> Result<bool, KeyError> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_files() {
        let check =
            |name: &str, expected: &str| assert_eq!(short_name(name).as_deref(), Ok(expected), "{name}");
        check("Budget Buddy", "budget-buddy");
        check("../../etc/passwd", "etc-passwd");
        check(" Ünï  cödé! ", "ünï-cödé");
        for name in ["", " ", "../..", "\u{202e}"] {
            assert_eq!(short_name(name), Err(KeyError::NameUnfit), "{name}");
        }
    }

    #[test]
    fn the_one_key_of_the_folder_is_found_and_of_several_the_one_that_is_named() {
        let base = tempfile::tempdir().unwrap();
        let source = KeySource { file: None, name: None, folder: base.path().join("agents") };
        let keep = |name: &str| {
            let key = AgentKey::make().unwrap();
            key_file::save(&source.folder.join(format!("{name}.jwk")), &key).unwrap();
            key.thumbprint().to_owned()
        };
        let one = keep("one");
        assert_eq!(source.load().unwrap().thumbprint(), one);
        let two = keep("two");
        let both = vec!["one".to_owned(), "two".to_owned()];
        assert_eq!(source.load().err(), Some(KeyError::Several(both)));
        assert_eq!(source.clone().named("Two").load().unwrap().thumbprint(), two);
        let file = source.folder.join("one.jwk");
        assert_eq!(source.clone().named("Two").in_file(file).load().unwrap().thumbprint(), one);
    }

    #[test]
    fn a_key_that_is_made_in_a_file_is_found_there() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("here.jwk");
        let source = KeySource { file: Some(file.clone()), name: None, folder: base.path().into() };
        let (key, kept) = source.make("Buddy").unwrap();
        assert_eq!(kept, Kept::File(file));
        assert_eq!(source.load().unwrap().thumbprint(), key.thumbprint());
        assert_eq!(source.make("Buddy").err(), Some(KeyError::FileTaken));
    }
}
