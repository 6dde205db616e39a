//! The commands of the windows: each passes its request to the host and hands the answer back.
//!
//! Tauri refuses what the window's capability file does not allow; the label is checked here once more.
//! They are generic over the runtime, so that tests can call them from windows that the product never makes.

use contract::channel::{COPY_LINK, Link, QUIT};
use contract::error_code::{CommandError, ErrorCode};
use contract::object::Object;
use contract::ui::{
    ActivityDetails, ActivityFilter, ActivityPage, ActivityRef, ActivityVerdict, AddAgent, AgentRef,
    AgentView, AgentsView, AlertRef, AnswerApproval, AnswerAsked, AnswerEnrolment, AppState, AttemptRef,
    AttemptView, ChangeProtection, ChoiceRef, ConnectAccount, DecideAccount, GrantRef, GrantView, GrantsView,
    LockSettingsView, NarrowGrant, Nothing, PendingApproval, ProviderView, ReceiptRef, ReceiptView,
    RenewGrant, RuleView, SavedFile, SetRule, Unlock,
};
use tauri::ipc::Invoke;
use tauri::{AppHandle, Manager as _, Runtime, State, WebviewWindow};

use crate::Ending;
use crate::approval::Approval;
use crate::channel::Host;
use crate::clipboard::Clipboard;
use crate::host_program::HostProgram;
use crate::windows::{APPROVAL, MAIN};

macro_rules! pass_on {
    ($($name:ident($request:ident) -> $answer:ty;)*) => {$(
        #[tauri::command]
        async fn $name<R: Runtime>(
            window: WebviewWindow<R>,
            host: State<'_, Host>,
            request: Object<$request>,
        ) -> Result<$answer, CommandError> {
            from_main(&window)?;
            host.ask(concat!("/window/", stringify!($name)), &request.0).await
        }
    )*};
}
contract::command_table!(pass_on);

macro_rules! pass_on_approval {
    ($($name:ident($request:ident) -> $answer:ty;)*) => {$(
        #[tauri::command]
        async fn $name<R: Runtime>(
            window: WebviewWindow<R>,
            host: State<'_, Host>,
            approval: State<'_, Approval>,
            request: Object<$request>,
        ) -> Result<$answer, CommandError> {
            from_approval(&window)?;
            let pending: $answer = host.ask(concat!("/window/", stringify!($name)), &request.0).await?;
            approval.drawn(window.app_handle(), &pending);
            Ok(pending)
        }
    )*};
}
contract::approval_table!(pass_on_approval);

/// Every command a window may call.
pub(crate) fn handler<R: Runtime>() -> impl Fn(Invoke<R>) -> bool + Send + Sync + 'static {
    macro_rules! with_ours {
        ($($name:ident($request:ident) -> $answer:ty;)*) => {
            tauri::generate_handler![$($name,)* pending_approval, answer_approval, copy_link, quit, start_again]
        };
    }
    contract::command_table!(with_ours)
}

/// Puts a fresh link on the clipboard. The webview gets the attempt, never the link.
#[tauri::command]
async fn copy_link<R: Runtime>(
    window: WebviewWindow<R>,
    host: State<'_, Host>,
    clipboard: State<'_, Clipboard>,
    request: Object<AttemptRef>,
) -> Result<AttemptView, CommandError> {
    from_main(&window)?;
    let Object(request) = request;
    let link: Link = host.ask(COPY_LINK, &request).await?;
    clipboard.hold(link).await.map_err(|_| ErrorCode::Internal)?;
    host.ask("/window/show_attempt", &request).await
}

/// Stops the host too, after the window has said what that means. The host ends this process.
#[tauri::command]
async fn quit<R: Runtime>(
    window: WebviewWindow<R>,
    host: State<'_, Host>,
    request: Object<Nothing>,
) -> Result<(), CommandError> {
    from_main(&window)?;
    let Object(Nothing {}) = request;
    host.tell(QUIT).await;
    Ok(())
}

/// Runs the host anew after it has stopped, and makes room for the window that it brings.
#[tauri::command]
async fn start_again<R: Runtime>(
    window: WebviewWindow<R>,
    app: AppHandle<R>,
    program: State<'_, Option<HostProgram>>,
    request: Object<Nothing>,
) -> Result<(), CommandError> {
    from_main(&window)?;
    let Object(Nothing {}) = request;
    let program = program.as_ref().ok_or(ErrorCode::HostGone)?;
    let home = app.state::<Host>().home().map(str::to_owned);
    program.start_again(home.as_deref()).await.map_err(|_| ErrorCode::HostGone)?;
    app.exit(Ending::Done as i32);
    Ok(())
}

fn from_main<R: Runtime>(window: &WebviewWindow<R>) -> Result<(), CommandError> {
    if window.label() == MAIN { Ok(()) } else { Err(ErrorCode::RequestMalformed.into()) }
}

fn from_approval<R: Runtime>(window: &WebviewWindow<R>) -> Result<(), CommandError> {
    if window.label() == APPROVAL { Ok(()) } else { Err(ErrorCode::RequestMalformed.into()) }
}

#[cfg(test)]
mod tests;
