//! What the keychain holds, asked as any program of the session can.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use support::session::Session;

/// The items of the product.
pub(crate) struct Items {
    /// What can be read without unlocking: paths, labels, attributes.
    pub(crate) in_clear: String,
    /// Every account.
    pub(crate) accounts: Vec<String>,
    /// The key-encryption key, as bytes.
    pub(crate) key: Vec<u8>,
    /// How many items there are of anybody.
    pub(crate) of_anybody: usize,
}

/// Reads them.
pub(crate) fn read(session: &Session) -> Items {
    let output = Command::new("secret-tool")
        .args(["search", "--all", "--unlock", "service", "app.countersign.desktop"])
        .envs(session.environment())
        .output()
        .expect("secret-tool");
    // Secrets on one stream, attributes on the other.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("text");
    let (secret, in_clear): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("secret = "));
    let value = |line: &str| line.split_once(" = ").map(|(_, value)| value.to_owned());
    let accounts = in_clear
        .iter()
        .filter(|line| line.starts_with("attribute.username"))
        .filter_map(|line| value(line))
        .collect();
    // The key, and beside it the store's anchor, which is no secret: a number and a hash.
    let values = secret.iter().map(|line| value(line).expect("a value"));
    let (anchors, keys): (Vec<String>, Vec<String>) =
        values.partition(|value| value.matches('.').count() == 2);
    assert_eq!((keys.len(), anchors.len()), (1, 1), "one key and one anchor: {}", in_clear.join("\n"));
    let key =
        URL_SAFE_NO_PAD.decode(keys[0].strip_prefix("v1.").expect("a key of version 1")).expect("base64url");
    assert_eq!(key.len(), 32);
    let items = session.dbus_send(
        "/org/freedesktop/secrets/collection/login",
        "org.freedesktop.DBus.Properties.Get",
        &["string:org.freedesktop.Secret.Collection", "string:Items"],
    );
    Items { in_clear: in_clear.join("\n"), accounts, key, of_anybody: items.matches("object path").count() }
}
