//! countersignd as a process, with what a sandbox build takes from the environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Running, children_of, command_line, free_port, programs, wait_until};
use crate::session::Session;

/// How the host under test is started.
pub struct HostSettings {
    /// Provider and agent files.
    pub catalogue: PathBuf,
    /// Takes the authorization address as its argument.
    pub opener: Option<PathBuf>,
    /// `COUNTERSIGN_CLOCK`.
    pub clock: Option<String>,
    /// Where the programs are.
    pub programs: PathBuf,
    /// Further variables.
    pub extra: Vec<(String, String)>,
}

/// A running host.
pub struct Host {
    /// Its process.
    pub running: Running,
    /// Where a WebDriver finds its window.
    pub inspector: u16,
}

impl Host {
    /// Starts it and waits until its window process runs.
    #[must_use]
    pub fn start(session: &Session, settings: &HostSettings) -> Self {
        let inspector = free_port();
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(session.dir().join("stderr.log"))
            .expect("a log");
        let mut command = Command::new(settings.programs.join("countersignd"));
        command
            .env_clear()
            .envs(session.environment())
            .env("COUNTERSIGN_HOME", session.data())
            .env("COUNTERSIGN_LOG", "trace")
            .env("COUNTERSIGN_CATALOGUE", &settings.catalogue)
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WEBKIT_INSPECTOR_SERVER", format!("127.0.0.1:{inspector}"))
            .envs(settings.extra.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(opener) = &settings.opener {
            command.env("COUNTERSIGN_OPENER", opener);
        }
        if let Some(clock) = &settings.clock {
            command.env("COUNTERSIGN_CLOCK", clock);
        }
        let host = Self { running: Running::start(&mut command), inspector };
        wait_until("the window process", Duration::from_secs(20), || host.window().is_some());
        host
    }

    /// Starts a second one beside it, as a second click on the icon does, and gives its exit code.
    #[must_use]
    pub fn start_second(session: &Session) -> Option<i32> {
        let mut command = Command::new(programs().join("countersignd"));
        command
            .env_clear()
            .envs(session.environment())
            .env("COUNTERSIGN_HOME", session.data())
            .stdin(Stdio::null());
        command.stderr(Stdio::null()).status().expect("countersignd").code()
    }

    /// The window process: not the tray.
    #[must_use]
    pub fn window(&self) -> Option<u32> {
        self.desktop_process(|line| !line.contains("--tray"))
    }

    /// The tray process.
    #[must_use]
    pub fn tray(&self) -> Option<u32> {
        self.desktop_process(|line| line.contains("--tray"))
    }

    fn desktop_process(&self, fits: impl Fn(&str) -> bool) -> Option<u32> {
        children_of(self.running.pid()).into_iter().find(|pid| {
            let line = command_line(*pid);
            line.contains("countersign-desktop") && fits(&line)
        })
    }
}

/// Writes a program that appends its one argument to a file, and gives its path.
#[must_use]
pub fn recording_opener(folder: &Path) -> (PathBuf, PathBuf) {
    let (program, record) = (folder.join("xdg-open"), folder.join("opened"));
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", record.display());
    write_program(&program, &script);
    (program, record)
}

/// Writes a program that fails.
#[must_use]
pub fn failing_opener(folder: &Path) -> PathBuf {
    let program = folder.join("xdg-open-fails");
    write_program(&program, "#!/bin/sh\nexit 4\n");
    program
}

fn write_program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, script).expect("a script");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("a mode");
}
