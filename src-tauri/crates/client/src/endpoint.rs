//! Where the person's Countersign listens: `endpoint.json` in its data folder.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use contract::channel::EndpointFile;
use thiserror::Error;

/// Why it is not known where Countersign listens.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EndpointError {
    /// There is no such file: Countersign has not run yet.
    #[error("Countersign is not running")]
    Absent,
    /// It does not say what it should.
    #[error("endpoint.json is not of the right shape")]
    Malformed,
    /// It is a link, somebody else's, or others may write it.
    #[error("endpoint.json is a link, somebody else's, or others may write it")]
    Unfit,
}

/// Where a Countersign listens, and who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) socket: PathBuf,
    authority: String,
}

impl Endpoint {
    /// Reads it from a data folder.
    pub(crate) fn read(data_folder: &Path) -> Result<Self, EndpointError> {
        let path = data_folder.join("endpoint.json");
        let found = fs::symlink_metadata(&path).map_err(|_| EndpointError::Absent)?;
        if !is_own(&found) {
            return Err(EndpointError::Unfit);
        }
        // It may be replaced between the two; by whoever may write the folder, who is the person.
        let text = fs::read(&path).map_err(|_| EndpointError::Absent)?;
        let file: EndpointFile = serde_json::from_slice(&text).map_err(|_| EndpointError::Malformed)?;
        let authority = file.issuer.strip_prefix("http://").filter(|authority| is_authority(authority));
        let authority = authority.ok_or(EndpointError::Malformed)?.to_owned();
        Ok(Self { socket: file.socket.into(), authority })
    }

    /// What `Host` says.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// What a task is for, and what every address begins with.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.authority)
    }
}

/// It stands in a header: nothing that would end one.
fn is_authority(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

#[cfg(unix)]
fn is_own(found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    found.is_file() && ours && found.mode() & 0o022 == 0
}

#[cfg(windows)]
fn is_own(found: &Metadata) -> bool {
    found.is_file()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const TEXT: &str = r#"{"socket":"/run/x/broker.sock","issuer":"http://ab.countersign.localhost"}"#;

    fn written(text: &str) -> tempfile::TempDir {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("endpoint.json"), text).unwrap();
        base
    }

    #[test]
    fn the_file_says_where_and_who() {
        let base = written(TEXT);
        let endpoint = Endpoint::read(base.path()).unwrap();
        assert_eq!(endpoint.socket, Path::new("/run/x/broker.sock"));
        assert_eq!(endpoint.authority(), "ab.countersign.localhost");
        assert_eq!(endpoint.issuer(), "http://ab.countersign.localhost");
    }

    #[test]
    fn what_says_something_else_is_not_believed() {
        for text in [
            "",
            "{}",
            r#"{"socket":"/x","issuer":"https://ab.countersign.localhost"}"#,
            r#"{"socket":"/x","issuer":"http://"}"#,
            r#"{"socket":"/x","issuer":"http://a b"}"#,
            r#"{"socket":"/x","issuer":"http://a\r\nX: y"}"#,
            r#"{"socket":"/x","issuer":"http://a/b"}"#,
        ] {
            assert_eq!(Endpoint::read(written(text).path()), Err(EndpointError::Malformed), "{text}");
        }
        assert_eq!(Endpoint::read(Path::new("/nonexistent")), Err(EndpointError::Absent));
    }

    #[test]
    fn a_file_that_others_could_have_written_is_not_believed() {
        let base = written(TEXT);
        let file = base.path().join("endpoint.json");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(Endpoint::read(base.path()), Err(EndpointError::Unfit));
        fs::rename(&file, base.path().join("real")).unwrap();
        fs::set_permissions(base.path().join("real"), fs::Permissions::from_mode(0o600)).unwrap();
        symlink("real", &file).unwrap();
        assert_eq!(Endpoint::read(base.path()), Err(EndpointError::Unfit), "a link");
    }
}
