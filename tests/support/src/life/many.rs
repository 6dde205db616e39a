//! Runs beside each other, on threads of their own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// More than the processors, since a run mostly waits.
const BESIDE: usize = 4;

/// Does this for each number below `runs`, several at once, and gives what came of each, in order.
pub fn many<T: Send>(runs: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= runs {
                return;
            }
            let outcome = run(number);
            done.lock().expect("nobody panics holding it").push((number, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..BESIDE.min(runs) {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().expect("nobody panicked holding it");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}
