//! Secrets: each its own type, wiped when dropped, impossible to print, copy, serialize or compare carelessly.
//!
//! A compile-fail suite (tests/rules/secrets.rs) holds each missing implementation.

use std::fmt;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A text that cannot be the secret it was received as.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SecretError {
    /// Nothing between the quotes.
    #[error("empty")]
    Empty,
    /// Not visible ASCII (RFC 6749 appendix A); such a value could break a header or a log line.
    #[error("holds characters that are not visible ASCII")]
    NotVisibleAscii,
    /// Longer than any real one.
    #[error("too long")]
    TooLong,
}

/// The longest token or code we take: 48 KiB leaves room for what surrounds it in a 64 KiB message.
const MAX_TEXT: usize = 48 * 1024;

macro_rules! text_secret {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Takes a received text; the text is wiped if it is refused.
            ///
            /// # Errors
            /// Empty, too long, or not visible ASCII.
            pub fn parse(mut text: String) -> Result<Self, SecretError> {
                let refused = if text.is_empty() { Some(SecretError::Empty) }
                    else if text.len() > MAX_TEXT { Some(SecretError::TooLong) }
                    else if !text.bytes().all(|b| (0x21..=0x7e).contains(&b)) { Some(SecretError::NotVisibleAscii) }
                    else { None };
                match refused {
                    Some(err) => { text.zeroize(); Err(err) }
                    None => Ok(Self(text)),
                }
            }

            /// Reads the secret, for the one request that carries it.
            #[must_use]
            pub fn expose_secret(&self) -> &str { &self.0 }

            /// Compares in constant time.
            #[must_use]
            pub fn same_as(&self, other: &str) -> bool { self.0.as_bytes().ct_eq(other.as_bytes()).into() }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(stringify!($name)) }
        }
    )*};
}

text_secret! {
    /// What the bank sends back for one exchange.
    AuthorizationCode
    /// The PKCE secret of one authorization request (RFC 7636 §4.1).
    CodeVerifier
    /// What ties a callback to its request (RFC 6749 §10.12).
    StateValue
    /// What ties an id_token to its request (OpenID Connect Core §3.1.2.1).
    Nonce
    /// A bank's access token.
    AccessToken
    /// A bank's refresh token.
    RefreshToken
    /// A bank's id_token. It names the person, so it is kept like a token.
    IdToken
    /// A full account number.
    AccountNumber
}

macro_rules! key_secret {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name(Box<[u8; 32]>);

        impl $name {
            /// Takes 32 random bytes; the caller's copy is wiped.
            #[must_use]
            pub fn from_random(mut bytes: [u8; 32]) -> Self {
                let key = Self(Box::new(bytes));
                bytes.zeroize();
                key
            }

            /// Reads the key, for one cryptographic operation or one keychain write.
            #[must_use]
            pub fn expose_bytes(&self) -> &[u8; 32] { &self.0 }

            /// Compares in constant time.
            #[must_use]
            pub fn same_as(&self, other: &Self) -> bool { self.0.as_slice().ct_eq(other.0.as_slice()).into() }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(stringify!($name)) }
        }
    )*};
}

key_secret! {
    /// Encrypts one sealed record.
    DataKey
    /// Wraps data keys; lives in the OS keychain.
    KeyEncryptionKey
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_ascii_is_taken() {
        for byte in (0x00..=0x20u8).chain(0x7f..=0x7f) {
            for text in [
                format!("{}ab", char::from(byte)),
                format!("a{}b", char::from(byte)),
                format!("ab{}", char::from(byte)),
            ] {
                assert_eq!(AccessToken::parse(text).err(), Some(SecretError::NotVisibleAscii), "{byte:#x}");
            }
        }
        assert_eq!(AccessToken::parse("é".into()).err(), Some(SecretError::NotVisibleAscii));
        assert_eq!(RefreshToken::parse(String::new()).err(), Some(SecretError::Empty));
        assert_eq!(RefreshToken::parse("a".repeat(MAX_TEXT + 1)).err(), Some(SecretError::TooLong));
        assert!(AccessToken::parse("a".repeat(16 * 1024)).is_ok());
    }

    #[test]
    fn debug_prints_the_type_only() {
        assert_eq!(format!("{:?}", AccessToken::parse("abc".into())), "Ok(AccessToken)");
        assert_eq!(format!("{:?}", DataKey::from_random([1; 32])), "DataKey");
    }

    #[test]
    fn comparison_is_exact() {
        let state = StateValue::parse("abc".into()).unwrap();
        assert!(state.same_as("abc"));
        for other in ["", "ab", "abcd", "ABC", "abc "] {
            assert!(!state.same_as(other), "{other:?}");
        }
    }
}
