//! `GET /.well-known/oauth-authorization-server` (RFC 8414).

use app::App;
use app::port::Ports;
use axum::extract::State;
use axum::response::Response;
use contract::agent::{ALGORITHMS, JWT_BEARER, Metadata, REVOKE, TOKEN};
use http::StatusCode;

use super::reply::json;

/// The broker's metadata.
pub(crate) async fn show<P: Ports>(State(app): State<App<P>>) -> Response {
    let issuer = app.issuer();
    let metadata = Metadata {
        token_endpoint: format!("{issuer}{TOKEN}"),
        revocation_endpoint: format!("{issuer}{REVOKE}"),
        issuer,
        grant_types_supported: vec![JWT_BEARER.to_owned()],
        token_endpoint_auth_methods_supported: vec!["none".to_owned()],
        dpop_signing_alg_values_supported: ALGORITHMS.map(str::to_owned).to_vec(),
        authorization_details_types_supported: vec![
            "account_information".to_owned(),
            "payment_initiation".to_owned(),
        ],
    };
    json(StatusCode::OK, &metadata)
}
