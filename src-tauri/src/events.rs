//! What the host tells, passed on to the webview.

use contract::channel::HostEvent;
use contract::commands::EVENT_NAME;
use contract::ui::Event;
use ipc::http::CallError;
use tauri::{AppHandle, Emitter as _, Manager as _, Runtime};
use tracing::{error, info, warn};

use crate::Ending;
use crate::approval;
use crate::channel::Host;
use crate::environment::Environment;
use crate::host_program;
use crate::windows::{self, APPROVAL, MAIN};

/// Follows the host's events to their end, and then ends the process or says that the host is gone.
pub(crate) async fn follow(app: AppHandle) {
    let listens = || drop(tauri::async_runtime::spawn(approval::look(app.clone())));
    match read(&app.state::<Host>(), listens, |event| pass_on(&app, event)).await {
        Ok(true) => app.exit(Ending::Done as i32),
        Ok(false) => gone(&app).await,
        Err(error) => {
            error!(%error, "the host's events broke off");
            gone(&app).await;
        }
    }
}

/// Waits beside the tray alone for the host's end. Whatever else it tells is for a window.
pub(crate) async fn to_the_end(host: &Host) -> Ending {
    match read(host, || {}, drop).await {
        Ok(true) => Ending::Done,
        Ok(false) => {
            info!("the host is gone");
            Ending::Failed
        }
        Err(error) => {
            error!(%error, "the host's events broke off");
            Ending::Failed
        }
    }
}

/// Reads until the host says that it ends (true), or its events end without that.
async fn read(host: &Host, listens: impl FnOnce(), heard: impl Fn(HostEvent)) -> Result<bool, CallError> {
    let mut lines = host.events().await?;
    listens();
    while let Some(line) = lines.next().await? {
        match serde_json::from_slice(&line) {
            Ok(HostEvent::Ending) => return Ok(true),
            Ok(event) => heard(event),
            Err(_) => warn!(bytes = line.len(), "an event that is not known here"),
        }
    }
    Ok(false)
}

fn pass_on(app: &AppHandle, event: HostEvent) {
    match event {
        HostEvent::Approval { activation_token } => approval::show(app, activation_token),
        HostEvent::Show { activation_token } => windows::present(app, activation_token),
        HostEvent::Ui { event } => emit(app, &event),
        HostEvent::Ending => {}
    }
}

/// The window stays and says so, until any host answers.
async fn gone(app: &AppHandle) {
    info!("the host is gone");
    emit(app, &Event::HostGone);
    let home = app.state::<Host>().home().map(str::to_owned);
    if let Some(folder) = app.state::<Environment>().data_folder(home.as_deref()) {
        host_program::until_one_answers(&folder).await;
        app.exit(Ending::Done as i32);
    }
}

/// Tells every webview what concerns it: the approval window draws one question and nothing else.
fn emit(app: &AppHandle, event: &Event) {
    emit_to(app, MAIN, event);
    if matches!(event, Event::ApprovalChanged | Event::HostGone) {
        emit_to(app, APPROVAL, event);
    }
}

/// Tells one webview, if it is there.
pub(crate) fn emit_to<R: Runtime>(app: &AppHandle<R>, label: &str, event: &Event) {
    if let Err(error) = app.emit_to(label, EVENT_NAME, event) {
        warn!(%error, label, "an event did not reach the window");
    }
}
