//! Agents: programs known by their Ed25519 public key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;
use thiserror::Error;

use crate::id::AgentId;
use crate::rule::RuleKind;
use crate::text;
use crate::time::Timestamp;

/// An agent the person added, or that the sandbox's catalogue folder names.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its id here.
    pub id: AgentId,
    /// The name the person gave it.
    pub name: AgentName,
    /// Its public key.
    pub key: AgentKey,
    /// When it was added.
    pub added_at: Timestamp,
    /// Whether it is held back, and why.
    pub paused: Option<AgentPaused>,
    /// When it was removed: its key is good for nothing any more.
    pub removed_at: Option<Timestamp>,
}

/// An agent is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentPaused {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub why: PauseWhy,
}

/// Why an agent is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseWhy {
    /// It asked for something that the person knows nothing of.
    NotMine,
    /// The person wanted it.
    Person,
    /// A rule saw something.
    Rule {
        /// Which.
        rule: RuleKind,
    },
}

/// Why a text is not an agent's name or key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum AgentError {
    /// The JWK is not JSON of the right shape.
    #[error("key is neither a JWK nor 43 base64url characters")]
    KeyFormat,
    /// The JWK holds the private half: it must never leave the agent.
    #[error("the key given is a private key")]
    KeyIsPrivate,
    /// A JWK of another kind.
    #[error("key is not Ed25519")]
    KeyNotEd25519,
    /// A point that anyone can sign for (small order), or none at all.
    #[error("key is weak or not a point of the curve")]
    KeyWeak,
    /// Only invisible characters, or none.
    #[error("name is empty")]
    NameEmpty,
    /// Longer than 60 characters.
    #[error("name is too long")]
    NameTooLong,
    /// Control or invisible characters, or scripts mixed to imitate.
    #[error("name holds characters that could imitate another name")]
    NameDeceptive,
}

/// What the person calls an agent: 1 to 60 visible characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentName(String);

impl AgentName {
    /// Parses a name; white space around it is dropped.
    ///
    /// # Errors
    /// Empty, too long, or built to deceive.
    pub fn parse(name: &str) -> Result<Self, AgentError> {
        let name = name.trim();
        if name.is_empty() {
            return Err(AgentError::NameEmpty);
        }
        if name.chars().count() > 60 {
            return Err(AgentError::NameTooLong);
        }
        if name.chars().any(|c| c.is_control() || text::is_deceptive(c)) || text::mixes_scripts(name) {
            return Err(AgentError::NameDeceptive);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An Ed25519 public key that is safe to verify with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AgentKey([u8; 32]);

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    #[serde(default)]
    d: Option<serde::de::IgnoredAny>,
}

impl AgentKey {
    /// Takes 32 bytes of a public key.
    ///
    /// # Errors
    /// Not a point of the curve, or one of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, AgentError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| AgentError::KeyWeak)?;
        if key.is_weak() || !is_plain(&bytes) { Err(AgentError::KeyWeak) } else { Ok(Self(bytes)) }
    }

    /// Parses what a person pastes: a JWK (RFC 8037 §2) or its 43 base64url characters.
    ///
    /// # Errors
    /// Not a key, a private key, a key of another kind, or a weak one.
    pub fn parse(text: &str) -> Result<Self, AgentError> {
        let text = text.trim();
        let x = if text.starts_with('{') {
            let jwk: Jwk = parse_jwk(text)?;
            if jwk.d.is_some() {
                return Err(AgentError::KeyIsPrivate);
            }
            if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
                return Err(AgentError::KeyNotEd25519);
            }
            jwk.x
        } else {
            text.to_owned()
        };
        if x.len() != 43 {
            return Err(AgentError::KeyFormat);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&x).map_err(|_| AgentError::KeyFormat)?;
        Self::from_bytes(bytes.try_into().map_err(|_| AgentError::KeyFormat)?)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The 43 base64url characters.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The JWK thumbprint (RFC 7638 §3, RFC 8037 appendix A.3), base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.text());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
    }
}

/// Whether a point's coordinate is below the field's prime, 2²⁵⁵ − 19 (RFC 8032 §5.1.3): the library takes what is not,
/// and one key would have two spellings, two thumbprints and two marks.
fn is_plain(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    !(*first >= 0xed && middle.iter().all(|byte| *byte == 0xff) && last & 0x7f == 0x7f)
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentKey({})", self.thumbprint())
    }
}

fn parse_jwk(text: &str) -> Result<Jwk, AgentError> {
    if text.len() > 4096 {
        return Err(AgentError::KeyFormat);
    }
    serde_json::from_str(text).map_err(|_| AgentError::KeyFormat)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 8037 appendix A.2.
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn thumbprint_is_the_one_of_rfc_8037() {
        let key = AgentKey::parse(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}"#)).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(AgentKey::parse(X), Ok(key));
    }

    #[test]
    fn keys_that_are_not_safe_are_refused() {
        let check = |text: &str, err: AgentError| assert_eq!(AgentKey::parse(text), Err(err), "{text}");
        check("", AgentError::KeyFormat);
        check("{}", AgentError::KeyFormat);
        check(&"A".repeat(43), AgentError::KeyWeak);
        check(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","d":"nWGx"}}"#), AgentError::KeyIsPrivate);
        check(&format!(r#"{{"kty":"OKP","crv":"X25519","x":"{X}"}}"#), AgentError::KeyNotEd25519);
        check(&format!("{X}="), AgentError::KeyFormat);
        // The point whose coordinate is 3, written as 2²⁵⁵ − 16.
        check("8P_______________________________________38", AgentError::KeyWeak);
        assert!(
            AgentKey::parse("AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").is_ok(),
            "written plainly it is a key"
        );
        check(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","x":"{X}"}}"#), AgentError::KeyFormat);
    }

    #[test]
    fn names_that_could_deceive_are_refused() {
        assert_eq!(AgentName::parse("  Budget Buddy "), Ok(AgentName("Budget Buddy".into())));
        for (name, err) in [
            ("", AgentError::NameEmpty),
            ("\u{200b}x", AgentError::NameDeceptive),
            ("Budget\u{202e}Buddy", AgentError::NameDeceptive),
            ("Вudget Buddy", AgentError::NameDeceptive),
            ("a\nb", AgentError::NameDeceptive),
        ] {
            assert_eq!(AgentName::parse(name), Err(err), "{name:?}");
        }
        assert_eq!(AgentName::parse(&"x".repeat(61)), Err(AgentError::NameTooLong));
    }
}
