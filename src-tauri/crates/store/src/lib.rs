//! SQLite behind app::port::Store.
//!
//! **Invariant:** no secret in the clear comes here, only the vault's bytes; nothing is acknowledged before it is on the
//! disk; nothing that is not ours is changed.

mod agents;
mod attempts;
mod audit;
mod choices;
mod copy;
mod fault;
mod folder;
mod grants;
mod job;
mod keys;
mod migrate;
mod open;
mod outbox;
mod reader;
mod receipts;
mod refreshes;
mod row;
mod sealed;
mod sqlite_store;
mod tasks;
mod tx;
mod uses;
mod writer;

pub use open::OpenStoreError;
pub use sqlite_store::SqliteStore;
