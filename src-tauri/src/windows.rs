//! The windows: made here, not in the configuration, so that every switch is seen in one place.

use tauri::webview::{NewWindowResponse, PermissionResponse};
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};
use tracing::{info, warn};

use crate::environment::Environment;

/// A window that is being made.
type Builder<'a> = WebviewWindowBuilder<'a, Wry, AppHandle>;

/// The main window's label; its capability file names it too.
pub(crate) const MAIN: &str = "main";
/// The approval window's label; it has a capability file of its own.
pub(crate) const APPROVAL: &str = "approval";

/// The title says when banks and money are not real.
const TITLE: &str = if cfg!(feature = "sandbox") { "Countersign — Sandbox" } else { "Countersign" };

/// The approval window's title.
const APPROVAL_TITLE: &str =
    if cfg!(feature = "sandbox") { "Countersign asks — Sandbox" } else { "Countersign asks" };

/// Opens the main window.
pub(crate) fn open_main(app: &AppHandle) -> tauri::Result<()> {
    open(app, MAIN, "index.html", |window| {
        window.title(TITLE).inner_size(900.0, 700.0).min_inner_size(400.0, 480.0)
    })
}

/// Opens the approval window: small, in front of the others, and on every workspace, so that it is not missed.
pub(crate) fn open_approval(app: &AppHandle) -> tauri::Result<()> {
    open(app, APPROVAL, "approval.html", |window| {
        window
            .title(APPROVAL_TITLE)
            .inner_size(460.0, 560.0)
            .min_inner_size(400.0, 520.0)
            .center()
            .always_on_top(true)
            .visible_on_all_workspaces(true)
    })
}

/// Opens a window. Its webview stays on the app's own pages, opens no other window, downloads nothing, has no
/// inspector, and is granted no camera, microphone, place or notification.
fn open(
    app: &AppHandle,
    label: &str,
    page: &str,
    looks: impl FnOnce(Builder<'_>) -> Builder<'_>,
) -> tauri::Result<()> {
    let window = looks(WebviewWindowBuilder::new(app, label, WebviewUrl::App(page.into())))
        .data_directory(app.state::<Environment>().webview_data().to_owned())
        .disable_drag_drop_handler()
        .devtools(false)
        .on_navigation(|url| {
            let ours = is_ours(url);
            if !ours {
                warn!(scheme = url.scheme(), "a navigation away from the app was refused");
            }
            ours
        })
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .on_permission_request(|_, _| PermissionResponse::Deny)
        .build()?;
    #[cfg(target_os = "linux")]
    {
        crate::webkit::zoom_by_keys(&window)?;
        crate::webkit::revive(&window)?;
    }
    info!(label = window.label(), "the window is open");
    Ok(())
}

/// Brings the main window to the front, with the token that lets a compositor agree to it. Without a main window
/// (the tray alone) there is nothing to do: the host replaces the process.
pub(crate) fn present(app: &AppHandle, activation_token: Option<String>) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let handle = app.clone();
    let presented = handle.run_on_main_thread(move || {
        let _ = window.unminimize();
        let _ = window.show();
        to_front(&window, activation_token.as_deref());
    });
    if let Err(error) = presented {
        warn!(%error, "the window could not be brought up");
    }
}

/// Brings the approval window to the front, if there is one. On the main thread.
pub(crate) fn present_approval(app: &AppHandle, activation_token: Option<&str>) -> bool {
    let Some(window) = app.get_webview_window(APPROVAL) else { return false };
    let _ = window.unminimize();
    let _ = window.show();
    to_front(&window, activation_token);
    true
}

#[cfg(target_os = "linux")]
fn to_front(window: &WebviewWindow, activation_token: Option<&str>) {
    use gtk::prelude::GtkWindowExt as _;
    let Ok(window) = window.gtk_window() else { return };
    if let Some(token) = activation_token {
        window.set_startup_id(token);
    }
    window.present();
}

#[cfg(not(target_os = "linux"))]
fn to_front(window: &WebviewWindow, _activation_token: Option<&str>) {
    let _ = window.set_focus();
}

/// Whether an address is one of the app's own pages.
fn is_ours(url: &Url) -> bool {
    let own = if cfg!(windows) { ("http", "tauri.localhost") } else { ("tauri", "localhost") };
    (url.scheme(), url.host_str()) == (own.0, Some(own.1)) && url.port().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_apps_own_pages_are_ours() {
        for (address, expected) in [
            ("tauri://localhost", true),
            ("tauri://localhost/index.html#/grants", true),
            ("tauri://localhost:8080/", false),
            ("tauri://localhost.evil.example/", false),
            ("tauri://evil@localhost.example/", false),
            ("http://localhost/", false),
            ("https://bank.example/", false),
            ("file:///etc/passwd", false),
            ("data:text/html,hello", false),
            ("about:blank", false),
            ("javascript:alert(1)", false),
        ] {
            assert_eq!(is_ours(&Url::parse(address).unwrap()), expected, "{address}");
        }
    }
}
