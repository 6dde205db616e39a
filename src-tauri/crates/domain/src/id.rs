//! Ids: UUIDv7 newtypes for what we make, slugs for what provider files name.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

use crate::time::Timestamp;

/// A text that is not the id it was given as.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a valid {kind}")]
pub struct IdError {
    /// Which id was expected.
    pub kind: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// Makes an id from the time and ten random bytes (UUIDv7, RFC 9562 §5.7).
            #[must_use]
            pub fn make_from(now: Timestamp, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(now.millis().unsigned_abs(), &random).into_uuid())
            }

            /// Parses the hyphenated text form.
            ///
            /// # Errors
            /// Anything but a hyphenated UUID.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let err = IdError { kind: stringify!($name) };
                if text.len() != 36 { return Err(err); }
                uuid::Uuid::try_parse(text).map(Self).map_err(|_| err)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> { Self::parse(&text) }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self { id.to_string() }
        }
    )*};
}

uuid_id! {
    /// One run of Connect Account.
    AttemptId
    /// One provider, one agent, one consent.
    GrantId
    /// One enrolled agent.
    AgentId
    /// One receipt.
    ReceiptId
    /// One thing that another program asked for.
    AskedId
    /// What one task was given.
    LeaseId
    /// One question that an agent's task puts before the person.
    QuestionId
    /// One answer that holds for a while.
    ChoiceId
    /// One agent that asks to be added.
    EnrolmentId
}

macro_rules! slug_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses 1 to 64 characters of `a-z 0-9 - _`, starting with a letter or digit.
            ///
            /// # Errors
            /// Anything else.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let first_ok = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
                let all_ok = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
                if first_ok && all_ok && text.len() <= 64 { Ok(Self(text.to_owned())) }
                else { Err(IdError { kind: stringify!($name) }) }
            }

            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> { Self::parse(&text) }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self { id.0 }
        }
    )*};
}

slug_id! {
    /// A bank, as its provider file names it; also the last part of its loopback path.
    ProviderId
    /// A set of operations many providers share.
    ProfileId
    /// One thing a person can allow.
    PermissionId
    /// One call an API offers.
    OperationId
}

/// This installation: 16 hex characters, in clear in the store, bound into every sealed record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstallId(String);

impl InstallId {
    /// Makes an install id from eight random bytes.
    #[must_use]
    pub fn make_from(random: [u8; 8]) -> Self {
        Self(hex(&random))
    }

    /// Parses 16 lower-case hex characters.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let ok = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if ok { Ok(Self(text.to_owned())) } else { Err(IdError { kind: "InstallId" }) }
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key-encryption key a sealed record was wrapped with: eight bytes, shown as hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KekId([u8; 8]);

impl KekId {
    /// Makes a key id from eight random bytes.
    #[must_use]
    pub fn make_from(random: [u8; 8]) -> Self {
        Self(random)
    }

    /// The bytes, as they stand in a sealed record's header.
    #[must_use]
    pub fn bytes(self) -> [u8; 8] {
        self.0
    }

    /// Parses 16 lower-case hex characters.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let err = IdError { kind: "KekId" };
        let valid = InstallId::parse(text).is_ok();
        let number = u64::from_str_radix(text, 16).map_err(|_| IdError { kind: "KekId" })?;
        if valid { Ok(Self(number.to_be_bytes())) } else { Err(err) }
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// Lower-case hex of some bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_what_they_write() {
        let id = GrantId::make_from(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        assert_eq!(GrantId::parse(&id.to_string()), Ok(id));
        let kek = KekId::make_from([0, 1, 2, 3, 4, 5, 6, 255]);
        assert_eq!(KekId::parse(&kek.to_string()), Ok(kek));
        assert_eq!(kek.to_string(), "00010203040506ff");
    }

    #[test]
    fn hostile_ids_are_refused() {
        for text in ["", "../x", "A", "-a", "a b", "a\n", "é", &"a".repeat(65)] {
            assert!(ProviderId::parse(text).is_err(), "{text:?}");
        }
        for text in ["", "0123456789abcdeF", "0123456789abcde", "+123456789abcdef"] {
            assert!(InstallId::parse(text).is_err(), "{text:?}");
            assert!(KekId::parse(text).is_err(), "{text:?}");
        }
        assert!(GrantId::parse("{0190163d-8694-739b-aea5-966c26f8ad91}").is_err());
    }
}
