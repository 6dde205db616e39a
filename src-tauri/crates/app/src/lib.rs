//! Use cases: what the product does, and the ports it needs for that.
//!
//! **Invariant:** no name of an operating system, an HTTP library or SQL appears here.

mod accounts;
mod add_agent;
mod anchor;
mod ask_bank;
mod asked;
pub mod catalogue;
mod change_grant;
mod change_protection;
mod check_grant;
mod connect_account;
mod discard;
mod door;
mod endings;
mod go_out;
mod keep_receipt;
pub mod key;
mod list;
mod lock_vault;
mod narrow_grant;
mod pause_grant;
pub mod port;
mod receipt;
mod receipt_page;
mod refresh_token;
mod remind;
mod renew_grant;
pub mod report;
mod revoke_grant;
mod run_attempt;
mod running;
mod same_account;
mod save_grant;
mod start;
mod stop_agents;
mod support;
mod tell_bank;
mod upkeep;
mod uses;
mod view;
mod window_stubs;

pub use asked::{Begun, Said, Wanted};
pub use report::Refusal;
pub use start::{App, Settings};
pub use stop_agents::Stopped;
