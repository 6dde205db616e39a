//! Support for the whole-product suites: a login session of its own, the Sandbox Bank, the host, and drivers for the
//! real window and the real browser.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw, and reads the real clock and environment"
)]

pub mod agent;
pub mod bank;
pub mod counter;
pub mod database;
pub mod django;
pub mod driver;
pub mod echoing;
pub mod fake_provider;
pub mod fakes;
pub mod forms;
pub mod host;
pub mod hostile;
pub mod inherited;
pub mod life;
pub mod observe;
pub mod person;
pub mod process;
pub mod scan;
pub mod session;
pub mod sweep;
pub mod trail;
pub mod wire;
pub mod world;
