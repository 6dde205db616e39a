//! A compact JWS of an agent: one algorithm, one key that the caller knows, a header by allow-list (RFC 7515, RFC 8725).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::agent::AgentKey;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::json;

/// The longest one, in bytes.
pub(crate) const MAX_JWS: usize = 16 * 1024;

/// Which rule a JWS breaks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum JwsError {
    /// `alg` is neither `EdDSA` (RFC 8037) nor `Ed25519` (RFC 9864).
    #[error("alg is not EdDSA")]
    Algorithm,
    /// A header member beside those that belong there: a key it brings itself, `crit`, `b64` or anything else.
    #[error("a header member that does not belong there")]
    HeaderMember,
    /// `kid` or `jwk` is not the key's.
    #[error("another key is named")]
    Key,
    /// Not three parts of plain base64url, or not JSON objects in which each member stands once.
    #[error("not a compact JWS")]
    Malformed,
    /// The key did not sign this.
    #[error("the signature does not hold")]
    Signature,
    /// Longer than 16 KiB.
    #[error("too long")]
    TooLong,
    /// `typ` is another or missing: kinds of tokens are not taken for each other (RFC 8725 §3.11).
    #[error("typ is not the one expected")]
    Type,
}

/// A JWS that was taken apart; nothing in it is to be believed yet.
pub(crate) struct Parsed<'t> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    signed: &'t str,
    signature: Signature,
}

impl<'t> Parsed<'t> {
    /// Takes it apart, with `typ` as expected and no header members but `alg`, `typ` and this one.
    pub(crate) fn parse(text: &'t str, typ: &str, member: &str) -> Result<Self, JwsError> {
        if text.len() > MAX_JWS {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let header = object(header)?;
        let said = |name: &str| header.get(name).and_then(Value::as_str);
        if !matches!(said("alg"), Some("EdDSA" | "Ed25519")) {
            return Err(JwsError::Algorithm);
        }
        if said("typ") != Some(typ) {
            return Err(JwsError::Type);
        }
        if !header.keys().all(|name| name == "alg" || name == "typ" || name == member) {
            return Err(JwsError::HeaderMember);
        }
        let signature: [u8; 64] = part(signature)?.try_into().map_err(|_| JwsError::Signature)?;
        Ok(Self { claims: object(claims)?, header, signed, signature: Signature::from_bytes(&signature) })
    }

    /// Whether this key signed it.
    pub(crate) fn check(&self, key: &AgentKey) -> Result<(), JwsError> {
        signed_by(key, self.signed.as_bytes(), &self.signature)
    }
}

/// Whether a key signed this, with no more than one signature for each text (RFC 8032 §5.1.7, strictly).
pub(crate) fn signed_by(key: &AgentKey, text: &[u8], signature: &Signature) -> Result<(), JwsError> {
    let key = VerifyingKey::from_bytes(&key.bytes()).map_err(|_| JwsError::Key)?;
    key.verify_strict(text, signature).map_err(|_| JwsError::Signature)
}

fn part(text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwsError::Malformed)
}

fn object(text: &str) -> Result<Map<String, Value>, JwsError> {
    json::object(&part(text)?).map_err(|_| JwsError::Malformed)
}
