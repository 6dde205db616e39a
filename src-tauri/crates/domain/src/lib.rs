//! Product words as types: ids, providers, permissions, agents, grants, attempts, tasks, leases, policy, audit, secrets.
//!
//! **Invariant:** no I/O, no clock, no randomness, no async; no serde on a secret.

pub mod agent;
pub mod attempt;
pub mod audit;
pub mod call;
pub mod grant;
pub mod id;
pub mod lease;
pub mod lock;
pub mod money;
pub mod permission;
pub mod policy;
pub mod profile;
pub mod provider;
pub mod reference;
pub mod refresh;
pub mod rule;
pub mod secret;
pub mod task;
pub mod text;
pub mod time;
