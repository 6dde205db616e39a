//! The log: our own words only, at any level, in a private file that cannot grow without end.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::environment::Environment;

/// A log that has reached this is put aside at the next start; one older is kept.
const TURN_AT: u64 = 1024 * 1024;

/// Whose words may stand in the log. HTTP and TLS libraries print headers and frames at low levels: they stay out
/// whatever `COUNTERSIGN_LOG` asks for.
const OURS: [&str; 11] = [
    "app",
    "broker",
    "contract",
    "countersignd",
    "domain",
    "host",
    "ipc",
    "keychain",
    "net",
    "store",
    "vault",
];

/// Starts the log: standard error, and `countersignd.log` in a data folder that is fit to keep it.
pub(crate) fn start(environment: &Environment, keep: bool) {
    let wanted = || {
        environment
            .log()
            .and_then(|text| text.parse::<Targets>().ok())
            .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
    };
    let ours = || filter_fn(|meta| OURS.contains(&meta.target().split("::").next().unwrap_or_default()));
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(ours())
        .with_filter(wanted());
    let kept = Some(environment.data_folder()).filter(|_| keep).and_then(open).map(|file| {
        tracing_subscriber::fmt::layer()
            .with_writer(Mutex::new(file))
            .with_ansi(false)
            .with_filter(ours())
            .with_filter(wanted())
    });
    // Only a second call in one process could fail, and there is none.
    let _ = tracing_subscriber::registry().with(shown).with(kept).try_init();
    // Whoever searches a log for what must not be in it can see here that it left nothing out.
    tracing::trace!("everything of ours is logged");
}

fn open(data_folder: &Path) -> Option<File> {
    let path = data_folder.join("countersignd.log");
    if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.len() > TURN_AT) {
        std::fs::rename(&path, data_folder.join("countersignd.log.old")).ok()?;
    }
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(nofollow).open(path).ok()
}
