//! What a failed request means: was anything sent, and who is to blame.

use std::error::Error as StdError;

use app::port::HttpError;

use super::address::NotPublic;
use super::chain;

/// A failure before the head of the reply was there.
pub(super) fn before_reply(err: &reqwest::Error) -> HttpError {
    if err.is_connect() { not_connected(err) } else { after_connecting(err) }
}

/// Name, connection or handshake failed: nothing was sent.
fn not_connected(err: &(dyn StdError + 'static)) -> HttpError {
    if chain(err).any(|e| e.is::<NotPublic>()) {
        HttpError::NotPublic
    } else if chain(err).any(|e| e.is::<rustls::Error>()) {
        HttpError::Tls
    } else {
        HttpError::NoConnection
    }
}

/// The connection was there: the request may have been carried out.
pub(super) fn after_connecting(err: &(dyn StdError + 'static)) -> HttpError {
    let hyper = || chain(err).filter_map(|e| e.downcast_ref::<hyper::Error>());
    if hyper().any(hyper::Error::is_parse_too_large) {
        HttpError::TooLarge
    } else if hyper().any(hyper::Error::is_parse) {
        HttpError::NotWellFormed
    } else {
        HttpError::Closed
    }
}
