//! Seals a secret under a data key of its own and the data key under the key-encryption key; opens both again.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _};
use domain::id::KekId;
use domain::secret::{DataKey, KeyEncryptionKey};
use std::fmt;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::label::Label;
use crate::v1;

/// The longest secret, in bytes.
pub const MAX_SECRET: usize = 64 * 1024;

/// How many random bytes one seal takes.
pub const FRESH: usize = v1::KEY + 2 * v1::NONCE;

/// The randomness of one seal: a data key and two nonces. A seal consumes it, so none is used twice.
pub struct Fresh {
    data_key: DataKey,
    wrap_nonce: [u8; v1::NONCE],
    body_nonce: [u8; v1::NONCE],
    weak: bool,
}

impl Fresh {
    /// Takes random bytes: data key, nonce of the data key, nonce of the body. The copy handed in is wiped; the
    /// caller wipes its own.
    ///
    /// Whether they look random at all is judged by the seal.
    #[must_use]
    pub fn from_random(bytes: [u8; FRESH]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let mut data_key = Zeroizing::new([0; v1::KEY]);
        let mut wrap_nonce = [0; v1::NONCE];
        let mut body_nonce = [0; v1::NONCE];
        let mut rest = bytes.iter();
        for place in data_key.iter_mut().chain(&mut wrap_nonce).chain(&mut body_nonce) {
            *place = rest.next().copied().unwrap_or_default();
        }
        let weak = wrap_nonce == body_nonce || repeats(bytes.as_slice());
        Self { data_key: DataKey::copy_of(&data_key), wrap_nonce, body_nonce, weak }
    }

    /// Data key, its nonce and the nonce of the body, if they may be used.
    fn usable(&self) -> Result<(&DataKey, &[u8; v1::NONCE], &[u8; v1::NONCE]), SealError> {
        if self.weak {
            Err(SealError::WeakRandomness)
        } else {
            Ok((&self.data_key, &self.wrap_nonce, &self.body_nonce))
        }
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh")
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.wrap_nonce.zeroize();
        self.body_nonce.zeroize();
    }
}

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SealError {
    /// The cipher refused; its own limits are far beyond ours.
    #[error("the cipher refused")]
    Cipher,
    /// Longer than [`MAX_SECRET`].
    #[error("the secret is too long")]
    TooLong,
    /// The random bytes are not random: all zero, or they repeat themselves.
    #[error("the source of randomness repeats itself")]
    WeakRandomness,
}

/// Why a record does not open.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum OpenError {
    /// Changed, moved to where another label holds, or sealed under another key of the same id. Which of these, nobody
    /// is told.
    #[error("the record does not open")]
    DoesNotOpen,
    /// Its header names another key-encryption key.
    #[error("the record is sealed under another key")]
    OtherKey,
    /// Shorter than any record.
    #[error("the record is cut off")]
    Truncated,
    /// A version or an algorithm that is not on the list.
    #[error("the record has a format of another version")]
    UnknownFormat,
}

/// An opened secret: wiped when dropped, and printed as its type only.
pub struct Opened(Zeroizing<Vec<u8>>);

impl Opened {
    /// Reads the secret, for the one operation it was opened for.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened")
    }
}

/// Seals a secret as what the label says.
///
/// # Errors
/// The secret is too long, or the randomness is none.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a seal consumes its randomness, so that none is used twice"
)]
pub fn seal(
    secret: &[u8],
    label: &Label,
    kek: &KeyEncryptionKey,
    kek_id: KekId,
    fresh: Fresh,
) -> Result<Vec<u8>, SealError> {
    if secret.len() > MAX_SECRET {
        return Err(SealError::TooLong);
    }
    let (data_key, wrap_nonce, body_nonce) = fresh.usable()?;
    let context = v1::associated_data(kek_id, label);
    let mut wrapped = Zeroizing::new(*data_key.expose_bytes());
    let wrap_tag = encrypt(kek.expose_bytes(), wrap_nonce, &context, wrapped.as_mut_slice())?;
    let mut body = Zeroizing::new(secret.to_vec());
    let body_tag = encrypt(data_key.expose_bytes(), body_nonce, &context, &mut body)?;

    let mut blob = Vec::with_capacity(v1::AROUND + secret.len());
    for part in [
        v1::header(kek_id).as_slice(),
        wrap_nonce,
        wrapped.as_slice(),
        &wrap_tag,
        body_nonce,
        body.as_slice(),
        &body_tag,
    ] {
        blob.extend_from_slice(part);
    }
    Ok(blob)
}

/// Opens a record that was sealed under this label and key.
///
/// # Errors
/// See [`OpenError`]. Nothing of the secret is left behind.
pub fn open(blob: &[u8], label: &Label, kek: &KeyEncryptionKey, kek_id: KekId) -> Result<Opened, OpenError> {
    let parts = v1::parse(blob)?;
    if parts.kek_id != kek_id {
        return Err(OpenError::OtherKey);
    }
    if parts.body.len() > MAX_SECRET {
        return Err(OpenError::DoesNotOpen);
    }
    let context = v1::associated_data(kek_id, label);
    let mut data_key = Zeroizing::new(*parts.wrapped);
    decrypt(kek.expose_bytes(), parts.wrap_nonce, &context, data_key.as_mut_slice(), parts.wrap_tag)?;
    let mut body = Zeroizing::new(parts.body.to_vec());
    decrypt(&data_key, parts.body_nonce, &context, &mut body, parts.body_tag)?;
    Ok(Opened(body))
}

/// Reads from a record's header which key it was sealed under. Nothing is checked by that.
///
/// # Errors
/// The record is cut off, or of a format that is not on the list.
pub fn kek_id_of(blob: &[u8]) -> Result<KekId, OpenError> {
    v1::parse(blob).map(|parts| parts.kek_id)
}

/// True when any two blocks of eight bytes are the same: all zero, all alike, a stuck or looping source. Of seven blocks,
/// a sound source does that once in 2⁵⁹ draws.
pub(crate) fn repeats(bytes: &[u8]) -> bool {
    let (blocks, _) = bytes.as_chunks::<8>();
    blocks.iter().enumerate().any(|(at, block)| blocks.iter().skip(at + 1).any(|other| other == block))
}

pub(crate) fn encrypt(
    key: &[u8; v1::KEY],
    nonce: &[u8; v1::NONCE],
    context: &[u8],
    text: &mut [u8],
) -> Result<[u8; v1::TAG], SealError> {
    let sealed =
        Aes256Gcm::new(key.into()).encrypt_inout_detached(nonce.into(), context, InOutBuf::from(&mut *text));
    match sealed {
        Ok(tag) => Ok(tag.into()),
        Err(_) => {
            text.zeroize();
            Err(SealError::Cipher)
        }
    }
}

/// The tag is checked before anything is decrypted, and the buffer is wiped if it does not fit.
pub(crate) fn decrypt(
    key: &[u8; v1::KEY],
    nonce: &[u8; v1::NONCE],
    context: &[u8],
    text: &mut [u8],
    tag: &[u8; v1::TAG],
) -> Result<(), OpenError> {
    let opened = Aes256Gcm::new(key.into()).decrypt_inout_detached(
        nonce.into(),
        context,
        InOutBuf::from(&mut *text),
        tag.into(),
    );
    opened.map_err(|_| {
        text.zeroize();
        OpenError::DoesNotOpen
    })
}

#[cfg(test)]
mod uniqueness;
#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let hex = if hex == "-" { "" } else { hex };
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn the_cipher_gives_the_known_answers() {
        let table = include_str!("../../../../tests/fixtures/vault/aes-256-gcm.txt");
        let mut answers = 0;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let [key, nonce, context, text, sealed, tag] =
                line.split(' ').map(bytes).collect::<Vec<_>>().try_into().unwrap();
            let (key, nonce) = (key.try_into().unwrap(), nonce.try_into().unwrap());

            let mut buffer = text.clone();
            let made = encrypt(&key, &nonce, &context, &mut buffer).unwrap();
            assert_eq!((&buffer, made.as_slice()), (&sealed, tag.as_slice()), "{line}");

            decrypt(&key, &nonce, &context, &mut buffer, &made).unwrap();
            assert_eq!(buffer, text, "{line}");
            answers += 1;
        }
        assert_eq!(answers, 18);
    }

    #[test]
    fn a_text_that_does_not_open_is_wiped() {
        let mut text = *b"what stays of a secret: nothing";
        let tag = encrypt(&[1; 32], &[2; 12], b"", &mut text).unwrap();
        for at in 0..tag.len() {
            let (mut text, mut wrong) = (text, tag);
            wrong[at] ^= 1;
            assert_eq!(decrypt(&[1; 32], &[2; 12], b"", &mut text, &wrong), Err(OpenError::DoesNotOpen));
            assert!(text.iter().all(|byte| *byte == 0));
        }
    }

    /// Whatever is changed in whatever goes into it: nothing of the text, and none of its decryption, stays in the buffer.
    #[test]
    fn every_changed_bit_leaves_an_empty_buffer() {
        let (key, nonce, context, plain) =
            ([1; 32], [2; 12], *b"a label of a grant", *b"a refresh token of a bank");
        let mut sealed = plain;
        let tag = encrypt(&key, &nonce, &context, &mut sealed).unwrap();
        let whole = [key.as_slice(), &nonce, &context, &sealed, &tag].concat();
        let mut opened = 0;
        for bit in 0..=whole.len() * 8 {
            let mut changed = whole.clone();
            // The last round changes nothing: the control.
            if let Some(byte) = changed.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            let (key, rest) = changed.split_first_chunk().unwrap();
            let (nonce, rest) = rest.split_first_chunk().unwrap();
            let (context, rest) = rest.split_at(context.len());
            let (text, tag) = rest.split_last_chunk().unwrap();
            let mut text = text.to_vec();
            match decrypt(key, nonce, context, &mut text, tag) {
                Ok(()) => {
                    assert_eq!((bit, text.as_slice()), (whole.len() * 8, plain.as_slice()));
                    opened += 1;
                }
                Err(error) => {
                    assert_eq!((error, text), (OpenError::DoesNotOpen, vec![0; plain.len()]), "{bit}")
                }
            }
        }
        assert_eq!(opened, 1);
    }

    #[test]
    fn randomness_that_repeats_itself_is_refused() {
        let sound: [u8; FRESH] = std::array::from_fn(|at| u8::try_from(at).unwrap() + 1);
        let with = |from: usize, bytes: &[u8]| {
            let mut fresh = sound;
            fresh[from..from + bytes.len()].copy_from_slice(bytes);
            fresh
        };
        let check = |fresh: [u8; FRESH], weak: bool| {
            assert_eq!(Fresh::from_random(fresh).usable().is_err(), weak, "{fresh:?}");
        };
        check(sound, false);
        for byte in 0..=255 {
            check([byte; FRESH], true);
        }
        check(with(0, &[0; 32]), true);
        check(with(44, &sound[32..44]), true);
        check(with(0, &sound[24..32]), true);
        check(std::array::from_fn(|at| sound[at % 8]), true);
        check(std::array::from_fn(|at| sound[at % 16]), true);
        check(with(0, &[0; 12]), false);
    }

    #[test]
    fn nothing_that_holds_a_secret_prints_it() {
        assert_eq!(format!("{:?}", Opened(Zeroizing::new(b"secret".to_vec()))), "Opened");
        assert_eq!(format!("{:?}", Fresh::from_random([7; FRESH])), "Fresh");
    }
}
