//! What the host tells, passed on to the webview.

use contract::channel::HostEvent;
use contract::commands::EVENT_NAME;
use contract::ui::Event;
use ipc::http::CallError;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tracing::{error, info, warn};

use crate::channel::Host;
use crate::environment::Environment;
use crate::host_program;
use crate::windows::{self, MAIN};
use crate::{Ending, Mode};

/// Follows the host's events to their end, and then ends the process or says that the host is gone.
pub(crate) async fn follow(app: AppHandle, mode: Mode) {
    match read(&app).await {
        Ok(true) => app.exit(Ending::Done as i32),
        Ok(false) => gone(&app, mode).await,
        Err(error) => {
            error!(%error, "the host's events broke off");
            gone(&app, mode).await;
        }
    }
}

/// Reads until the host says that it ends (true), or its events end without that.
async fn read(app: &AppHandle) -> Result<bool, CallError> {
    let mut lines = app.state::<Host>().events().await?;
    while let Some(line) = lines.next().await? {
        match serde_json::from_slice(&line) {
            Ok(HostEvent::Ending) => return Ok(true),
            Ok(HostEvent::Show { activation_token }) => windows::present(app, activation_token),
            Ok(HostEvent::Ui { event }) => emit(app, &event),
            Err(_) => warn!(bytes = line.len(), "an event that is not known here"),
        }
    }
    Ok(false)
}

/// The window stays and says so, until any host answers; a tray alone has nothing to say.
async fn gone(app: &AppHandle, mode: Mode) {
    info!("the host is gone");
    if mode == Mode::Tray {
        app.exit(Ending::Failed as i32);
        return;
    }
    emit(app, &Event::HostGone);
    let home = app.state::<Host>().home().map(str::to_owned);
    if let Some(folder) = app.state::<Environment>().data_folder(home.as_deref()) {
        host_program::until_one_answers(&folder).await;
        app.exit(Ending::Done as i32);
    }
}

fn emit(app: &AppHandle, event: &Event) {
    if let Err(error) = app.emit_to(MAIN, EVENT_NAME, event) {
        warn!(%error, "an event did not reach the window");
    }
}
