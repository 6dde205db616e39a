//! OAuth 2.1 with PKCE as request builders and reply judges. Pure.
//!
//! One run is a chain of values: [`connect::Draft`] → [`connect::ExpectCallback`] → [`token::ExpectTokens`] →
//! [`id_token::ExpectIdToken`]. Each is made by the step before and used up by its own, so no step can be skipped
//! or done twice. A refresh is a chain of its own: [`refresh::RefreshRequest`] → [`refresh::ExpectRefreshed`] →
//! [`id_token::ExpectSameIdentity`].
//!
//! **Invariant:** no sockets, no clock, no randomness; bodies are never logged and never travel in errors.

pub mod agent_jws;
pub mod callback;
pub mod challenge;
pub mod connect;
pub mod echo;
pub mod fresh;
pub mod id_token;
pub mod json;
pub mod message;
pub mod metadata;
pub mod proof;
pub mod pushed;
pub mod refresh;
pub mod refusal;
pub mod revoke;
mod signature;
pub mod task;
pub mod token;
mod token_reply;
pub mod userinfo;
#[cfg(test)]
mod wycheproof;
