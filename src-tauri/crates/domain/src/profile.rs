//! API profiles: what an API offers, as data shared by many providers.

use serde::Deserialize;
use std::collections::BTreeSet;
use thiserror::Error;

use crate::id::{OperationId, PermissionId, ProfileId};
use crate::permission::{PermissionSet, Risk};
use crate::text::is_plain_sentence;

/// Why a profile file is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ProfileError {
    /// Two permissions or two operations share an id.
    #[error("the id {0} is used twice")]
    DuplicateId(String),
    /// A call that changes something, or pays, under a permission that says it only reads.
    #[error("operation {0} does more than the risk of its permission says")]
    RiskTooLow(OperationId),
    /// A permission must be one of the two, so that it stands in one group on screen.
    #[error("permission {0} needs exactly one of can_see and can_do")]
    SeeOrDo(PermissionId),
    /// Not TOML of this shape; the position, never the text.
    #[error("not a profile file: {0}")]
    Shape(String),
    /// A scope, path or sentence that could break a request or deceive a reader.
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
    /// Where what the payee reads stands.
    #[serde(default)]
    pub reference: Option<String>,
    /// Where the first day stands.
    #[serde(default)]
    pub from: Option<String>,
    /// Where the last day stands.
    #[serde(default)]
    pub to: Option<String>,
    /// Further members that the body may have.
    #[serde(default)]
    pub body: Vec<String>,
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

    /// The permissions that one makes no sense without: whatever is about an account needs the list of accounts.
    pub fn needs<'p>(&'p self, id: &'p PermissionId) -> impl Iterator<Item = &'p PermissionId> {
        let about_account = self.operations.iter().any(|o| o.permission == *id && o.account.is_some());
        self.accounts.needs.iter().filter(move |needed| about_account && *needed != id)
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

    /// The scopes that ask the bank for these permissions.
    pub fn scopes_of<'p>(&'p self, permissions: &'p PermissionSet) -> impl Iterator<Item = String> + 'p {
        permissions.iter().filter_map(|id| self.permission(id)).map(|permission| permission.scope.clone())
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
            let id = &permission.id;
            if !seen.insert(id) {
                return Err(ProfileError::DuplicateId(id.to_string()));
            }
            if permission.can_see.is_some() == permission.can_do.is_some() {
                return Err(ProfileError::SeeOrDo(id.clone()));
            }
            if !is_scope_token(&permission.scope) {
                return Err(ProfileError::UnsafeText(format!("scope of {id}")));
            }
            let words = [
                ("short", Some(&permission.short)),
                ("can_see", permission.can_see.as_ref()),
                ("can_do", permission.can_do.as_ref()),
                ("cannot", Some(&permission.cannot)),
            ];
            let unfit = |(_, words): &(_, Option<&String>)| words.is_some_and(|w| !is_plain_sentence(w, 120));
            if let Some((key, _)) = words.into_iter().find(unfit) {
                return Err(ProfileError::UnsafeText(format!("{key} of {id}")));
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
            let Some(permission) = self.permission(&operation.permission) else {
                return Err(ProfileError::Unknown(operation.permission.to_string()));
            };
            operation.check_form()?;
            operation.check_risk(permission.risk)?;
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

impl Operation {
    /// The members that the body may have: those that a place names, and the further ones.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        let places = [&self.account, &self.amount, &self.currency, &self.payee, &self.reference];
        let named =
            places.into_iter().filter_map(|place| place.as_ref()?.strip_prefix("body.")?.split('.').next());
        named.chain(self.body.iter().map(String::as_str))
    }

    /// Whether the body may have this member.
    #[must_use]
    pub fn takes(&self, member: &str) -> bool {
        self.members().any(|name| name == member)
    }

    /// Whether it moves money.
    #[must_use]
    pub fn pays(&self) -> bool {
        self.amount.is_some() || self.payee.is_some()
    }

    /// What a call is built from: a plain path, a known method, places that are there, names that need no quoting.
    fn check_form(&self) -> Result<(), ProfileError> {
        let unsafe_text = |what: &str| Err(ProfileError::UnsafeText(format!("{what} of {}", self.id)));
        let path_ok = self.path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment));
        let method_ok = matches!(self.method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE");
        if !path_ok || !method_ok {
            return unsafe_text("path or method");
        }
        if !self.query.iter().all(|name| is_name(name)) {
            return unsafe_text("query");
        }
        if !self.body.iter().all(|name| is_name(name)) || (self.method == "GET" && !self.body.is_empty()) {
            return unsafe_text("body");
        }
        for (key, place) in [("from", &self.from), ("to", &self.to)] {
            if place.as_ref().is_some_and(|place| !place.starts_with("query.")) {
                return unsafe_text(key);
            }
        }
        for (key, place) in [
            ("account", &self.account),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("payee", &self.payee),
            ("reference", &self.reference),
            ("from", &self.from),
            ("to", &self.to),
        ] {
            if place.as_ref().is_some_and(|place| !self.has_place(place)) {
                return unsafe_text(key);
            }
        }
        if self.retry.as_deref().is_some_and(|retry| retry != "never") {
            return unsafe_text("retry");
        }
        if is_plain_sentence(&self.says, 120) && self.says_what_it_knows() {
            Ok(())
        } else {
            unsafe_text("says")
        }
    }

    /// A wrong label would let a payment pass as a look at the balance.
    fn check_risk(&self, risk: Risk) -> Result<(), ProfileError> {
        let pays = self.pays();
        let changes = self.method != "GET";
        if (pays && risk != Risk::Money) || (changes && risk == Risk::Read) {
            return Err(ProfileError::RiskTooLow(self.id.clone()));
        }
        Ok(())
    }

    /// `path.x`, `query.x` and `body.x.y`, where the call has such a part.
    fn has_place(&self, place: &str) -> bool {
        match place.split_once('.') {
            Some(("path", name)) => is_name(name) && self.path.contains(&format!("{{{name}}}")),
            Some(("query", name)) => self.query.iter().any(|query| query == name),
            Some(("body", names)) => self.method != "GET" && names.split('.').all(is_name),
            Some(_) | None => false,
        }
    }

    /// The sentence names in braces only what the operation says where to find.
    fn says_what_it_knows(&self) -> bool {
        let known = [
            ("{account}", self.account.is_some()),
            ("{amount}", self.amount.is_some()),
            ("{currency}", self.currency.is_some()),
            ("{payee}", self.payee.is_some()),
        ];
        let rest = known
            .iter()
            .filter(|(_, there)| *there)
            .fold(self.says.clone(), |rest, (name, _)| rest.replace(name, ""));
        !rest.contains(['{', '}'])
    }
}

/// One part of a path: a name, or a place in braces that the call fills. Never a step up or aside.
fn is_segment(segment: &str) -> bool {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => is_name(name),
        None => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            !matches!(segment, "" | "." | "..") && segment.bytes().all(plain)
        }
    }
}

/// A name that needs no quoting wherever it stands.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
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
    // Our own ids say which of them it is not.
    if let Some(kind) = what.strip_prefix("not a valid ").filter(|kind| is_name(kind)) {
        return format!("not a valid {kind}{place}");
    }
    if what.starts_with("cannot recurse further") {
        return format!("recursion limit{place}");
    }
    let known = [
        "unknown field",
        "missing field",
        "duplicate key",
        "invalid type",
        "invalid value",
        "unknown variant",
        "recursion limit",
    ];
    let kind = known.iter().find(|k| what.starts_with(**k)).copied().unwrap_or("syntax");
    let named = ["unknown field", "missing field"].contains(&kind);
    let field = what.split('`').nth(1).filter(|_| named);
    format!("{kind}{}{place}", field.map_or_else(String::new, |f| format!(" {}", crate::text::quoted(f, 40))))
}

#[cfg(test)]
mod tests;
