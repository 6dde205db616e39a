//! Secrets: each its own type, wiped when dropped, impossible to print, copy, serialize or compare carelessly.
//!
//! A compile-fail suite (tests/rules/secrets.rs) holds each missing implementation.

use icu_normalizer::ComposingNormalizerBorrowed;
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

/// A text that cannot be a passphrase.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PassphraseError {
    /// More than [`LONGEST_PASSPHRASE`] characters.
    #[error("the passphrase is too long")]
    TooLong,
    /// Fewer than [`SHORTEST_PASSPHRASE`] characters.
    #[error("the passphrase is too short")]
    TooShort,
}

/// The fewest characters of a passphrase.
pub const SHORTEST_PASSPHRASE: usize = 8;
/// The most characters of a passphrase.
pub const LONGEST_PASSPHRASE: usize = 1024;
/// Enough for that many characters, each typed in several parts.
const MAX_PASSPHRASE_BYTES: usize = 16 * LONGEST_PASSPHRASE;

macro_rules! phrase_secret {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Zeroize, ZeroizeOnDrop)]
        pub struct $name(String);

        impl $name {
            /// Takes what the person typed, and wipes it: 8 to 1,024 characters of any script.
            ///
            /// It counts as UTF-8 of its composed form (Unicode NFC, as RFC 8265 §4.2.2 has it for passwords), so that
            /// a keyboard that types a letter and its accent one after the other gives the same. Nothing else is
            /// changed: case, width and spaces count as they were typed.
            ///
            /// # Errors
            /// Too short or too long.
            pub fn parse(mut text: String) -> Result<Self, PassphraseError> {
                if text.len() > MAX_PASSPHRASE_BYTES {
                    text.zeroize();
                    return Err(PassphraseError::TooLong);
                }
                // Composed in one buffer that does not grow, so that no outgrown one stays behind.
                let mut phrase = Self(String::with_capacity(4 * text.len()));
                let composed = ComposingNormalizerBorrowed::new_nfc().normalize_to(&text, &mut phrase.0);
                text.zeroize();
                match phrase.0.chars().count() {
                    ..SHORTEST_PASSPHRASE => Err(PassphraseError::TooShort),
                    SHORTEST_PASSPHRASE..=LONGEST_PASSPHRASE if composed.is_ok() => Ok(phrase),
                    _ => Err(PassphraseError::TooLong),
                }
            }

            /// Reads the passphrase, for one stretching.
            #[must_use]
            pub fn expose_secret(&self) -> &str { &self.0 }

            /// Compares in constant time.
            #[must_use]
            pub fn same_as(&self, other: &Self) -> bool { self.0.as_bytes().ct_eq(other.0.as_bytes()).into() }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(stringify!($name)) }
        }
    )*};
}

phrase_secret! {
    /// What only the person knows, and the key-encryption key is wrapped under if they want it so.
    Passphrase
}

/// Where the bytes of a key are: the heap, or memory that the host keeps out of swap files and dumps.
///
/// Whoever implements it wipes the bytes when it is dropped.
pub trait KeyPlace: ZeroizeOnDrop + Send + Sync {
    /// Reads the bytes.
    fn expose_bytes(&self) -> &[u8; 32];
}

/// The usual place.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Heap([u8; 32]);

impl KeyPlace for Heap {
    fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

macro_rules! key_secret {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        pub struct $name(Box<dyn KeyPlace>);

        impl $name {
            /// Takes 32 random bytes; the caller's copy is wiped.
            #[must_use]
            pub fn from_random(mut bytes: [u8; 32]) -> Self {
                let key = Self::copy_of(&bytes);
                bytes.zeroize();
                key
            }

            /// Copies bytes to where the key stays; the caller wipes them.
            #[must_use]
            pub fn copy_of(bytes: &[u8; 32]) -> Self {
                let mut place = Box::new(Heap([0; 32]));
                place.0.copy_from_slice(bytes);
                Self(place)
            }

            /// Has the bytes filled in where the key stays. What is handed over by value may leave a copy on the stack.
            ///
            /// # Errors
            /// What filling them fails with.
            pub fn filled_by<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
                let mut place = Box::new(Heap([0; 32]));
                fill(&mut place.0)?;
                Ok(Self(place))
            }

            /// The key whose bytes are in this place.
            #[must_use]
            pub fn in_place(place: Box<dyn KeyPlace>) -> Self { Self(place) }

            /// Reads the key, for one cryptographic operation or one keychain write.
            #[must_use]
            pub fn expose_bytes(&self) -> &[u8; 32] { self.0.expose_bytes() }

            /// Compares in constant time.
            #[must_use]
            pub fn same_as(&self, other: &Self) -> bool {
                self.expose_bytes().as_slice().ct_eq(other.expose_bytes().as_slice()).into()
            }
        }

        // Its place wipes itself.
        impl ZeroizeOnDrop for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(stringify!($name)) }
        }
    )*};
}

key_secret! {
    /// Encrypts one sealed record.
    DataKey
    /// Wraps data keys; lives in the OS keychain, or wrapped under a passphrase.
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
        assert_eq!(format!("{:?}", Passphrase::parse("long enough".into())), "Ok(Passphrase)");
    }

    #[test]
    fn comparison_is_exact() {
        let state = StateValue::parse("abc".into()).unwrap();
        assert!(state.same_as("abc"));
        for other in ["", "ab", "abcd", "ABC", "abc "] {
            assert!(!state.same_as(other), "{other:?}");
        }
    }

    #[test]
    fn a_passphrase_has_8_to_1024_characters_of_any_script() {
        let check = |text: String, refused: Option<PassphraseError>| {
            assert_eq!(Passphrase::parse(text.clone()).err(), refused, "{text:?}");
        };
        for character in ["a", " ", "ß", "語", "🦀", "\u{10fffd}", "한", "\n"] {
            for (count, refused) in [
                (0, Some(PassphraseError::TooShort)),
                (7, Some(PassphraseError::TooShort)),
                (8, None),
                (1024, None),
                (1025, Some(PassphraseError::TooLong)),
                (20_000, Some(PassphraseError::TooLong)),
            ] {
                check(character.repeat(count), refused);
            }
        }
        check("e\u{301}".repeat(7), Some(PassphraseError::TooShort));
        check("e\u{301}".repeat(1024), None);
        check("e\u{301}".repeat(1025), Some(PassphraseError::TooLong));
        check("\u{1112}\u{1161}\u{11ab}".repeat(1024), None);
    }

    #[test]
    fn a_passphrase_is_the_same_however_its_accents_are_typed_and_in_nothing_else() {
        let phrase = |text: &str| Passphrase::parse(text.to_owned()).unwrap();
        assert!(phrase("cafe\u{301} cre\u{300}me").same_as(&phrase("caf\u{e9} cr\u{e8}me")));
        assert_eq!(phrase("cafe\u{301} cre\u{300}me").expose_secret(), "caf\u{e9} cr\u{e8}me");
        let one = phrase("caf\u{e9} cr\u{e8}me");
        for other in
            ["cafe creme", "Caf\u{e9} cr\u{e8}me", "caf\u{e9}\u{a0}cr\u{e8}me", "caf\u{e9} cr\u{e8}me "]
        {
            assert!(!one.same_as(&phrase(other)), "{other:?}");
        }
        let wide = "\u{ff50}assphrase";
        assert_eq!(phrase(wide).expose_secret(), wide, "compatibility forms are characters of their own");
    }

    #[test]
    fn a_key_is_filled_where_it_stays_or_not_made() {
        let fill = |bytes: &mut [u8; 32]| {
            bytes.fill(7);
            Ok::<(), ()>(())
        };
        let key = KeyEncryptionKey::filled_by(fill).unwrap();
        assert!(key.same_as(&KeyEncryptionKey::copy_of(&[7; 32])));
        assert!(key.same_as(&KeyEncryptionKey::from_random([7; 32])));
        assert_eq!(KeyEncryptionKey::filled_by(|_| Err("no")).err(), Some("no"));
    }

    #[test]
    fn a_key_may_be_anywhere() {
        #[derive(ZeroizeOnDrop)]
        struct Elsewhere([u8; 32]);
        impl KeyPlace for Elsewhere {
            fn expose_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }
        let key = KeyEncryptionKey::in_place(Box::new(Elsewhere([7; 32])));
        assert!(key.same_as(&KeyEncryptionKey::from_random([7; 32])));
        assert!(!key.same_as(&KeyEncryptionKey::from_random([8; 32])));
    }
}
