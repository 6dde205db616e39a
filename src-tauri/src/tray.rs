//! The tray icon and its menu.

use std::panic::{AssertUnwindSafe, catch_unwind};

use contract::channel::{SHOW, ShowWindow};
use contract::ui::Nothing;
use tauri::menu::{MenuBuilder, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _};
use thiserror::Error;

use crate::Mode;
use crate::channel::Host;
use crate::environment::Environment;
use crate::windows;

const OPEN: &str = "open";
const QUIT: &str = "quit";
const STOP: &str = "stop";
/// The window's own command; the host serves the tray on the same channel.
const STOP_AGENTS: &str = "/window/stop_agents";
const TOOLTIP: &str = if cfg!(feature = "sandbox") { "Countersign — Sandbox" } else { "Countersign" };

/// Why there is no tray icon.
#[derive(Debug, Error)]
pub(crate) enum TrayError {
    #[error("the library that draws tray icons (libayatana-appindicator3) is not installed")]
    NoLibrary,
    #[error("nobody on this desktop shows tray icons")]
    Nobody,
    #[error(transparent)]
    Refused(#[from] tauri::Error),
}

/// Whether anybody on the session bus shows tray icons. Without such a program an icon is made and never seen.
#[cfg(target_os = "linux")]
fn has_a_place() -> bool {
    use gtk::gio::{BusType, Cancellable, DBusCallFlags, bus_get_sync};
    use gtk::glib::ToVariant as _;

    /// Milliseconds; the bus itself answers, so this is long.
    const LIMIT: i32 = 2_000;
    let Ok(bus) = bus_get_sync(BusType::Session, None::<&Cancellable>) else { return false };
    let answer = bus.call_sync(
        Some("org.freedesktop.DBus"),
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "NameHasOwner",
        Some(&("org.kde.StatusNotifierWatcher",).to_variant()),
        None,
        DBusCallFlags::NONE,
        LIMIT,
        None::<&Cancellable>,
    );
    answer.is_ok_and(|answer| answer.get::<(bool,)>() == Some((true,)))
}

/// Elsewhere the tray is a part of the desktop.
#[cfg(not(target_os = "linux"))]
fn has_a_place() -> bool {
    true
}

/// Shows the icon. Must be called on the main thread.
pub(crate) fn show(app: &AppHandle, mode: Mode) -> Result<(), TrayError> {
    if !has_a_place() {
        return Err(TrayError::Nobody);
    }
    // The library is loaded when the first icon is made, and its absence is a panic there.
    catch_unwind(AssertUnwindSafe(|| build(app, mode))).map_err(|_| TrayError::NoLibrary)?
}

fn build(app: &AppHandle, mode: Mode) -> Result<(), TrayError> {
    let open = MenuItemBuilder::with_id(OPEN, "Open Countersign").build(app)?;
    let stop = MenuItemBuilder::with_id(STOP, "Stop all agents").build(app)?;
    let quit = MenuItemBuilder::with_id(QUIT, "Quit Countersign…").build(app)?;
    let menu = MenuBuilder::new(app).items(&[&open, &stop, &quit]).build()?;
    let mut icon = TrayIconBuilder::with_id("countersign")
        .tooltip(TOOLTIP)
        .menu(&menu)
        .temp_dir_path(app.state::<Environment>().webview_data().join("tray"))
        .on_menu_event(move |app, event| match (event.id().as_ref(), mode) {
            (OPEN, Mode::Window) => windows::present(app, None),
            (OPEN, Mode::Tray) => ask(app, ShowWindow { quit: false }),
            (STOP, mode) => stop_agents(app, mode),
            (QUIT, _) => ask(app, ShowWindow { quit: true }),
            _ => {}
        });
    if let Some(image) = app.default_window_icon() {
        icon = icon.icon(image.clone());
    }
    icon.build(app)?;
    Ok(())
}

/// Asks the host for a window. A host that is gone is noticed by whoever follows its events.
fn ask(app: &AppHandle, wanted: ShowWindow) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let _ = app.state::<Host>().ask::<serde_json::Value>(SHOW, &wanted).await;
    });
}

/// Stops every agent at once, without asking back; the window is shown so that the person sees that it is so.
fn stop_agents(app: &AppHandle, mode: Mode) {
    let stopping = app.clone();
    tauri::async_runtime::spawn(async move {
        let _ = stopping.state::<Host>().ask::<serde_json::Value>(STOP_AGENTS, &Nothing {}).await;
    });
    match mode {
        Mode::Window => windows::present(app, None),
        Mode::Tray => ask(app, ShowWindow { quit: false }),
    }
}
