//! A raw client against the listener: what reaches the attempt, what does not, and what stays up meanwhile.

mod answers;
mod client;
mod crowd;
mod flood;
mod heads;
mod lifecycle;
mod network;
mod socket;

/// Files that the listener's answers are compared with, byte for byte.
macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../../../../../tests/fixtures/loopback/", $name, ".http"))
    };
}
use golden;
