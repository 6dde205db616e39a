//! A process that only takes up memory: planted among those that are measured, it must be noticed.

use rustix::process::{Signal, set_parent_process_death_signal};

/// Holds this much memory until its parent is gone.
pub(crate) fn hold(mib: usize) -> ! {
    set_parent_process_death_signal(Some(Signal::KILL)).expect("an end");
    // Every page is written to, since one that never was takes up nothing.
    let held = vec![1_u8; mib * 1024 * 1024];
    loop {
        std::thread::park();
        std::hint::black_box(&held);
    }
}
