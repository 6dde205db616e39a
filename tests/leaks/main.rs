//! One real run of the whole product, then every place where its secrets must not be.
//!
//! The secrets are learned from outside: from the wire, which is plain on this computer, and from the keychain.
//! Reading the wire and the memory of other processes is root's right.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw, and reads the real environment"
)]

mod calls;
mod failing;
mod keychain;
mod lives;
mod places;
mod relay;
mod run;
mod sampler;
mod wire;
