//! A call as an agent sends it: read into one operation of the API profile, or refused.
//!
//! What goes to the bank is written anew from what was read here: nothing of the agent's own spelling gets there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use thiserror::Error;

use crate::profile::{Operation, Profile};

/// The longest value of a place or a parameter.
const MAX_VALUE: usize = 256;

/// What an agent wants to have sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    places: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    body: Option<Map<String, Value>>,
}

/// Why a call is none of the API's.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CallError {
    /// A body where there is none, none where there is one, or a member that the operation does not take.
    #[error("the body does not fit the operation")]
    Body,
    /// No operation has this method and path.
    #[error("no such operation")]
    Operation,
    /// A path that could be read in two ways.
    #[error("the path is not plain")]
    Path,
    /// A parameter that the operation does not take, or twice, or too long.
    #[error("the query does not fit the operation")]
    Query,
}

impl Call {
    /// Reads a call. `path` begins with `/` and is relative to the API's base; `query` is what stands after the `?`.
    ///
    /// # Errors
    /// [`CallError`]: the first rule that it breaks.
    pub fn read<'p>(
        profile: &'p Profile,
        method: &str,
        path: &str,
        query: Option<&str>,
        body: Option<Map<String, Value>>,
    ) -> Result<(&'p Operation, Self), CallError> {
        let segments = segments(path).ok_or(CallError::Path)?;
        let fits = |operation: &'p Operation| Some((operation, places(operation, method, &segments)?));
        let (operation, places) = profile.operations.iter().find_map(fits).ok_or(CallError::Operation)?;
        let query = parameters(operation, query.unwrap_or_default()).ok_or(CallError::Query)?;
        let takes_body = operation.method != "GET" && operation.method != "DELETE";
        let body_fits = match &body {
            Some(body) => takes_body && body.keys().all(|name| operation.takes(name)),
            None => !takes_body,
        };
        if body_fits { Ok((operation, Self { places, query, body })) } else { Err(CallError::Body) }
    }

    /// What stands at a place of the profile: `path.x`, `query.x` or `body.x.y`, where it is a text.
    #[must_use]
    pub fn text_at(&self, place: &str) -> Option<&str> {
        match place.split_once('.') {
            Some(("path", name)) => self.places.get(name).map(String::as_str),
            Some(("query", name)) => self.query(name),
            Some(("body", _)) => self.value_at(place)?.as_str(),
            Some(_) | None => None,
        }
    }

    /// What stands at a place in the body.
    #[must_use]
    pub fn value_at(&self, place: &str) -> Option<&Value> {
        let mut names = place.strip_prefix("body.")?.split('.');
        let first = self.body.as_ref()?.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// A parameter.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Sets a parameter.
    pub fn set_query(&mut self, name: &str, value: &str) {
        self.query.insert(name.to_owned(), value.to_owned());
    }

    /// The parameters, by name.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The path, written anew.
    #[must_use]
    pub fn path(&self, operation: &Operation) -> String {
        let written = operation.path.split('/').skip(1).map(|segment| match place_name(segment) {
            Some(name) => encoded(self.places.get(name).map_or("", String::as_str)),
            None => segment.to_owned(),
        });
        written.fold(String::new(), |path, segment| format!("{path}/{segment}"))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Option<&Map<String, Value>> {
        self.body.as_ref()
    }
}

fn place_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// The decoded segments of a path in which every sign has one meaning to every reader.
fn segments(path: &str) -> Option<Vec<String>> {
    path.strip_prefix('/')?.split('/').map(segment).collect()
}

/// A decoded segment: never empty, a step, or holding what a server might take for the end of it.
fn segment(text: &str) -> Option<String> {
    let decoded = decoded(text)?;
    let plain = |c: char| !c.is_control() && !"/\\?#%;".contains(c);
    let is_step = decoded.trim_matches('.').is_empty();
    (!is_step && decoded.len() <= MAX_VALUE && decoded.chars().all(plain)).then_some(decoded)
}

/// Percent-decoded text (RFC 3986 §2.1); only what needs no quoting, and what is quoted, may stand there.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                if !pair.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
            }
            _ if byte.is_ascii_alphanumeric() || b"-._~:@!$'()*,".contains(&byte) => bytes.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

/// Everything but the unreserved signs quoted (RFC 3986 §2.3).
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// What the places of an operation's path hold, if this is its method and path.
fn places(operation: &Operation, method: &str, segments: &[String]) -> Option<BTreeMap<String, String>> {
    let pattern: Vec<&str> = operation.path.split('/').skip(1).collect();
    if operation.method != method || pattern.len() != segments.len() {
        return None;
    }
    let mut places = BTreeMap::new();
    for (wanted, segment) in pattern.iter().zip(segments) {
        match place_name(wanted) {
            Some(name) => drop(places.insert(name.to_owned(), segment.clone())),
            None if wanted == segment => {}
            None => return None,
        }
    }
    Some(places)
}

/// Parameters that the operation takes, each once.
fn parameters(operation: &Operation, query: &str) -> Option<BTreeMap<String, String>> {
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        let value = decoded(value)?;
        let fits = value.len() <= MAX_VALUE && !value.is_empty() && !value.chars().any(char::is_control);
        if !fits || !operation.query.iter().any(|known| known == name) {
            return None;
        }
        if parameters.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests;
