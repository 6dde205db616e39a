//! Messages as the HTTP port carries them.

use domain::secret::AccessToken;
use domain::time::Timestamp;
use url::Url;

/// A request to a bank. The host's allocator wipes what is dropped.
pub type Request = http::Request<Vec<u8>>;

/// Marks a request whose 200 says all there is to say: the body of such a reply is not read, however long it is.
#[derive(Clone, Copy, Debug)]
pub struct StatusAlone;

/// A reply, within the size and time limits of the port; redirects are replies like any other.
#[derive(Default)]
pub struct Reply {
    /// The status line's code.
    pub status: u16,
    /// The `Content-Type` header, if it is there once and is text.
    pub content_type: Option<String>,
    /// `Retry-After` in seconds, if it is there as a number.
    pub retry_after: Option<u32>,
    /// `Date`, if it is there once and is one.
    pub date: Option<Timestamp>,
    /// Every `WWW-Authenticate` header, as it came.
    pub challenges: Vec<String>,
    /// The body after decompression.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

/// A request with the token in the Authorization header (RFC 6750 §2.1), never in the address.
#[must_use]
pub fn bearer_request(method: &str, url: &Url, access: &AccessToken) -> Option<Request> {
    http::Request::builder()
        .method(method)
        .uri(url.as_str())
        .header("accept", "application/json")
        .header("authorization", format!("Bearer {}", access.expose_secret()))
        .body(Vec::new())
        .ok()
}

/// A form sent by POST (RFC 6749 appendix B).
pub(crate) fn form_request(url: &str, body: String) -> Option<Request> {
    http::Request::post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(body.into_bytes())
        .ok()
}
