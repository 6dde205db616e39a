//! The window process over time: close to tray, show again, crash, quit, and a package that changed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use app::App;
use axum::Router;
use broker::{Hub, WindowSignal};
use contract::channel::{Hello, HostEvent};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::environment::Environment;
use crate::ports::RealPorts;
use crate::window::{End, Mode, Unfit, Window};
use crate::{process, session};

/// Why the host stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The person or the system said so.
    Quit,
    /// The package changed: its new host takes over.
    Restart,
}

/// How often what the engine left is looked for at the end, and how long after each other.
const WIPES: u32 = 20;
const WIPE_AGAIN: Duration = Duration::from_millis(50);
/// A window that keeps dying is not started for ever.
const LOST_LIMIT: u32 = 5;
/// A window that lives this long was no part of a series.
const STEADY: Duration = Duration::from_secs(60);

/// Keeps the window process as the person wants it.
pub(crate) struct Windows<'e> {
    environment: &'e Environment,
    program: PathBuf,
    hub: Hub,
    routes: Router,
    app: Option<App<RealPorts>>,
    now: Option<Window>,
    lost: u32,
    started: Option<tokio::time::Instant>,
}

impl<'e> Windows<'e> {
    pub(crate) fn new(
        environment: &'e Environment,
        host: &Path,
        hub: Hub,
        hello: Hello,
        app: Result<App<RealPorts>, Unfit>,
    ) -> Self {
        // The package's folder, resolved once: after an upgrade in place, a running program's path leads nowhere.
        let program = host.with_file_name("countersign-desktop");
        let (routes, app) = match app {
            Ok(app) => (broker::window::routes(app.clone(), hub.clone(), hello), Some(app)),
            Err(Unfit(code)) => (broker::window::unfit_routes(code, &hub, hello), None),
        };
        Self { environment, program, hub, routes, app, now: None, lost: 0, started: None }
    }

    /// Runs until the host shall stop.
    pub(crate) async fn run(mut self, mut signals: mpsc::Receiver<WindowSignal>) -> Outcome {
        let mut terminate = signal(SignalKind::terminate()).ok();
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        self.spawn(Mode::Window, None).await;
        loop {
            let step = tokio::select! {
                heard = signals.recv() => heard.map_or(Step::Stop(Outcome::Quit), Step::Heard),
                end = ended_window(&mut self.now) => Step::Ended(end),
                () = received(&mut terminate) => Step::Stop(Outcome::Quit),
                () = received(&mut interrupt) => Step::Stop(Outcome::Quit),
            };
            let outcome = match step {
                Step::Heard(signal) => self.hear(signal).await,
                Step::Ended(end) => self.after(end).await,
                Step::Stop(outcome) => Some(outcome),
            };
            if let Some(outcome) = outcome {
                self.stop().await;
                return outcome;
            }
        }
    }

    async fn hear(&mut self, signal: WindowSignal) -> Option<Outcome> {
        match signal {
            WindowSignal::Approval => {
                self.ask().await;
                None
            }
            WindowSignal::Hello => None,
            WindowSignal::Closed => {
                if let Some(window) = &mut self.now {
                    window.closing = true;
                }
                if let Some(app) = &self.app {
                    app.ask_quit(false);
                }
                None
            }
            WindowSignal::Quit => Some(Outcome::Quit),
            WindowSignal::Show { quit, activation_token } => {
                if let (true, Some(app)) = (quit, &self.app) {
                    app.ask_quit(true);
                }
                self.show(activation_token).await;
                None
            }
            // A fresh host that meets the other build again runs beside a package that is half in place: it waits.
            WindowSignal::OtherBuild if process::is_after_change() => None,
            WindowSignal::OtherBuild => Some(Outcome::Restart),
        }
    }

    /// Brings the window up: the one that is there, or a fresh process in the tray's place.
    async fn show(&mut self, activation_token: Option<String>) {
        match self.now.take() {
            Some(window) if window.mode == Mode::Window && !window.closing => {
                self.now = Some(window);
                self.hub.tell(HostEvent::Show { activation_token });
            }
            Some(other) => {
                self.hub.tell(HostEvent::Ending);
                other.stop().await;
                self.spawn(Mode::Window, activation_token).await;
            }
            None => self.spawn(Mode::Window, activation_token).await,
        }
    }

    /// Has an agent's question drawn: by the process that shows windows, or by a fresh one in the tray's place.
    async fn ask(&mut self) {
        match self.now.take() {
            Some(window) if window.mode != Mode::Tray && !window.closing => {
                self.now = Some(window);
                self.hub.tell(HostEvent::Approval { activation_token: None });
            }
            Some(other) => {
                self.hub.tell(HostEvent::Ending);
                other.stop().await;
                self.spawn(Mode::Approval, None).await;
            }
            None => self.spawn(Mode::Approval, None).await,
        }
    }

    /// What is shown once the person has closed what was shown: a question that is still open, or the tray.
    async fn rest(app: &App<RealPorts>) -> Mode {
        match app.pending_approval().await {
            Ok(pending) if pending.question.is_some() => Mode::Approval,
            Ok(_) | Err(_) => Mode::Tray,
        }
    }

    /// What follows the end of the window process.
    async fn after(&mut self, end: End) -> Option<Outcome> {
        let window = self.now.take()?;
        self.wipe_webview_data();
        match (window.mode, end) {
            (Mode::Tray, End::NoTray) => {
                if let Some(app) = &self.app {
                    app.set_no_tray();
                }
            }
            (_, End::NoDisplay) => {}
            (Mode::Approval | Mode::Window, End::Done | End::NoTray) if window.closing => {
                // Without an app there is nothing to keep running for.
                let Some(app) = &self.app else { return Some(Outcome::Quit) };
                let mode = Self::rest(app).await;
                self.spawn(mode, None).await;
            }
            (mode, End::Done | End::NoTray | End::Lost) => self.again(mode).await,
        }
        None
    }

    /// A process that was lost is started again, a few times.
    async fn again(&mut self, mode: Mode) {
        let steady = self.started.is_some_and(|at| at.elapsed() > STEADY);
        self.lost = if steady { 1 } else { self.lost + 1 };
        if self.lost > LOST_LIMIT {
            tracing::error!(
                ?mode,
                "the window process keeps ending; a new start of Countersign shows it again"
            );
            self.lost = 0;
            return;
        }
        tokio::time::sleep(Duration::from_millis(100 * u64::from(self.lost * self.lost))).await;
        self.spawn(mode, None).await;
    }

    async fn spawn(&mut self, mode: Mode, activation_token: Option<String>) {
        let mut variables = session::variables(self.environment).await;
        if !session::has_display(&variables) {
            tracing::info!("there is no display; no window is started");
            return;
        }
        self.wipe_webview_data();
        variables.extend(self.environment.own_switches());
        variables.extend(drawing_plainly(&variables));
        variables.push(("COUNTERSIGN_WEBVIEW_DATA".into(), self.webview_data().into_os_string()));
        if let Some(token) = activation_token {
            variables.push(("XDG_ACTIVATION_TOKEN".into(), OsString::from(&token)));
            variables.push(("DESKTOP_STARTUP_ID".into(), token.into()));
        }
        match Window::spawn(&self.program, mode, variables, self.routes.clone()) {
            Ok(window) => {
                self.now = Some(window);
                self.started = Some(tokio::time::Instant::now());
            }
            Err(error) => {
                tracing::error!(%error, "the window process could not be started");
                self.started = None;
            }
        }
    }

    async fn stop(mut self) {
        self.hub.tell(HostEvent::Ending);
        if let Some(window) = self.now.take() {
            window.stop().await;
        }
        if let Some(app) = &self.app {
            app.shut_down().await;
        }
        // The engine's own helpers end a moment after the page they served, and may write once more.
        for _ in 0..WIPES {
            self.wipe_webview_data();
            tokio::time::sleep(WIPE_AGAIN).await;
            if !self.webview_data().exists() {
                return;
            }
        }
    }

    fn webview_data(&self) -> PathBuf {
        match self.app {
            Some(_) => self.environment.data_folder().join("webview"),
            // The data folder is not ours to write to.
            None => std::env::temp_dir().join(format!("countersign-webview-{}", std::process::id())),
        }
    }

    /// What a webview keeps is nobody's: it goes with the process that made it.
    fn wipe_webview_data(&self) {
        if let Err(error) = std::fs::remove_dir_all(self.webview_data())
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the webview's data could not be removed");
        }
    }
}

/// Pages are drawn without the graphics card, unless the session says otherwise: text and a few lines gain nothing by
/// it. The driver would take up more memory than all of the page, ask for a third of the time to the first picture, and
/// be one more large library beside the page.
fn drawing_plainly(variables: &[(OsString, OsString)]) -> Option<(OsString, OsString)> {
    const SWITCH: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
    let said = variables.iter().any(|(name, _)| name == SWITCH);
    (!said).then(|| (SWITCH.into(), "1".into()))
}

enum Step {
    Ended(End),
    Heard(WindowSignal),
    Stop(Outcome),
}

async fn ended_window(window: &mut Option<Window>) -> End {
    match window {
        Some(window) => window.ended().await,
        None => std::future::pending().await,
    }
}

async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_drawn_plainly_unless_the_session_says_otherwise() {
        let pair = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let plain = Some(pair("WEBKIT_DISABLE_COMPOSITING_MODE", "1"));
        assert_eq!(drawing_plainly(&[]), plain);
        assert_eq!(drawing_plainly(&[pair("DISPLAY", ":0")]), plain);
        assert_eq!(drawing_plainly(&[pair("WEBKIT_DISABLE_COMPOSITING_MODE", "0")]), None);
    }
}
