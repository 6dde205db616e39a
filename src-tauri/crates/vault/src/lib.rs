//! Envelope encryption of secrets and its permanent byte formats. Pure.
//!
//! Each secret is encrypted under a data key of its own, the data key under the key-encryption key. Both carry the
//! same [`label::Label`] as associated data, so a record opens as what it was sealed as and nowhere else. The
//! key-encryption key itself may be wrapped under a passphrase ([`passphrase`]); when it is replaced, each record is
//! sealed anew ([`rewrap`](mod@rewrap)).
//!
//! **Invariant:** randomness is handed in; nothing here stores, reads a keychain or chooses a policy.

pub mod envelope;
pub mod key;
pub mod label;
pub mod passphrase;
pub mod rewrap;
mod v1;

pub use envelope::{Fresh, OpenError, Opened, SealError, kek_id_of, open, seal};
pub use key::{is_key, key_check};
pub use rewrap::{RewrapError, rewrap};
