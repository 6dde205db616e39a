//! What the host has said to the person: from then on it must be so, whatever happens.

use std::collections::BTreeSet;

use serde_json::Value;

/// What was said.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Connections that were shown.
    pub(super) connected: BTreeSet<String>,
    /// Connections that were shown as cut off here.
    pub(super) revoked: BTreeSet<String>,
    /// Connections that were shown as confirmed ended by the bank.
    pub(super) confirmed: BTreeSet<String>,
    /// Connections of which the bank was asked and found to work.
    pub(super) works: BTreeSet<String>,
    /// Connections that are held back.
    pub(super) paused: BTreeSet<String>,
    /// Whether every agent is stopped; nothing while that is being changed.
    pub(super) stopped: Option<bool>,
    /// Attempts that were shown.
    pub(super) attempts: BTreeSet<String>,
    /// Sealed records that nothing may change: those of a fixture.
    pub(super) sealed: BTreeSet<String>,
}

/// A connection as the list shows it.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) id: String,
    /// `active`, `revoked`, …
    pub(super) state: String,
    /// Why it does not go on, where it does not.
    pub(super) why: String,
    /// `confirmed`, `not_yet`, … of a revoked one.
    pub(super) bank: String,
    /// What is in the way of telling the bank.
    waits_for: String,
    /// When the bank was last tried.
    last_try: u64,
}

impl Shown {
    /// Every connection of the list, or of one connection's own page.
    pub(super) fn of(view: &Value) -> Vec<Self> {
        let row = |row: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (state, facts) = (text(&row["state"]["kind"]), &row["state"]["facts"]);
            let bank = &facts["bank"];
            Self {
                id: text(&row["id"]),
                state,
                why: text(&row["state"]["why"]),
                bank: text(&bank["kind"]),
                waits_for: text(&bank["waits_for"]),
                last_try: bank["last_try"].as_u64().unwrap_or_default(),
            }
        };
        if view["row"].is_object() {
            return vec![row(&view["row"])];
        }
        let list = |name: &str| view[name].as_array().into_iter().flatten().map(row).collect::<Vec<_>>();
        [list("current"), list("history")].concat()
    }

    pub(super) fn is_revoked(&self) -> bool {
        self.state == "revoked"
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.is_revoked() && self.bank == "confirmed"
    }

    /// It waits, and will not be tried again within seconds.
    pub(super) fn waits_long(&self, since: u64) -> bool {
        self.waits() && (self.waits_for == "keychain" || self.last_try >= since)
    }

    /// Cut off here, and the bank is still to be told.
    pub(super) fn waits(&self) -> bool {
        self.is_revoked() && self.bank == "not_yet"
    }
}

impl Told {
    /// Takes note of connections that were shown.
    pub(super) fn see(&mut self, shown: &[Shown]) {
        for shown in shown {
            self.connected.insert(shown.id.clone());
            if shown.is_revoked() {
                self.revoked.insert(shown.id.clone());
            }
            if shown.is_confirmed() {
                self.confirmed.insert(shown.id.clone());
            }
        }
    }
}
