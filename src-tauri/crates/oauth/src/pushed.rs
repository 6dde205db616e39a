//! Pushed authorization requests (RFC 9126).

use thiserror::Error;
use url::Url;

use crate::json;
use crate::message::{Reply, Request, form_request};
use crate::refusal::{OAuthCode, ProviderRule};

/// The pushed form of a request (RFC 9126 §2.1): the same parameters as a form, less the endpoint's own.
pub(crate) fn push(
    par: &str,
    endpoint: &Url,
    full: &Url,
    client_id: &str,
) -> Option<(Request, ExpectPushed)> {
    let own = endpoint.query_pairs().count();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(full.query_pairs().skip(own))
        .finish();
    let request = form_request(par, body)?;
    Some((request, ExpectPushed { endpoint: endpoint.clone(), client_id: client_id.to_owned() }))
}

/// Waits for the answer to a pushed request.
pub struct ExpectPushed {
    endpoint: Url,
    client_id: String,
}

/// Why a pushed request was not taken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PushError {
    /// The answer broke a rule.
    #[error("pushed request: {0}")]
    Misbehaved(ProviderRule),
    /// The bank refused the request.
    #[error("pushed request refused: {0}")]
    Refused(OAuthCode),
    /// 5xx or 429.
    #[error("not available now")]
    Unavailable,
}

impl ExpectPushed {
    /// Judges the answer and gives the address to open: `client_id` and `request_uri` only (RFC 9126 §4).
    ///
    /// # Errors
    /// See [`PushError`]; there is no way back to an unpushed request (RFC 9126 §5).
    pub fn accept(self, reply: &Reply) -> Result<Url, PushError> {
        match reply.status {
            201 => {}
            429 | 500..=599 => return Err(PushError::Unavailable),
            300..=399 => return Err(PushError::Misbehaved(ProviderRule::RedirectUnexpected)),
            400..=499 => {
                return Err(OAuthCode::of(reply).map_or_else(PushError::Misbehaved, PushError::Refused));
            }
            _ => return Err(PushError::Misbehaved(ProviderRule::StatusUnexpected)),
        }
        let members = json::object_of(reply).map_err(PushError::Misbehaved)?;
        let malformed = PushError::Misbehaved(ProviderRule::PushedReplyMalformed);
        let request_uri = json::text(&members, "request_uri").map_err(|_| malformed)?;
        let request_uri = request_uri.filter(|uri| is_request_uri(uri)).ok_or(malformed)?;
        if members.get("expires_in").and_then(serde_json::Value::as_u64).is_none_or(|seconds| seconds == 0) {
            return Err(malformed);
        }
        let mut url = self.endpoint;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("request_uri", request_uri);
        Ok(url)
    }
}

/// The longest request_uri: RFC 9101 §5.2 wants no more than 512, and what is opened has to fit an argument list.
const MAX_REQUEST_URI: usize = 2000;

/// True for what can be opened in a browser as it stands: visible ASCII, and not too much of it.
fn is_request_uri(text: &str) -> bool {
    (1..=MAX_REQUEST_URI).contains(&text.len()) && text.bytes().all(|b| (0x21..=0x7e).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Authorization;
    use crate::connect::tests::{draft, fresh, provider, redirect};
    use std::collections::BTreeMap;

    #[test]
    fn a_pushed_request_carries_everything_and_the_browser_two_parameters() {
        let (authorization, _) = draft(&provider()).prepare(fresh(2), &redirect()).unwrap();
        let Authorization::Push(request, expect) = authorization else { panic!("not pushed") };
        assert_eq!(request.uri(), "https://auth.bank.example/par");
        let body: BTreeMap<_, _> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        assert_eq!(body["response_type"], "code");
        assert!(
            body.contains_key("state")
                && body.contains_key("code_challenge")
                && !body.contains_key("request_uri")
        );
        let reply = |status, body: &str| Reply {
            status,
            content_type: Some("application/json".into()),
            retry_after: None,
            body: body.as_bytes().to_vec(),
            ..Reply::default()
        };
        let url = expect.accept(&reply(201, r#"{"request_uri":"urn:x&#","expires_in":60}"#)).unwrap();
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(
            query,
            [("client_id".into(), "countersign".into()), ("request_uri".into(), "urn:x&#".into())]
        );
        for (status, body, expected) in [
            (
                200,
                r#"{"request_uri":"urn:x","expires_in":60}"#,
                PushError::Misbehaved(ProviderRule::StatusUnexpected),
            ),
            (201, r#"{"request_uri":"urn:x"}"#, PushError::Misbehaved(ProviderRule::PushedReplyMalformed)),
            (
                201,
                r#"{"request_uri":"urn:x","expires_in":0}"#,
                PushError::Misbehaved(ProviderRule::PushedReplyMalformed),
            ),
            (
                201,
                r#"{"request_uri":5,"expires_in":60}"#,
                PushError::Misbehaved(ProviderRule::PushedReplyMalformed),
            ),
            (307, "", PushError::Misbehaved(ProviderRule::RedirectUnexpected)),
            (400, r#"{"error":"invalid_request"}"#, PushError::Refused(OAuthCode::InvalidRequest)),
            (401, r#"{"error":"invalid_client"}"#, PushError::Refused(OAuthCode::InvalidClient)),
            (400, "<html>", PushError::Misbehaved(ProviderRule::BodyMalformed)),
            (503, "", PushError::Unavailable),
        ] {
            let (Authorization::Push(_, expect), _) =
                draft(&provider()).prepare(fresh(3), &redirect()).unwrap()
            else {
                panic!()
            };
            assert_eq!(expect.accept(&reply(status, body)), Err(expected), "{status} {body}");
        }
    }
}
