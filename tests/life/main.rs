//! Samples of the figures of a grant's life, which `cargo xtask figures` takes in full; see `support::life`. Times are
//! held there alone: here other tests run beside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with what it saw"
)]

mod hostile;
mod lost;
mod race;
mod revoke;
mod trail;
