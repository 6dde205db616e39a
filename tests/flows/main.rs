//! The flow on real store, HTTP and loopback, against a provider that does what it is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw"
)]

mod activity;
mod anchor;
mod asked;
mod attempts;
mod calls;
mod connect;
mod forged;
mod hostile;
mod kept;
mod lease;
mod locks;
mod memory;
mod pause;
mod pins;
mod receipts;
mod refresh;
mod reminders;
mod renew;
mod requests;
mod revoke;
mod rotate_key;
mod scopes;
mod stop;
mod support_routes;
mod two_banks;
mod untold;
mod vault;
