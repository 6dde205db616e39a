//! The random values of one authorization request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::secret::{CodeVerifier, Nonce, StateValue};
use thiserror::Error;
use zeroize::Zeroize;

/// The random values of one authorization request: state, nonce and verifier, 256 bits each.
pub struct Fresh {
    pub(crate) state: StateValue,
    pub(crate) nonce: Nonce,
    pub(crate) verifier: CodeVerifier,
}

/// The random bytes repeat themselves: nothing may be made from them.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("random bytes repeat themselves")]
pub struct WeakRandomness;

impl Fresh {
    /// Takes 96 random bytes and wipes them.
    ///
    /// # Errors
    /// Two of the three values are the same, or one is a single repeated byte: the source is stuck.
    pub fn from_random(mut random: [u8; 96]) -> Result<Self, WeakRandomness> {
        let [a, b, c]: [&[u8]; 3] = [&random[..32], &random[32..64], &random[64..]];
        let stuck = |part: &[u8]| part.first().is_none_or(|first| part.iter().all(|byte| byte == first));
        let weak = a == b || b == c || a == c || stuck(a) || stuck(b) || stuck(c);
        let [state, nonce, verifier] = [a, b, c].map(|part| URL_SAFE_NO_PAD.encode(part));
        random.zeroize();
        let (Ok(state), Ok(nonce), Ok(verifier)) =
            (StateValue::parse(state), Nonce::parse(nonce), CodeVerifier::parse(verifier))
        else {
            return Err(WeakRandomness);
        };
        if weak { Err(WeakRandomness) } else { Ok(Self { state, nonce, verifier }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuck_randomness_starts_nothing() {
        assert!(Fresh::from_random([0; 96]).is_err());
        assert!(Fresh::from_random([0x41; 96]).is_err());
        let mut repeated = [0; 96];
        for (i, byte) in repeated.iter_mut().enumerate() {
            *byte = u8::try_from(i % 32).unwrap();
        }
        assert!(Fresh::from_random(repeated).is_err());
    }
}
