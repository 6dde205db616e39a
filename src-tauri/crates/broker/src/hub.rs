//! What the host and its window process tell each other besides requests.

use contract::channel::HostEvent;
use contract::ui::Event;
use tokio::sync::{broadcast, mpsc};

/// What a window process tells the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowSignal {
    /// An agent asks: bring up the approval window.
    Approval,
    /// The person closed the window; the process is about to end.
    Closed,
    /// It is there and it fits.
    Hello,
    /// It is of another build: the package was changed while this host ran.
    OtherBuild,
    /// Stop the host too.
    Quit,
    /// Bring up the window.
    Show {
        /// And ask about quitting.
        quit: bool,
        /// What the desktop gave the asker so that a window may come to the front.
        activation_token: Option<String>,
    },
}

/// Both directions.
#[derive(Clone, Debug)]
pub struct Hub {
    events: broadcast::Sender<HostEvent>,
    signals: mpsc::Sender<WindowSignal>,
}

impl Hub {
    /// A hub, and where the host hears the windows.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<WindowSignal>) {
        let (signals, heard) = mpsc::channel(64);
        (Self { events: broadcast::channel(256).0, signals }, heard)
    }

    /// Tells every window process.
    pub fn tell(&self, event: HostEvent) {
        // Nobody listening is fine: a window reads everything when it comes up.
        let _ = self.events.send(event);
    }

    /// Tells every webview.
    pub fn tell_ui(&self, event: Event) {
        self.tell(HostEvent::Ui { event });
    }

    /// Has the approval window brought up. A host that has more to hear than it can hold brings it up anyway.
    pub fn prompt(&self) {
        if self.signals.try_send(WindowSignal::Approval).is_err() {
            tracing::debug!("the host is busy or ending; it looks for open questions by itself");
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<HostEvent> {
        self.events.subscribe()
    }

    /// Tells the host, as a window would.
    pub async fn signal(&self, signal: WindowSignal) {
        if self.signals.send(signal).await.is_err() {
            tracing::debug!("the host is ending; a signal was not heard");
        }
    }
}
