//! The vault's door: whether it is locked, and the key that is kept while it is open.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::KekId;
use domain::lock::{Lock, LockedBy};
use domain::secret::KeyEncryptionKey;
use domain::time::Timestamp;

use crate::key::NewKey;

/// Both change together, so that no key outlives a lock.
pub(crate) struct Door(Mutex<State>);

struct State {
    lock: Lock,
    /// Only where a passphrase opened it; else the keychain is asked each time.
    key: Option<(Arc<KeyEncryptionKey>, KekId)>,
    /// How often it was locked: who began to open it before that does not open it any more.
    locks: u64,
}

impl Door {
    /// A door in this state, without a key.
    pub(crate) fn new(lock: Lock) -> Self {
        Self(Mutex::new(State { lock, key: None, locks: 0 }))
    }

    /// Whether it is locked.
    pub(crate) fn lock_state(&self) -> Lock {
        self.state().lock
    }

    /// How often it was locked, for [`Self::open`].
    pub(crate) fn locks(&self) -> u64 {
        self.state().locks
    }

    /// The key that is kept, if it is the one with this id.
    pub(crate) fn kept(&self, id: KekId) -> Option<Arc<KeyEncryptionKey>> {
        self.state().key.as_ref().filter(|(_, kept)| *kept == id).map(|(key, _)| Arc::clone(key))
    }

    /// Locks it and lets go of the key, which is wiped with its last use. False if it was locked already.
    pub(crate) fn lock(&self, since: Timestamp, by: LockedBy) -> bool {
        let mut state = self.state();
        state.locks += 1;
        state.key = None;
        let was_open = state.lock == Lock::Open;
        if was_open {
            state.lock = Lock::Locked { since, by };
        }
        was_open
    }

    /// Opens it; false if it was locked again since `locks` was asked for.
    pub(crate) fn open(&self, locks: u64, key: Option<(Arc<KeyEncryptionKey>, KekId)>) -> bool {
        let mut state = self.state();
        if state.locks != locks {
            return false;
        }
        state.lock = Lock::Open;
        state.key = key;
        true
    }

    /// Takes over a key that is in force from now on. If it was locked since `locks` was asked for, the passphrase is
    /// needed first, also where none was needed before.
    pub(crate) fn keep(&self, locks: u64, key: &NewKey) {
        let mut state = self.state();
        let has_passphrase = key.row.protection.has_passphrase();
        let may = has_passphrase && state.locks == locks && state.lock == Lock::Open;
        state.key = may.then(|| (Arc::clone(&key.key), key.row.id));
    }

    /// A poisoned lock still holds a valid state: every change is complete before anything can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use domain::secret::KeyPlace;
    use zeroize::ZeroizeOnDrop;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1);

    /// A place that tells when it is wiped.
    struct Watched([u8; 32], Arc<AtomicBool>);

    impl KeyPlace for Watched {
        fn expose_bytes(&self) -> &[u8; 32] {
            &self.0
        }
    }

    impl ZeroizeOnDrop for Watched {}

    impl Drop for Watched {
        fn drop(&mut self) {
            self.1.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_lock_lets_go_of_the_key_and_nobody_gets_it_from_then_on() {
        let (id, wiped) = (KekId::make_from([1; 8]), Arc::new(AtomicBool::new(false)));
        let key = KeyEncryptionKey::in_place(Box::new(Watched([7; 32], Arc::clone(&wiped))));
        let door = Door::new(Lock::Locked { since: NOW, by: LockedBy::Start });
        assert!(door.open(door.locks(), Some((Arc::new(key), id))));
        let in_use = door.kept(id);
        assert!(in_use.is_some() && door.kept(KekId::make_from([2; 8])).is_none());
        assert!(door.lock(NOW, LockedBy::Person));
        assert!(door.kept(id).is_none());
        assert!(!wiped.load(Ordering::SeqCst), "a use that is under way ends first");
        drop(in_use);
        assert!(wiped.load(Ordering::SeqCst));
    }

    #[test]
    fn who_began_to_open_it_before_a_lock_does_not_open_it_any_more() {
        let door = Door::new(Lock::Locked { since: NOW, by: LockedBy::Start });
        let began = door.locks();
        assert!(!door.lock(NOW, LockedBy::Screen), "it was locked already");
        assert!(!door.open(began, None));
        assert_eq!(door.lock_state(), Lock::Locked { since: NOW, by: LockedBy::Start });
        assert!(door.open(door.locks(), None));
        assert_eq!(door.lock_state(), Lock::Open);
    }
}
