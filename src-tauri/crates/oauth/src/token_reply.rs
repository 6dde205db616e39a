//! A token response, read alike whether it answers a code or a refresh (RFC 6749 §5.1, §6).

use domain::profile::is_scope_token;
use domain::secret::{AccessToken, IdToken, RefreshToken};
use serde_json::{Map, Value};
use std::time::Duration;

use crate::json;
use crate::message::Reply;
use crate::refusal::{OAuthCode, ProviderRule};
use crate::token::TokenError;

/// More scopes than any API has; a longer list is there to flood who stores and shows it.
const MAX_SCOPES: usize = 256;
/// A year is the longest life that is believed.
const LONGEST_LIFE: u64 = 366 * 86_400;

/// What a token response holds. What is neither here nor in the error form is ignored (RFC 6749 §5.1).
pub(crate) struct TokenReply {
    pub(crate) access: AccessToken,
    pub(crate) refresh: Option<RefreshToken>,
    /// As stated; none stated means as asked.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) id_token: Option<IdToken>,
}

impl TokenReply {
    /// Reads the answer: the status line first, then the content type, then the body. An id_token that nobody asked
    /// for is one more unknown member.
    pub(crate) fn read(reply: &Reply, with_identity: bool) -> Result<Self, TokenError> {
        match reply.status {
            200 => {}
            429 | 500..=599 => return Err(TokenError::Unavailable),
            300..=399 => return Err(TokenError::Misbehaved(ProviderRule::RedirectUnexpected)),
            400..=499 => {
                return Err(OAuthCode::of(reply).map_or_else(TokenError::Misbehaved, TokenError::Refused));
            }
            _ => return Err(TokenError::Misbehaved(ProviderRule::StatusUnexpected)),
        }
        let members = json::object_of(reply).map_err(TokenError::Misbehaved)?;
        Self::of_members(&members, with_identity).map_err(TokenError::Misbehaved)
    }

    fn of_members(members: &Map<String, Value>, with_identity: bool) -> Result<Self, ProviderRule> {
        let malformed = ProviderRule::TokenMalformed;
        let access = json::text(members, "access_token").map_err(|_| malformed)?.ok_or(malformed)?;
        let access = AccessToken::parse(access.to_owned()).map_err(|_| malformed)?;
        let refresh = json::text(members, "refresh_token").map_err(|_| malformed)?;
        let refresh =
            refresh.map(|t| RefreshToken::parse(t.to_owned())).transpose().map_err(|_| malformed)?;
        check_type(members)?;
        let (lifetime, scopes) = (lifetime(members)?, scopes(members)?);
        let id_token = if with_identity { id_token(members)? } else { None };
        Ok(Self { access, refresh, scopes, lifetime, id_token })
    }
}

/// RFC 6749 §7.1: never use a token of a type we do not understand; the name is compared without case.
fn check_type(members: &Map<String, Value>) -> Result<(), ProviderRule> {
    let unknown = ProviderRule::TokenTypeUnknown;
    let kind = json::text(members, "token_type").map_err(|_| unknown)?.ok_or(unknown)?;
    // DPoP tokens need a proof with each call; no provider file asks for them yet, so one here is a wrong answer.
    if kind.eq_ignore_ascii_case("bearer") { Ok(()) } else { Err(unknown) }
}

/// `expires_in` is RECOMMENDED (RFC 6749 §5.1): absent is "not known", and anything but a positive whole number is
/// refused, so that no spelling can come to mean "for ever".
fn lifetime(members: &Map<String, Value>) -> Result<Option<Duration>, ProviderRule> {
    match members.get("expires_in") {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds.min(LONGEST_LIFE)))),
            Some(_) | None => Err(ProviderRule::LifetimeMalformed),
        },
    }
}

/// The scopes granted, each once, in the bank's order (RFC 6749 §3.3); compared byte for byte by whoever compares.
fn scopes(members: &Map<String, Value>) -> Result<Option<Vec<String>>, ProviderRule> {
    let malformed = ProviderRule::ScopeMalformed;
    let Some(scope) = json::text(members, "scope").map_err(|_| malformed)? else { return Ok(None) };
    let mut scopes: Vec<String> = Vec::new();
    for one in scope.split(' ').filter(|s| !s.is_empty()) {
        if !is_scope_token(one) {
            return Err(malformed);
        }
        if !scopes.iter().any(|s| s == one) {
            if scopes.len() == MAX_SCOPES {
                return Err(malformed);
            }
            scopes.push(one.to_owned());
        }
    }
    Ok(Some(scopes))
}

fn id_token(members: &Map<String, Value>) -> Result<Option<IdToken>, ProviderRule> {
    let malformed = ProviderRule::IdTokenMalformed;
    let token = json::text(members, "id_token").map_err(|_| malformed)?;
    token.map(|t| IdToken::parse(t.to_owned())).transpose().map_err(|_| malformed)
}
