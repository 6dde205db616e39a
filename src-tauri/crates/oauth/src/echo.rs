//! Keeps a bank's answer from handing an agent the bank's token: it is read under every coding that a server might
//! have put it in, and nothing of it is let through until it is known not to be a piece of a secret.
//!
//! What is read is what is left when all that could part the characters of a token is taken out: escapes of JSON, of
//! addresses and of HTML are resolved (four deep), white space and the zeros of UTF-16 are dropped, and of the rest
//! only letters and digits count, in either case. What could be base64 or hexadecimal, from the front or from the back,
//! is decoded at every alignment and read in the same way, twice over. In each of these readings, a piece of the secret
//! is found by a rolling hash (Rabin and Karp) over the last letters and digits. What is not read: a secret that was
//! written in escapes and turned around after that, or encrypted, or cut into pieces that are too small to matter.
//!
//! **Invariant:** what was let through ends before the first character of any piece that is found later.

use thiserror::Error;

mod alphabet;
mod escape;
mod pieces;
mod row;
#[cfg(test)]
mod tests;
mod view;

use pieces::Pieces;
use view::View;

/// Kept back beyond what may be the beginning of a piece: an escape sign right before a secret can swallow its first
/// characters from a reading.
const MARGIN: usize = 16;

/// The answer holds a secret, or a piece of one that is long enough to matter.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the answer echoes a secret")]
pub struct Echo;

/// Reads one answer, piece by piece, and lets through what holds none of the secrets.
///
/// A piece of a secret is any 24 of its characters in a row; half of it where that is less, but no fewer than eight.
/// Secrets with fewer than four letters and digits are not looked for: they are in every text.
pub struct EchoGuard {
    pieces: Pieces,
    view: View,
    /// What was taken in and not let through.
    held: Vec<u8>,
    /// How much was taken in.
    taken: usize,
    heard: bool,
}

impl EchoGuard {
    /// A guard for one answer, which must not hold any of these.
    #[must_use]
    pub fn new(secrets: &[&str]) -> Self {
        let pieces = Pieces::of(secrets);
        Self { pieces, view: View::new(), held: Vec::new(), taken: 0, heard: false }
    }

    /// True if a text that stands for itself, such as a header's value, holds none of the secrets.
    #[must_use]
    pub fn clears(&self, text: &[u8]) -> bool {
        let mut view = View::new();
        let heard = text.iter().enumerate().any(|(at, byte)| view.take(&self.pieces, *byte, at));
        !(heard || view.finish(&self.pieces))
    }

    /// Takes in more of the answer, and gives what may be let through by now: all of it but a short tail.
    ///
    /// # Errors
    /// The answer holds a secret: nothing more may be let through, whatever comes.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Echo> {
        if self.heard {
            return Err(Echo);
        }
        for byte in bytes {
            self.heard |= self.view.take(&self.pieces, *byte, self.taken);
            self.taken += 1;
        }
        if self.heard {
            self.held = Vec::new();
            return Err(Echo);
        }
        self.held.extend_from_slice(bytes);
        let from = self.view.unsettled(&self.pieces).unwrap_or(self.taken);
        let keep = (self.taken - from.min(self.taken)).saturating_add(MARGIN).min(self.held.len());
        Ok(self.held.drain(..self.held.len() - keep).collect())
    }

    /// The answer is whole: gives the rest of it.
    ///
    /// # Errors
    /// As for [`EchoGuard::push`].
    pub fn finish(mut self) -> Result<Vec<u8>, Echo> {
        if self.heard || self.view.finish(&self.pieces) { Err(Echo) } else { Ok(self.held) }
    }
}
