//! The environment, read once. What the host does not name here has no effect on it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use domain::provider::AddressRule;

/// What the launcher, the login session and, in a sandbox build, the tests tell the host.
#[derive(Debug)]
pub(crate) struct Environment {
    data_folder: PathBuf,
    home_is_set: bool,
    runtime_folder: PathBuf,
    session: Vec<(OsString, OsString)>,
    activation_token: Option<String>,
    log: Option<String>,
    sandbox: SandboxSwitches,
}

/// Switches that exist in a sandbox build only.
#[derive(Debug, Default)]
pub(crate) struct SandboxSwitches {
    pub(crate) catalogue: Option<PathBuf>,
    pub(crate) opener: Option<PathBuf>,
    pub(crate) extra_ca: Option<PathBuf>,
    pub(crate) clock: Option<String>,
    /// Handed on to the window process as they are.
    pub(crate) handed_on: Vec<(OsString, OsString)>,
}

/// What a window or a browser needs of the login session: display, bus, language, input, scaling, renderer.
/// Nothing that makes a program load code, trust roots, use a proxy or open a debugger.
const SESSION: [&str; 35] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "DESKTOP_SESSION",
    "DISPLAY",
    "GDK_BACKEND",
    "GDK_DPI_SCALE",
    "GDK_SCALE",
    "GTK_IM_MODULE",
    "GTK_THEME",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NUMERIC",
    "LC_TIME",
    "LOGNAME",
    "PATH",
    "QT_IM_MODULE",
    "TZ",
    "USER",
    "WAYLAND_DISPLAY",
    "WEBKIT_DISABLE_COMPOSITING_MODE",
    "WEBKIT_DISABLE_DMABUF_RENDERER",
    "XAUTHORITY",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CURRENT_DESKTOP",
    "XDG_DATA_DIRS",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
    "XMODIFIERS",
];

impl Environment {
    pub(crate) fn read() -> Self {
        let folder = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        // Made absolute, never passed over: whoever names a folder must not get another one.
        let home = variable("COUNTERSIGN_HOME").and_then(|home| std::path::absolute(home).ok());
        let home_is_set = home.is_some();
        let data_folder = home.unwrap_or_else(|| ipc::address::platform_data_folder(variable));
        let runtime_folder = folder("XDG_RUNTIME_DIR").unwrap_or_else(|| data_folder.join("run"));
        let session =
            SESSION.iter().filter_map(|name| Some((OsString::from(name), variable(name)?))).collect();
        let text = |name| variable(name).and_then(|value| value.into_string().ok());
        Self {
            data_folder,
            home_is_set,
            runtime_folder,
            session,
            activation_token: text("XDG_ACTIVATION_TOKEN").or_else(|| text("DESKTOP_STARTUP_ID")),
            log: text("COUNTERSIGN_LOG"),
            sandbox: SandboxSwitches::read(),
        }
    }

    pub(crate) fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    /// The data folder where it was set on purpose: the window shows it.
    pub(crate) fn shown_home(&self) -> Option<String> {
        self.home_is_set.then(|| self.data_folder.display().to_string())
    }

    pub(crate) fn runtime_folder(&self) -> &Path {
        &self.runtime_folder
    }

    pub(crate) fn session(&self) -> &[(OsString, OsString)] {
        &self.session
    }

    /// One variable of the session.
    pub(crate) fn session_variable(&self, name: &str) -> Option<&OsStr> {
        self.session.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_os_str())
    }

    /// The session's bus, if there is one.
    pub(crate) fn session_bus(&self) -> Option<String> {
        self.session_variable("DBUS_SESSION_BUS_ADDRESS").and_then(OsStr::to_str).map(str::to_owned)
    }

    pub(crate) fn activation_token(&self) -> Option<String> {
        self.activation_token.clone()
    }

    pub(crate) fn log(&self) -> Option<&str> {
        self.log.as_deref()
    }

    pub(crate) fn sandbox(&self) -> &SandboxSwitches {
        &self.sandbox
    }

    pub(crate) fn addresses(&self) -> AddressRule {
        if crate::SANDBOX { AddressRule::DangerLoopback } else { AddressRule::Public }
    }

    /// What the window process needs to run this host again, with the same data.
    pub(crate) fn own_switches(&self) -> Vec<(OsString, OsString)> {
        let home =
            self.home_is_set.then(|| ("COUNTERSIGN_HOME".into(), self.data_folder.clone().into_os_string()));
        let log = self.log.as_ref().map(|log| ("COUNTERSIGN_LOG".into(), log.into()));
        home.into_iter().chain(log).chain(self.sandbox.handed_on.iter().cloned()).collect()
    }
}

impl SandboxSwitches {
    #[cfg(not(feature = "sandbox"))]
    fn read() -> Self {
        Self::default()
    }

    #[cfg(feature = "sandbox")]
    fn read() -> Self {
        const HANDED_ON: [&str; 6] = [
            "COUNTERSIGN_CATALOGUE",
            "COUNTERSIGN_OPENER",
            "COUNTERSIGN_CA",
            "COUNTERSIGN_CLOCK",
            "TAURI_WEBVIEW_AUTOMATION",
            "WEBKIT_INSPECTOR_SERVER",
        ];
        let path = |name| variable(name).map(PathBuf::from);
        Self {
            catalogue: path("COUNTERSIGN_CATALOGUE"),
            opener: path("COUNTERSIGN_OPENER"),
            extra_ca: path("COUNTERSIGN_CA"),
            clock: variable("COUNTERSIGN_CLOCK").and_then(|value| value.into_string().ok()),
            handed_on: HANDED_ON
                .iter()
                .filter_map(|name| Some((OsString::from(name), variable(name)?)))
                .collect(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the host reads its environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
pub(crate) mod tests;
