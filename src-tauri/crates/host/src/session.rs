//! The login session as it is now: a host that was started before the desktop still finds the display.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::time::Duration;

use crate::environment::Environment;

/// The session's variables, by the allow-list of [`Environment`]: read anew from the login session where it tells
/// them (systemd's user manager), else as they were when the host started. Never from who asks.
pub(crate) async fn variables(environment: &Environment) -> Vec<(OsString, OsString)> {
    let mut known = environment.session().to_vec();
    let asked = tokio::time::timeout(Duration::from_millis(500), user_manager(environment)).await;
    for line in asked.ok().flatten().unwrap_or_default() {
        let Some((name, value)) = line.split_once('=') else { continue };
        // Display and bus may have changed; what was there from the start otherwise stays as it was.
        if !matches!(
            name,
            "DISPLAY" | "WAYLAND_DISPLAY" | "XAUTHORITY" | "XDG_SESSION_TYPE" | "XDG_CURRENT_DESKTOP"
        ) {
            continue;
        }
        known.retain(|(n, _)| n.as_bytes() != name.as_bytes());
        known.push((OsString::from(name), OsString::from_vec(value.as_bytes().to_vec())));
    }
    known
}

/// Whether there is a screen to show a window on.
pub(crate) fn has_display(variables: &[(OsString, OsString)]) -> bool {
    cfg!(not(target_os = "linux"))
        || variables.iter().any(|(name, _)| name == "DISPLAY" || name == "WAYLAND_DISPLAY")
}

async fn user_manager(environment: &Environment) -> Option<Vec<String>> {
    let bus = environment.session_variable("DBUS_SESSION_BUS_ADDRESS")?.to_str()?.to_owned();
    let connection = zbus::connection::Builder::address(bus.as_str()).ok()?.build().await.ok()?;
    let manager = zbus::Proxy::new(
        &connection,
        "org.freedesktop.systemd1",
        "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager",
    );
    manager.await.ok()?.get_property("Environment").await.ok()
}
