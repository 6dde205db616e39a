//! Randomness of the operating system, watched for repeating itself.

use std::sync::Mutex;

use app::port::{Dice, DiceError};

/// The system's random source.
#[derive(Debug, Default)]
pub(crate) struct SystemDice {
    /// The last sixteen bytes drawn at least: the same ones again mean a stuck source or a cloned machine.
    last: Mutex<Option<[u8; 16]>>,
}

impl Dice for SystemDice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), DiceError> {
        let mut probe = [0; 16];
        fill(&mut probe)?;
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.replace(probe) == Some(probe) {
            return Err(DiceError);
        }
        drop(last);
        fill(bytes)
    }
}

/// Fills a buffer.
#[expect(clippy::disallowed_methods, reason = "the one place where randomness is drawn")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), DiceError> {
    getrandom::fill(bytes).map_err(|_| DiceError)
}
