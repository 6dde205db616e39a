//! Product words as types: ids, providers, permissions, agents, grants, attempts, audit, secrets.
//!
//! **Invariant:** no I/O, no clock, no randomness, no async; no serde on a secret.

pub mod agent;
pub mod attempt;
pub mod audit;
pub mod grant;
pub mod id;
pub mod lock;
pub mod permission;
pub mod profile;
pub mod provider;
pub mod reference;
pub mod refresh;
pub mod secret;
pub mod text;
pub mod time;
