//! How much work a passphrase costs.

use thiserror::Error;

/// The work of one stretching, for us and for whoever guesses: Argon2id's memory, passes and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Why a cost is none of ours.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CostError {
    /// More memory or passes than anybody should wait for: whoever can write our files could keep us busy for hours.
    #[error("the passphrase would be stretched without end")]
    TooCostly,
    /// Fewer than [`Cost::FLOOR`] has: a changed header could make the passphrase cheap to guess.
    #[error("the passphrase would be stretched too little")]
    TooWeak,
}

/// One gibibyte.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 4;
/// Memory times passes: what is written in all, and so how long it takes.
const MOST_WRITTEN_KIB: u32 = 4 * MOST_MEMORY_KIB;

impl Cost {
    /// What a passphrase gets: RFC 9106 §4's second choice, 64 MiB and three passes, in one lane, since one thread does
    /// the work. About a fifth of a second.
    pub const RECOMMENDED: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// The least that is ever accepted: what OWASP asks for at least, 19 MiB and two passes.
    pub const FLOOR: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

    /// Takes memory in KiB, passes and lanes.
    ///
    /// # Errors
    /// Any of them is below [`Cost::FLOOR`], or they are more than a machine should do for one passphrase.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        let floor = Self::FLOOR;
        if memory_kib < floor.memory_kib || passes < floor.passes || lanes < floor.lanes {
            return Err(CostError::TooWeak);
        }
        if memory_kib > MOST_MEMORY_KIB
            || passes > MOST_PASSES
            || lanes > MOST_LANES
            || memory_kib.saturating_mul(passes) > MOST_WRITTEN_KIB
        {
            return Err(CostError::TooCostly);
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// Memory in KiB, passes and lanes.
    #[must_use]
    pub fn numbers(self) -> [u32; 3] {
        [self.memory_kib, self.passes, self.lanes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_have_a_floor_and_a_ceiling() {
        let check = |[memory, passes, lanes]: [u32; 3], refused: Option<CostError>| {
            assert_eq!(Cost::new(memory, passes, lanes).err(), refused, "{memory} {passes} {lanes}");
        };
        for taken in [Cost::RECOMMENDED, Cost::FLOOR] {
            check(taken.numbers(), None);
        }
        for most in [[1 << 20, 4, 1], [1 << 20, 4, 4], [1 << 18, 16, 4], [19_456, 16, 1]] {
            check(most, None);
        }
        for weak in [
            [0, 0, 0],
            [1, 1, 1],
            [8, 1, 1],
            [19_455, 2, 1],
            [19_456, 1, 1],
            [19_456, 2, 0],
            [0, 3, 1],
            [65_536, 0, 1],
            [65_536, 1, 1],
            [65_536, 3, 0],
            [u32::MAX, 1, 1],
            [1, u32::MAX, 1],
            [1, 1, u32::MAX],
        ] {
            check(weak, Some(CostError::TooWeak));
        }
        for costly in [
            [(1 << 20) + 1, 2, 1],
            [u32::MAX, 2, 1],
            [19_456, 17, 1],
            [19_456, u32::MAX, 1],
            [19_456, 2, 5],
            [19_456, 2, u32::MAX],
            [1 << 20, 5, 1],
            [(1 << 18) + 1, 16, 1],
            [u32::MAX, u32::MAX, u32::MAX],
        ] {
            check(costly, Some(CostError::TooCostly));
        }
    }
}
