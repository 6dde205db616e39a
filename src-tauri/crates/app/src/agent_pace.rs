//! How often an agent may ask, and that no proof counts twice. Counted before work is done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::agent::AgentKey;
use domain::time::Timestamp;
use oauth::proof::Proof;

use crate::refused::Refused;

/// A key that was quiet for a while may ask so often at once.
const BURST: u32 = 2_000;
/// And so often a second from then on.
const A_SECOND: u32 = 200;
/// Keys that are counted at once: a program that makes up keys is held by those that nobody knows.
const MOST_KEYS: usize = 256;
/// Proofs that are remembered at once, of all keys: each for two minutes at most.
const MOST_PROOFS: usize = 400_000;

/// What the keys have done of late.
#[derive(Default)]
pub(crate) struct Paces(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    keys: BTreeMap<[u8; 32], Bucket>,
    proofs: BTreeMap<[u8; 32], ()>,
    /// The same, as they came; their ends come nearly in this order.
    order: VecDeque<([u8; 32], Timestamp)>,
}

/// So many more requests, as of a moment of the clock that nobody moves.
struct Bucket {
    thousandths: u64,
    at: Duration,
}

impl Paces {
    /// Counts a request of a key.
    ///
    /// # Errors
    /// [`Refused::TooMany`].
    pub(crate) fn count(&self, key: &AgentKey, now: Duration) -> Result<(), Refused> {
        let mut counted = self.lock();
        let full = u64::from(BURST) * 1000;
        if counted.keys.len() >= MOST_KEYS && !counted.keys.contains_key(&key.bytes()) {
            // Whoever has been quiet for as long as it takes is as one that never asked.
            counted.keys.retain(|_, bucket| bucket.filled(now) < full);
            if counted.keys.len() >= MOST_KEYS {
                return Err(Refused::TooMany);
            }
        }
        let bucket = counted.keys.entry(key.bytes()).or_insert(Bucket { thousandths: full, at: now });
        let filled = bucket.filled(now);
        *bucket = Bucket { thousandths: filled.saturating_sub(1000), at: now };
        if filled < 1000 { Err(Refused::TooMany) } else { Ok(()) }
    }

    /// Takes a proof, once.
    ///
    /// # Errors
    /// It was taken before, or more are remembered than any use needs.
    pub(crate) fn once(&self, proof: &Proof, now: Timestamp) -> Result<(), Refused> {
        let mut counted = self.lock();
        while counted.order.front().is_some_and(|(_, ends)| *ends < now) {
            if let Some((id, _)) = counted.order.pop_front() {
                counted.proofs.remove(&id);
            }
        }
        if counted.order.len() >= MOST_PROOFS {
            return Err(Refused::TooMany);
        }
        if counted.proofs.insert(proof.id, ()).is_some() {
            return Err(Refused::ProofUsed);
        }
        counted.order.push_back((proof.id, proof.ends_at));
        Ok(())
    }

    /// A poisoned lock still holds valid data, since every change is whole.
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn filled(&self, now: Duration) -> u64 {
        let passed = u64::try_from(now.saturating_sub(self.at).as_millis()).unwrap_or(u64::MAX);
        self.thousandths
            .saturating_add(passed.saturating_mul(u64::from(A_SECOND)))
            .min(u64::from(BURST) * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> AgentKey {
        let texts =
            ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
        AgentKey::parse(texts[usize::from(n)]).unwrap()
    }

    #[test]
    fn an_agent_that_asks_too_often_waits_and_no_other_does() {
        let paces = Paces::default();
        let at = Duration::from_secs(1);
        assert!((0..BURST).all(|_| paces.count(&key(0), at).is_ok()));
        assert_eq!(paces.count(&key(0), at), Err(Refused::TooMany));
        assert_eq!(paces.count(&key(1), at), Ok(()));
        let later = at + Duration::from_millis(10);
        assert_eq!(paces.count(&key(0), later), Ok(()));
        assert_eq!(paces.count(&key(0), later), Ok(()));
        assert_eq!(paces.count(&key(0), later), Err(Refused::TooMany), "two in ten milliseconds");
    }

    #[test]
    fn a_proof_counts_once_for_as_long_as_its_time_would_let_it() {
        let paces = Paces::default();
        let at = Timestamp::from_secs;
        let proof = |n: u8, ends: i64| Proof { key: key(0), id: [n; 32], ends_at: at(ends) };
        assert_eq!(paces.once(&proof(1, 100), at(50)), Ok(()));
        assert_eq!(paces.once(&proof(1, 100), at(50)), Err(Refused::ProofUsed));
        assert_eq!(paces.once(&proof(1, 100), at(100)), Err(Refused::ProofUsed));
        assert_eq!(paces.once(&proof(2, 200), at(100)), Ok(()));
        // The clock moved back revives nothing.
        assert_eq!(paces.once(&proof(1, 100), at(10)), Err(Refused::ProofUsed));
        assert_eq!(paces.once(&proof(3, 300), at(101)), Ok(()));
        assert_eq!(paces.lock().proofs.len(), 2, "what its time refuses is forgotten");
    }
}
