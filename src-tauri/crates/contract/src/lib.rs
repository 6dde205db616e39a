//! What crosses a process or webview border: requests, views, events, error codes, the command table.
//!
//! **Invariant:** plain data only. No type here can carry a bank's token, a code, a verifier or a secret key.

pub mod agent;
pub mod bindings;
pub mod channel;
pub mod commands;
pub mod error_code;
pub mod object;
pub mod support;
pub mod ui;
