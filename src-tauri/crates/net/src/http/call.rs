//! The reply to a brokered call: its body is handed on as it comes, and never more of it than allowed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use app::port::{CallBody, CallReply, HttpError, Pieces};
use hyper::body::Body as _;
use reqwest::{Body, Response};
use tokio::time::Sleep;

use super::unzip::Unzip;
use super::{Coding, Head, fault};

/// How much of the unread replies on one HTTP/2 connection is kept in memory, all together.
pub(super) const SHARED_WINDOW: u32 = 16 * 1024 * 1024;

/// Judges the head; the body follows until `end`.
pub(super) fn reply(response: Response, most: usize, end: Pin<Box<Sleep>>) -> Result<CallReply, HttpError> {
    let Head { coding, content_type, retry_after, date, challenges } = Head::of(response.headers())?;
    let status = response.status();
    if status.is_redirection() {
        return Ok(status_alone(status.as_u16()));
    }
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(HttpError::TooLarge);
    }
    let zipped = match coding {
        Coding::Gzip => Some(Unzip::up_to(most)),
        Coding::Identity => None,
    };
    let body = CallBody::new(Arriving { body: Some(Body::from(response)), end, left: most, zipped });
    Ok(CallReply { status: status.as_u16(), content_type, retry_after, challenges, date, body })
}

fn status_alone(status: u16) -> CallReply {
    let body = CallBody::new(Nothing);
    CallReply { status, content_type: None, retry_after: None, challenges: Vec::new(), date: None, body }
}

struct Nothing;

impl Pieces for Nothing {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, HttpError>>> {
        Poll::Ready(None)
    }
}

/// A body on its way.
struct Arriving {
    /// None once it has ended, one way or the other.
    body: Option<Body>,
    end: Pin<Box<Sleep>>,
    left: usize,
    zipped: Option<Unzip>,
}

impl Pieces for Arriving {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Vec<u8>, HttpError>>> {
        if self.body.is_none() {
            return Poll::Ready(None);
        }
        if self.end.as_mut().poll(context).is_ready() {
            self.body = None;
            return Poll::Ready(Some(Err(HttpError::TimedOut)));
        }
        let piece = ready!(self.poll_piece(context));
        if !matches!(piece, Ok(Some(_))) {
            self.body = None;
        }
        Poll::Ready(piece.transpose())
    }
}

impl Arriving {
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, HttpError>> {
        loop {
            if let Some(out) = self.zipped.as_mut().map(Unzip::next).transpose()?.flatten() {
                return Poll::Ready(Ok(Some(out)));
            }
            match (ready!(self.poll_received(context))?, &mut self.zipped) {
                (Some(piece), Some(zipped)) => zipped.take(piece),
                (Some(piece), None) => return Poll::Ready(Ok(Some(piece))),
                (None, Some(zipped)) => {
                    self.body = None;
                    let rest = zipped.finish()?;
                    return Poll::Ready(Ok((!rest.is_empty()).then_some(rest)));
                }
                (None, None) => return Poll::Ready(Ok(None)),
            }
        }
    }

    fn poll_received(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, HttpError>> {
        loop {
            let Some(body) = &mut self.body else { return Poll::Ready(Ok(None)) };
            let frame = match ready!(Pin::new(body).poll_frame(context)) {
                None => return Poll::Ready(Ok(None)),
                Some(frame) => frame.map_err(|err| fault::after_connecting(&err))?,
            };
            let Ok(piece) = frame.into_data() else { continue };
            self.left = self.left.checked_sub(piece.len()).ok_or(HttpError::TooLarge)?;
            if !piece.is_empty() {
                return Poll::Ready(Ok(Some(Vec::from(piece))));
            }
        }
    }
}
