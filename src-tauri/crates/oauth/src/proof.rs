//! A DPoP proof of an agent (RFC 9449 §4.3): that whoever sends a request has the key, now, for this request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::agent::AgentKey;
use domain::time::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use url::Url;

use crate::agent_jws::{JwsError, Parsed};

/// How far a proof's time may be from ours, in seconds either way.
const SKEW: i64 = 60;
/// The longest `jti`, in characters.
const MAX_JTI: usize = 128;

/// Which rule a proof breaks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ProofError {
    /// `htu` is another address.
    #[error("htu is another address")]
    Address,
    /// `iat` is too far from now.
    #[error("iat is too far from now")]
    Issued,
    /// `jti` is missing, empty or too long.
    #[error("no jti")]
    Jti,
    /// As a JWS.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// `ath` is not the lease's, or there is one without a lease.
    #[error("ath is not the lease's")]
    Lease,
    /// `htm` is another method.
    #[error("htm is another method")]
    Method,
}

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub struct Proven<'r> {
    /// Its method.
    pub method: &'r str,
    /// Its address: the broker's issuer and the path.
    pub address: &'r Url,
    /// The lease that it presents.
    pub lease: Option<&'r str>,
    /// Now.
    pub now: Timestamp,
}

/// A proof that holds. Whether it was seen before is for the caller to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The key.
    pub key: AgentKey,
    /// What makes it one proof: over the key and the `jti`.
    pub id: [u8; 32],
    /// After this, its time alone refuses it.
    pub ends_at: Timestamp,
}

impl Proof {
    /// Checks a proof.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(text: &str, proven: &Proven<'_>) -> Result<Self, ProofError> {
        let parsed = Parsed::parse(text, "dpop+jwt", "jwk")?;
        let key = jwk(&parsed.header).ok_or(JwsError::Key)?;
        parsed.check(&key)?;
        let text = |name: &str| parsed.claims.get(name).and_then(Value::as_str);
        let jti =
            text("jti").filter(|jti| (1..=MAX_JTI).contains(&jti.chars().count())).ok_or(ProofError::Jti)?;
        if text("htm") != Some(proven.method) {
            return Err(ProofError::Method);
        }
        if !text("htu").is_some_and(|htu| is_address(htu, proven.address)) {
            return Err(ProofError::Address);
        }
        let issued = parsed.claims.get("iat").and_then(Value::as_i64).ok_or(ProofError::Issued)?;
        if issued.abs_diff(proven.now.secs()) > SKEW.unsigned_abs() {
            return Err(ProofError::Issued);
        }
        let ath = proven.lease.map(|lease| URL_SAFE_NO_PAD.encode(Sha256::digest(lease.as_bytes())));
        if parsed.claims.get("ath").map(|ath| ath.as_str()) != ath.as_deref().map(Some) {
            return Err(ProofError::Lease);
        }
        let id = Sha256::new().chain_update(key.bytes()).chain_update(jti.as_bytes()).finalize().into();
        Ok(Self { key, id, ends_at: Timestamp::from_secs(issued.saturating_add(SKEW + 1)) })
    }
}

/// The public key of the header, with the members of one and no other: no private half, no other kind.
fn jwk(header: &Map<String, Value>) -> Option<AgentKey> {
    let jwk = header.get("jwk")?.as_object()?;
    let member = |name: &str| jwk.get(name).and_then(Value::as_str);
    let optional = ["alg", "kid", "use", "key_ops"];
    let known =
        |name: &String| ["kty", "crv", "x"].contains(&name.as_str()) || optional.contains(&name.as_str());
    let is_ours = member("kty") == Some("OKP") && member("crv") == Some("Ed25519") && jwk.keys().all(known);
    AgentKey::parse(member("x").filter(|x| is_ours && x.len() == 43)?).ok()
}

/// Whether `htu` names this address: the same after normalization (RFC 3986 §6.2), without query and fragment.
fn is_address(htu: &str, address: &Url) -> bool {
    let Ok(htu) = Url::parse(htu) else { return false };
    let plain = htu.query().is_none()
        && htu.fragment().is_none()
        && htu.username().is_empty()
        && htu.password().is_none();
    plain
        && htu.scheme() == address.scheme()
        && htu.host_str() == address.host_str()
        && htu.port_or_known_default() == address.port_or_known_default()
        && htu.path() == address.path()
}
