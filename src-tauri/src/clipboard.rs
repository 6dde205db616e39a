//! The clipboard, held by this process: the webview has no access to it and never sees what is put there.

use std::sync::{Arc, Mutex};

use contract::channel::Link;
use tracing::warn;

/// Holds what was copied for as long as the process lives: under X11 the owner of a selection answers for it.
#[derive(Clone, Default)]
pub(crate) struct Clipboard {
    held: Arc<Mutex<Option<arboard::Clipboard>>>,
}

/// The clipboard could not be reached.
#[derive(Debug)]
pub(crate) struct Unreachable;

impl Clipboard {
    /// Puts a link on the clipboard, and asks clipboard managers not to keep it.
    pub(crate) async fn hold(&self, link: Link) -> Result<(), Unreachable> {
        let held = Arc::clone(&self.held);
        tauri::async_runtime::spawn_blocking(move || {
            let mut held = held.lock().map_err(|_| Unreachable)?;
            put(&mut held, link).map_err(|error| {
                warn!(%error, "nothing could be put on the clipboard");
                Unreachable
            })
        })
        .await
        .map_err(|_| Unreachable)?
    }

    /// Lets go at the end, so that a clipboard manager can take what is held.
    pub(crate) fn hand_over(&self) {
        if let Ok(mut held) = self.held.lock() {
            *held = None;
        }
    }
}

fn put(held: &mut Option<arboard::Clipboard>, link: Link) -> Result<(), arboard::Error> {
    let clipboard = match held {
        Some(clipboard) => clipboard,
        None => held.insert(arboard::Clipboard::new()?),
    };
    let set = clipboard.set();
    #[cfg(target_os = "linux")]
    let set = arboard::SetExtLinux::exclude_from_history(set);
    set.text(link.url)
}
