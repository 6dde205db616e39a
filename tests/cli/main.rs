//! The command line against a host in this process: what it prints, and what it ends with. The pages are golden files;
//! `COUNTERSIGN_GOLDEN=write` writes them anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw"
)]

mod agents;
mod audit;
mod golden;
mod life;
mod pages;
mod program;
mod without_host;
