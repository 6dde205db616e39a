//! `GET /grants`: what the person has connected for this agent.

use app::App;
use app::port::Ports;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;

use super::proven::prove;
use super::reply::{At, json, refuse};

/// The agent's own grants.
pub(crate) async fn list<P: Ports>(State(app): State<App<P>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let listed = async {
        let proof = prove(&app, &parts, None).await?;
        app.grants_of_agent(proof.key).await
    };
    match listed.await {
        Ok(grants) => json(StatusCode::OK, &grants),
        Err(refused) => refuse(refused, At::Server),
    }
}
