//! The tray, on a desktop that has one: the window's program puts its icon there, and what is chosen in its menu opens
//! the window and asks whether to quit.
//!
//! The desktop's part is played here: a StatusNotifierWatcher on the session's bus, and a reader of the menu.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use support::driver::PATIENCE;
use support::process::wait_until;
use support::session::Session;
use support::world::World;
use zbus::zvariant::{OwnedValue, Value};

/// Where icons are announced; whoever has this name is the desktop's tray.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Notes who has put an icon there: the sender's own name, and the path that it said.
#[derive(Clone, Default)]
struct Watcher {
    icons: Arc<Mutex<Vec<(String, String)>>>,
}

#[expect(clippy::needless_pass_by_value, reason = "zbus hands the header over")]
#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(
        &self,
        service: &str,
        #[zbus(header)] header: zbus::message::Header<'_>,
    ) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        self.icons.lock().unwrap().push((sender, service.to_owned()));
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.icons.lock().unwrap().iter().map(|(sender, path)| format!("{sender}{path}")).collect()
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

/// The desktop's tray: its place on the bus, and what is in it.
struct Tray {
    bus: zbus::Connection,
    icons: Arc<Mutex<Vec<(String, String)>>>,
}

/// An entry of a menu as the bus tells it: id, properties, entries below.
type Entry = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Tray {
    async fn start(session: &Session) -> Self {
        let address =
            session.environment().into_iter().find(|(name, _)| name == "DBUS_SESSION_BUS_ADDRESS").unwrap().1;
        let watcher = Watcher::default();
        let icons = Arc::clone(&watcher.icons);
        let bus = zbus::connection::Builder::address(address.as_str())
            .unwrap()
            .serve_at("/StatusNotifierWatcher", watcher)
            .unwrap()
            .name(WATCHER)
            .unwrap()
            .build()
            .await
            .unwrap();
        Self { bus, icons }
    }

    /// The icon that came last, once there are so many.
    fn icon(&self, count: usize) -> (String, String) {
        wait_until("an icon in the tray", PATIENCE, || self.icons.lock().unwrap().len() >= count);
        self.icons.lock().unwrap().last().unwrap().clone()
    }

    async fn menu(&self, icon: &(String, String)) -> zbus::Proxy<'static> {
        let item = zbus::Proxy::new(&self.bus, icon.0.clone(), icon.1.clone(), "org.kde.StatusNotifierItem")
            .await
            .unwrap();
        let menu: zbus::zvariant::OwnedObjectPath = item.get_property("Menu").await.unwrap();
        zbus::Proxy::new_owned(self.bus.clone(), icon.0.clone(), menu, "com.canonical.dbusmenu".to_owned())
            .await
            .unwrap()
    }

    /// The menu's entries: id and words.
    async fn entries(&self, icon: &(String, String)) -> Vec<(i32, String)> {
        let menu = self.menu(icon).await;
        let begin = Instant::now();
        loop {
            let layout: (u32, Entry) =
                menu.call("GetLayout", &(0_i32, -1_i32, Vec::<&str>::new())).await.unwrap();
            let entries: Vec<(i32, String)> = layout.1.2.into_iter().filter_map(entry).collect();
            if !entries.is_empty() {
                return entries;
            }
            assert!(begin.elapsed() < PATIENCE, "the menu is empty");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Chooses the entry with these words, as a click on it does.
    async fn choose(&self, icon: &(String, String), words: &str) {
        let entries = self.entries(icon).await;
        let (id, _) = entries
            .iter()
            .find(|(_, label)| label == words)
            .unwrap_or_else(|| panic!("{words}: {entries:?}"));
        let menu = self.menu(icon).await;
        let _: () = menu.call("Event", &(*id, "clicked", Value::from(0_i32), 0_u32)).await.unwrap();
    }
}

/// An entry's id and words; a line between entries has none.
fn entry(value: OwnedValue) -> Option<(i32, String)> {
    let (id, properties, _): Entry = value.try_into().ok()?;
    let label: String = properties.get("label")?.try_clone().ok()?.try_into().ok()?;
    // An underscore marks the letter that a keyboard chooses.
    Some((id, label.replace('_', "")))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trays_menu_opens_the_window_and_asks_before_it_quits() {
    let session = Session::start();
    let tray = Tray::start(&session).await;
    let mut world = World::with(session, &[], |_| {});
    let window = world.window().await;
    let icon = tray.icon(1);
    assert!(!window.has("no-tray").await, "this desktop has a tray");
    let entries: Vec<String> = tray.entries(&icon).await.into_iter().map(|(_, words)| words).collect();
    assert_eq!(entries, ["Open Countersign", "Stop all agents", "Quit Countersign…"]);

    // Beside a window: the question is asked there, and can be answered with no.
    let host = world.host().running.pid();
    tray.choose(&icon, "Quit Countersign…").await;
    window.says("quit-dialog", "Quit").await;
    window.click("quit-keep").await;
    window.gone("quit-dialog").await;
    assert!(support::process::command_line(host).contains("countersignd"), "nothing was stopped");

    // Without one: closing leaves the tray alone, and opening brings a fresh window.
    let before = world.host().window().unwrap();
    drop(window);
    world.session.close_window("Countersign");
    wait_until("the tray alone", PATIENCE, || {
        world.host().tray().is_some() && world.host().window().is_none()
    });
    let icon = tray.icon(2);
    assert_ne!(icon.0, "", "it says who it is");
    tray.choose(&icon, "Open Countersign").await;
    wait_until("a fresh window", PATIENCE, || world.host().window().is_some_and(|pid| pid != before));
    let window = world.window().await;
    window.find("empty").await;
    assert!(!window.has("quit-dialog").await, "opening asks nothing");

    // From the tray alone to the end: a window comes that asks, and only its answer ends everything.
    drop(window);
    world.session.close_window("Countersign");
    wait_until("the tray alone", PATIENCE, || {
        world.host().tray().is_some() && world.host().window().is_none()
    });
    let icon = tray.icon(4);
    tray.choose(&icon, "Quit Countersign…").await;
    wait_until("a window", PATIENCE, || world.host().window().is_some());
    let window = world.window().await;
    window.find("quit-dialog").await;
    assert!(!world.host.as_mut().unwrap().running.has_ended(), "it waits for the answer");
    drop(tokio::time::timeout(Duration::from_secs(5), window.click("quit-confirm")).await);
    let mut ended = world.host.take().unwrap();
    wait_until("the end", PATIENCE, || ended.running.has_ended());
    assert!(!world.session.data().join("webview").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tray_that_starts_anew_gets_the_icon_again() {
    let session = Session::start();
    let tray = Tray::start(&session).await;
    let world = World::with(session, &[], |_| {});
    let window = world.window().await;
    let before = tray.icon(1);
    drop(tray);
    let tray = Tray::start(&world.session).await;
    assert_eq!(tray.icon(1), before);
    assert_eq!(tray.entries(&before).await.len(), 3);
    drop(window);
}
