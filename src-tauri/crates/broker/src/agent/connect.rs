//! `POST /connect`: an agent asks the person to connect a bank for it.

use app::App;
use app::port::Ports;
use axum::extract::{Request, State};
use axum::response::Response;
use contract::agent::{Connect, Connecting};
use http::StatusCode;

use super::enrol::read;
use super::proven::prove;
use super::reply::{At, json, refuse};

/// Asks the person, or says what became of that.
pub(crate) async fn ask<P: Ports>(State(app): State<App<P>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = async {
        let proof = prove(&app, &parts, None).await?;
        match read::<Connect>(body).await? {
            Connect::Ask(wish) => app.ask_to_connect(proof.key, &wish).await,
            Connect::Again(again) => app.asked_to_connect(proof.key, &again.asked).await,
        }
    };
    match asked.await {
        Ok(state @ Connecting::Waiting { .. }) => json(StatusCode::ACCEPTED, &state),
        Ok(state) => json(StatusCode::OK, &state),
        Err(refused) => refuse(refused, At::Server),
    }
}
