//! Randomness of the operating system, watched for repeating itself.

use std::sync::{Mutex, PoisonError};

use app::port::{Dice, DiceError};

/// Fills a buffer.
type Draw = fn(&mut [u8]) -> Result<(), DiceError>;

/// The system's random source.
#[derive(Debug)]
pub(crate) struct SystemDice {
    draw: Draw,
    /// The last sixteen bytes drawn to look at: the same ones again mean a stuck source.
    last: Mutex<Option<[u8; 16]>>,
}

impl Default for SystemDice {
    fn default() -> Self {
        Self { draw: fill, last: Mutex::new(None) }
    }
}

impl Dice for SystemDice {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), DiceError> {
        let mut probe = [0; 16];
        (self.draw)(&mut probe)?;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(probe);
        if last == Some(probe) {
            return Err(DiceError);
        }
        (self.draw)(bytes)?;
        // A source that starts over with every draw gives these bytes the probe's beginning. Eight bytes that agree by
        // chance are seen once in 2⁶⁴ draws; of fewer, nothing that has to stay secret is made.
        let begins = bytes.iter().zip(&probe).take_while(|(byte, probe)| byte == probe).count();
        if begins >= 8 {
            bytes.fill(0);
            return Err(DiceError);
        }
        Ok(())
    }
}

/// Fills a buffer.
#[expect(clippy::disallowed_methods, reason = "the one place where randomness is drawn")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), DiceError> {
    getrandom::fill(bytes).map_err(|_| DiceError)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::*;

    fn with(draw: Draw) -> SystemDice {
        SystemDice { draw, ..SystemDice::default() }
    }

    #[test]
    fn a_stuck_source_gives_nothing_not_even_once() {
        let constant: [Draw; 3] = [
            |bytes| {
                bytes.fill(0x41);
                Ok(())
            },
            // Looks random, and starts over with every draw.
            |bytes| {
                for (at, byte) in bytes.iter_mut().enumerate() {
                    *byte = at.wrapping_mul(0x9d).to_le_bytes()[0] ^ 0x5c;
                }
                Ok(())
            },
            |_| Err(DiceError),
        ];
        for draw in constant {
            let dice = with(draw);
            for _ in 0..3 {
                let mut bytes = [0; 56];
                assert_eq!(dice.fill(&mut bytes), Err(DiceError));
                assert_eq!(bytes, [0; 56], "nothing of it is handed out");
                let mut id = [0; 8];
                assert_eq!((dice.fill(&mut id), id), (Err(DiceError), [0; 8]));
            }
        }
    }

    /// As a machine that is set back to where it was: the same look twice.
    #[test]
    fn a_source_that_goes_back_is_noticed() {
        static DRAWS: AtomicU8 = AtomicU8::new(0);
        let dice = with(|bytes| {
            let draw = DRAWS.fetch_add(1, Ordering::Relaxed);
            // Looks at 0, 2 and 4; what is handed out is its own each time.
            bytes.fill(if draw == 4 { 2 } else { draw });
            Ok(())
        });
        let mut bytes = [0; 56];
        assert_eq!(dice.fill(&mut bytes), Ok(()));
        assert_eq!(dice.fill(&mut bytes), Ok(()));
        assert_eq!((dice.fill(&mut bytes), bytes), (Err(DiceError), [3; 56]));
        assert_eq!(dice.fill(&mut bytes), Ok(()), "it has gone on");
    }

    #[test]
    fn the_systems_source_repeats_nothing() {
        let dice = SystemDice::default();
        let mut seen = HashSet::new();
        for _ in 0..100_000 {
            let mut bytes = [0; 16];
            dice.fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
    }
}
