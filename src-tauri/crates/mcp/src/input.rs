//! Standard input, and the news that it has ended.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf, Stdin};
use tokio::sync::watch;

/// Tells whether the input has ended: whoever waits for the person waits for nobody then.
pub(crate) type Ended = watch::Receiver<bool>;

/// Standard input.
pub(crate) struct Input {
    stdin: Stdin,
    ended: watch::Sender<bool>,
}

impl Input {
    /// Begins to read.
    pub(crate) fn open() -> (Self, Ended) {
        let (ended, is_ended) = watch::channel(false);
        (Self { stdin: tokio::io::stdin(), ended }, is_ended)
    }
}

impl AsyncRead for Input {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.stdin).poll_read(cx, buf));
        if read.is_err() || buf.filled().len() == before {
            self.ended.send_replace(true);
        }
        Poll::Ready(read)
    }
}
