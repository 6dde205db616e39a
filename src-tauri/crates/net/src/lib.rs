//! HTTP client, one-shot loopback listener and browser opener behind the ports of app.
//!
//! **Invariant:** nothing here reads the environment, judges a reply or logs an address, a header or a body.

pub mod browser;
pub mod http;
pub mod loopback;
