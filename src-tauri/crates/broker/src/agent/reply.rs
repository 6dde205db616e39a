//! Answers to agents: JSON that nobody keeps, or an OAuth error.

use app::{Refused, RefusedTask};
use axum::response::Response;
use contract::agent::{Refusal, RefusalCode};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// How long an agent leaves us alone that asked too often, in seconds.
const SLOW_DOWN: u32 = 5;
/// How soon it asks again about a question, in seconds.
const INTERVAL: u32 = 2;

/// Where a refusal is answered: at a call, a proof stands beside a lease.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// At `/call`, as a resource server (RFC 9449 §7.1).
    Call,
    /// At the other routes, as an authorization server.
    Server,
}

/// JSON, not to be kept (RFC 6749 §5.1).
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let mut response = crate::reply::json(status, value);
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The refusal.
pub(crate) fn refuse(refused: impl Into<RefusedTask>, at: At) -> Response {
    let RefusedTask { why, reference } = refused.into();
    let code = why.code();
    tracing::info!(refused = %why, reference, "an agent was refused");
    let body = Refusal {
        error: code,
        error_description: why.for_agent(),
        user_message: why.for_person().to_owned(),
        reference,
        interval: Some(INTERVAL).filter(|_| code == RefusalCode::AuthorizationPending),
    };
    let status = if at == At::Call { code.status_at_call() } else { code.status() };
    let mut response = json(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), &body);
    let headers = response.headers_mut();
    if at == At::Call && (status == 401 || status == 403) {
        let challenge = format!("DPoP error=\"{}\", algs=\"EdDSA Ed25519\"", code.as_str());
        headers.extend(HeaderValue::try_from(challenge).map(|value| (header::WWW_AUTHENTICATE, value)));
    }
    if let Some(seconds) = retry_after(why) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// When it may help to ask again.
fn retry_after(why: Refused) -> Option<u32> {
    if why == Refused::TooMany {
        Some(SLOW_DOWN)
    } else if why == Refused::BankUnavailable {
        Some(30)
    } else {
        Some(10).filter(|_| why.code() == RefusalCode::TemporarilyUnavailable)
    }
}
