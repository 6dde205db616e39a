//! Revocation at the bank (RFC 7009).

use url::Url;
use zeroize::Zeroizing;

use crate::message::{Reply, Request, StatusAlone, form_request};
use crate::refusal::OAuthCode;

/// Which token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token.
    Access,
    /// A refresh token.
    Refresh,
}

/// Builds the revocation request (RFC 7009 §2.1).
///
/// The `oauth2` crate builds one too, but refuses http even for a sandbox bank on this computer; the address rule of
/// provider files decides that here, for every endpoint alike.
#[must_use]
pub fn request(endpoint: &Url, client_id: &str, kind: TokenKind, token: &str) -> Option<Request> {
    let hint = match kind {
        TokenKind::Access => "access_token",
        TokenKind::Refresh => "refresh_token",
    };
    let body = Zeroizing::new(
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", hint)
            .append_pair("client_id", client_id)
            .finish(),
    );
    let mut request = form_request(endpoint.as_str(), body.to_string())?;
    // "The content of the response body is ignored by the client" (RFC 7009 §2.2).
    request.extensions_mut().insert(StatusAlone);
    Some(request)
}

/// What the bank's answer to a revocation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Done: any 200, whatever the body (RFC 7009 §2.2).
    Done,
    /// Not done; the token still lives and the try is repeated later (RFC 7009 §2.2.1).
    Later {
        /// Not sooner than this many seconds, if the bank said so.
        retry_after: Option<u32>,
    },
    /// The bank refuses; repeating it soon will not help, but it is not done either.
    Refused(OAuthCode),
}

/// Judges the answer to a revocation request.
#[must_use]
pub fn judge(reply: &Reply) -> Revoked {
    match reply.status {
        200 => Revoked::Done,
        400..=499 if reply.status != 429 => {
            Revoked::Refused(OAuthCode::of(reply).unwrap_or(OAuthCode::Unregistered))
        }
        _ => Revoked::Later { retry_after: reply.retry_after },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_200_counts_as_done() {
        let reply = |status, content_type: &str, body: &str| Reply {
            status,
            content_type: Some(content_type.into()),
            retry_after: Some(2),
            body: body.as_bytes().to_vec(),
            ..Reply::default()
        };
        assert_eq!(judge(&reply(200, "text/html", "<html>")), Revoked::Done);
        assert_eq!(judge(&reply(200, "text/plain", "")), Revoked::Done);
        for status in [204, 302, 307, 429, 500, 503] {
            assert_eq!(
                judge(&reply(status, "text/html", "")),
                Revoked::Later { retry_after: Some(2) },
                "{status}"
            );
        }
        for status in [400, 401, 404] {
            let code = OAuthCode::UnsupportedTokenType;
            let body = r#"{"error":"unsupported_token_type"}"#;
            assert_eq!(judge(&reply(status, "application/json", body)), Revoked::Refused(code), "{status}");
        }
    }

    #[test]
    fn the_token_is_in_the_body_only() {
        let url = Url::parse("https://auth.bank.example/revoke").unwrap();
        let request = request(&url, "countersign", TokenKind::Refresh, "R/1+=&x").unwrap();
        assert_eq!(request.uri(), "https://auth.bank.example/revoke");
        let body: Vec<_> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        let expected =
            [("token", "R/1+=&x"), ("token_type_hint", "refresh_token"), ("client_id", "countersign")];
        assert_eq!(body, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
