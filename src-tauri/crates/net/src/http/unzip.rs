//! A zipped body, decoded as it comes.

use std::io::{self, Write};

use app::port::HttpError;
use flate2::write::MultiGzDecoder;

/// How much is decoded at a time: what a small piece can grow to is bounded by it.
const STEP: usize = 1024;

/// Decodes pieces up to a limit.
pub(super) struct Unzip {
    decoder: MultiGzDecoder<Room>,
    waiting: Vec<u8>,
    taken: usize,
    begun: bool,
}

impl Unzip {
    /// Lets this much come out.
    pub(super) fn up_to(limit: usize) -> Self {
        let room = Room { out: Vec::new(), left: limit, over: false };
        Self { decoder: MultiGzDecoder::new(room), waiting: Vec::new(), taken: 0, begun: false }
    }

    /// Takes a piece in. What was taken in before has come out.
    pub(super) fn take(&mut self, piece: Vec<u8>) {
        self.begun |= !piece.is_empty();
        (self.waiting, self.taken) = (piece, 0);
    }

    /// The next part of what was taken in; none when more is needed.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, HttpError> {
        loop {
            let rest = self.waiting.get(self.taken..).unwrap_or_default();
            let step = rest.get(..STEP.min(rest.len())).unwrap_or_default();
            if step.is_empty() {
                return Ok(None);
            }
            self.taken += step.len();
            let decoded = self.decoder.write_all(step).and_then(|()| self.decoder.flush());
            decoded.map_err(|_| self.fault())?;
            let out = std::mem::take(&mut self.decoder.get_mut().out);
            if !out.is_empty() {
                return Ok(Some(out));
            }
        }
    }

    /// What is left at the end. An answer to HEAD or a 204 may say how a body would have been coded.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>, HttpError> {
        if !self.begun {
            return Ok(Vec::new());
        }
        self.decoder.try_finish().map_err(|_| self.fault())?;
        Ok(std::mem::take(&mut self.decoder.get_mut().out))
    }

    fn fault(&self) -> HttpError {
        if self.decoder.get_ref().over { HttpError::TooLarge } else { HttpError::NotWellFormed }
    }
}

/// Where what is decoded goes, until it is full.
struct Room {
    out: Vec<u8>,
    left: usize,
    over: bool,
}

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            self.over = true;
            return Err(io::ErrorKind::StorageFull.into());
        };
        self.left = left;
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
