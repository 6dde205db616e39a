//! One request and its answer: HTTP/1.1 (RFC 9112), with limits on sizes and times.

use std::fmt;
use std::io::{self, Read as _, Write as _};

use contract::agent::{ANSWER_HEADER, ANSWER_OF_BANK};
use httparse::Status;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::clock::Deadline;
use crate::place::{self, Stream};

/// The longest head of an answer.
const MAX_HEAD: usize = 32 * 1024;
/// How many headers one may have.
const MAX_HEADERS: usize = 64;
/// The longest line that says how long a chunk is.
const MAX_CHUNK_LINE: usize = 256;
const PIECE: usize = 8 * 1024;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ExchangeError {
    /// The connection ended in the middle of the answer.
    #[error("the connection ended in the middle of the answer")]
    CutOff,
    /// What came is not HTTP.
    #[error("the answer is not well-formed")]
    Malformed,
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// It is longer than it may be.
    #[error("the answer is too long")]
    TooLong,
    /// The connection ended before anything came.
    #[error("the connection was closed without an answer")]
    Unheard,
}

/// An answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub content_type: Option<String>,
    /// The body. It is wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
    /// Whether it is the bank's own; else it is what Countersign has to say.
    pub is_of_bank: bool,
    pub(crate) retry_after: Option<u64>,
    /// The connection can carry another request.
    pub(crate) goes_on: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// A request, its head complete.
pub(crate) struct Asked<'a> {
    pub(crate) head: Zeroizing<String>,
    pub(crate) body: &'a [u8],
    /// An answer to it has no body (`HEAD`).
    pub(crate) bodiless: bool,
}

/// Sends a request and reads its answer.
pub(crate) fn exchange(
    stream: &Stream,
    asked: &Asked<'_>,
    deadline: Deadline,
    max_body: usize,
) -> Result<Answer, ExchangeError> {
    // Whoever refuses early may stop reading: then there is an answer all the same.
    let written = write(stream, asked, deadline);
    let mut reading = Reading { stream, deadline, bytes: Zeroizing::new(Vec::with_capacity(PIECE)) };
    let head = match (reading.head(), written) {
        (Err(ExchangeError::Unheard), Err(error)) => return Err(error),
        (head, _) => head?,
    };
    let body = match head.length {
        _ if asked.bodiless || matches!(head.status, 204 | 304) => Zeroizing::default(),
        Length::Known(length) => reading.known(length, max_body)?,
        Length::Chunked => reading.chunked(max_body)?,
        Length::UntilEnd => reading.until_end(max_body)?,
    };
    Ok(Answer {
        status: head.status,
        content_type: head.content_type,
        body,
        is_of_bank: head.is_of_bank,
        retry_after: head.retry_after,
        // What came after the answer was not asked for.
        goes_on: head.goes_on && reading.bytes.is_empty(),
    })
}

fn write(mut stream: &Stream, asked: &Asked<'_>, deadline: Deadline) -> Result<(), ExchangeError> {
    let left = deadline.left().ok_or(ExchangeError::TimedOut)?;
    place::limit(stream, left).map_err(|_| ExchangeError::Unheard)?;
    let written = stream.write_all(asked.head.as_bytes()).and_then(|()| stream.write_all(asked.body));
    written.map_err(|error| fault(&error, ExchangeError::Unheard))
}

fn fault(error: &io::Error, gone: ExchangeError) -> ExchangeError {
    let late = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
    if late { ExchangeError::TimedOut } else { gone }
}

enum Length {
    Chunked,
    Known(usize),
    UntilEnd,
}

struct Head {
    status: u16,
    length: Length,
    content_type: Option<String>,
    is_of_bank: bool,
    retry_after: Option<u64>,
    goes_on: bool,
}

/// What has come and was not used yet.
struct Reading<'a> {
    stream: &'a Stream,
    deadline: Deadline,
    bytes: Zeroizing<Vec<u8>>,
}

impl Reading<'_> {
    /// Reads more; whether anything came.
    fn more(&mut self) -> Result<bool, ExchangeError> {
        let mut piece = Zeroizing::new([0; PIECE]);
        loop {
            let left = self.deadline.left().ok_or(ExchangeError::TimedOut)?;
            place::limit(self.stream, left).map_err(|_| ExchangeError::CutOff)?;
            match self.stream.read(piece.as_mut_slice()) {
                Ok(count) => {
                    self.bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(fault(&error, ExchangeError::CutOff)),
            }
        }
    }

    fn must_have_more(&mut self) -> Result<(), ExchangeError> {
        if self.more()? { Ok(()) } else { Err(ExchangeError::CutOff) }
    }

    fn head(&mut self) -> Result<Head, ExchangeError> {
        loop {
            if let Some((used, head)) = parse(&self.bytes)? {
                self.take(used);
                // 1xx: the answer comes after it (RFC 9110 §15.2).
                if head.status >= 200 {
                    return Ok(head);
                }
            } else if self.bytes.len() > MAX_HEAD {
                return Err(ExchangeError::TooLong);
            } else if !self.more()? {
                let unheard = self.bytes.is_empty();
                return Err(if unheard { ExchangeError::Unheard } else { ExchangeError::CutOff });
            }
        }
    }

    /// The first bytes of what has come, at most so many.
    fn take(&mut self, count: usize) -> Zeroizing<Vec<u8>> {
        let count = count.min(self.bytes.len());
        let rest = Zeroizing::new(self.bytes.split_off(count));
        std::mem::replace(&mut self.bytes, rest)
    }

    fn known(&mut self, length: usize, max_body: usize) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        if length > max_body {
            return Err(ExchangeError::TooLong);
        }
        while self.bytes.len() < length {
            self.must_have_more()?;
        }
        Ok(self.take(length))
    }

    /// RFC 9112 §7.1. Trailers are read and mean nothing.
    fn chunked(&mut self, max_body: usize) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        let mut body = Zeroizing::new(Vec::new());
        loop {
            let size = self.chunk_size()?;
            if size == 0 {
                break;
            }
            if size > max_body.saturating_sub(body.len()) {
                return Err(ExchangeError::TooLong);
            }
            while self.bytes.len() < size.saturating_add(2) {
                self.must_have_more()?;
            }
            body.extend_from_slice(&self.take(size));
            if self.take(2).as_slice() != b"\r\n" {
                return Err(ExchangeError::Malformed);
            }
        }
        while !self.line(MAX_HEAD)?.is_empty() {}
        Ok(body)
    }

    fn chunk_size(&mut self) -> Result<usize, ExchangeError> {
        let line = self.line(MAX_CHUNK_LINE)?;
        let digits = line.split(|b| matches!(b, b';' | b' ' | b'\t')).next().unwrap_or_default();
        let text = std::str::from_utf8(digits).map_err(|_| ExchangeError::Malformed)?;
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ExchangeError::Malformed);
        }
        usize::from_str_radix(text, 16).map_err(|_| ExchangeError::TooLong)
    }

    /// A line, without its end.
    fn line(&mut self, longest: usize) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        loop {
            if let Some(at) = self.bytes.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(at);
                self.take(2);
                return Ok(line);
            }
            if self.bytes.len() > longest {
                return Err(ExchangeError::Malformed);
            }
            self.must_have_more()?;
        }
    }

    fn until_end(&mut self, max_body: usize) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        loop {
            if self.bytes.len() > max_body {
                return Err(ExchangeError::TooLong);
            }
            if !self.more()? {
                return Ok(self.take(usize::MAX));
            }
        }
    }
}

/// The head, and how long it is; nothing where more has to come.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, ExchangeError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let used = match response.parse(bytes) {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(ExchangeError::TooLong),
        Err(_) => return Err(ExchangeError::Malformed),
    };
    let (Some(status), Some(minor)) = (response.code, response.version) else {
        return Err(ExchangeError::Malformed);
    };
    let fields = Fields(response.headers);
    let length = fields.length()?;
    let closes = fields.text("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let goes_on = minor == 1 && !closes && !matches!(length, Length::UntilEnd);
    let head = Head {
        status,
        length,
        content_type: fields.text("content-type").map(str::to_owned),
        is_of_bank: fields.text(ANSWER_HEADER) == Some(ANSWER_OF_BANK),
        retry_after: fields.text("retry-after").and_then(|value| value.parse().ok()),
        goes_on,
    };
    Ok(Some((used, head)))
}

struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        std::str::from_utf8(self.all(name).next()?).ok().map(str::trim)
    }

    /// RFC 9112 §6.3. Two that disagree, or both kinds at once, are somebody's try to be read in two ways.
    fn length(&self) -> Result<Length, ExchangeError> {
        let codings: Vec<&[u8]> = self.all("transfer-encoding").collect();
        let lengths: Vec<&[u8]> = self.all("content-length").collect();
        match (&codings[..], &lengths[..]) {
            ([], []) => Ok(Length::UntilEnd),
            ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Length::Chunked),
            ([], [length]) => {
                let text = std::str::from_utf8(length).map_err(|_| ExchangeError::Malformed)?.trim();
                if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(ExchangeError::Malformed);
                }
                text.parse().map(Length::Known).map_err(|_| ExchangeError::TooLong)
            }
            (_, _) => Err(ExchangeError::Malformed),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
