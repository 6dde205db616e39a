//! One answer of the provider: the honest one, changed as a script says.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;
use serde_json::Value;

/// An answer as it would go out: what the honest provider says, or what a script made of it.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Plain {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".into(), "application/json".into())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, Some(value));
        self
    }

    fn set(&mut self, name: &str, value: Option<&str>) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }
}

/// How one answer differs from the honest one; nothing set is the honest answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// Another status.
    pub status: Option<u16>,
    /// Headers in place of the honest ones; none where there is no value.
    pub headers: BTreeMap<String, Option<String>>,
    /// Headers beside them, so that one may stand twice.
    pub more_headers: Vec<(String, String)>,
    /// What is done to the body, in this order.
    pub body: Vec<Edit>,
    /// How it is put on the wire.
    pub wire: Wire,
    /// Waits this long first.
    pub delay_ms: u64,
    /// The request is lost before the bank has read it: it does nothing.
    pub unheard: bool,
}

/// One change of a body.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// Text behind it.
    After(String),
    /// Text before it.
    Before(String),
    /// This many zero bytes, compressed.
    Bomb(usize),
    /// Compressed.
    Gzip(u32),
    /// These bytes instead.
    Hex(String),
    /// Only the first bytes, with a length that fits.
    Keep(usize),
    /// Text behind the opening brace: a member that may stand twice.
    Member(String),
    /// An array this deep as one more member.
    Nest(usize),
    /// White space behind it up to this size.
    Pad(usize),
    /// Other members; `null` removes one.
    Set(BTreeMap<String, Value>),
    /// This text instead.
    Text(String),
    /// In UTF-16, little endian, with its mark.
    Utf16(bool),
}

/// How an answer is put on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// Closed after the request was read.
    Close,
    /// The body at a byte a second.
    Drip,
    /// The head at a byte a second.
    DripHead,
    /// A body of no length that does not end.
    EndlessBody,
    /// Chunks that do not end.
    EndlessChunks,
    /// A head that does not end.
    EndlessHead,
    /// Closed in the middle of the body.
    HalfBody,
    /// Closed in the middle of the head.
    HalfHead,
    /// Ten thousand headers.
    ManyHeaders,
    /// These bytes and no others.
    Raw(String),
    /// Reset after the request was read.
    Reset,
    /// All of it, then a reset.
    ResetAfter,
    /// Nothing, for as long as the client waits.
    Silent,
    /// All of it, and the connection stays open.
    StayOpen,
    /// As it should be.
    #[default]
    Whole,
}

impl Answer {
    /// A JSON answer of its own.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json", &body.to_string())
    }

    /// An answer of its own; no content type if empty.
    #[must_use]
    pub fn of(status: u16, content_type: &str, body: &str) -> Self {
        let content_type = Some(content_type).filter(|t| !t.is_empty()).map(str::to_owned);
        Self {
            status: Some(status),
            headers: [("content-type".to_owned(), content_type)].into(),
            body: vec![Edit::Text(body.to_owned())],
            ..Self::default()
        }
    }

    /// The honest answer under another status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// The honest answer, put on the wire like this.
    #[must_use]
    pub fn wire(wire: Wire) -> Self {
        Self { wire, ..Self::default() }
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), Some(value.to_owned()));
        self
    }

    /// The same for a request that the bank never read.
    #[must_use]
    pub fn unheard(mut self) -> Self {
        self.unheard = true;
        self
    }

    /// The same, later.
    #[must_use]
    pub fn after(mut self, delay_ms: u64) -> Self {
        self.delay_ms = delay_ms;
        self
    }

    /// What goes out where the honest provider would say this.
    pub(super) fn change(&self, mut honest: Plain) -> Plain {
        honest.status = self.status.unwrap_or(honest.status);
        for edit in &self.body {
            honest.body = edit.apply(honest.body);
            if matches!(edit, Edit::Bomb(_) | Edit::Gzip(_)) {
                honest.set("content-encoding", Some("gzip"));
            }
        }
        self.headers.iter().for_each(|(name, value)| honest.set(name, value.as_deref()));
        honest.headers.extend(self.more_headers.iter().cloned());
        honest
    }
}

impl Edit {
    fn apply(&self, mut body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::After(text) => body.extend_from_slice(text.as_bytes()),
            Self::Before(text) => body = [text.as_bytes(), &body].concat(),
            Self::Bomb(size) => body = bomb(*size),
            Self::Gzip(level) => body = zip(&body, *level),
            Self::Hex(text) => body = bytes_of_hex(text),
            Self::Keep(size) => body.truncate(*size),
            Self::Member(text) => body = after_brace(&body, text),
            Self::Nest(depth) => {
                let nested = format!("\"nested\":{}{}", "[".repeat(*depth), "]".repeat(*depth));
                body = after_brace(&body, &nested);
            }
            Self::Pad(size) => body.resize(body.len().max(*size), b' '),
            Self::Set(members) => {
                let honest = serde_json::from_slice(&body).expect("the honest body is JSON");
                body = changed(honest, members).to_string().into_bytes();
            }
            Self::Text(text) => body = text.clone().into_bytes(),
            Self::Utf16(_) => {
                let text = format!("\u{feff}{}", String::from_utf8_lossy(&body));
                body = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            }
        }
        body
    }
}

/// An object with other members; `null` removes one.
pub(super) fn changed(mut honest: Value, changes: &BTreeMap<String, Value>) -> Value {
    let members = honest.as_object_mut().expect("an object");
    for (name, value) in changes {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    honest
}

fn after_brace(body: &[u8], member: &str) -> Vec<u8> {
    let rest = body.strip_prefix(b"{").expect("the honest body is an object");
    [b"{", member.as_bytes(), b",", rest].concat()
}

fn bytes_of_hex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hex digits");
    digits.chunks(2).map(byte).collect()
}

/// Zero bytes, compressed a thousandfold: one member after the other, as gzip allows (RFC 1952 §2.2).
fn bomb(size: usize) -> Vec<u8> {
    const PART: usize = 1024 * 1024;
    static MEMBER: LazyLock<Vec<u8>> = LazyLock::new(|| zip(&vec![0; PART], 9));
    MEMBER.repeat(size.div_ceil(PART))
}

fn zip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut zip = GzEncoder::new(Vec::new(), Compression::new(level));
    zip.write_all(bytes).expect("memory takes it");
    zip.finish().expect("memory takes it")
}
