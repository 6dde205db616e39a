//! Which operation of a grant a request is, and what its path is made of.

use contract::agent::{Grant, Operation};
use thiserror::Error;

/// The place in a path that an account's id stands in.
const ACCOUNT: &str = "account";

/// Why a grant or an operation is not clear.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Unclear {
    /// A place of the path has nothing to stand in it.
    #[error("the operation needs “{0}”")]
    Missing(String),
    /// None is called that.
    #[error("there is none")]
    Nothing,
    /// More than one is called that.
    #[error("there is more than one")]
    Several,
}

/// An operation, and what stands in the places of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The account it is about, where it is about one.
    pub account: Option<String>,
}

/// The grant with this id, or the only one with this beginning of an id, of this bank, or of all.
///
/// # Errors
/// There is none, or more than one.
pub fn grant<'a>(grants: &'a [Grant], named: &str) -> Result<&'a Grant, Unclear> {
    if let Some(exact) = grants.iter().find(|grant| grant.id == named) {
        return Ok(exact);
    }
    let fits = |grant: &&Grant| {
        let of_bank = grant.provider.id == named || grant.provider.name.eq_ignore_ascii_case(named);
        of_bank || grant.id.starts_with(named)
    };
    let mut fitting = grants.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(grant), None) => Ok(grant),
        (None, _) => Err(Unclear::Nothing),
        (Some(_), Some(_)) => Err(Unclear::Several),
    }
}

/// The operation that a method and a path are.
#[must_use]
pub fn of_request<'a>(grant: &'a Grant, method: &str, path: &str) -> Option<Found<'a>> {
    let fits = |operation: &'a Operation| {
        if operation.method != method {
            return None;
        }
        let (pattern, given): (Vec<_>, Vec<_>) =
            (operation.path.split('/').collect(), path.split('/').collect());
        if pattern.len() != given.len() {
            return None;
        }
        let mut account = None;
        for (part, is) in pattern.into_iter().zip(given) {
            match place(part) {
                Some(_) if is.is_empty() => return None,
                Some(ACCOUNT) => account = Some(is.to_owned()),
                Some(_) => {}
                None if part == is => {}
                None => return None,
            }
        }
        Some(Found { operation, account })
    };
    // A path without places before one with: `/customers/current` is not somebody called so.
    let places =
        |found: &Found<'_>| found.operation.path.split('/').filter(|part| place(part).is_some()).count();
    grant.operations.iter().filter_map(fits).min_by_key(places)
}

/// The path of an operation, its places filled in by name.
///
/// # Errors
/// Nothing was given for one of them.
pub fn path(operation: &Operation, values: impl Fn(&str) -> Option<String>) -> Result<String, Unclear> {
    let mut parts = Vec::new();
    for part in operation.path.split('/') {
        parts.push(match place(part) {
            Some(name) => escaped(&values(name).ok_or_else(|| Unclear::Missing(name.to_owned()))?),
            None => part.to_owned(),
        });
    }
    Ok(parts.join("/"))
}

fn place(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// One part of a path: all but RFC 3986's unreserved characters as percent signs and digits, so that what is given for
/// a place cannot become two parts.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grants() -> Vec<Grant> {
        let operation = |id: &str, method: &str, path: &str| json!({"id": id, "method": method, "path": path, "risk": "read", "asks": "never"});
        let operations = json!([
            operation("list_accounts", "GET", "/accounts"),
            operation("get_balance", "GET", "/accounts/{account}"),
            operation("get_default", "GET", "/accounts/default"),
            operation("list_transactions", "GET", "/accounts/{account}/transactions"),
            operation("get_item", "GET", "/accounts/{account}/items/{item}"),
            operation("make_payment", "POST", "/payments"),
        ]);
        let grant = |id: &str, bank: &str| {
            json!({"id": id, "provider": {"id": bank, "name": bank.to_uppercase()}, "state": "active", "until": 1,
                "operations": operations, "accounts": []})
        };
        serde_json::from_value(json!([
            grant("0190aa", "one"),
            grant("0190bb", "two"),
            grant("0190bbcc", "two")
        ]))
        .unwrap()
    }

    #[test]
    fn a_grant_is_found_by_what_names_one_alone() {
        let grants = grants();
        let check = |named: &str, expected: Result<&str, Unclear>| {
            assert_eq!(grant(&grants, named).map(|found| found.id.as_str()), expected, "{named}");
        };
        check("0190aa", Ok("0190aa"));
        check("0190bb", Ok("0190bb"));
        check("0190a", Ok("0190aa"));
        check("one", Ok("0190aa"));
        check("One", Ok("0190aa"));
        check("two", Err(Unclear::Several));
        check("", Err(Unclear::Several));
        check("0190", Err(Unclear::Several));
        check("three", Err(Unclear::Nothing));
    }

    #[test]
    fn a_request_is_the_operation_whose_path_it_has() {
        let grants = grants();
        let check = |method: &str, path: &str, expected: Option<(&str, Option<&str>)>| {
            let found = of_request(&grants[0], method, path);
            let found = found.as_ref().map(|found| (found.operation.id.as_str(), found.account.as_deref()));
            assert_eq!(found, expected, "{method} {path}");
        };
        check("GET", "/accounts", Some(("list_accounts", None)));
        check("GET", "/accounts/a1", Some(("get_balance", Some("a1"))));
        check("GET", "/accounts/default", Some(("get_default", None)));
        check("GET", "/accounts/a1/transactions", Some(("list_transactions", Some("a1"))));
        check("GET", "/accounts/a1/items/i", Some(("get_item", Some("a1"))));
        check("POST", "/payments", Some(("make_payment", None)));
        check("GET", "/payments", None);
        check("GET", "/accounts/", None);
        check("GET", "/accounts//transactions", None);
        check("GET", "/accounts/a1/transactions/", None);
        check("GET", "accounts", None);
    }

    #[test]
    fn a_path_is_filled_in_and_no_value_becomes_two_parts() {
        let grants = grants();
        let item = &grants[0].operations[4];
        let filled = path(item, |name| Some(format!("{name}/../x y")));
        assert_eq!(filled.unwrap(), "/accounts/account%2F..%2Fx%20y/items/item%2F..%2Fx%20y");
        let missing = path(item, |name| (name == "account").then(|| "a".to_owned()));
        assert_eq!(missing, Err(Unclear::Missing("item".into())));
    }
}
