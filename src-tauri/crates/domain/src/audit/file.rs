//! An exported audit log: JSON lines, a header first, that can be checked without the host.
//!
//! Each line stands there in one spelling alone, so that no byte of a file can be changed unseen. The header says how
//! many records there are and what the last hash is; who can write a whole file can write another log into it, and
//! that is told apart by the anchor alone, which the keychain keeps.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{AuditRecord, Chain, ChainError};
use crate::id::hex;
use crate::time::Timestamp;

/// The longest line: longer than any record can be.
pub const LONGEST_LINE: usize = 8 * 1024 * 1024;
const FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    countersign_audit: u32,
    /// Which installation wrote it.
    pub install: String,
    /// When it was exported, in milliseconds since 1970.
    pub exported_at: i64,
    /// How many records follow.
    pub records: u64,
    /// The hash of the last one, in hexadecimal digits.
    pub head: String,
    /// The newest record that the keychain knew, where it could be asked.
    pub anchor: Option<FileAnchor>,
    /// A hash of all this, in hexadecimal digits.
    check: String,
}

/// The newest record that the keychain knew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileAnchor {
    /// Its number.
    pub seq: u64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'l> {
    seq: u64,
    at: i64,
    #[serde(borrow)]
    hash: Cow<'l, str>,
    #[serde(borrow)]
    body: Cow<'l, str>,
}

/// What is wrong with a file: the first thing that is.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FileFault {
    /// A record is not the one that the keychain knew.
    #[error("record {0} is not the one that the keychain knew")]
    Anchor(u64),
    /// A record was changed, or something stands where it should.
    #[error("record {0} was changed")]
    Changed(u64),
    /// The first line is not that of an exported audit log, or was changed.
    #[error("the first line was changed, or this is no exported audit log")]
    Header,
    /// A record is missing.
    #[error("record {0} is missing")]
    Missing(u64),
    /// Something stands behind the last record.
    #[error("there is more than the {0} records of the first line")]
    More(u64),
}

impl FileFault {
    /// The first record that is not as it was written; none where it is the first line.
    #[must_use]
    pub fn seq(self) -> Option<u64> {
        match self {
            Self::Anchor(seq) | Self::Changed(seq) | Self::Missing(seq) => Some(seq),
            Self::More(records) => Some(records + 1),
            Self::Header => None,
        }
    }
}

impl From<ChainError> for FileFault {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Changed(seq) => Self::Changed(seq),
            ChainError::Missing(seq) => Self::Missing(seq),
        }
    }
}

impl Header {
    /// The header of a log of so many records.
    #[must_use]
    pub fn new(
        install: String,
        exported_at: Timestamp,
        records: u64,
        head: &[u8; 32],
        anchor: Option<(u64, [u8; 32])>,
    ) -> Self {
        let anchor = anchor.map(|(seq, hash)| FileAnchor { seq, hash: hex(&hash) });
        let mut header = Self {
            countersign_audit: FORMAT,
            install,
            exported_at: exported_at.millis(),
            records,
            head: hex(head),
            anchor,
            check: String::new(),
        };
        header.check = header.sum();
        header
    }

    /// The line, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    fn sum(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"countersign-audit-file-v1\0");
        hasher.update(Self { check: String::new(), ..self.clone() }.line());
        hex(&hasher.finalize())
    }

    fn read(line: &[u8]) -> Option<Self> {
        let header: Self = serde_json::from_slice(line).ok()?;
        let sound = header.countersign_audit == FORMAT && header.check == header.sum();
        (sound && header.line().as_bytes() == line).then_some(header)
    }
}

/// A record as a line, without its end.
#[must_use]
pub fn record_line(record: &AuditRecord) -> String {
    let (hash, body) = (Cow::Owned(hex(&record.hash)), Cow::Borrowed(record.body.as_str()));
    let line = Line { seq: record.seq, at: record.at.millis(), hash, body };
    serde_json::to_string(&line).unwrap_or_default()
}

/// A file that is checked line by line.
#[derive(Clone, Debug, Default)]
pub struct FileCheck {
    header: Option<Header>,
    chain: Chain,
    /// A line is spelt out here.
    spelt: Vec<u8>,
}

impl FileCheck {
    /// Takes the next line, with its end.
    ///
    /// # Errors
    /// What is wrong; nothing after that counts.
    pub fn accept(&mut self, line: &[u8]) -> Result<(), FileFault> {
        let whole = line.strip_suffix(b"\n");
        let Some(header) = &self.header else {
            let header = whole.and_then(Header::read).ok_or(FileFault::Header)?;
            self.header = Some(header);
            return Ok(());
        };
        let next = self.chain.length() + 1;
        if next > header.records {
            return Err(FileFault::More(header.records));
        }
        let line = whole.ok_or(FileFault::Changed(next))?;
        let read: Line<'_> = serde_json::from_slice(line).map_err(|_| FileFault::Changed(next))?;
        self.spelt.clear();
        let spelt = serde_json::to_writer(&mut self.spelt, &read).is_ok() && self.spelt == line;
        let hash = unhex(&read.hash).filter(|_| spelt).ok_or(FileFault::Changed(next))?;
        self.chain.accept_parts(read.seq, Timestamp::from_millis(read.at), &read.body, &hash)?;
        match &header.anchor {
            Some(anchor) if anchor.seq == read.seq && anchor.hash != read.hash => {
                Err(FileFault::Anchor(read.seq))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The file is over: gives its header.
    ///
    /// # Errors
    /// What is wrong.
    pub fn finish(self) -> Result<Header, FileFault> {
        let header = self.header.ok_or(FileFault::Header)?;
        if self.chain.length() < header.records {
            return Err(FileFault::Missing(self.chain.length() + 1));
        }
        if hex(&self.chain.head()) != header.head {
            return Err(FileFault::Changed(header.records));
        }
        match &header.anchor {
            Some(anchor) if anchor.seq > header.records => Err(FileFault::Missing(header.records + 1)),
            Some(_) | None => Ok(header),
        }
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut hash = [0; 32];
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditEvent, CHAIN_START};

    /// What somebody may put into a text so that a reader of lines takes it for more than that.
    const PARTS: [&str; 20] = [
        "\n",
        "\r\n",
        "\"",
        "\\",
        "\"}",
        "\"}\n{\"seq\":2,\"at\":0,\"hash\":\"00\",\"body\":\"{}\"}",
        "{\"event\":\"grant_revoked\"}",
        "\u{0}",
        "\u{1b}[2K",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "\u{e9}\u{301}",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "\\u0022",
        "\\n",
        ",",
        "'; DROP TABLE audit; --",
        "<script>",
        "%0a",
    ];

    /// Attack 98.
    #[test]
    fn whatever_a_text_holds_it_is_one_record_and_reads_back_as_it_was() {
        let texts: Vec<String> = PARTS
            .iter()
            .flat_map(|one| PARTS.iter().take(15).map(move |other| format!("{one}a{other}")))
            .collect();
        assert_eq!(texts.len(), 300);
        let mut before = CHAIN_START;
        let next = |(text, seq): (&String, u64)| {
            let event = AuditEvent::KeyMade { kek: text.clone() };
            let record = AuditRecord::next(&before, seq, Timestamp::from_millis(7), &event);
            before = record.hash;
            record
        };
        let records: Vec<AuditRecord> = texts.iter().zip(1..).map(next).collect();
        let header = Header::new("install".to_owned(), Timestamp::from_millis(8), 300, &before, None);
        let mut file = header.line() + "\n";
        for record in &records {
            file += &(record_line(record) + "\n");
        }
        assert_eq!(file.lines().count(), 301, "a line each");
        let mut check = FileCheck::default();
        for line in file.split_inclusive('\n') {
            check.accept(line.as_bytes()).unwrap();
        }
        assert_eq!(check.finish(), Ok(header));
        for ((line, text), record) in file.lines().skip(1).zip(&texts).zip(&records) {
            let read: Line<'_> = serde_json::from_str(line).unwrap();
            let event: AuditEvent = serde_json::from_str(&read.body).unwrap();
            assert_eq!(event, AuditEvent::KeyMade { kek: text.clone() });
            assert_eq!(record.event(), Some(event));
        }
    }
}
