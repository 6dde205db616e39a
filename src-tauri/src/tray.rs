//! The tray icon and its menu, spoken straight to the desktop over the session's bus: neither GTK nor a library that
//! draws icons is needed, so a closed window costs little and no library can be missing.
//!
//! KDE's StatusNotifierItem is what desktops show as an icon, and com.canonical.dbusmenu is how they ask for its menu.

#[cfg(target_os = "linux")]
mod item;
#[cfg(target_os = "linux")]
mod menu;

use contract::channel::ShowWindow;
use thiserror::Error;

const TITLE: &str = if cfg!(feature = "sandbox") { "Countersign — Sandbox" } else { "Countersign" };

/// What the person chooses in the tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Open,
    Quit,
    StopAgents,
}

impl Choice {
    /// In the menu's order.
    #[cfg(target_os = "linux")]
    const ALL: [Self; 3] = [Self::Open, Self::StopAgents, Self::Quit];

    #[cfg(target_os = "linux")]
    fn words(self) -> &'static str {
        match self {
            Self::Open => "Open Countersign",
            Self::Quit => "Quit Countersign…",
            Self::StopAgents => "Stop all agents",
        }
    }

    /// What is shown then: each is answered in a window.
    pub(crate) fn wanted(self) -> ShowWindow {
        ShowWindow { quit: self == Self::Quit }
    }
}

/// Why there is no tray icon.
#[derive(Debug, Error)]
pub(crate) enum TrayError {
    #[error("nobody on this desktop shows tray icons")]
    Nobody,
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Refused(#[from] gtk::glib::Error),
}

/// Shows the icon for as long as the process lives, wherever the desktop's tray comes and goes. Must be called on the
/// thread that runs the main loop, which is where choices are told.
#[cfg(target_os = "linux")]
pub(crate) fn show(chosen: impl Fn(Choice) + Send + Sync + 'static) -> Result<(), TrayError> {
    use std::sync::Arc;

    use gtk::gio::{self, BusNameWatcherFlags, BusType, Cancellable};

    let bus = gio::bus_get_sync(BusType::Session, None::<&Cancellable>).map_err(|_| TrayError::Nobody)?;
    if !item::has_a_place(&bus) {
        return Err(TrayError::Nobody);
    }
    let chosen: Chosen = Arc::new(chosen);
    item::serve(&bus, Arc::clone(&chosen))?;
    menu::serve(&bus, chosen)?;
    // Also when a tray comes back: one that was started anew knows nobody.
    gio::bus_watch_name_on_connection(
        &bus,
        item::WATCHER,
        BusNameWatcherFlags::NONE,
        |bus, _, _| item::register(&bus),
        |_, _| {},
    );
    Ok(())
}

/// No tray of another system has been tried.
#[cfg(not(target_os = "linux"))]
pub(crate) fn show(_chosen: impl Fn(Choice) + Send + Sync + 'static) -> Result<(), TrayError> {
    Err(TrayError::Nobody)
}

/// Is told what was chosen.
#[cfg(target_os = "linux")]
type Chosen = std::sync::Arc<dyn Fn(Choice) + Send + Sync>;

/// Tells what was chosen, once the tray has its answer: a choice may be the end of this process.
#[cfg(target_os = "linux")]
fn tell(bus: &gtk::gio::DBusConnection, chosen: &Chosen, choices: &[Choice]) {
    if !choices.is_empty() {
        // A tray that is gone needs no answer.
        let _ = bus.flush_sync(None::<&gtk::gio::Cancellable>);
    }
    choices.iter().copied().for_each(|choice| chosen(choice));
}

/// The one interface of a description in D-Bus's own language.
#[cfg(target_os = "linux")]
fn interface(xml: &str) -> Result<gtk::gio::DBusInterfaceInfo, TrayError> {
    let node = gtk::gio::DBusNodeInfo::for_xml(xml)?;
    node.interfaces().first().cloned().ok_or(TrayError::Nobody)
}
