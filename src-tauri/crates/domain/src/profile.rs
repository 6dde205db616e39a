//! API profiles: what an API offers, as data shared by many providers.

use serde::Deserialize;
use std::collections::BTreeSet;
use thiserror::Error;

use crate::id::{OperationId, PermissionId, ProfileId};
use crate::permission::{PermissionSet, Risk};

/// Why a profile file is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProfileError {
    /// Two permissions or two operations share an id.
    #[error("the id {0} is used twice")]
    DuplicateId(String),
    /// A permission must be one of the two, so that it stands in one group on screen.
    #[error("permission {0} needs exactly one of can_see and can_do")]
    SeeOrDo(PermissionId),
    /// Not TOML of this shape; the position, never the text.
    #[error("not a profile file: {0}")]
    Shape(String),
    /// A scope or path that could break a request.
    #[error("{0} holds characters that it may not")]
    UnsafeText(String),
    /// A name that points nowhere.
    #[error("{0} is named but not defined")]
    Unknown(String),
}

/// What an API offers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// How to list the accounts a consent covers.
    pub accounts: AccountList,
    /// What a person can allow.
    #[serde(rename = "permission")]
    pub permissions: Vec<Permission>,
    /// The calls.
    #[serde(rename = "operation")]
    pub operations: Vec<Operation>,
}

/// Where the accounts stand in the answer of one operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountList {
    /// The operation that lists accounts.
    pub operation: OperationId,
    /// Member of the answer that holds the list.
    pub list: String,
    /// Field with the account's id.
    pub id: String,
    /// Field with its name.
    pub name: String,
    /// Field with its number, which the host masks.
    pub number: String,
    /// Field with its currency.
    pub currency: String,
    /// Permissions without which the list cannot be read.
    #[serde(default)]
    pub needs: Vec<PermissionId>,
}

/// One thing a person can allow, in plain words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    /// Its id.
    pub id: PermissionId,
    /// The scope that asks the bank for it.
    pub scope: String,
    /// One or two words, for lists: "balances".
    pub short: String,
    /// What the agent can see.
    #[serde(default)]
    pub can_see: Option<String>,
    /// What the agent can do.
    #[serde(default)]
    pub can_do: Option<String>,
    /// What it cannot do without: "move money".
    pub cannot: String,
    /// How much harm it can do.
    pub risk: Risk,
}

/// One call of the API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// HTTP method.
    pub method: String,
    /// Path pattern under the API's base.
    pub path: String,
    /// The permission it needs.
    pub permission: PermissionId,
    /// Where the account stands in the call.
    #[serde(default)]
    pub account: Option<String>,
    /// Query parameters it may carry.
    #[serde(default)]
    pub query: Vec<String>,
    /// Where the amount stands.
    #[serde(default)]
    pub amount: Option<String>,
    /// Where the currency stands.
    #[serde(default)]
    pub currency: Option<String>,
    /// Where the payee stands.
    #[serde(default)]
    pub payee: Option<String>,
    /// When it may be sent again.
    #[serde(default)]
    pub retry: Option<String>,
    /// What it did, as a sentence's end.
    pub says: String,
}

impl Profile {
    /// Parses a profile file.
    ///
    /// # Errors
    /// Each rule a file can break is a [`ProfileError`].
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|err| ProfileError::Shape(toml_place(&err)))?;
        profile.check_permissions()?;
        profile.check_operations()?;
        Ok(profile)
    }

    /// The permission with this id.
    #[must_use]
    pub fn permission(&self, id: &PermissionId) -> Option<&Permission> {
        self.permissions.iter().find(|p| p.id == *id)
    }

    /// The operation with this id.
    #[must_use]
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == *id)
    }

    /// The permissions these scopes stand for, and the scopes that stand for none.
    #[must_use]
    pub fn permissions_of<'s>(&self, scopes: impl Iterator<Item = &'s str>) -> (PermissionSet, Vec<&'s str>) {
        let mut unknown = Vec::new();
        let mut known = Vec::new();
        for scope in scopes {
            let mut found =
                self.permissions.iter().filter(|p| p.scope == scope).map(|p| p.id.clone()).peekable();
            if found.peek().is_none() {
                unknown.push(scope);
            }
            known.extend(found);
        }
        (known.into_iter().collect(), unknown)
    }

    fn check_permissions(&self) -> Result<(), ProfileError> {
        let mut seen = BTreeSet::new();
        for permission in &self.permissions {
            if !seen.insert(&permission.id) {
                return Err(ProfileError::DuplicateId(permission.id.to_string()));
            }
            if permission.can_see.is_some() == permission.can_do.is_some() {
                return Err(ProfileError::SeeOrDo(permission.id.clone()));
            }
            if !is_scope_token(&permission.scope) {
                return Err(ProfileError::UnsafeText(format!("scope of {}", permission.id)));
            }
        }
        Ok(())
    }

    fn check_operations(&self) -> Result<(), ProfileError> {
        let mut seen = BTreeSet::new();
        for operation in &self.operations {
            if !seen.insert(&operation.id) {
                return Err(ProfileError::DuplicateId(operation.id.to_string()));
            }
            if self.permission(&operation.permission).is_none() {
                return Err(ProfileError::Unknown(operation.permission.to_string()));
            }
            let path_ok = operation.path.starts_with('/')
                && !operation.path.contains("//")
                && !operation.path.contains("..")
                && operation.path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.{}".contains(&b));
            let method_ok = matches!(operation.method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE");
            if !path_ok || !method_ok {
                return Err(ProfileError::UnsafeText(format!("path or method of {}", operation.id)));
            }
        }
        let list = self.operation(&self.accounts.operation);
        if list.is_none_or(|operation| operation.method != "GET" || operation.path.contains('{')) {
            return Err(ProfileError::Unknown(self.accounts.operation.to_string()));
        }
        match self.accounts.needs.iter().find(|id| self.permission(id).is_none()) {
            Some(id) => Err(ProfileError::Unknown(id.to_string())),
            None => Ok(()),
        }
    }
}

/// True for one scope-token of RFC 6749 §3.3.
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Where in a TOML text an error stands, and what kind; without quoting the text.
pub(crate) fn toml_place(err: &toml::de::Error) -> String {
    let place = err.span().map_or_else(String::new, |span| format!(" at byte {}", span.start));
    let what = err.message();
    let known = ["unknown field", "missing field", "duplicate key", "invalid type", "unknown variant"];
    let kind = known.iter().find(|k| what.starts_with(**k)).copied().unwrap_or("syntax");
    let field = what.split('`').nth(1).filter(|_| kind != "invalid type" && kind != "unknown variant");
    format!("{kind}{}{place}", field.map_or_else(String::new, |f| format!(" {}", crate::text::quoted(f, 40))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FDX: &str = include_str!("../../oauth/providers/profiles/fdx-v6.toml");

    #[test]
    fn the_fdx_profile_is_sound() {
        let profile = Profile::parse(FDX).unwrap();
        assert_eq!(profile.permissions.len(), 6);
        let money: Vec<_> = profile.permissions.iter().filter(|p| p.risk == Risk::Money).collect();
        assert_eq!(money.len(), 1);
    }

    #[test]
    fn each_broken_rule_has_its_error() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(FDX.contains(from), "{from}");
            let err = Profile::parse(&FDX.replacen(from, to, 1)).unwrap_err();
            assert!(err.to_string().contains(expected), "{err}");
        };
        check("short = \"balances\"", "shart = \"balances\"", "unknown field shart");
        check("risk = \"money\"", "risk = \"none\"", "unknown variant");
        check("can_do = ", "can_see = \"x\"\ncan_do = ", "exactly one");
        check("id = \"balances\"", "id = \"accounts\"", "used twice");
        check("fdx:payees:read", "fdx payees", "scope of payees");
        check("path = \"/payments\"", "path = \"//evil\"", "path or method of make_payment");
        check("path = \"/payments\"", "path = \"/../x\"", "path or method of make_payment");
        check("permission = \"payees\"", "permission = \"nobody\"", "nobody is named");
        check("operation = \"list_accounts\"", "operation = \"make_payment\"", "make_payment is named");
    }

    #[test]
    fn scopes_turn_into_permissions_and_back() {
        let profile = Profile::parse(FDX).unwrap();
        let (known, unknown) =
            profile.permissions_of(["fdx:transactions:read", "openid", "FDX:transactions:read"].into_iter());
        assert_eq!(known.iter().map(PermissionId::as_str).collect::<Vec<_>>(), ["transactions"]);
        assert_eq!(unknown, ["openid", "FDX:transactions:read"], "scopes are case-sensitive (RFC 6749 §3.3)");
    }
}
