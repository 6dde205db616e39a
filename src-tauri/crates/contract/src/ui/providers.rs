//! Banks, and what an agent can be allowed there.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A bank to connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ProviderView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Letters for its tile.
    pub monogram: String,
    /// The tile's colour, `#rrggbb`.
    pub colour: String,
    /// The host name where the person signs in, in ASCII.
    pub host: String,
    /// Added by address, not from the catalogue.
    pub unverified: bool,
    /// Revoking one agent's consent ends the others' too.
    pub shared_consents: bool,
    /// The longest the bank allows.
    pub max_days: u16,
    /// What an agent can be allowed.
    pub permissions: Vec<PermissionView>,
}

/// One thing an agent can be allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PermissionView {
    /// Its id.
    pub id: String,
    /// One or two words: "balances".
    pub short: String,
    /// The whole line: "your balances: what is in each account now".
    pub text: String,
    /// What the agent cannot do without it: "move money".
    pub cannot: String,
    /// Can see, or can do.
    pub group: PermissionGroup,
    /// How much harm it can do.
    pub risk: RiskView,
    /// Other permissions it makes no sense without.
    pub needs: Vec<String>,
}

/// The two groups on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum PermissionGroup {
    /// What the agent can do.
    Do,
    /// What the agent can see.
    See,
}

/// How much harm a permission can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum RiskView {
    /// Moves money.
    Money,
    /// Reads who the person is.
    Personal,
    /// Reads account data.
    Read,
}

/// The bank as a row shows it; true even if it has left the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BankMark {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Letters for its tile.
    pub monogram: String,
    /// The tile's colour.
    pub colour: String,
    /// The host name where the person signs in.
    pub host: String,
    /// Where a customer withdraws consent at the bank; shown as text, to be typed or copied.
    pub help: Option<String>,
}
