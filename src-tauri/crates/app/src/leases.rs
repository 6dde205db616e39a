//! The leases of this run. They live in memory alone: with the host, every lease ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::agent::AgentKey;
use domain::id::{AgentId, GrantId, LeaseId};
use domain::lease::Terms;
use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::refused::Refused;

/// Leases of one agent that live at once.
const MOST_OF_ONE: usize = 4_096;
/// And of all.
const MOST: usize = 65_536;

/// By the hash of what the agent holds: the handle itself is kept nowhere.
#[derive(Default)]
pub(crate) struct Leases(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    leases: BTreeMap<[u8; 32], Live>,
    of: BTreeMap<AgentId, usize>,
}

struct Live {
    lease: Arc<Lease>,
    uses: u16,
}

/// What one task was given.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) id: LeaseId,
    pub(crate) agent: AgentId,
    pub(crate) key: AgentKey,
    pub(crate) grant: GrantId,
    pub(crate) terms: Terms,
    /// By the wall clock, which the grant's own end goes by.
    pub(crate) ends_at: Timestamp,
    /// By the clock that nobody moves.
    pub(crate) ends: Duration,
}

/// A moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) wall: Timestamp,
    pub(crate) steady: Duration,
}

impl Lease {
    fn lives(&self, now: Moment) -> bool {
        now.steady < self.ends && now.wall < self.ends_at
    }
}

impl Leases {
    /// Keeps a new one.
    ///
    /// # Errors
    /// More live than any use needs.
    pub(crate) fn keep(&self, handle: &str, lease: Lease, uses: u16, now: Moment) -> Result<(), Refused> {
        let mut kept = self.lock();
        let crowded = |kept: &Kept| {
            kept.leases.len() >= MOST || kept.of.get(&lease.agent).is_some_and(|count| *count >= MOST_OF_ONE)
        };
        if crowded(&kept) {
            kept.drop_where(|live| !live.lease.lives(now));
            if crowded(&kept) {
                return Err(Refused::TooMany);
            }
        }
        *kept.of.entry(lease.agent).or_default() += 1;
        kept.leases.insert(hash(handle), Live { lease: Arc::new(lease), uses });
        Ok(())
    }

    /// The lease behind a handle, if it is this key's and for this grant, lives, and has a use left.
    ///
    /// # Errors
    /// [`Refused::LeaseUnknown`], whichever of these it is.
    pub(crate) fn find(
        &self,
        handle: &str,
        key: &AgentKey,
        grant: GrantId,
        now: Moment,
    ) -> Result<Arc<Lease>, Refused> {
        let kept = self.lock();
        let live = kept.leases.get(&hash(handle)).ok_or(Refused::LeaseUnknown)?;
        let fits =
            live.lease.key == *key && live.lease.grant == grant && live.lease.lives(now) && live.uses > 0;
        if fits { Ok(Arc::clone(&live.lease)) } else { Err(Refused::LeaseUnknown) }
    }

    /// Takes one use of a lease; the last one ends it.
    ///
    /// # Errors
    /// There is none left.
    pub(crate) fn take_use(&self, handle: &str) -> Result<(), Refused> {
        let mut kept = self.lock();
        let id = hash(handle);
        let live = kept.leases.get_mut(&id).filter(|live| live.uses > 0).ok_or(Refused::LeaseUnknown)?;
        live.uses -= 1;
        if live.uses == 0 {
            kept.drop_one(&id);
        }
        Ok(())
    }

    /// Ends a lease of this key; none if there is none.
    pub(crate) fn give_back(&self, handle: &str, key: &AgentKey) -> Option<Arc<Lease>> {
        let mut kept = self.lock();
        let id = hash(handle);
        let lease = Arc::clone(&kept.leases.get(&id).filter(|live| live.lease.key == *key)?.lease);
        kept.drop_one(&id);
        Some(lease)
    }

    /// Ends every lease.
    pub(crate) fn end_all(&self) {
        self.lock().drop_where(|_| true);
    }

    /// Ends every lease of an agent.
    pub(crate) fn end_of(&self, agent: AgentId) {
        self.lock().drop_where(|live| live.lease.agent == agent);
    }

    /// A poisoned lock still holds valid data: the worst that is missing is a count, and that only refuses.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_one(&mut self, id: &[u8; 32]) {
        if let Some(live) = self.leases.remove(id) {
            self.count_down(live.lease.agent);
        }
    }

    fn drop_where(&mut self, over: impl Fn(&Live) -> bool) {
        let ended: Vec<AgentId> =
            self.leases.extract_if(.., |_, live| over(live)).map(|(_, live)| live.lease.agent).collect();
        for agent in ended {
            self.count_down(agent);
        }
    }

    fn count_down(&mut self, agent: AgentId) {
        if let Some(count) = self.of.get_mut(&agent) {
            *count = count.saturating_sub(1);
        }
    }
}

fn hash(handle: &str) -> [u8; 32] {
    Sha256::digest(handle.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 2] =
        ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];

    fn key(n: usize) -> AgentKey {
        AgentKey::parse(KEYS[n]).unwrap()
    }

    fn at(seconds: u64) -> Moment {
        Moment {
            wall: Timestamp::from_secs(i64::try_from(seconds).unwrap()),
            steady: Duration::from_secs(seconds),
        }
    }

    fn grant(n: u8) -> GrantId {
        GrantId::make_from(Timestamp::from_millis(0), [n; 10])
    }

    fn lease(ends: u64) -> Lease {
        Lease {
            id: LeaseId::make_from(Timestamp::from_millis(0), [1; 10]),
            agent: AgentId::make_from(Timestamp::from_millis(0), [1; 10]),
            key: key(0),
            grant: grant(1),
            terms: Terms::Look(Vec::new()),
            ends_at: at(ends).wall,
            ends: at(ends).steady,
        }
    }

    #[test]
    fn a_lease_is_for_its_key_its_grant_its_time_and_its_uses() {
        let leases = Leases::default();
        leases.keep("h", lease(300), 2, at(0)).unwrap();
        let is_there =
            |handle: &str, k: usize, g: u8, now: Moment| leases.find(handle, &key(k), grant(g), now).is_ok();
        assert!(is_there("h", 0, 1, at(299)));
        assert!(!is_there("H", 0, 1, at(1)) && !is_there("h", 1, 1, at(1)) && !is_there("h", 0, 2, at(1)));
        assert!(!is_there("h", 0, 1, at(300)));
        let moved = Moment { wall: at(0).wall, steady: at(300).steady };
        assert!(!is_there("h", 0, 1, moved), "a clock that was moved back revives nothing");
        assert_eq!(leases.take_use("h"), Ok(()));
        assert!(is_there("h", 0, 1, at(1)));
        assert_eq!(leases.take_use("h"), Ok(()));
        assert_eq!(leases.take_use("h"), Err(Refused::LeaseUnknown));
        assert!(!is_there("h", 0, 1, at(1)));
    }

    #[test]
    fn a_lease_is_given_back_by_its_key_alone() {
        let leases = Leases::default();
        leases.keep("h", lease(300), 2, at(0)).unwrap();
        assert!(leases.give_back("h", &key(1)).is_none());
        assert!(leases.find("h", &key(0), grant(1), at(1)).is_ok());
        assert!(leases.give_back("h", &key(0)).is_some());
        assert!(leases.give_back("h", &key(0)).is_none());
    }

    #[test]
    fn one_agent_has_so_many_leases_and_no_more() {
        let leases = Leases::default();
        for n in 0..MOST_OF_ONE {
            leases.keep(&n.to_string(), lease(300), 1, at(0)).unwrap();
        }
        assert_eq!(leases.keep("more", lease(300), 1, at(1)), Err(Refused::TooMany));
        leases.keep("later", lease(600), 1, at(300)).expect("those before are over");
        leases.end_all();
        assert!(leases.find("later", &key(0), grant(1), at(301)).is_err());
    }
}
