//! Rules that hold across crates: who may import whom, what a window may ask, what no type may carry, what a release
//! build must lack. Each rule comes with a planted breach that it has to find.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw, and reads the real environment"
)]

mod answers;
mod bindings;
mod commands;
mod debugging;
mod docs;
mod imports;
mod secrets;
mod source;
mod switches;
mod window_requests;
