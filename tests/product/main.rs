//! The whole product, as a person uses it: the real window, the real keychain, the real browser, a real bank.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test that cannot go on stops with what it saw, and reads the real clock and environment"
)]

mod access;
mod approval;
mod argv;
mod connect;
mod frames;
mod host;
mod keychain;
mod malformed;
mod markup;
mod navigation;
mod opener;
mod revoke;
mod smoke;
mod storage;
mod tray;
mod two;
mod upgrade;
mod window;
