//! A desktop and a login manager of our own, on a bus of our own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::ObjectPath;

use super::*;

const OWN: &str = "/org/freedesktop/login1/session/_32";
const OTHER: &str = "/org/freedesktop/login1/session/_33";

/// A bus that starts nothing by itself.
struct Bus {
    _folder: TempDir,
    daemon: Child,
    address: String,
}

impl Bus {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        let listen = folder.path().display();
        let text = format!(
            "<busconfig><type>session</type><listen>unix:dir={listen}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\"/><allow receive_sender=\"*\"/>\
             <allow own=\"*\"/></policy></busconfig>"
        );
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed (package dbus)");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { _folder: folder, daemon, address: address.trim().to_owned() }
    }

    async fn connect(&self) -> Connection {
        connect(&self.address).await.unwrap()
    }

    fn buses(&self) -> Buses {
        Buses { session: Some(self.address.clone()), system: self.address.clone() }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

struct Monitor(u64);

#[zbus::interface(name = "org.gnome.Mutter.IdleMonitor")]
impl Monitor {
    fn get_idletime(&self) -> u64 {
        self.0
    }
}

struct Manager;

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn get_session(&self, _id: &str) -> ObjectPath<'static> {
        ObjectPath::from_static_str_unchecked(OWN)
    }

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;
}

struct Login {
    idle: bool,
    since: u64,
}

#[zbus::interface(name = "org.freedesktop.login1.Session")]
impl Login {
    #[zbus(property)]
    fn idle_hint(&self) -> bool {
        self.idle
    }

    #[zbus(property)]
    fn idle_since_hint_monotonic(&self) -> u64 {
        self.since
    }
}

/// The login manager, with a session that is idle since some time.
async fn login_manager(bus: &Bus, idle: bool, since: u64) -> Connection {
    let connection = bus.connect().await;
    connection.object_server().at("/org/freedesktop/login1", Manager).await.unwrap();
    connection.object_server().at(OWN, Login { idle, since }).await.unwrap();
    connection.request_name(LOGIN).await.unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desktop_tells_how_long_nobody_was_there_and_else_the_login_manager() {
    let bus = Bus::start();
    assert_eq!(idle_time(&bus.buses()).await, None, "nobody tells");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let minute_ago = (u64::try_from(now.tv_sec).unwrap() - 60) * 1_000_000;
    let login = login_manager(&bus, false, minute_ago).await;
    assert_eq!(idle_time(&bus.buses()).await, None, "not idle may mean that nobody says so");
    login.object_server().remove::<Login, _>(OWN).await.unwrap();
    login.object_server().at(OWN, Login { idle: true, since: minute_ago }).await.unwrap();
    let idle = idle_time(&bus.buses()).await.unwrap();
    assert!((60..70).contains(&idle.as_secs()), "{idle:?}");
    let desktop = bus.connect().await;
    desktop.object_server().at("/org/gnome/Mutter/IdleMonitor/Core", Monitor(1500)).await.unwrap();
    desktop.request_name("org.gnome.Mutter.IdleMonitor").await.unwrap();
    assert_eq!(idle_time(&bus.buses()).await, Some(Duration::from_millis(1500)));
    let nowhere = Buses { session: Some("unix:path=/nowhere".into()), system: "unix:path=/nowhere".into() };
    assert_eq!(idle_time(&nowhere).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_and_sleep_are_heard_and_what_ends_them_or_concerns_others_is_not() {
    let bus = Bus::start();
    let login = login_manager(&bus, false, 0).await;
    let mut system = Signals::listen(&bus.address, Source::System).await.unwrap();
    let mut session = Signals::listen(&bus.address, Source::Session).await.unwrap();
    let desktop = bus.connect().await;
    let screen = async |interface: &str, on: bool| {
        desktop
            .emit_signal(None::<&str>, "/org/gnome/ScreenSaver", interface, "ActiveChanged", &on)
            .await
            .unwrap();
    };
    let manager = async |asleep: bool| {
        let path = "/org/freedesktop/login1";
        login.emit_signal(None::<&str>, path, MANAGER, "PrepareForSleep", &asleep).await.unwrap();
    };
    let lock = async |path: &str, member: &str| {
        login.emit_signal(None::<&str>, path, SESSION, member, &()).await.unwrap();
    };
    for interface in ["org.gnome.ScreenSaver", "org.freedesktop.ScreenSaver"] {
        screen(interface, false).await;
        screen("org.example.ScreenSaver", true).await;
        assert!(is_quiet(&mut session).await, "{interface}");
        screen(interface, true).await;
        assert_eq!(session.next_lock().await, Some(()), "{interface}");
    }
    manager(false).await;
    lock(OTHER, "Lock").await;
    lock(OWN, "Unlock").await;
    assert!(is_quiet(&mut system).await);
    manager(true).await;
    assert_eq!(system.next_lock().await, Some(()));
    lock(OWN, "Lock").await;
    assert_eq!(system.next_lock().await, Some(()));
    // Somebody who is not the login manager cannot speak for it.
    desktop
        .emit_signal(None::<&str>, "/org/freedesktop/login1", MANAGER, "PrepareForSleep", &true)
        .await
        .unwrap();
    assert!(is_quiet(&mut system).await);
    drop(bus);
    assert_eq!((system.next_lock().await, session.next_lock().await), (None, None), "the bus is gone");
}

/// Nothing that has been sent so far says that the vault is to be locked.
async fn is_quiet(signals: &mut Signals) -> bool {
    // What was sent before a call is delivered before its answer.
    let quiet = tokio::time::timeout(Duration::from_millis(200), signals.next_lock());
    quiet.await.is_err()
}
