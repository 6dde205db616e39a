//! References a person can read aloud: `K7-4MQ-2P`.
//!
//! Two characters say where and why (stage and cause), four are random, the last is a check character, so that a
//! misheard code is noticed and stage and cause can be read from the code alone.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Nineteen signs that sound different from each other on the telephone; a prime number, so that the check
/// character finds every single wrong sign and every swap of two neighbours.
const SIGNS: &[u8; 19] = b"23456789AFHKLMPQRWX";

/// Where in its course something stands or ended. The order is part of the code and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing has gone out.
    Start,
    /// The keychain is probed.
    Keychain,
    /// The bank's metadata is read and compared with the pins.
    Metadata,
    /// The request is pushed, or the browser opened.
    Browser,
    /// The person is at the bank.
    Bank,
    /// The callback is judged.
    Callback,
    /// The code is exchanged.
    Exchange,
    /// The id_token and the holder are checked.
    Identity,
    /// The accounts are read.
    Accounts,
    /// Sealed and stored.
    Save,
    /// A grant is ended.
    Revoke,
    /// The person decides about accounts that nobody expected.
    Decision,
    /// A task of an agent is decided.
    Task,
}

const STAGES: [Stage; 13] = [
    Stage::Start,
    Stage::Keychain,
    Stage::Metadata,
    Stage::Browser,
    Stage::Bank,
    Stage::Callback,
    Stage::Exchange,
    Stage::Identity,
    Stage::Accounts,
    Stage::Save,
    Stage::Revoke,
    Stage::Decision,
    Stage::Task,
];

/// Stage, cause (0 to 18, see `app::report`) and the random part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where.
    pub stage: Stage,
    /// Why; 0 while nothing has gone wrong.
    pub cause: u8,
    /// What makes it unlike others; the same for one attempt all its life.
    pub random: RandomPart,
}

/// The random part of a reference: four signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RandomPart(u32);

impl RandomPart {
    /// Makes one from random bytes.
    #[must_use]
    pub fn make_from(random: [u8; 8]) -> Self {
        Self(u32::try_from(u64::from_be_bytes(random) % 130_321).unwrap_or(0))
    }

    /// Its number, for storing.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// Takes a stored number.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self(number % 130_321)
    }
}

/// Why a text is not a reference.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// The check character does not fit: a sign was misheard.
    #[error("one character is wrong")]
    Check,
    /// Not eight signs of the alphabet.
    #[error("not a reference")]
    Shape,
}

impl Reference {
    /// Parses what a person reads aloud; case, spaces and dashes do not matter.
    ///
    /// # Errors
    /// Not a reference, or a misheard sign.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let signs: Vec<u32> = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
            .map(|c| position(c.to_ascii_uppercase()))
            .collect::<Option<_>>()
            .ok_or(ReferenceError::Shape)?;
        let [stage, cause, a, b, c, d, check] = signs.as_slice() else { return Err(ReferenceError::Shape) };
        if check_sign(&[*stage, *cause, *a, *b, *c, *d]) != *check {
            return Err(ReferenceError::Check);
        }
        let stage = STAGES.get(*stage as usize).copied().ok_or(ReferenceError::Shape)?;
        let cause = u8::try_from(*cause).map_err(|_| ReferenceError::Shape)?;
        Ok(Self { stage, cause, random: RandomPart(((a * 19 + b) * 19 + c) * 19 + d) })
    }
}

fn position(c: char) -> Option<u32> {
    SIGNS.iter().position(|s| char::from(*s) == c).and_then(|p| u32::try_from(p).ok())
}

fn sign(position: u32) -> char {
    SIGNS.get(position as usize % SIGNS.len()).map_or('2', |b| char::from(*b))
}

fn check_sign(signs: &[u32; 6]) -> u32 {
    signs.iter().zip(2..).map(|(sign, weight)| (sign + 1) * weight).sum::<u32>() % 19
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage =
            STAGES.iter().position(|s| *s == self.stage).and_then(|p| u32::try_from(p).ok()).unwrap_or(0);
        let r = self.random.0;
        let signs = [stage, u32::from(self.cause) % 19, r / 6859 % 19, r / 361 % 19, r / 19 % 19, r % 19];
        let [s, c, a, b, d, e] = signs.map(sign);
        write!(f, "{s}{c}-{a}{b}{d}-{e}{}", sign(check_sign(&signs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_however_it_is_spoken() {
        for random in [0, 1, 18, 19, 130_320] {
            for stage in STAGES {
                let reference = Reference { stage, cause: 7, random: RandomPart(random) };
                let text = reference.to_string();
                assert_eq!(Reference::parse(&text), Ok(reference));
                assert_eq!(Reference::parse(&text.to_lowercase().replace('-', " ")), Ok(reference));
            }
        }
    }

    #[test]
    fn every_misheard_sign_and_swap_is_noticed() {
        let text: Vec<char> = Reference { stage: Stage::Callback, cause: 3, random: RandomPart(98_765) }
            .to_string()
            .chars()
            .filter(|c| *c != '-')
            .collect();
        for at in 0..text.len() {
            for other in SIGNS.iter().map(|b| char::from(*b)).filter(|c| *c != text[at]) {
                let mut wrong = text.clone();
                wrong[at] = other;
                assert!(Reference::parse(&wrong.iter().collect::<String>()).is_err());
            }
            if at + 1 < text.len() && text[at] != text[at + 1] {
                let mut swapped = text.clone();
                swapped.swap(at, at + 1);
                assert!(Reference::parse(&swapped.iter().collect::<String>()).is_err());
            }
        }
    }
}
