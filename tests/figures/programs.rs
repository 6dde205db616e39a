//! The programs that are measured, as the launcher starts them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::process::{Running, wait_until};
use support::session::Session;

const STOP: Duration = Duration::from_secs(20);

/// A login session whose screen can be looked at.
pub(crate) struct Desk {
    pub(crate) session: Session,
    pub(crate) screen: crate::screen::Screen,
    _picture: tempfile::TempDir,
}

impl Desk {
    /// The picture lies in memory where that is possible, so that no disk is kept busy by it.
    pub(crate) fn start() -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let picture = tempfile::tempdir_in(place).expect("a folder");
        let session = Session::with_picture_in(picture.path());
        let screen = crate::screen::Screen::open(picture.path());
        Self { session, screen, _picture: picture }
    }

    /// Starts a program and waits until the screen shows what it has to show. Gives the program, and how long it took.
    pub(crate) fn show(&self, program: &Program) -> (Running, Duration) {
        assert!(!self.screen.shows(), "the screen is empty before");
        let mut command = program.command(&self.session);
        let begin = Instant::now();
        let running = Running::start(&mut command);
        (running, self.screen.wait(true) - begin)
    }

    /// Ends a program as the system does, and waits until nothing of it is left.
    pub(crate) fn stop(&self, mut running: Running) {
        running.signal("TERM");
        wait_until("the program's end", STOP, || running.has_ended());
        self.screen.wait(false);
    }
}

/// What is started.
pub(crate) enum Program {
    /// The window with nothing in it.
    Empty(PathBuf),
    /// Countersign, with the session's data folder.
    Ours(PathBuf),
    /// The same, late.
    OursAfter(PathBuf, Duration),
    /// The same, with a process beside its own that holds so many MiB.
    OursWithBallast(PathBuf, usize),
}

impl Program {
    fn command(&self, session: &Session) -> Command {
        // In place of the shell comes the host, so that a child of the shell's becomes one of the host's.
        let through_shell = |script: &str, programs: &Path| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).arg(programs.join("countersignd"));
            command
        };
        let mut command = match self {
            Self::Empty(program) => Command::new(program),
            Self::Ours(programs) => Command::new(programs.join("countersignd")),
            Self::OursAfter(programs, late) => {
                through_shell(&format!("sleep {}; exec \"$0\"", late.as_secs_f32()), programs)
            }
            Self::OursWithBallast(programs, mib) => {
                let mut command = through_shell("\"$1\" ballast --mib \"$2\" & exec \"$0\"", programs);
                command.arg(std::env::current_exe().expect("this program")).arg(mib.to_string());
                command
            }
        };
        let log = std::fs::File::options().create(true).append(true).open(session.dir().join("stderr.log"));
        command
            .env_clear()
            .envs(session.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"));
        if !matches!(self, Self::Empty(_)) {
            command.env("COUNTERSIGN_HOME", session.data());
        }
        command
    }
}
