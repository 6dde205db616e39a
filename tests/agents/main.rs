//! The agent's side against the real host: `countersign-agent`, `curl`, an OAuth library and an MCP client that nobody
//! here wrote, and the sample agent. Without a screen: the host, a keychain, the Sandbox Bank, and a person who reads the
//! bank's forms.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that cannot go on stops with what it saw"
)]

mod keys;
mod life;
mod mcp;
mod sample;
mod scripts;
mod stock;
