//! A session bus and a keyring daemon in a folder of their own. Missing programs fail the test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use super::*;

const PASSWORD: &str = "correct horse";

/// Ends with the test, and ends what it started.
pub(super) struct Session {
    folder: TempDir,
    bus: Child,
    pub(super) address: String,
    keyring: Option<Child>,
}

impl Session {
    /// A bus that starts nothing by itself.
    pub(super) fn without_keyring() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        let listen = folder.path().display();
        let text = format!(
            "<busconfig><type>session</type><listen>unix:dir={listen}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>"
        );
        std::fs::write(&config, text).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed (package dbus)");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { folder, bus, address: address.trim().to_owned(), keyring: None }
    }

    /// A bus with an unlocked keyring.
    pub(super) async fn new() -> Self {
        let mut session = Self::without_keyring();
        session.start_keyring(Some(PASSWORD)).await;
        session.until(None).await;
        session
    }

    /// Starts the daemon; with a password it has a login keyring, without one only what memory holds.
    pub(super) async fn start_keyring(&mut self, password: Option<&str>) {
        self.start_keyring_over("data", password).await;
    }

    /// Starts a daemon over other data: somebody else's keyring under the same name on the bus.
    pub(super) async fn start_keyring_over(&mut self, data: &str, password: Option<&str>) {
        let folder = self.folder.path();
        let mut command = Command::new("gnome-keyring-daemon");
        command
            .args(["--foreground", "--components=secrets", "--control-directory"])
            .arg(folder.join("control"));
        command.args(password.map(|_| "--unlock"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.env("HOME", folder).env("XDG_RUNTIME_DIR", folder).env("XDG_DATA_HOME", folder.join(data));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = command.spawn().expect("gnome-keyring-daemon is installed (package gnome-keyring)");
        keyring.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        self.keyring = Some(keyring);
        let bus = self.connect().await;
        let names = zbus::fdo::DBusProxy::new(&bus).await.unwrap();
        for _ in 0..200 {
            if names.name_has_owner("org.freedesktop.secrets".try_into().unwrap()).await.unwrap() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the keyring daemon does not come up");
    }

    /// Waits for a state.
    pub(super) async fn until(&self, state: Option<KeychainError>) {
        let keychain = self.keychain();
        for _ in 0..200 {
            if keychain.status().await.err() == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the keychain never was {state:?}, it is {:?}", keychain.status().await);
    }

    pub(super) fn keychain(&self) -> SecretService {
        keychain(&self.address, PATIENT)
    }

    pub(super) fn hasty_keychain(&self) -> SecretService {
        keychain(&self.address, HASTY)
    }

    pub(super) async fn connect(&self) -> zbus::Connection {
        zbus::connection::Builder::address(self.address.as_str()).unwrap().build().await.unwrap()
    }

    pub(super) fn signal_keyring(&self, signal: Signal) {
        kill_process(Pid::from_child(self.keyring.as_ref().unwrap()), signal).unwrap();
    }

    pub(super) fn signal_bus(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.bus), signal).unwrap();
    }

    /// Ends the daemon as a crash would.
    pub(super) fn kill_keyring(&mut self) {
        let mut keyring = self.keyring.take().unwrap();
        keyring.kill().unwrap();
        keyring.wait().unwrap();
    }

    /// Locks the default collection behind our back.
    pub(super) async fn lock(&self) {
        self.ask_to_lock().await;
        self.until(Some(KeychainError::Locked)).await;
    }

    /// Asks for it, and does not look whether it is done.
    pub(super) async fn ask_to_lock(&self) {
        let bus = self.connect().await;
        let paths = vec![default_collection(&bus).await];
        call(&bus, "org.freedesktop.Secret.Service", "Lock", &(paths,)).await;
    }

    /// Unlocks it as a login does, without a prompt.
    pub(super) async fn unlock_as_login_does(&self) {
        let bus = self.connect().await;
        let reply =
            call(&bus, "org.freedesktop.Secret.Service", "OpenSession", &("plain", Value::from(""))).await;
        let (_, session): (OwnedValue, OwnedObjectPath) = reply.body().deserialize().unwrap();
        let secret = (session, Vec::<u8>::new(), PASSWORD.as_bytes().to_vec(), "text/plain");
        let interface = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
        call(&bus, interface, "UnlockWithMasterPassword", &(default_collection(&bus).await, secret)).await;
        self.until(None).await;
    }

    /// Stands where the desktop's prompt would be, says nothing, and counts how often it was asked to appear.
    pub(super) async fn watch_prompts(&self) -> (zbus::Connection, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let bus = self.connect().await;
        bus.object_server().at("/org/gnome/keyring/Prompter", Prompter(Arc::clone(&asked))).await.unwrap();
        bus.request_name("org.gnome.keyring.SystemPrompter").await.unwrap();
        (bus, asked)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.bus]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(super) async fn call<B: serde::Serialize + zbus::zvariant::DynamicType>(
    bus: &zbus::Connection,
    interface: &str,
    method: &str,
    body: &B,
) -> zbus::Message {
    let service = Some("org.freedesktop.secrets");
    bus.call_method(service, "/org/freedesktop/secrets", Some(interface), method, body).await.unwrap()
}

pub(super) async fn default_collection(bus: &zbus::Connection) -> OwnedObjectPath {
    call(bus, "org.freedesktop.Secret.Service", "ReadAlias", &"default").await.body().deserialize().unwrap()
}

struct Prompter(Arc<AtomicUsize>);

#[zbus::interface(name = "org.gnome.keyring.internal.Prompter")]
impl Prompter {
    fn begin_prompting(&self, _callback: ObjectPath<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn stop_prompting(&self, _callback: ObjectPath<'_>) {}
}
