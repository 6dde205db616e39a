//! The person's folder for downloads, where receipts are written.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use app::port::{Document, Files, FilesError};

/// A file of settings is not longer.
const LONGEST: u64 = 64 * 1024;
/// So many receipts of one name are told apart by a number.
const MOST: u32 = 99;
/// File systems take names of 255 bytes; a number and an ending come to it.
const LONGEST_NAME: usize = 200;

/// Writes into the folder that the desktop names for downloads, else `~/Downloads`, else the home folder.
#[derive(Clone, Debug)]
pub(crate) struct Downloads {
    home: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Downloads {
    /// The folders of a person whose session has these.
    pub(crate) fn new(home: Option<&OsStr>, config: Option<&OsStr>) -> Self {
        let folder = |path: &OsStr| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
        let home = home.and_then(folder).or_else(std::env::home_dir);
        let config = config.and_then(folder).or_else(|| home.as_ref().map(|home| home.join(".config")));
        Self { home, config }
    }

    /// Read anew each time: the person may have moved it.
    fn folder(&self) -> Option<PathBuf> {
        let home = self.home.as_ref()?;
        let named = self.config.as_ref().and_then(|config| named(&config.join("user-dirs.dirs"), home));
        [named, Some(home.join("Downloads")), Some(home.clone())]
            .into_iter()
            .flatten()
            .find(|path| path.is_dir())
    }

    fn write(&self, name: &str, documents: &[Document]) -> io::Result<PathBuf> {
        self.under_a_free_name(name, |folder, name| write_all(folder, name, documents))
    }

    fn write_parts(&self, name: &str, ending: &str, mut parts: Parts) -> io::Result<PathBuf> {
        self.under_a_free_name(name, |folder, name| {
            let path = folder.join(format!("{name}.{ending}"));
            write_new(&path, |file| {
                let mut file = io::BufWriter::new(file);
                while let Some(part) = parts.blocking_recv() {
                    file.write_all(part.map_err(io::Error::other)?.as_bytes())?;
                }
                file.flush()
            })?;
            File::open(folder)?.sync_all()?;
            Ok(path)
        })
    }

    fn under_a_free_name(
        &self,
        name: &str,
        mut write: impl FnMut(&Path, &str) -> io::Result<PathBuf>,
    ) -> io::Result<PathBuf> {
        let folder = self.folder().ok_or_else(|| io::Error::other("no folder to write to"))?;
        let plain = !name.is_empty() && !name.starts_with(['.', ' ']) && name.len() <= LONGEST_NAME;
        if !plain || name.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let names = (1..=MOST).map(|n| if n == 1 { name.to_owned() } else { format!("{name} {n}") });
        for name in names {
            match write(&folder, &name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                written => return written,
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }
}

impl Files for Downloads {
    async fn save(&self, name: String, documents: Vec<Document>) -> Result<String, FilesError> {
        let downloads = self.clone();
        told(tokio::task::spawn_blocking(move || downloads.write(&name, &documents)).await)
    }

    async fn save_parts(
        &self,
        name: String,
        ending: &'static str,
        parts: Parts,
    ) -> Result<String, FilesError> {
        let downloads = self.clone();
        told(tokio::task::spawn_blocking(move || downloads.write_parts(&name, ending, parts)).await)
    }
}

type Parts = tokio::sync::mpsc::Receiver<Result<String, FilesError>>;

fn told(written: Result<io::Result<PathBuf>, tokio::task::JoinError>) -> Result<String, FilesError> {
    match written {
        Ok(Ok(path)) => Ok(path.display().to_string()),
        // Neither the person's name nor the folder's belongs into a log.
        Ok(Err(error)) => {
            tracing::warn!(kind = %error.kind(), "a file for the person could not be written");
            Err(FilesError)
        }
        Err(_) => Err(FilesError),
    }
}

/// The folder that the desktop's file of folders names for downloads. The home folder itself means none.
fn named(file: &Path, home: &Path) -> Option<PathBuf> {
    let options = rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(options.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(file).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text).ok()?;
    let value = text.split(|byte| *byte == b'\n').rev().find_map(|line| {
        let value = line.trim_ascii().strip_prefix(b"XDG_DOWNLOAD_DIR=")?;
        value.trim_ascii().strip_prefix(b"\"")?.strip_suffix(b"\"")
    })?;
    let path = match value.strip_prefix(b"$HOME") {
        Some(b"" | b"/") => return None,
        Some(below) => home.join(OsStr::from_bytes(&unquoted(below.strip_prefix(b"/")?))),
        None => PathBuf::from(OsStr::from_bytes(&unquoted(value))),
    };
    Some(path).filter(|path| path.is_absolute() && path != home)
}

/// Takes the shell's backslashes away.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' { *bytes.next().unwrap_or(byte) } else { *byte });
    }
    plain
}

/// All of them or none.
fn write_all(folder: &Path, name: &str, documents: &[Document]) -> io::Result<PathBuf> {
    let mut written = Vec::new();
    for document in documents {
        let path = folder.join(format!("{name}.{}", document.ending));
        match write_new(&path, |file| file.write_all(document.text.as_bytes())) {
            Ok(()) => written.push(path),
            Err(error) => {
                written.iter().for_each(|path| drop(fs::remove_file(path)));
                return Err(error);
            }
        }
    }
    File::open(folder)?.sync_all()?;
    written.into_iter().next().ok_or_else(|| io::Error::other("nothing to write"))
}

/// A file that was not there, for the person alone. What stands under the name already is left alone, a link too.
fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = write(&mut file).and_then(|()| file.sync_all());
    if written.is_err() {
        drop(fs::remove_file(path));
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use tempfile::TempDir;

    use super::*;

    fn documents() -> Vec<Document> {
        let document = |ending: &'static str| Document { ending, text: format!("as {ending}") };
        vec![document("html"), document("json")]
    }

    fn home() -> (TempDir, Downloads) {
        let home = tempfile::tempdir().unwrap();
        let downloads = Downloads::new(Some(home.path().as_os_str()), None);
        (home, downloads)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn it_is_the_folder_that_the_desktop_names() {
        let (home, downloads) = home();
        let check = |line: &str, expected: &str| {
            fs::create_dir_all(home.path().join(".config")).unwrap();
            fs::write(home.path().join(".config/user-dirs.dirs"), line).unwrap();
            assert_eq!(downloads.folder().unwrap(), home.path().join(expected), "{line}");
        };
        assert_eq!(downloads.folder().unwrap(), home.path(), "without a folder for them, the home folder");
        fs::create_dir(home.path().join("Downloads")).unwrap();
        fs::create_dir(home.path().join("Meine \"Sachen\"")).unwrap();
        check("", "Downloads");
        check("XDG_DOWNLOAD_DIR=\"$HOME/Meine \\\"Sachen\\\"\"\n", "Meine \"Sachen\"");
        check("XDG_DOWNLOAD_DIR=\"$HOME/gone\"\n", "Downloads");
        check("XDG_DOWNLOAD_DIR=\"$HOME/\"\n", "Downloads");
        check("XDG_DOWNLOAD_DIR=\"relative\"\n", "Downloads");
        check("XDG_DOWNLOAD_DIR=$HOME/Meine\n# XDG_DOWNLOAD_DIR=\"/tmp\"\n", "Downloads");
        let elsewhere = tempfile::tempdir().unwrap();
        let line = format!("XDG_DOWNLOAD_DIR=\"{}\"\n", elsewhere.path().display());
        fs::write(home.path().join(".config/user-dirs.dirs"), line).unwrap();
        assert_eq!(downloads.folder().unwrap(), elsewhere.path());
    }

    #[test]
    fn they_are_new_and_the_persons_alone() {
        let (home, downloads) = home();
        let first = downloads.write("Receipt", &documents()).unwrap();
        assert_eq!(first, home.path().join("Receipt.html"));
        assert_eq!(fs::read_to_string(&first).unwrap(), "as html");
        assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o7777, 0o600);
        let second = downloads.write("Receipt", &documents()).unwrap();
        assert_eq!(second, home.path().join("Receipt 2.html"));
        let all = ["Receipt 2.html", "Receipt 2.json", "Receipt.html", "Receipt.json"];
        assert_eq!(names(home.path()), all);
    }

    #[test]
    fn what_is_there_is_left_alone_and_a_link_is_not_followed() {
        let (home, downloads) = home();
        let mine = home.path().join("mine");
        fs::write(&mine, "mine").unwrap();
        symlink(&mine, home.path().join("Receipt.html")).unwrap();
        symlink(home.path().join("nowhere"), home.path().join("Receipt 2.json")).unwrap();
        let path = downloads.write("Receipt", &documents()).unwrap();
        assert_eq!(path, home.path().join("Receipt 3.html"));
        assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
        assert!(!home.path().join("nowhere").exists());
        let all = ["Receipt 2.json", "Receipt 3.html", "Receipt 3.json", "Receipt.html", "mine"];
        assert_eq!(names(home.path()), all, "nothing is left of what did not come whole");
    }

    #[tokio::test]
    async fn parts_make_one_file_and_a_missing_one_makes_none() {
        let (home, downloads) = home();
        for (parts, left) in [
            (vec![Ok("one\n"), Ok("two\n")], vec!["Activity.jsonl"]),
            (vec![Ok("one\n"), Err(FilesError), Ok("two\n")], vec!["Activity.jsonl"]),
            (vec![], vec!["Activity 2.jsonl", "Activity.jsonl"]),
        ] {
            let (sender, receiver) = tokio::sync::mpsc::channel(4);
            let whole = parts.iter().all(Result::is_ok);
            for part in parts {
                sender.send(part.map(str::to_owned)).await.unwrap();
            }
            drop(sender);
            assert_eq!(downloads.save_parts("Activity".into(), "jsonl", receiver).await.is_ok(), whole);
            assert_eq!(names(home.path()), left);
        }
        assert_eq!(fs::read_to_string(home.path().join("Activity.jsonl")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        let (home, downloads) = home();
        for name in ["", "../x", "a/b", ".hidden", "a\\b", "a\nb", "a\0b", &"a".repeat(201)] {
            assert!(downloads.write(name, &documents()).is_err(), "{name:?}");
        }
        assert!(names(home.path()).is_empty());
    }
}
