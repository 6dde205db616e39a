//! `ANY /call/{grant}/{path}`: a call to the bank under a lease.

use app::port::Ports;
use app::{AgentCall, App, BankAnswer, Refused};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use contract::agent::{ANSWER_HEADER, ANSWER_OF_BANK, CALL, LEASE_TYPE, MAX_REQUEST};
use domain::id::GrantId;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::proven::{only, prove};
use super::reply::{At, refuse};

/// Makes the call.
pub(crate) async fn make<P: Ports>(State(app): State<App<P>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    match made(&app, &parts, body).await {
        Ok(answer) => pass_on(answer),
        Err(refused) => refuse(refused, At::Call),
    }
}

async fn made<P: Ports>(app: &App<P>, parts: &Parts, body: Body) -> Result<BankAnswer, Refused> {
    let lease = lease(parts).ok_or(Refused::LeaseUnknown)?;
    let proof = prove(app, parts, Some(lease)).await?;
    // As it came, not decoded: what it means is for the call to say.
    let below = parts.uri.path().strip_prefix(CALL).and_then(|path| path.strip_prefix('/'));
    let (grant, path) = below.and_then(|path| path.split_at_checked(36)).ok_or(Refused::GrantUnknown)?;
    let call = AgentCall {
        grant: GrantId::parse(grant).map_err(|_| Refused::GrantUnknown)?,
        method: parts.method.as_str().to_owned(),
        path: path.to_owned(),
        query: parts.uri.query().map(str::to_owned),
        body: axum::body::to_bytes(body, MAX_REQUEST).await.map_err(|_| Refused::Malformed)?.to_vec(),
    };
    app.call_bank(&proof, lease, call).await
}

/// The lease of the one Authorization header; a bank's token or another scheme is none.
fn lease(parts: &Parts) -> Option<&str> {
    let (scheme, lease) = only(&parts.headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    Some(lease).filter(|_| scheme.eq_ignore_ascii_case(LEASE_TYPE))
}

fn pass_on(answer: BankAnswer) -> Response {
    let (status, kind, retry_after) = (answer.status, answer.content_type.clone(), answer.retry_after);
    // An answer that is not whole ends with an error, and the connection with it: nobody takes it for whole.
    let pieces = futures_util::stream::try_unfold(answer, async |mut answer| {
        let piece = answer.next().await?;
        Ok::<_, Refused>(piece.map(|bytes| (Bytes::from(bytes), answer)))
    });
    let mut response = Body::from_stream(pieces).into_response();
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    let ours =
        [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-content-type-options"), "nosniff")];
    headers.extend(ours.map(|(name, value)| (name, HeaderValue::from_static(value))));
    headers.extend(HeaderValue::try_from(kind).map(|kind| (header::CONTENT_TYPE, kind)));
    if let Ok(name) = HeaderName::try_from(ANSWER_HEADER) {
        headers.insert(name, HeaderValue::from_static(ANSWER_OF_BANK));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
