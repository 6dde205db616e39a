//! What a failure on the bus means.

use app::port::KeychainError;
use secret_service::Error;
use zbus::DBusError as _;

/// No bus: a bus that is full or stops in the middle is there, but does not answer.
pub(super) fn of_bus(err: &zbus::Error) -> KeychainError {
    let busy = matches!(err, zbus::Error::InputOutput(io) | zbus::Error::Connection(io, _)
        if io.kind() == std::io::ErrorKind::WouldBlock);
    if busy { KeychainError::Blocked } else { KeychainError::Absent }
}

/// A failure of a call over a bus that is there.
pub(super) fn of_call(err: &zbus::Error) -> KeychainError {
    if let zbus::Error::MethodError(name, _, _) = err {
        of_name(name.as_str())
    } else if let zbus::Error::FDO(err) = err {
        of_fdo(err)
    } else if let zbus::Error::InputOutput(_) = err {
        KeychainError::Blocked
    } else {
        KeychainError::Absent
    }
}

fn of_fdo(err: &zbus::fdo::Error) -> KeychainError {
    if let zbus::fdo::Error::ZBus(err) = err { of_call(err) } else { of_name(err.name().as_str()) }
}

fn of_name(name: &str) -> KeychainError {
    match name {
        "org.freedesktop.Secret.Error.IsLocked" => KeychainError::Locked,
        // It went away, forgot our session or lost the item in the middle of the call: the next call finds out more.
        "org.freedesktop.DBus.Error.NoReply"
        | "org.freedesktop.DBus.Error.Timeout"
        | "org.freedesktop.DBus.Error.TimedOut"
        | "org.freedesktop.DBus.Error.Disconnected"
        | "org.freedesktop.Secret.Error.NoSession"
        | "org.freedesktop.Secret.Error.NoSuchObject" => KeychainError::Blocked,
        // Nobody has the name and nobody can be started for it, or what has it is not a Secret Service.
        _ => KeychainError::Absent,
    }
}

/// A failure of the library above.
pub(super) fn of(err: &Error) -> KeychainError {
    if let Error::Zbus(err) = err {
        of_call(err)
    } else if let Error::ZbusFdo(err) = err {
        of_fdo(err)
    } else if let Error::Locked | Error::Prompt = err {
        KeychainError::Locked
    } else if let Error::PromptDisconnected = err {
        KeychainError::Blocked
    } else if let Error::Crypto(_) = err {
        // The secret cannot be decrypted: it does not come from whom we agreed the session key with.
        KeychainError::Malformed
    } else {
        KeychainError::Absent
    }
}
