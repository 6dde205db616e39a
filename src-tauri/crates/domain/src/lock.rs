//! The vault's lock, and how its key is kept.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How the key-encryption key is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// In the keychain.
    #[default]
    Keychain,
    /// Wrapped under a passphrase and a key in the keychain: it takes both.
    KeychainAndPassphrase,
    /// Wrapped under a passphrase alone, for computers without a keychain.
    Passphrase,
}

impl Protection {
    /// True where a passphrase opens it.
    #[must_use]
    pub fn has_passphrase(self) -> bool {
        match self {
            Self::Keychain => false,
            Self::KeychainAndPassphrase | Self::Passphrase => true,
        }
    }

    /// True where the keychain takes part.
    #[must_use]
    pub fn has_keychain(self) -> bool {
        match self {
            Self::Keychain | Self::KeychainAndPassphrase => true,
            Self::Passphrase => false,
        }
    }
}

/// Whether agents can be served at all: while locked, nothing sealed is opened for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Locked.
    Locked {
        /// Since when.
        since: Timestamp,
        /// By whom.
        by: LockedBy,
    },
    /// Open.
    Open,
}

/// Who locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedBy {
    /// Nobody used the computer for as long as the person had said.
    Idle,
    /// The person.
    Person,
    /// The screen was locked, or the computer went to sleep.
    Screen,
    /// It was started anew, and only the passphrase opens it.
    Start,
}

/// What the person has chosen about the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockSettings {
    /// After how many minutes without use it locks; none for never.
    pub idle_minutes: Option<u16>,
    /// Whether it locks with the screen, where the system tells.
    pub with_screen: bool,
}

impl LockSettings {
    /// What holds until the person chooses.
    pub const DEFAULT: Self = Self { idle_minutes: None, with_screen: false };
}
