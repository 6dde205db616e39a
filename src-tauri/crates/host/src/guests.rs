//! Who is on the public socket: so many at once, and whoever says nothing makes room for a newcomer. A program that
//! only holds connections open cannot keep the person from stopping everything.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The connections of the public socket. Those that have proven an agent's key are counted by themselves: no program
/// without one keeps them out.
#[derive(Clone)]
pub(crate) struct Guests {
    most: usize,
    most_proven: usize,
    /// Oldest first.
    there: Arc<Mutex<VecDeque<Arc<Guest>>>>,
}

/// One connection.
#[derive(Default)]
pub(crate) struct Guest {
    asking: AtomicUsize,
    proven: AtomicBool,
    leave: Notify,
}

/// Its place, until dropped.
pub(crate) struct Place {
    guests: Guests,
    guest: Arc<Guest>,
}

/// A request that is being answered.
pub(crate) struct Asking(Arc<Guest>);

impl Guests {
    /// Room for so many that have proven nothing, and so many that have.
    pub(crate) fn new(most: usize, most_proven: usize) -> Self {
        Self { most, most_proven, there: Arc::default() }
    }

    /// A place for one more. Where all are taken, the oldest that asks nothing just now has to leave; where all are
    /// asking, there is none.
    pub(crate) fn enter(&self) -> Option<Place> {
        let mut there = self.lock();
        make_room(&mut there, self.most, false)?;
        let guest = Arc::new(Guest::default());
        there.push_back(Arc::clone(&guest));
        Some(Place { guests: self.clone(), guest })
    }

    /// A poisoned lock still holds a valid list, since every change is whole.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Guest>>> {
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// An enrolled agent's key was proven on it: it counts among those from now on. Where there are too many, the oldest
    /// that asks nothing just now has to leave.
    pub(crate) fn prove(&self) {
        let mut there = self.guests.lock();
        if make_room(&mut there, self.guests.most_proven, true).is_some() {
            self.guest.proven.store(true, Ordering::SeqCst);
        }
    }

    /// Whether it has proven a key.
    pub(crate) fn is_proven(&self) -> bool {
        self.guest.proven.load(Ordering::SeqCst)
    }

    /// Marks a request, until what is returned is dropped.
    pub(crate) fn ask(&self) -> Asking {
        self.guest.asking.fetch_add(1, Ordering::SeqCst);
        Asking(Arc::clone(&self.guest))
    }

    /// Returns when it has to leave.
    pub(crate) async fn asked_to_leave(&self) {
        self.guest.leave.notified().await;
    }
}

/// Sees to it that one more of a kind has a place; none if all of them are asking.
fn make_room(there: &mut VecDeque<Arc<Guest>>, most: usize, proven: bool) -> Option<()> {
    let is_one = |guest: &&Arc<Guest>| guest.proven.load(Ordering::SeqCst) == proven;
    if there.iter().filter(is_one).count() >= most {
        let is_idle = |guest: &Arc<Guest>| is_one(&guest) && guest.asking.load(Ordering::SeqCst) == 0;
        let gone = there.remove(there.iter().position(is_idle)?)?;
        gone.leave.notify_one();
    }
    Some(())
}

impl Drop for Place {
    fn drop(&mut self) {
        self.guests.lock().retain(|guest| !Arc::ptr_eq(guest, &self.guest));
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_says_nothing_makes_room() {
        let guests = Guests::new(2, 1);
        let (silent, asking) = (guests.enter().unwrap(), guests.enter().unwrap());
        let request = asking.ask();
        let newcomer = guests.enter().unwrap();
        silent.asked_to_leave().await;
        let second = newcomer.ask();
        assert!(guests.enter().is_none(), "whoever is being answered stays");
        drop((request, second));
        drop(newcomer);
        drop(silent);
        assert!(guests.enter().is_some());
    }

    #[tokio::test]
    async fn whoever_has_proven_a_key_takes_no_place_of_those_that_have_not() {
        let guests = Guests::new(1, 1);
        let agent = guests.enter().unwrap();
        let _asks = agent.ask();
        assert!(guests.enter().is_none());
        agent.prove();
        assert!(agent.is_proven());
        let other = guests.enter().expect("a place is free again");
        let _asks_too = other.ask();
        other.prove();
        assert!(!other.is_proven(), "there is one place for those, and it is taken");
    }
}
