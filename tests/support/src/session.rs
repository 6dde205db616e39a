//! A login session of the test's own: a screen, a bus, a keychain, and folders.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Running, wait_until};

/// The password of the test's keychain.
const PASSWORD: &str = "keychain password";

/// A bus for one session.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A session; everything in it ends when it is dropped.
pub struct Session {
    keyring: Option<Running>,
    _dbus: Running,
    screen: Option<Screen>,
    dir: TempDir,
    bus: String,
}

/// A screen and its window manager.
struct Screen {
    _openbox: Running,
    _xvfb: Running,
    display: String,
}

impl Screen {
    fn start(dir: &Path, further: &[&str]) -> Self {
        let (xvfb, display) = Running::start_and_read_line(
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"])
                .args(further)
                .env("HOME", dir.join("home"))
                .env("XDG_CACHE_HOME", dir.join("home/.cache"))
                .stderr(Stdio::null()),
        );
        let display = format!(":{display}");
        let openbox = Running::start(
            Command::new("openbox")
                .env("DISPLAY", &display)
                .env("HOME", dir.join("home"))
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        Self { _openbox: openbox, _xvfb: xvfb, display }
    }
}

impl Session {
    /// Starts a session with an unlocked keychain.
    #[must_use]
    pub fn start() -> Self {
        let mut session = Self::without_keychain();
        session.start_keychain();
        session
    }

    /// Starts a session with an unlocked keychain, whose screen can be read from a file in this folder.
    #[must_use]
    pub fn with_picture_in(folder: &Path) -> Self {
        let mut session = Self::begin(Some(&["-fbdir", folder.to_str().expect("a path")]), Path::new("/tmp"));
        session.start_keychain();
        session
    }

    /// Starts a session with an unlocked keychain and no screen, its files in this folder.
    #[must_use]
    pub fn without_screen_in(folder: &Path) -> Self {
        let mut session = Self::begin(None, folder);
        session.start_keychain();
        session
    }

    /// Starts a session in which nobody is the keychain.
    #[must_use]
    pub fn without_keychain() -> Self {
        Self::begin(Some(&[]), Path::new("/tmp"))
    }

    fn begin(screen: Option<&[&str]>, place: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("cs-").tempdir_in(place).expect("a folder");
        for name in ["home", "run", "data"] {
            let path = dir.path().join(name);
            std::fs::create_dir(&path).expect("a folder");
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).expect("a mode");
        }
        let screen = screen.map(|further| Screen::start(dir.path(), further));
        // No service folders: what is asked for and not there is not there, instead of being started behind our back.
        let config = dir.path().join("bus.conf");
        let socket = dir.path().join("run/bus");
        std::fs::write(&config, BUS.replace("SOCKET", &socket.display().to_string()))
            .expect("a bus configuration");
        let (dbus, bus) = Running::start_and_read_line(
            Command::new("dbus-daemon")
                .args(["--nofork", "--nopidfile", "--print-address=1"])
                .arg(format!("--config-file={}", config.display()))
                .env("XDG_RUNTIME_DIR", dir.path().join("run"))
                .stderr(Stdio::null()),
        );
        Self { keyring: None, _dbus: dbus, screen, dir, bus }
    }

    /// Starts the keychain, unlocked; also after it was stopped.
    pub fn start_keychain(&mut self) {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--unlock", "--foreground", "--components=secrets"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = Running::start(command.envs(self.environment()));
        keyring
            .0
            .stdin
            .take()
            .expect("stdin is piped")
            .write_all(PASSWORD.as_bytes())
            .expect("the password is taken");
        self.keyring = Some(keyring);
        wait_until("the keychain", Duration::from_secs(10), || {
            self.dbus_send(
                "/org/freedesktop/secrets/aliases/default",
                "org.freedesktop.DBus.Properties.GetAll",
                &["string:org.freedesktop.Secret.Collection"],
            )
            .contains("Locked")
        });
    }

    /// Stops the keychain.
    pub fn stop_keychain(&mut self) {
        self.keyring = None;
    }

    /// Freezes the keychain, or lets it go on.
    pub fn freeze_keychain(&self, frozen: bool) {
        self.keyring.as_ref().expect("a keychain").signal(if frozen { "STOP" } else { "CONT" });
    }

    /// Locks the keychain.
    pub fn lock_keychain(&self) {
        let collection = "array:objpath:/org/freedesktop/secrets/collection/login";
        drop(self.dbus_send(
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            &[collection],
        ));
    }

    /// Unlocks it as logging in does: by the daemon's control socket, as its PAM module.
    pub fn unlock_keychain(&self) {
        const UNLOCK: u32 = 1;
        let mut socket =
            UnixStream::connect(self.dir.path().join("run/keyring/control")).expect("a control socket");
        let number = |n: usize| u32::try_from(n).expect("a short password").to_be_bytes();
        socket.write_all(&[0]).expect("credentials");
        let request =
            [&number(12 + PASSWORD.len())[..], &UNLOCK.to_be_bytes(), &number(PASSWORD.len())].concat();
        socket.write_all(&[&request, PASSWORD.as_bytes()].concat()).expect("a request");
        let mut answer = [0; 8];
        socket.read_exact(&mut answer).expect("an answer");
        assert_eq!(answer, [0, 0, 0, 8, 0, 0, 0, 0], "the keychain was not unlocked");
    }

    /// Calls a method of the Secret Service and gives what it printed.
    #[must_use]
    pub fn dbus_send(&self, path: &str, method: &str, args: &[&str]) -> String {
        let output = Command::new("dbus-send")
            .args([
                "--session",
                "--print-reply",
                "--reply-timeout=3000",
                "--dest=org.freedesktop.secrets",
                path,
                method,
            ])
            .args(args)
            .envs(self.environment())
            .output()
            .expect("dbus-send");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Deletes the anchor of one installation.
    pub fn forget_anchor(&self, install: &str) {
        let account = format!("{install}/anchor");
        let mut clear = Command::new("secret-tool");
        clear.args(["clear", "service", "app.countersign.desktop", "username", &account]);
        // Nothing there is fine.
        let _ = clear.envs(self.environment()).status().expect("secret-tool");
    }

    /// How many keys of Countersign the keychain holds. Beside them stands the store's anchor.
    ///
    /// # Panics
    /// `secret-tool` is not there.
    #[must_use]
    pub fn keys_in_keychain(&self) -> usize {
        let mut search = Command::new("secret-tool");
        search.args(["search", "--all", "service", "app.countersign.desktop"]);
        let output = search.envs(self.environment()).output().expect("secret-tool");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        text.lines().filter(|line| line.starts_with("attribute.username") && line.contains("/kek/")).count()
    }

    /// Deletes everything in the keychain, and says how many items there were.
    #[must_use]
    pub fn delete_keychain_items(&self) -> usize {
        let items = self.dbus_send(
            "/org/freedesktop/secrets/collection/login",
            "org.freedesktop.DBus.Properties.Get",
            &["string:org.freedesktop.Secret.Collection", "string:Items"],
        );
        assert!(items.contains("array"), "the keychain does not say what it holds: {items}");
        let paths: Vec<&str> =
            items.split('"').filter(|text| text.starts_with("/org/freedesktop/secrets/")).collect();
        for path in &paths {
            drop(self.dbus_send(path, "org.freedesktop.Secret.Item.Delete", &[]));
        }
        paths.len()
    }

    /// The session's variables, for a program that belongs to it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let display = self.screen.as_ref().map(|screen| ("DISPLAY".into(), screen.display.clone()));
        let others = [
            ("DBUS_SESSION_BUS_ADDRESS".into(), self.bus.clone()),
            ("HOME".into(), path("home")),
            ("XDG_RUNTIME_DIR".into(), path("run")),
            ("XDG_DATA_HOME".into(), path("home/.local/share")),
            // Mesa asks the user database for the home folder, not HOME.
            ("XDG_CACHE_HOME".into(), path("home/.cache")),
            ("LANG".into(), "C.UTF-8".into()),
            ("PATH".into(), std::env::var("PATH").unwrap_or_default()),
        ];
        display.into_iter().chain(others).collect()
    }

    /// The data folder of the host under test.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// All of the session's files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What is on the clipboard.
    #[must_use]
    pub fn clipboard(&self) -> String {
        let output = Command::new("xclip")
            .args(["-selection", "clipboard", "-out"])
            .envs(self.environment())
            .output()
            .expect("xclip");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Asks the window manager to close the top-level window with this title, which is what its close button does.
    pub fn close_window(&self, title: &str) {
        let status =
            Command::new("wmctrl").args(["-c", title]).envs(self.environment()).status().expect("wmctrl");
        assert!(status.success(), "wmctrl -c {title}");
    }
}
