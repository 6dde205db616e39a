//! What the HTTP port says about a brokered call: the reply's head at once, its body as it comes.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::time::Timestamp;

use super::HttpError;

/// How much of a reply is let in, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// The longest body, on the way and after decompression.
    pub body: usize,
    /// From the first look-up to the last byte that is read.
    pub total: Duration,
}

/// What holds for every brokered call (design.md section 10).
pub const CALL_LIMITS: CallLimits = CallLimits { body: 8 * 1024 * 1024, total: Duration::from_secs(60) };

/// The reply to a brokered call. A redirect is its status and nothing else.
pub struct CallReply {
    /// The status line's code.
    pub status: u16,
    /// The `Content-Type` header, if it is there once and is text.
    pub content_type: Option<String>,
    /// `Retry-After` in seconds, if it is there as a number or a date.
    pub retry_after: Option<u32>,
    /// Every `WWW-Authenticate` header, as it came.
    pub challenges: Vec<String>,
    /// `Date`, if it is there once and is one.
    pub date: Option<Timestamp>,
    /// The body after decompression, as it comes.
    pub body: CallBody,
}

impl fmt::Debug for CallReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallReply({})", self.status)
    }
}

/// A body that is still on its way. Dropping it gives up the rest and the connection.
pub struct CallBody(Box<dyn Pieces>);

impl CallBody {
    /// A body of these pieces.
    pub fn new(pieces: impl Pieces + 'static) -> Self {
        Self(Box::new(pieces))
    }

    /// The next piece; none at the end. A body that ends with an error is not whole, and nothing of it counts.
    ///
    /// # Errors
    /// What ended it early. Nothing comes after that.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        poll_fn(|context| self.0.poll_next(context)).await.transpose()
    }
}

/// Where the pieces of a body come from.
pub trait Pieces: Send {
    /// The next piece, never an empty one; none at the end, and after an error.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, HttpError>>>;
}
