//! Requests as they arrive: one per connection, read to their end before anything is answered.

use std::collections::BTreeMap;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// No client of ours sends more.
const MAX: usize = 1024 * 1024;

/// A request as the provider saw it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Which endpoint: `token`, `par`, …; the path itself where the provider has none there.
    pub at: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The raw query.
    pub query: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The form, if it was one; of a parameter that stands twice the last.
    pub form: BTreeMap<String, String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The raw body.
    pub body: String,
}

impl Seen {
    /// Reads one request; nothing where the client sends none.
    pub(super) async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if bytes.len() > MAX || stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let mut seen = Self::of_head(&String::from_utf8_lossy(bytes.get(..head)?))?;
        let length: usize = seen.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
        while bytes.len() < head + 4 + length.min(MAX) {
            if stream.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        let body = bytes.get(head + 4..)?;
        seen.form = url::form_urlencoded::parse(body).into_owned().collect();
        seen.body = String::from_utf8_lossy(body).into_owned();
        Some(seen)
    }

    fn of_head(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut seen = Self {
            at: name_of(path),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            ..Self::default()
        };
        seen.authorization = seen.header("authorization").map(str::to_owned);
        Some(seen)
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The parameters of the form, in order, repeated ones too.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// The parameters of the query, in order, repeated ones too.
    #[must_use]
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }
}

/// The provider's endpoints: name and path.
const ENDPOINTS: [(&str, &str); 9] = [
    ("metadata", "/.well-known/oauth-authorization-server"),
    ("metadata", "/.well-known/openid-configuration"),
    ("jwks", "/jwks"),
    ("par", "/par"),
    ("authorize", "/authorize"),
    ("token", "/token"),
    ("userinfo", "/userinfo"),
    ("accounts", "/fdx/v6/accounts"),
    ("revoke", "/revoke"),
];

/// The name of an endpoint by its path; a name is its own.
pub(super) fn name_of(path: &str) -> String {
    ENDPOINTS.iter().find(|(_, p)| *p == path).map_or(path, |(name, _)| name).to_owned()
}
