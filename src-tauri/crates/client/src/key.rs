//! An agent's key: Ed25519, known by its RFC 7638 thumbprint.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::agent::{ALGORITHMS, PublicJwk};
use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::dice;
pub use crate::dice::NoRandomness;

/// What signatures are made with: the name that every library knows (RFC 8037).
pub(crate) const ALGORITHM: &str = ALGORITHMS[0];

/// Why a text is no key.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyTextError {
    /// It is another kind of key.
    #[error("the key is not an Ed25519 key")]
    AnotherKind,
    /// It is no private key in JWK form.
    #[error("the text is not a private key in JWK form")]
    Malformed,
    /// Its two halves are of different keys.
    #[error("the two halves of the key do not belong together")]
    Mismatched,
}

/// An agent's secret key. It is wiped when dropped, and `Debug` prints the thumbprint alone.
pub struct AgentKey {
    secret: SigningKey,
    public: PublicJwk,
    thumbprint: String,
}

/// A private key as it is stored (RFC 8037), whatever stands beside it.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    crv: &'a str,
    d: &'a str,
    kty: &'a str,
    x: &'a str,
}

impl AgentKey {
    /// Makes a new one.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn make() -> Result<Self, NoRandomness> {
        let mut seed = Zeroizing::new([0; 32]);
        dice::fill(seed.as_mut_slice())?;
        Ok(Self::of_seed(&seed))
    }

    fn of_seed(seed: &[u8; 32]) -> Self {
        let secret = SigningKey::from_bytes(seed);
        let public = PublicJwk::of_x(URL_SAFE_NO_PAD.encode(secret.verifying_key().as_bytes()));
        let thumbprint = derive_thumbprint(&public);
        Self { secret, public, thumbprint }
    }

    /// Reads a private JWK.
    ///
    /// # Errors
    /// It is none, or of another kind of key.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        let stored: Stored<'_> = serde_json::from_str(text).map_err(|_| KeyTextError::Malformed)?;
        if stored.kty != "OKP" || stored.crv != "Ed25519" {
            return Err(KeyTextError::AnotherKind);
        }
        let mut seed = Zeroizing::new([0; 32]);
        match URL_SAFE_NO_PAD.decode_slice(stored.d, seed.as_mut_slice()) {
            Ok(32) => {}
            Ok(_) | Err(_) => return Err(KeyTextError::Malformed),
        }
        let key = Self::of_seed(&seed);
        if key.public.x == stored.x { Ok(key) } else { Err(KeyTextError::Mismatched) }
    }

    /// The private JWK, to be stored.
    #[must_use]
    pub fn expose_jwk(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(self.secret.to_bytes());
        let mut d = Zeroizing::new([0; 43]);
        // 32 bytes are 43 characters; were they ever not, the text would not read back.
        let _ = URL_SAFE_NO_PAD.encode_slice(seed.as_slice(), d.as_mut_slice());
        let d = std::str::from_utf8(d.as_slice()).unwrap_or_default();
        let x = &self.public.x;
        Zeroizing::new(format!(r#"{{"crv":"Ed25519","d":"{d}","kty":"OKP","x":"{x}"}}"#))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// The agent's id.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// A compact JWS by this key (RFC 7515 §7.1).
    pub(crate) fn sign(
        &self,
        header: &impl Serialize,
        claims: &impl Serialize,
    ) -> Result<String, serde_json::Error> {
        let part = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", part(serde_json::to_vec(header)?), part(serde_json::to_vec(claims)?));
        let signature = self.secret.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AgentKey").field(&self.thumbprint).finish()
    }
}

/// RFC 7638: the members in alphabetical order without spaces, hashed; RFC 8037 says which they are.
fn derive_thumbprint(key: &PublicJwk) -> String {
    let PublicJwk { crv, kty, x } = key;
    let canonical = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.
    const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn the_key_of_rfc_8037_has_its_thumbprint() {
        let key = AgentKey::parse(JWK).unwrap();
        assert_eq!(key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.public().x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    #[test]
    fn a_key_reads_back_and_does_not_print() {
        let key = AgentKey::make().unwrap();
        let again = AgentKey::parse(&key.expose_jwk()).unwrap();
        assert_eq!(again.thumbprint(), key.thumbprint());
        assert_eq!(format!("{key:?}"), format!("AgentKey({:?})", key.thumbprint()));
        assert_ne!(AgentKey::make().unwrap().thumbprint(), key.thumbprint());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let check = |text: &str, expected| assert_eq!(AgentKey::parse(text).err(), Some(expected), "{text}");
        check("", KeyTextError::Malformed);
        check("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", KeyTextError::Malformed);
        check(&JWK.replace("\"d\"", "\"e\""), KeyTextError::Malformed);
        check(&JWK.replace("uf2A", "uf2"), KeyTextError::Malformed);
        check(&JWK.replace("uf2A", "uf2A="), KeyTextError::Malformed);
        check(&JWK.replace("Ed25519", "X25519"), KeyTextError::AnotherKind);
        check(&JWK.replace("OKP", "EC"), KeyTextError::AnotherKind);
        check(&JWK.replace("11qY", "21qY"), KeyTextError::Mismatched);
    }
}
