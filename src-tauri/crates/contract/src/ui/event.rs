//! What windows hear.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What happened; the window reads again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Something was recorded; told at most once a second.
    ActivityChanged,
    /// An agent was added or changed, or a program asks to be added.
    AgentsChanged,
    /// The keychain or another part of [`AppState`](super::AppState) changed.
    AppChanged,
    /// A question was opened, answered or withdrawn.
    ApprovalChanged,
    /// An attempt moved on.
    AttemptChanged {
        /// Which.
        id: String,
        /// Its revision now.
        revision: u32,
    },
    /// A grant was made or changed.
    GrantsChanged {
        /// The list's revision now.
        revision: u32,
    },
    /// The host has stopped, from the window process itself.
    HostGone,
}
