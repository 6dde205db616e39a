//! Labels: what a sealed record is, authenticated with it, so that it opens nowhere else.

use domain::id::{GrantId, InstallId};

/// What kind of secret a record holds. The numbers are part of the format and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A bank's refresh token.
    RefreshToken = 1,
    /// A bank's access token.
    AccessToken = 2,
    /// The bank's name for the person (`sub`).
    Subject = 3,
    /// Full account numbers, as JSON.
    AccountNumbers = 4,
    /// A known text that tells whether a key is the one that sealed everything else.
    KeyCheck = 5,
    /// The nonce of the first id_token, which some banks repeat in later ones (OpenID Connect Core §12.2).
    Nonce = 6,
}

impl Kind {
    /// The number, as it stands in labels and rows.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::RefreshToken => 1,
            Self::AccessToken => 2,
            Self::Subject => 3,
            Self::AccountNumbers => 4,
            Self::KeyCheck => 5,
            Self::Nonce => 6,
        }
    }

    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::RefreshToken),
            2 => Some(Self::AccessToken),
            3 => Some(Self::Subject),
            4 => Some(Self::AccountNumbers),
            5 => Some(Self::KeyCheck),
            6 => Some(Self::Nonce),
            _ => None,
        }
    }
}

/// The associated data of a sealed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Version of the store's meaning of this label; 1.
    pub schema: u32,
    /// Which installation.
    pub install: InstallId,
    /// Which grant; none for the key check.
    pub grant: Option<GrantId>,
    /// Which issuer, as the exact string; empty for the key check.
    pub issuer: String,
    /// What it holds.
    pub kind: Kind,
    /// Which generation of it; counts from 1.
    pub generation: u32,
}

impl Label {
    /// The canonical bytes: numbers big-endian and of fixed width, texts after their length, a missing grant as a zero
    /// byte. No two labels share them, so whoever authenticates the bytes authenticates every field.
    #[must_use]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(96 + self.issuer.len());
        bytes.extend_from_slice(&self.schema.to_be_bytes());
        put_text(&mut bytes, self.install.as_str());
        match &self.grant {
            Some(grant) => {
                bytes.push(1);
                put_text(&mut bytes, &grant.to_string());
            }
            None => bytes.push(0),
        }
        put_text(&mut bytes, &self.issuer);
        bytes.push(self.kind.number());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes
    }
}

/// A text after its length.
pub(crate) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::hex;
    use domain::time::Timestamp;

    #[test]
    fn the_bytes_of_a_label_never_change() {
        let label = Label {
            schema: 1,
            install: InstallId::make_from([0xab; 8]),
            grant: Some(GrantId::make_from(Timestamp::from_millis(1_700_000_000_000), [0x11; 10])),
            issuer: "https://bank.example".to_owned(),
            kind: Kind::RefreshToken,
            generation: 7,
        };
        let expected = [
            "00000001",
            "0000000000000010",
            &hex(b"abababababababab"),
            "01",
            "0000000000000024",
            &hex(b"018bcfe5-6800-7111-9111-111111111111"),
            "0000000000000014",
            &hex(b"https://bank.example"),
            "01",
            "00000007",
        ];
        assert_eq!(hex(&label.encode()), expected.concat());

        let check =
            Label { grant: None, issuer: String::new(), kind: Kind::KeyCheck, generation: 1, ..label };
        let expected = [
            "00000001",
            "0000000000000010",
            &hex(b"abababababababab"),
            "00",
            "0000000000000000",
            "05",
            "00000001",
        ];
        assert_eq!(hex(&check.encode()), expected.concat());
    }

    #[test]
    fn kinds_read_back_what_they_write() {
        let kinds = (0..=255).filter_map(|number| Kind::from_number(number).map(|kind| (number, kind)));
        let mut found = 0;
        for (number, kind) in kinds {
            assert_eq!((kind.number(), kind as u8), (number, number));
            found += 1;
        }
        assert_eq!(found, 6);
    }
}
