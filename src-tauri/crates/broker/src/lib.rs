//! HTTP routes of the host: the window's private channel and the public socket.
//!
//! **Invariant:** the window's routes are served on the channel that the host made, and nowhere else.

mod agent;
mod commands;
mod hub;
pub mod public;
mod reply;
mod support;
pub mod window;

pub use agent::Caller;
pub use hub::{Hub, WindowSignal};
