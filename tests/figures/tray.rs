//! A desktop that shows tray icons, as far as a program can tell: somebody owns the name and takes registrations.

use support::session::Session;
use zbus::connection::{Builder, Connection};

/// Owns the name until it is dropped.
pub(crate) struct Watcher(#[expect(dead_code, reason = "held, not used")] Connection);

struct Registrations;

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Registrations {
    fn register_status_notifier_item(&self, _service: &str) {}

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

impl Watcher {
    /// Takes its place on the session's bus.
    pub(crate) async fn start(session: &Session) -> Self {
        let environment = session.environment();
        let bus = environment.iter().find(|(name, _)| name == "DBUS_SESSION_BUS_ADDRESS").expect("a bus");
        let building = Builder::address(bus.1.as_str())
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Registrations))
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .expect("a watcher");
        Self(building.build().await.expect("the session's bus"))
    }
}
