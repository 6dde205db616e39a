//! What WebKitGTK leaves to the app: zoom by keys, and a page whose process has ended.
//!
//! Tauri's own zoom keys are a script that calls Tauri from the page, which our capability file refuses.

use std::cell::Cell;

use gtk::gdk::keys::Key;
use gtk::gdk::keys::constants as key;
use gtk::gdk::{EventKey, ModifierType};
use gtk::glib::Propagation;
use gtk::prelude::WidgetExt as _;
use tauri::{Manager as _, WebviewWindow};
use tracing::{error, warn};
use webkit2gtk::WebViewExt as _;

use crate::Ending;

/// One step of zoom; seven of them double the size.
const STEP: f64 = 1.1;
const SMALLEST: i32 = -7;
const LARGEST: i32 = 14;

/// How often a page is loaded again before the process gives up; the host then starts a fresh one.
const REVIVALS: u32 = 3;

/// Control with plus, minus and zero changes the size of everything in the window.
pub(crate) fn zoom_by_keys(window: &WebviewWindow) -> tauri::Result<()> {
    let steps = Cell::new(0);
    let zoomed = window.clone();
    window.gtk_window()?.connect_key_press_event(move |_, event| {
        let Some(next) = zoom_after(steps.get(), event) else { return Propagation::Proceed };
        steps.set(next);
        if let Err(error) = zoomed.set_zoom(STEP.powi(next)) {
            warn!(%error, "the size could not be changed");
        }
        Propagation::Stop
    });
    Ok(())
}

fn zoom_after(steps: i32, event: &EventKey) -> Option<i32> {
    let held = event.state() & (ModifierType::CONTROL_MASK | ModifierType::MOD1_MASK);
    if held == ModifierType::CONTROL_MASK { zoom_by(steps, event.keyval()) } else { None }
}

fn zoom_by(steps: i32, pressed: Key) -> Option<i32> {
    let is_one_of = |keys: &[Key]| keys.contains(&pressed);
    if is_one_of(&[key::plus, key::equal, key::KP_Add]) {
        Some((steps + 1).min(LARGEST))
    } else if is_one_of(&[key::minus, key::KP_Subtract]) {
        Some((steps - 1).max(SMALLEST))
    } else if is_one_of(&[key::_0, key::KP_0]) {
        Some(0)
    } else {
        None
    }
}

/// Loads the page again when its process has ended: it reads all it shows from the host, so nothing is lost.
pub(crate) fn revive(window: &WebviewWindow) -> tauri::Result<()> {
    let app = window.app_handle().clone();
    window.with_webview(move |webview| {
        let revived = Cell::new(0);
        webview.inner().connect_web_process_terminated(move |view, reason| {
            revived.set(revived.get() + 1);
            if revived.get() > REVIVALS {
                error!(?reason, "the page's process keeps ending");
                app.exit(Ending::Failed as i32);
            } else {
                warn!(?reason, "the page's process ended; the page is loaded again");
                view.reload();
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_minus_and_zero_zoom_within_limits() {
        for (steps, pressed, expected) in [
            (0, key::plus, Some(1)),
            (0, key::equal, Some(1)),
            (LARGEST, key::KP_Add, Some(LARGEST)),
            (0, key::minus, Some(-1)),
            (SMALLEST, key::KP_Subtract, Some(SMALLEST)),
            (5, key::_0, Some(0)),
            (5, key::a, None),
        ] {
            assert_eq!(zoom_by(steps, pressed), expected, "{steps} {pressed:?}");
        }
    }
}
