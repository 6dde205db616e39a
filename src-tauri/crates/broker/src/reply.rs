//! Answers: JSON, or a refusal with its code.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use contract::error_code::{CommandError, ErrorCode};
use contract::object::Object;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use app::Refusal;

/// A 200 with JSON, or the refusal.
pub(crate) fn answer<T: Serialize>(outcome: Result<T, Refusal>) -> Response {
    match outcome {
        Ok(value) => json(StatusCode::OK, &value),
        Err(refusal) => {
            tracing::info!(%refusal, "refused");
            refuse(refusal.code())
        }
    }
}

pub(crate) fn refuse(code: ErrorCode) -> Response {
    json(StatusCode::UNPROCESSABLE_ENTITY, &CommandError::from(code))
}

pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

/// Reads a request body; what is no object, unknown members and wrong types are refused.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map(|Object(request)| request).map_err(|_| Refusal::Malformed)
}

/// Reads the body of a request on the channel. One that is too long, or breaks off, is as malformed as any other.
pub(crate) fn parse_whole<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Refusal> {
    parse(&body.map_err(|_| Refusal::Malformed)?)
}
