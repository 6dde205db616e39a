//! Refusals: which rule a provider broke, or in which registered word it said no.

use std::fmt;
use thiserror::Error;

use crate::json;
use crate::message::Reply;

/// A rule that a provider's answer broke. Nothing the person did can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProviderRule {
    /// An id_token's `aud` holds someone else, or not us (OpenID Connect Core §3.1.3.7 (3)).
    #[error("audience_mismatch")]
    AudienceMismatch,
    /// A request parameter stands in the endpoint's own query (OAuth 2.1 §3.1).
    #[error("authorization_endpoint_unfit")]
    AuthorizationEndpointUnfit,
    /// An id_token's `azp` is someone else (Core §3.1.3.7 (5)).
    #[error("authorized_party_mismatch")]
    AuthorizedPartyMismatch,
    /// The body is not one JSON object within our limits, or names a member twice (RFC 8259 §4).
    #[error("body_malformed")]
    BodyMalformed,
    /// A callback with both a code and an error, or neither (RFC 6749 §4.1.2).
    #[error("callback_contradicts")]
    CallbackContradicts,
    /// A callback parameter stands twice (RFC 6749 §3.1).
    #[error("callback_repeats_parameter")]
    CallbackRepeatsParameter,
    /// A code that is empty or not visible ASCII (RFC 6749 appendix A.11).
    #[error("code_malformed")]
    CodeMalformed,
    /// Not `application/json` (RFC 6749 §5.1).
    #[error("content_type_unexpected")]
    ContentTypeUnexpected,
    /// An id_token past its `exp` (Core §3.1.3.7 (9)).
    #[error("id_token_expired")]
    IdTokenExpired,
    /// An id_token issued long ago or in the future (Core §3.1.3.7 (10)).
    #[error("id_token_issued_at")]
    IdTokenIssuedAt,
    /// Not a compact JWS with the claims an id_token must have, or of another kind.
    #[error("id_token_malformed")]
    IdTokenMalformed,
    /// Asked for and not sent (Core §3.1.3.3).
    #[error("id_token_missing")]
    IdTokenMissing,
    /// Signed with `none`, a shared secret, or an algorithm we do not take (RFC 8725 §3.1).
    #[error("id_token_algorithm")]
    IdTokenAlgorithm,
    /// No key of the issuer fits the signature.
    #[error("id_token_signature")]
    IdTokenSignature,
    /// The document is another issuer's (RFC 8414 §3.3).
    #[error("issuer_mismatch")]
    IssuerMismatch,
    /// `expires_in` is no positive whole number of seconds.
    #[error("lifetime_malformed")]
    LifetimeMalformed,
    /// An id_token for another request (Core §3.1.3.7 (11)).
    #[error("nonce_mismatch")]
    NonceMismatch,
    /// S256 is not offered (RFC 9700 §2.1.1).
    #[error("pkce_not_offered")]
    PkceNotOffered,
    /// The answer to a pushed request is not 201 with a request_uri and a life (RFC 9126 §2.2).
    #[error("pushed_reply_malformed")]
    PushedReplyMalformed,
    /// Pushed requests are demanded, and the provider file knows of none (RFC 9126 §5).
    #[error("pushed_requests_required")]
    PushedRequestsRequired,
    /// A redirect where an answer is due (RFC 9700 §4.9.1).
    #[error("redirect_unexpected")]
    RedirectUnexpected,
    /// A granted scope that is none (RFC 6749 §3.3).
    #[error("scope_malformed")]
    ScopeMalformed,
    /// A status that the protocol does not give this meaning.
    #[error("status_unexpected")]
    StatusUnexpected,
    /// UserInfo is about someone else (Core §5.3.2).
    #[error("subject_mismatch")]
    SubjectMismatch,
    /// An access or refresh token that is empty, missing or not visible ASCII (RFC 6749 appendix A).
    #[error("token_malformed")]
    TokenMalformed,
    /// A token type we cannot use (RFC 6749 §7.1).
    #[error("token_type_unknown")]
    TokenTypeUnknown,
}

/// An error code registered for OAuth, or that it was none. Free text never gets further than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthCode {
    /// `access_denied`
    AccessDenied,
    /// `account_selection_required`
    AccountSelectionRequired,
    /// `consent_required`
    ConsentRequired,
    /// `interaction_required`
    InteractionRequired,
    /// `invalid_client`
    InvalidClient,
    /// `invalid_grant`
    InvalidGrant,
    /// `invalid_request`
    InvalidRequest,
    /// `invalid_scope`
    InvalidScope,
    /// `invalid_target`
    InvalidTarget,
    /// `login_required`
    LoginRequired,
    /// `server_error`
    ServerError,
    /// `temporarily_unavailable`
    TemporarilyUnavailable,
    /// `unauthorized_client`
    UnauthorizedClient,
    /// Not one of the registered codes.
    Unregistered,
    /// `unsupported_grant_type`
    UnsupportedGrantType,
    /// `unsupported_response_type`
    UnsupportedResponseType,
    /// `unsupported_token_type`
    UnsupportedTokenType,
}

const CODES: [(&str, OAuthCode); 16] = [
    ("access_denied", OAuthCode::AccessDenied),
    ("account_selection_required", OAuthCode::AccountSelectionRequired),
    ("consent_required", OAuthCode::ConsentRequired),
    ("interaction_required", OAuthCode::InteractionRequired),
    ("invalid_client", OAuthCode::InvalidClient),
    ("invalid_grant", OAuthCode::InvalidGrant),
    ("invalid_request", OAuthCode::InvalidRequest),
    ("invalid_scope", OAuthCode::InvalidScope),
    ("invalid_target", OAuthCode::InvalidTarget),
    ("login_required", OAuthCode::LoginRequired),
    ("server_error", OAuthCode::ServerError),
    ("temporarily_unavailable", OAuthCode::TemporarilyUnavailable),
    ("unauthorized_client", OAuthCode::UnauthorizedClient),
    ("unsupported_grant_type", OAuthCode::UnsupportedGrantType),
    ("unsupported_response_type", OAuthCode::UnsupportedResponseType),
    ("unsupported_token_type", OAuthCode::UnsupportedTokenType),
];

impl OAuthCode {
    /// Reads a code; what is not registered is only that.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        CODES.iter().find(|(name, _)| *name == text).map_or(Self::Unregistered, |(_, code)| *code)
    }

    /// The code of an error reply (RFC 6749 §5.2), or the rule it breaks.
    pub(crate) fn of(reply: &Reply) -> Result<Self, ProviderRule> {
        let members = json::object_of(reply)?;
        json::text(&members, "error")?.map(Self::parse).ok_or(ProviderRule::BodyMalformed)
    }

    /// True where trying again later makes sense (RFC 6749 §4.1.2.1).
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::ServerError | Self::TemporarilyUnavailable)
    }
}

impl fmt::Display for OAuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CODES.iter().find(|(_, code)| code == self).map_or("unregistered_code", |(name, _)| name))
    }
}
