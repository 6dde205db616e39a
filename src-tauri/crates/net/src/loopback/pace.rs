//! How fast wrong requests are answered (LOOP-09): a few at once, many slowly, and never at the genuine one's cost.
//!
//! Nobody is turned away: a request is known to be wrong only when it has been read, and the next may be genuine.
//! What is held back is the answer, and whoever is held back is the first to go when a newcomer needs the place.
//! So a client that waits for its answers is slowed down, and one that does not wait costs a read and a look.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Answered at once: more than a browser's own strays and a page that somebody keeps reloading.
const AT_ONCE: u32 = 50;

/// From then on one answer in this time.
const EVERY: Duration = Duration::from_millis(10);

/// No answer is held longer: a person who is caught in it should still see a page.
const LONGEST: Duration = Duration::from_millis(250);

/// The time at which all wrong requests so far would have been answered, at one [`EVERY`].
pub(super) struct Pace(Mutex<Instant>);

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Counts one wrong request and says how long to hold its answer.
    pub(super) fn hold(&self, now: Instant) -> Duration {
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *due = (*due).max(now) + EVERY;
        let hold = due.saturating_duration_since(now + AT_ONCE * EVERY).min(LONGEST);
        // What goes beyond is forgotten, so that the pace recovers within a second whatever came before.
        *due = (*due).min(now + AT_ONCE * EVERY + LONGEST);
        hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_answered_at_once_and_many_one_in_ten_milliseconds() {
        let mut now = Instant::now();
        let pace = Pace::new(now);
        for number in 0..AT_ONCE {
            assert_eq!(pace.hold(now), Duration::ZERO, "{number}");
        }
        for number in 1..=1000 {
            assert_eq!(pace.hold(now), (number * EVERY).min(LONGEST), "{number}");
        }
        now += LONGEST + AT_ONCE * EVERY;
        assert_eq!(pace.hold(now), Duration::ZERO, "it recovers");
        // Somebody who waits for each answer gets a hundred a second.
        let begin = now;
        for _ in 0..500 + AT_ONCE {
            now += pace.hold(now);
        }
        assert!((4900..=5100).contains(&(now - begin).as_millis()), "{:?}", now - begin);
    }
}
