//! What agents may ask: OAuth on the public socket (docs/broker.md).
//!
//! **Invariant:** a proof by the agent's key is the only credential; what else a request carries is not looked at.

mod call;
mod connect;
mod enrol;
mod grants;
mod metadata;
mod proven;
mod reply;
mod token;

use app::App;
use app::port::Ports;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use contract::agent::{AGENTS, CONNECT, GRANTS, MAX_REQUEST, METADATA, REVOKE, TOKEN};

pub use proven::Caller;

/// The routes.
pub(crate) fn routes<P: Ports>(app: App<P>) -> Router {
    Router::new()
        .route(METADATA, get(metadata::show::<P>))
        .route(GRANTS, get(grants::list::<P>))
        .route(TOKEN, post(token::give::<P>))
        .route(REVOKE, post(token::take_back::<P>))
        .route(AGENTS, post(enrol::ask::<P>))
        .route(CONNECT, post(connect::ask::<P>))
        .route("/call/{*path}", any(call::make::<P>))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(app)
}
