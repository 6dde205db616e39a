//! What an agent needs to use a person's bank through Countersign: a key, signed tasks, proofs, and calls.
//!
//! An agent says what it is about to do, gets a lease for exactly that, calls the bank through Countersign and gives the
//! lease back. `docs/broker.md` has the protocol. Nothing here needs an async runtime: a call blocks, and
//! [`HangUp`](agent::HangUp) ends it from another thread.
//!
//! ```no_run
//! use client::{agent::{Agent, Request}, keys::KeySource, task::Task};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Made by `countersign-agent enrol "Budget Buddy"`, which also asks the person to add the agent.
//!     let key = KeySource::of_person().named("Budget Buddy").load()?;
//!     let mut agent = Agent::of_person(key);
//!     for grant in agent.grants()?.grants {
//!         let task = Task::new(&grant.id, "See what is on the accounts").reads(["list_accounts"]);
//!         let lease = agent.lease(&task)?; // waits where the person has to be asked
//!         let answer = agent.call(&lease, &Request::get("/accounts"))?;
//!         println!("{}: {}", grant.provider.name, String::from_utf8_lossy(&answer.body));
//!         agent.give_back(&lease)?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! On Windows the broker has a named pipe in place of the socket. What is here for it is written, and has not been run.
//!
//! **Invariant:** nothing is sent before the folder of the socket, the socket and whoever listens are known to be the
//! person's own.
//! **Invariant:** a secret key is in memory that is wiped, and goes nowhere but to its file or the keychain.

pub mod agent;
mod clock;
mod dice;
pub mod endpoint;
mod environment;
pub mod exchange;
pub mod key;
mod key_file;
#[cfg(any(target_os = "linux", target_os = "macos", windows))]
mod keychain;
pub mod keys;
pub mod operation;
pub mod place;
pub mod process;
mod proof;
pub mod task;
