//! The environment, read once. The host composes it by an allow-list; nothing here adds to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What the host and the login session tell this process.
#[derive(Debug)]
pub(crate) struct Environment {
    data_home: Option<PathBuf>,
    log: Option<String>,
    unwanted: Option<&'static str>,
    webview_data: PathBuf,
}

/// Each of these lets another program drive the webview. Only a sandbox build is given them; the host strips them
/// for any other, and since an environment cannot be changed safely once it is there, finding one is a refusal.
const DRIVERS: [&str; 3] =
    ["TAURI_WEBVIEW_AUTOMATION", "WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"];

impl Environment {
    pub(crate) fn read() -> Self {
        let path = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let own_folder = || {
            let runtime = path("XDG_RUNTIME_DIR").unwrap_or_else(std::env::temp_dir);
            runtime.join(format!("countersign-webview-{}", std::process::id()))
        };
        let in_home = || path("HOME").map(|home| home.join(".local/share"));
        Self {
            data_home: path("XDG_DATA_HOME").or_else(in_home),
            log: variable("COUNTERSIGN_LOG").and_then(|text| text.into_string().ok()),
            unwanted: DRIVERS.into_iter().find(|name| variable(name).is_some()),
            webview_data: path("COUNTERSIGN_WEBVIEW_DATA").unwrap_or_else(own_folder),
        }
    }

    /// Writes the log to standard error, at the level that `COUNTERSIGN_LOG` asks for.
    pub(crate) fn start_log(&self) {
        let filter = self.log.as_ref().and_then(|text| text.parse::<Targets>().ok());
        let filter = filter.unwrap_or_else(|| {
            Targets::new().with_default(LevelFilter::WARN).with_target("desktop", LevelFilter::INFO)
        });
        // Our own words only, whatever is asked for: what libraries print at low levels is not ours to vouch for.
        let ours = filter_fn(|meta| {
            matches!(meta.target().split("::").next(), Some("desktop" | "ipc" | "contract"))
        });
        let shown = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_filter(ours)
            .with_filter(filter);
        // Only a second call in one process could fail, and there is none.
        let _ = tracing_subscriber::registry().with(shown).try_init();
    }

    /// The name of a variable that would let another program drive the window of a build that people use.
    pub(crate) fn unwanted(&self) -> Option<&'static str> {
        self.unwanted.filter(|_| !cfg!(feature = "sandbox"))
    }

    /// Where the webview keeps its files: the host names the folder, and wipes it after this process.
    pub(crate) fn webview_data(&self) -> &Path {
        &self.webview_data
    }

    /// The host's data folder, given the one it was told to use.
    pub(crate) fn data_folder(&self, told: Option<&str>) -> Option<PathBuf> {
        told.map(|told| Path::new(told).to_owned())
            .or_else(|| self.data_home.as_ref().map(|home| home.join("countersign")))
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where this process reads its environment")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
