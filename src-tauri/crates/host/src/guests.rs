//! Who is on the public socket: so many at once, and whoever says nothing makes room for a newcomer. A program that
//! only holds connections open cannot keep the person from stopping everything.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The connections of the public socket.
#[derive(Clone)]
pub(crate) struct Guests {
    most: usize,
    /// Oldest first.
    there: Arc<Mutex<VecDeque<Arc<Guest>>>>,
}

/// One connection.
#[derive(Default)]
pub(crate) struct Guest {
    asking: AtomicUsize,
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
    /// Room for so many.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, there: Arc::default() }
    }

    /// A place for one more. Where all are taken, the oldest that asks nothing just now has to leave; where all are
    /// asking, there is none.
    pub(crate) fn enter(&self) -> Option<Place> {
        let mut there = self.lock();
        if there.len() >= self.most {
            let idle = there.iter().position(|guest| guest.asking.load(Ordering::SeqCst) == 0)?;
            let gone = there.remove(idle)?;
            gone.leave.notify_one();
        }
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
        let guests = Guests::new(2);
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
}
