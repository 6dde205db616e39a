//! UserInfo (OpenID Connect Core §5.3), to name the account holder.

use domain::secret::AccessToken;
use domain::text::quoted;
use url::Url;

use crate::json;
use crate::message::{Reply, Request, bearer_request};
use crate::refusal::ProviderRule;

/// Builds a GET with the token in the Authorization header, never in the address.
#[must_use]
pub fn bearer_get(url: &Url, access: &AccessToken) -> Option<Request> {
    bearer_request("GET", url, access)
}

/// Reads the holder's name from a UserInfo answer about this subject.
///
/// # Errors
/// It is about someone else (Core §5.3.2), or malformed.
pub fn holder_name(reply: &Reply, subject: &str, claim: &str) -> Result<Option<String>, ProviderRule> {
    if reply.status != 200 {
        return Err(ProviderRule::StatusUnexpected);
    }
    let members = json::object_of(reply)?;
    if json::text(&members, "sub")? != Some(subject) {
        return Err(ProviderRule::SubjectMismatch);
    }
    Ok(json::name(&members, claim)?.map(|name| quoted(&name, 80)).filter(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_subject_is_named() {
        let name = |body: &str| {
            let reply = Reply {
                status: 200,
                content_type: Some("application/json".into()),
                retry_after: None,
                body: body.as_bytes().to_vec(),
                ..Reply::default()
            };
            holder_name(&reply, "u1", "name")
        };
        assert_eq!(name(r#"{"sub":"u1","name":"Ada\u202e Quist"}"#), Ok(Some("Ada Quist".into())));
        assert_eq!(name(r#"{"sub":"u1"}"#), Ok(None));
        assert_eq!(name(r#"{"sub":"u2","name":"Eve"}"#), Err(ProviderRule::SubjectMismatch));
        assert_eq!(name(r#"{"name":"Eve"}"#), Err(ProviderRule::SubjectMismatch));
        assert_eq!(name(r#"{"sub":"u1","name":7}"#), Err(ProviderRule::BodyMalformed));
    }
}
