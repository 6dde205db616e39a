//! The lock, and how the key is kept.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A passphrase on its way from the person to the host; `Debug` does not print it, and it is wiped when dropped.
#[derive(PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct PassphraseText(String);

impl PassphraseText {
    /// Takes what the person typed.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Gives it on, leaving nothing here.
    #[must_use]
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl Drop for PassphraseText {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

impl std::fmt::Debug for PassphraseText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassphraseText")
    }
}

/// Opens the lock.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// Where one was chosen.
    pub passphrase: Option<PassphraseText>,
}

/// Keeps the key in another way.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct ChangeProtection {
    /// How.
    pub protection: ProtectionView,
    /// The passphrase so far, where there is one.
    pub current: Option<PassphraseText>,
    /// The passphrase from now on, where there is to be one.
    pub new: Option<PassphraseText>,
}

/// Whether the vault is locked. While it is, no agent gets anything; stopping and revoking work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LockView {
    /// Locked.
    Locked {
        /// Since when.
        #[ts(type = "number")]
        since: i64,
        /// By whom.
        by: LockedByView,
    },
    /// Open.
    Open,
}

/// Who locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum LockedByView {
    /// Nobody used the computer for some time.
    Idle,
    /// The person.
    Person,
    /// The screen was locked, or the computer slept.
    Screen,
    /// It was started anew.
    Start,
}

/// How the key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionView {
    /// In the keychain.
    Keychain,
    /// It takes the keychain and a passphrase.
    KeychainAndPassphrase,
    /// It takes a passphrase; no keychain is used.
    Passphrase,
}

/// What the person has chosen about the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct LockSettingsView {
    /// After how many minutes without use it locks; none for never.
    pub idle_minutes: Option<u16>,
    /// Whether it locks with the screen, where the system tells.
    pub with_screen: bool,
}
