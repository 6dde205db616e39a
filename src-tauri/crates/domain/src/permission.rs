//! What a person can allow, as a set of permission ids.

use std::collections::BTreeSet;

use crate::id::PermissionId;

/// A set of permissions; equality ignores order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(BTreeSet<PermissionId>);

impl PermissionSet {
    /// The permissions in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = &PermissionId> {
        self.0.iter()
    }

    /// True when it holds this one.
    #[must_use]
    pub fn contains(&self, id: &PermissionId) -> bool {
        self.0.contains(id)
    }

    /// True when nothing is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// What is in both.
    #[must_use]
    pub fn both(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }
}

impl FromIterator<PermissionId> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = PermissionId>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

/// How much harm a permission can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads account data.
    Read,
    /// Reads who the person is.
    Personal,
    /// Moves money.
    Money,
}
