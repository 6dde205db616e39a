//! The whole app in a glance.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::asked::AskedView;
use super::lock::{LockSettingsView, LockView, ProtectionView};
use super::rules::RuleAlertView;

/// The whole app in a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AppState {
    /// This build talks to sandbox banks: the window is marked.
    pub sandbox: bool,
    /// The data folder, where it is not the platform's own.
    pub home: Option<String>,
    /// The program's version.
    pub version: String,
    /// How the keychain is.
    pub keychain: KeychainState,
    /// Whether the vault is locked.
    pub lock: LockView,
    /// How the key is kept.
    pub protection: ProtectionView,
    /// What the person has chosen about the lock.
    pub lock_settings: LockSettingsView,
    /// Whether every agent is stopped.
    pub stopped: Option<StoppedView>,
    /// When it was noticed in this run that the store was put back from an older copy.
    #[ts(type = "number | null")]
    pub restored_at: Option<i64>,
    /// How many seconds this computer's clock is ahead of the banks', where that is worth telling; negative for behind.
    #[ts(type = "number | null")]
    pub clock_ahead: Option<i64>,
    /// What other programs of this computer have asked for, oldest first; nothing of it happens without a click.
    pub asked: Vec<AskedView>,
    /// What rules have noticed and the person has not put away, oldest first.
    pub rule_alerts: Vec<RuleAlertView>,
    /// Provider or agent files that could not be read.
    pub catalogue_problems: Vec<CatalogueProblem>,
    /// The person asked to quit in the tray: ask once more, saying what it means.
    pub quit_asked: bool,
    /// The desktop has no tray: closing the window hides everything until Countersign is started again.
    pub no_tray: bool,
}

/// Every agent is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct StoppedView {
    /// Since when, where that could be recorded.
    #[ts(type = "number | null")]
    pub since: Option<i64>,
    /// Whether it outlives a restart; written again and again until it does.
    pub recorded: bool,
}

/// How the keychain is; each has its own words and way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeychainState {
    /// There is none, or one that would forget.
    Absent,
    /// It does not answer.
    Blocked,
    /// Our key is gone although sealed records exist.
    KeyMissing,
    /// There is a key, but not the one that sealed the records.
    KeyReplaced,
    /// It must be unlocked first.
    Locked,
    /// It works.
    Ready,
}

/// A file of the catalogue that is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CatalogueProblem {
    /// The file's name, without its folder.
    pub file: String,
    /// The rule it breaks, for support; names and positions, no content.
    pub rule: String,
}
