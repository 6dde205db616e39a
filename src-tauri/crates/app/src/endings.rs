//! What went wrong, as the ending that the person is shown.

use domain::attempt::Ending;
use oauth::connect::CallbackError;
use oauth::metadata::MetadataError;
use oauth::pushed::PushError;
use oauth::refusal::{OAuthCode, ProviderRule};
use oauth::token::TokenError;

use crate::key::KeyError;
use crate::port::{HttpError, KeychainError};

pub(crate) fn misbehaved(rule: ProviderRule) -> Ending {
    Ending::BankMisbehaved { rule: rule.to_string() }
}

fn misbehaved_text(rule: &str) -> Ending {
    Ending::BankMisbehaved { rule: rule.to_owned() }
}

fn refused(code: OAuthCode) -> Ending {
    if code == OAuthCode::AccessDenied {
        Ending::Declined
    } else {
        Ending::BankRefused { code: code.to_string() }
    }
}

/// Nothing was sent to the bank, or nothing it could have kept.
pub(crate) const NOT_SAVED: Ending = Ending::NotSaved { bank_told: true };

pub(crate) fn of_http(err: HttpError) -> Ending {
    match err {
        HttpError::Closed | HttpError::NoConnection | HttpError::TimedOut => Ending::BankUnreachable,
        HttpError::NotPublic => misbehaved_text("address_not_public"),
        HttpError::NotWellFormed => misbehaved_text("reply_malformed"),
        HttpError::Tls => misbehaved_text("certificate_not_trusted"),
        HttpError::TooLarge => misbehaved_text("reply_too_large"),
    }
}

pub(crate) fn of_metadata(err: &MetadataError) -> Ending {
    match err {
        MetadataError::AddressChanged(member) => Ending::AddressesChanged { member: (*member).to_owned() },
        MetadataError::Misbehaved(rule) => misbehaved(*rule),
        MetadataError::Unavailable => Ending::BankUnreachable,
    }
}

pub(crate) fn of_key(err: KeyError) -> Ending {
    match err {
        KeyError::Keychain(KeychainError::Locked) => Ending::KeychainLocked,
        KeyError::Keychain(KeychainError::Absent | KeychainError::Blocked | KeychainError::NotLasting) => {
            Ending::KeychainUnavailable
        }
        KeyError::Keychain(KeychainError::Malformed) | KeyError::Missing | KeyError::Replaced => {
            Ending::KeychainKeyLost
        }
        KeyError::Locked => Ending::KeychainLocked,
        KeyError::Dice(_) | KeyError::Restored | KeyError::Store(_) | KeyError::Unstretched => NOT_SAVED,
    }
}

pub(crate) fn of_push(err: PushError) -> Ending {
    match err {
        PushError::Misbehaved(rule) => misbehaved(rule),
        PushError::Refused(code) => refused(code),
        PushError::Unavailable => Ending::BankUnreachable,
    }
}

pub(crate) fn of_callback(err: CallbackError) -> Ending {
    match err {
        CallbackError::Misbehaved(rule) => misbehaved(rule),
        CallbackError::Refused(code) => refused(code),
        CallbackError::UnexpectedServer => Ending::UnexpectedServer,
    }
}

pub(crate) fn of_token(err: TokenError) -> Ending {
    match err {
        TokenError::Misbehaved(rule) => misbehaved(rule),
        TokenError::Refused(code) => Ending::BankRefused { code: code.to_string() },
        TokenError::Unavailable => Ending::BankUnreachable,
    }
}
