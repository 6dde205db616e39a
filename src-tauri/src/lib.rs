//! The window process: windows, tray and thin commands. It holds no secret and takes no decision.
//!
//! The host starts it with one end of a socket pair as its standard input, and replaces it rather than changing it:
//! without arguments it shows the window and ends when that is closed; with `--tray` it shows the tray alone and
//! starts neither Tauri nor GTK; with `--approval` it shows what agents ask, and ends when nobody asks any more.
//! Without a channel it becomes the host.
//!
//! **Invariant:** imports `contract` and `ipc` alone, so no type that could carry a token or a key can get here.
//! **Invariant:** everything the webview asks goes to the host as it is, and the host decides.
//!
//! The exit status tells the host why the process ended: see [`Ending`].
#![cfg(unix)]

mod approval;
mod channel;
mod clipboard;
mod commands;
mod environment;
mod events;
mod host_program;
mod process;
mod tray;
#[cfg(target_os = "linux")]
mod webkit;
mod windows;

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;

use tauri::{AppHandle, Manager as _, RunEvent, Runtime, WindowEvent};
use tracing::{error, info};

use crate::approval::Approval;
use crate::channel::Host;
use crate::clipboard::Clipboard;
use crate::environment::Environment;
use crate::host_program::HostProgram;
use crate::tray::Choice;
use crate::windows::APPROVAL;

/// Why the process ended, as its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In an orderly way: the window was closed, or the host ended.
    Done = 0,
    /// It could not start, or the host went away under the tray; the log says why.
    Failed = 1,
    /// It was started with arguments that are not ours.
    Misused = 2,
    /// `--tray` was asked for and this desktop has no place for one.
    NoTray = 3,
    /// The host is another build.
    OtherBuild = 4,
    /// There is no display, or it cannot be used.
    NoDisplay = 5,
}

/// What the process shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Approval,
    Tray,
    Window,
}

/// What a process says that was started with anything else. What was given is not repeated: a terminal may obey it.
const USAGE: &str = "countersign-desktop takes no arguments but --approval or --tray. Nothing was started.\n";

/// Runs the process from its first act to its end.
#[must_use]
pub fn run() -> ExitCode {
    let channel = ipc::channel::take_inherited();
    let hardened = process::harden();
    let Some(mode) = process::mode() else {
        // Where nobody listens there is nobody to tell.
        let _ = std::io::stderr().write_all(USAGE.as_bytes());
        return ExitCode::from(Ending::Misused as u8);
    };
    let environment = Environment::read();
    environment.start_log();
    if let Err(error) = hardened {
        error!(%error, "the process could not be closed to others");
        return ExitCode::from(Ending::Failed as u8);
    }
    let status = match channel {
        Some(channel) => show(channel, environment, mode),
        None => {
            HostProgram::beside_this_one().map_or(Ending::Failed as i32, |program| program.become_it() as i32)
        }
    };
    ExitCode::from(u8::try_from(status).unwrap_or(Ending::Failed as u8))
}

/// Greets the host, then shows what it asked for until the end.
fn show(channel: UnixStream, environment: Environment, mode: Mode) -> i32 {
    if let Some(name) = environment.unwanted() {
        error!(name, "refused: the environment would let another program drive the window");
        return Ending::Failed as i32;
    }
    let host = match tauri::async_runtime::block_on(Host::greet(channel)) {
        Ok(host) => host,
        Err(error) => {
            error!(%error, "the host was greeted in vain");
            return error.ending() as i32;
        }
    };
    match mode {
        Mode::Tray => tray_alone(Arc::new(host)) as i32,
        Mode::Approval | Mode::Window => window(host, environment, mode),
    }
}

/// Shows the tray icon until the host ends. Neither Tauri nor GTK is started: what they hold is most of what a closed
/// window would cost.
#[cfg(target_os = "linux")]
fn tray_alone(host: Arc<Host>) -> Ending {
    let asked = Arc::clone(&host);
    let shown = tray::show(move |choice| {
        let host = Arc::clone(&asked);
        tauri::async_runtime::spawn(async move {
            if choice == Choice::StopAgents {
                host.stop_agents().await;
            }
            host.want(choice.wanted()).await;
        });
    });
    if let Err(error) = shown {
        info!(%error, "no tray");
        return Ending::NoTray;
    }
    let following = tauri::async_runtime::spawn(async move { events::to_the_end(&host).await });
    // The loop that answers the bus, for as long as the host has something to tell.
    gtk::glib::MainContext::default().block_on(following).unwrap_or(Ending::Failed)
}

#[cfg(not(target_os = "linux"))]
fn tray_alone(_host: Arc<Host>) -> Ending {
    Ending::NoTray
}

/// Shows the window, and the tray icon beside it, until the end.
fn window(host: Host, environment: Environment, mode: Mode) -> i32 {
    if let Err(error) = ipc::folder::make_private(environment.webview_data()) {
        error!(%error, "the webview has no folder of its own");
        return Ending::Failed as i32;
    }
    #[cfg(target_os = "linux")]
    if gtk::init().is_err() {
        error!("no display");
        return Ending::NoDisplay as i32;
    }
    match build(host, environment, mode) {
        Ok(app) => app.run_return(|app, event| {
            if matches!(event, RunEvent::Exit) {
                app.state::<Clipboard>().hand_over();
            }
        }),
        Err(error) => {
            error!(%error, "the window system could not be started");
            Ending::NoDisplay as i32
        }
    }
}

fn build(host: Host, environment: Environment, mode: Mode) -> tauri::Result<tauri::App> {
    let program = HostProgram::beside_this_one();
    tauri::Builder::default()
        .manage(host)
        .manage(Clipboard::default())
        .manage(Approval::new(mode == Mode::Approval))
        .manage(program)
        .manage(environment)
        .invoke_handler(commands::handler())
        .on_window_event(|window, event| {
            if let WindowEvent::CloseRequested { api, .. } = event {
                api.prevent_close();
                if window.label() == APPROVAL {
                    // It may have another question to ask: it goes once the host has said that it has not.
                    tauri::async_runtime::spawn(approval::close(window.app_handle().clone()));
                } else {
                    // At once for the person; the process follows when the host knows.
                    let _ = window.hide();
                    tauri::async_runtime::spawn(close(window.app_handle().clone()));
                }
            }
        })
        .setup(move |app| {
            start(app.handle(), mode);
            Ok(())
        })
        .build(context())
}

/// What the build put into this program: pages, their policy, and who may call what.
fn context<R: Runtime>() -> tauri::Context<R> {
    tauri::generate_context!()
}

/// Makes what is shown. Nothing here may fail: Tauri turns an error into a panic.
fn start(app: &AppHandle, mode: Mode) {
    let shown = app.clone();
    let tray = tray::show(move |choice| {
        let app = shown.clone();
        // Without a main window here the host brings one, in a process of its own.
        let is_here = mode == Mode::Window && choice != Choice::Quit;
        tauri::async_runtime::spawn(async move {
            if choice == Choice::StopAgents {
                app.state::<Host>().stop_agents().await;
            }
            if is_here {
                windows::present(&app, None);
            } else {
                app.state::<Host>().want(choice.wanted()).await;
            }
        });
    });
    if let Err(error) = tray {
        info!(%error, "no tray");
        let app = app.clone();
        tauri::async_runtime::spawn(
            async move { app.state::<Host>().tell(contract::channel::NO_TRAY).await },
        );
    }
    let opened = if mode == Mode::Approval { windows::open_approval(app) } else { windows::open_main(app) };
    match opened {
        Ok(()) => drop(tauri::async_runtime::spawn(events::follow(app.clone()))),
        Err(error) => {
            error!(%error, "no window");
            app.exit(Ending::NoDisplay as i32);
        }
    }
}

/// Ends the process after the person closed the window. The host starts a fresh one with `--tray`, because a process
/// that has shown a webview keeps its memory.
async fn close(app: AppHandle) {
    app.state::<Host>().tell(contract::channel::CLOSED).await;
    app.exit(Ending::Done as i32);
}
