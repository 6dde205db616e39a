//! Why a request never reaches the attempt: one name per rule broken, so that a test can tell them apart.

/// The rule that a request broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `Sec-Fetch-Dest` names something other than a document in a tab of its own (LOOP-07).
    FetchDest,
    /// `Sec-Fetch-Mode` names something other than a navigation (LOOP-07).
    FetchMode,
    /// The headers do not end within the limit (LOOP-05).
    HeadTooLarge,
    /// A header's name, or the white space around it, is not HTTP (RFC 9112 §5.1).
    HeaderName,
    /// A header's value holds control bytes (RFC 9110 §5.5).
    HeaderValue,
    /// No `Host` (RFC 9112 §3.2).
    HostMissing,
    /// `Host` is not the bound address and port (LOOP-06, DNS rebinding).
    HostOther,
    /// More than one `Host` (RFC 9112 §3.2).
    HostRepeated,
    /// The request line does not end within the limit (LOOP-05).
    LineTooLong,
    /// Not GET (LOOP-01).
    Method,
    /// A carriage return without its line feed (RFC 9112 §2.2).
    NewLine,
    /// A script asked: browsers add `Origin` to what pages send by themselves (LOOP-07).
    Origin,
    /// Another path than the callback's, byte for byte (LOOP-02).
    Path,
    /// The first line is no method and target (RFC 9112 §3).
    RequestLine,
    /// The absolute, authority or asterisk form, which is for proxies (RFC 9112 §3.2).
    TargetForm,
    /// The target is not plain ASCII: no browser sends such a line.
    TargetNotAscii,
    /// More header lines than any browser sends (LOOP-05).
    TooManyHeaders,
    /// Not HTTP/1.0 or HTTP/1.1.
    Version,
}

impl Refusal {
    /// Status line and further headers of the answer.
    pub(super) fn status(self) -> (&'static str, &'static str) {
        match self {
            Self::HeaderName
            | Self::HeaderValue
            | Self::HostMissing
            | Self::HostRepeated
            | Self::NewLine
            | Self::RequestLine
            | Self::TargetForm
            | Self::TargetNotAscii
            | Self::Version => ("400 Bad Request", ""),
            Self::FetchDest | Self::FetchMode | Self::Origin => ("403 Forbidden", ""),
            Self::Path => ("404 Not Found", ""),
            Self::Method => ("405 Method Not Allowed", "Allow: GET\r\n"),
            Self::LineTooLong => ("414 URI Too Long", ""),
            Self::HostOther => ("421 Misdirected Request", ""),
            Self::HeadTooLarge | Self::TooManyHeaders => ("431 Request Header Fields Too Large", ""),
        }
    }
}

impl From<httparse::Error> for Refusal {
    fn from(err: httparse::Error) -> Self {
        match err {
            httparse::Error::HeaderName => Self::HeaderName,
            httparse::Error::HeaderValue => Self::HeaderValue,
            httparse::Error::NewLine => Self::NewLine,
            // A request has no status; the parser has one list of errors for both.
            httparse::Error::Status | httparse::Error::Token => Self::RequestLine,
            httparse::Error::TooManyHeaders => Self::TooManyHeaders,
            httparse::Error::Version => Self::Version,
        }
    }
}
