//! How often an agent may ask, and that no proof counts twice. Counted before work is done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
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
/// Keys that are known at once. Anybody can make up keys: where there are more, the one that asked least of late is
/// forgotten, so that no program keeps an agent out by that.
const MOST_KEYS: usize = 256;
/// Proofs of one key that are remembered at once: more than it may send in the time in which they hold.
const MOST_PROOFS: usize = 40_000;

/// What the keys have done of late.
#[derive(Default)]
pub(crate) struct Paces(Mutex<BTreeMap<[u8; 32], Pace>>);

/// One key's.
struct Pace {
    /// So many more requests, in thousandths, as of a moment of the clock that nobody moves.
    left: u64,
    at: Duration,
    proofs: BTreeSet<[u8; 32]>,
    /// The same, as they came; their ends come nearly in this order.
    order: VecDeque<([u8; 32], Timestamp)>,
}

impl Paces {
    /// Counts a request of a key.
    ///
    /// # Errors
    /// [`Refused::TooMany`].
    pub(crate) fn count(&self, key: &AgentKey, now: Duration) -> Result<(), Refused> {
        let mut paces = self.lock();
        if paces.len() >= MOST_KEYS && !paces.contains_key(&key.bytes()) {
            let quietest = paces.iter().max_by_key(|(_, pace)| pace.filled(now)).map(|(key, _)| *key);
            quietest.and_then(|key| paces.remove(&key));
        }
        let pace = paces.entry(key.bytes()).or_insert_with(|| Pace::fresh(now));
        let filled = pace.filled(now);
        (pace.left, pace.at) = (filled.saturating_sub(1000), now);
        if filled < 1000 { Err(Refused::TooMany) } else { Ok(()) }
    }

    /// Takes a proof, once.
    ///
    /// # Errors
    /// It was taken before, or more of its key's are remembered than it may send.
    pub(crate) fn once(&self, proof: &Proof, now: Timestamp) -> Result<(), Refused> {
        let mut paces = self.lock();
        let pace = paces.entry(proof.key.bytes()).or_insert_with(|| Pace::fresh(Duration::ZERO));
        while pace.order.front().is_some_and(|(_, ends)| *ends < now) {
            if let Some((id, _)) = pace.order.pop_front() {
                pace.proofs.remove(&id);
            }
        }
        if pace.order.len() >= MOST_PROOFS {
            return Err(Refused::TooMany);
        }
        if !pace.proofs.insert(proof.id) {
            return Err(Refused::ProofUsed);
        }
        pace.order.push_back((proof.id, proof.ends_at));
        Ok(())
    }

    /// A poisoned lock still holds valid data, since every change is whole.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Pace>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn fresh(at: Duration) -> Self {
        Self { left: u64::from(BURST) * 1000, at, proofs: BTreeSet::new(), order: VecDeque::new() }
    }

    fn filled(&self, now: Duration) -> u64 {
        let passed = u64::try_from(now.saturating_sub(self.at).as_millis()).unwrap_or(u64::MAX);
        self.left.saturating_add(passed.saturating_mul(u64::from(A_SECOND))).min(u64::from(BURST) * 1000)
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
        assert_eq!(paces.lock()[&key(0).bytes()].proofs.len(), 2, "what its time refuses is forgotten");
    }

    #[test]
    fn keys_that_somebody_makes_up_keep_no_agent_out() {
        let paces = Paces::default();
        let at = Duration::from_secs(1);
        let made_up = |n: u32| {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&n.to_be_bytes());
            (0..=255).find_map(|last| {
                seed[31] = last;
                AgentKey::from_bytes(seed).ok()
            })
        };
        assert!((0..10).all(|_| paces.count(&key(0), at).is_ok()));
        for n in 0..600 {
            assert_eq!(paces.count(&made_up(n).unwrap(), at), Ok(()));
        }
        assert_eq!(paces.count(&key(1), at), Ok(()), "a newcomer is let in");
        assert!(paces.lock().len() <= MOST_KEYS);
        assert!(paces.lock().contains_key(&key(0).bytes()), "whoever asked more is not forgotten for it");
    }
}
