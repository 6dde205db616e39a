//! The commands of the main window: each passes its request to the host and hands the answer back.
//!
//! Tauri refuses what the window's capability file does not allow; the label is checked here once more.

use contract::channel::{COPY_LINK, Link, QUIT};
use contract::error_code::{CommandError, ErrorCode};
use contract::ui::{
    AddAgent, AgentView, AppState, AttemptRef, AttemptView, ConnectAccount, GrantRef, GrantView, GrantsView,
    Nothing, ProviderView,
};
use tauri::ipc::Invoke;
use tauri::{AppHandle, Manager as _, State, WebviewWindow, Wry};

use crate::Ending;
use crate::channel::Host;
use crate::clipboard::Clipboard;
use crate::host_program::HostProgram;
use crate::windows::MAIN;

macro_rules! pass_on {
    ($($name:ident($request:ident) -> $answer:ty;)*) => {$(
        #[tauri::command]
        async fn $name(window: WebviewWindow, host: State<'_, Host>, request: $request) -> Result<$answer, CommandError> {
            from_main(&window)?;
            host.ask(concat!("/window/", stringify!($name)), &request).await
        }
    )*};
}
contract::command_table!(pass_on);

/// Every command a window may call.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    macro_rules! with_ours {
        ($($name:ident($request:ident) -> $answer:ty;)*) => {
            tauri::generate_handler![$($name,)* copy_link, quit, start_again]
        };
    }
    contract::command_table!(with_ours)
}

/// Puts a fresh link on the clipboard. The webview gets the attempt, never the link.
#[tauri::command]
async fn copy_link(
    window: WebviewWindow,
    host: State<'_, Host>,
    clipboard: State<'_, Clipboard>,
    request: AttemptRef,
) -> Result<AttemptView, CommandError> {
    from_main(&window)?;
    let link: Link = host.ask(COPY_LINK, &request).await?;
    clipboard.hold(link).await.map_err(|_| ErrorCode::Internal)?;
    host.ask("/window/show_attempt", &request).await
}

/// Stops the host too, after the window has said what that means. The host ends this process.
#[tauri::command]
async fn quit(window: WebviewWindow, host: State<'_, Host>, request: Nothing) -> Result<(), CommandError> {
    from_main(&window)?;
    let Nothing {} = request;
    host.tell(QUIT).await;
    Ok(())
}

/// Runs the host anew after it has stopped, and makes room for the window that it brings.
#[tauri::command]
async fn start_again(
    window: WebviewWindow,
    app: AppHandle,
    program: State<'_, Option<HostProgram>>,
    request: Nothing,
) -> Result<(), CommandError> {
    from_main(&window)?;
    let Nothing {} = request;
    let program = program.as_ref().ok_or(ErrorCode::HostGone)?;
    let home = app.state::<Host>().home().map(str::to_owned);
    program.start_again(home.as_deref()).await.map_err(|_| ErrorCode::HostGone)?;
    app.exit(Ending::Done as i32);
    Ok(())
}

fn from_main(window: &WebviewWindow) -> Result<(), CommandError> {
    if window.label() == MAIN { Ok(()) } else { Err(ErrorCode::RequestMalformed.into()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use contract::bindings::main_window_commands;

    #[test]
    fn the_capability_file_allows_the_command_table_and_to_hear_events() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        let allowed: BTreeSet<&str> =
            file["permissions"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        let ours: Vec<String> =
            main_window_commands().iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
        let mut expected: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
        expected.extend(["core:event:allow-listen", "core:event:allow-unlisten"]);
        assert_eq!(allowed, expected);
        assert_eq!(file["windows"], serde_json::json!([super::MAIN]));
    }
}
