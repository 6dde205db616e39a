//! A request, as it is written on the wire.

use contract::agent::{LEASE_TYPE, LeaseText, MAX_REQUEST, PROOF_HEADER};
use serde_json::Value;
use zeroize::Zeroizing;

/// A request to the bank: a method, a path below the bank's base address, and what goes with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub(super) method: String,
    pub(super) path: String,
    query: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    /// A request by this method. The path begins with `/` and is written as it is to be sent.
    #[must_use]
    pub fn of(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), query: Vec::new(), body: None }
    }

    /// A `GET`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::of("GET", path)
    }

    /// Adds one to the query; it is written as it has to be.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string().into_bytes());
        self
    }

    /// The same below another path.
    pub(super) fn below(&self, before: &str) -> Self {
        Self { path: format!("{before}{}", self.path), ..self.clone() }
    }

    /// Whether it can be written: nothing in it ends a line or begins a query.
    pub(super) fn is_fit(&self) -> bool {
        let is_method = |b: u8| b.is_ascii_uppercase();
        let is_path = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#');
        !self.method.is_empty()
            && self.method.bytes().all(is_method)
            && self.path.starts_with('/')
            && self.path.bytes().all(is_path)
    }

    /// The head, if the whole is not longer than Countersign takes.
    pub(super) fn head(&self, with: &With<'_>) -> Option<Zeroizing<String>> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query);
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        let (method, path, host, proof) = (&self.method, &self.path, with.authority, with.proof);
        // Room for all of it from the start: where a lease is in it, growing would leave copies behind.
        let room = 512 + path.len() + query.len() + proof.len() + with.lease.map_or(0, |l| l.as_str().len());
        let mut head = Zeroizing::new(String::with_capacity(room));
        for part in [method, " ", path, mark, &query, " HTTP/1.1\r\nHost: ", host, "\r\n"] {
            head.push_str(part);
        }
        for part in [PROOF_HEADER, ": ", proof, "\r\nAccept: */*\r\n"] {
            head.push_str(part);
        }
        if let Some(lease) = with.lease {
            for part in ["Authorization: ", LEASE_TYPE, " ", lease.as_str(), "\r\n"] {
                head.push_str(part);
            }
        }
        if let Some(kind) = with.content_type {
            let length = with.length.to_string();
            for part in ["Content-Type: ", kind, "\r\nContent-Length: ", &length, "\r\n"] {
                head.push_str(part);
            }
        }
        head.push_str("\r\n");
        (head.len() + with.length <= MAX_REQUEST).then_some(head)
    }
}

/// What stands beside a request in its head.
pub(super) struct With<'a> {
    pub(super) authority: &'a str,
    pub(super) proof: &'a str,
    pub(super) lease: Option<&'a LeaseText>,
    /// What the body is, where there is one.
    pub(super) content_type: Option<&'a str>,
    pub(super) length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_written_as_http_has_it() {
        let lease = LeaseText::new("l".into());
        let with = With {
            authority: "x",
            proof: "p",
            lease: Some(&lease),
            content_type: Some("application/json"),
            length: 2,
        };
        let request = Request::of("POST", "/a").query("from", "1 & 2").query("to", "ü");
        assert_eq!(
            request.head(&with).unwrap().as_str(),
            "POST /a?from=1+%26+2&to=%C3%BC HTTP/1.1\r\nHost: x\r\nDPoP: p\r\nAccept: */*\r\n\
             Authorization: DPoP l\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
        );
        let long = With { length: MAX_REQUEST, ..with };
        assert!(request.head(&long).is_none());
    }

    #[test]
    fn what_would_be_another_request_cannot_be_written() {
        for (method, path) in [
            ("GET", "a"),
            ("GET", ""),
            ("GET", "/a b"),
            ("GET", "/a\r\nX: y"),
            ("GET", "/a?b"),
            ("GET", "/a#b"),
            ("GET", "/ü"),
            ("", "/a"),
            ("GET /x", "/a"),
            ("get", "/a"),
        ] {
            assert!(!Request::of(method, path).is_fit(), "{method} {path}");
        }
        assert!(Request::get("/accounts/a%2Fb/transactions").is_fit());
    }
}
