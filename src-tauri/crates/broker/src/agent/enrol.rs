//! `POST /agents`: a program asks to be added.

use app::port::Ports;
use app::{App, Refused};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use contract::agent::{Enrol, Enrolment, MAX_REQUEST};
use domain::agent::AgentKey;
use http::StatusCode;
use serde::de::DeserializeOwned;

use super::proven::{program, prove};
use super::reply::{At, json, refuse};

/// Asks the person, or says what became of that.
pub(crate) async fn ask<P: Ports>(State(app): State<App<P>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let asked = async {
        let proof = prove(&app, &parts, None).await?;
        let wish: Enrol = read(body).await?;
        let key = AgentKey::parse(&wish.key.x).ok().filter(|_| wish.key.is_ed25519());
        // The key that is to be added is the one that asks.
        if key != Some(proof.key) {
            return Err(Refused::Malformed);
        }
        app.enrol_agent(proof.key, &wish.name, program(&parts)).await
    };
    match asked.await {
        Ok(state @ Enrolment::Waiting { .. }) => json(StatusCode::ACCEPTED, &state),
        Ok(state) => json(StatusCode::OK, &state),
        Err(refused) => refuse(refused, At::Server),
    }
}

/// Reads a JSON body.
pub(crate) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let body = axum::body::to_bytes(body, MAX_REQUEST).await.map_err(|_| Refused::Malformed)?;
    crate::reply::parse(&body).map_err(|_| Refused::Malformed)
}
