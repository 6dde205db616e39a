//! The approval window: there for as long as an agent asks, and what closing it means.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use contract::channel::{APPROVAL_CLOSED, CLOSED};
use contract::error_code::CommandError;
use contract::ui::{ApprovalRef, Event, Nothing, PendingApproval};
use tauri::{AppHandle, Manager as _, Runtime};
use tracing::{error, warn};

use crate::channel::Host;
use crate::windows::{self, APPROVAL};
use crate::{Ending, events};

/// How long the window says how a question ended, before it goes.
const LINGERS: Duration = Duration::from_secs(4);

/// The command that reads the question; this process asks it too.
const PENDING: &str = "/window/pending_approval";

/// What this process knows of its approval window.
#[derive(Debug, Default)]
pub(crate) struct Approval {
    /// The process shows nothing else: it ends with the window.
    alone: bool,
    drawn: Mutex<Drawn>,
}

/// What the window's page was told last.
#[derive(Debug, Default)]
struct Drawn {
    question: Option<String>,
    /// Counts every time: whoever waits to close the window looks whether it was told anything since.
    times: u32,
}

impl Approval {
    /// For a process that shows nothing else, or for one that has a main window too.
    pub(crate) fn new(alone: bool) -> Self {
        Self { alone, drawn: Mutex::default() }
    }

    /// Remembers what the page is told. A window that has nothing to ask goes after a moment.
    pub(crate) fn drawn<R: Runtime>(&self, app: &AppHandle<R>, pending: &PendingApproval) {
        let question = pending.question.as_ref().map(|question| question.id.clone());
        let is_over = question.is_none();
        let times = {
            let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            drawn.question = question;
            drawn.times = drawn.times.wrapping_add(1);
            drawn.times
        };
        if is_over {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                tokio::time::sleep(LINGERS).await;
                if app.state::<Self>().was_told_nothing_since(times) {
                    end(&app).await;
                }
            });
        }
    }

    fn was_told_nothing_since(&self, times: u32) -> bool {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner).times == times
    }

    fn take_question(&self) -> Option<String> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner).question.take()
    }
}

/// Opens the window, or has the one that is there read again.
pub(crate) fn show(app: &AppHandle, activation_token: Option<String>) {
    let handle = app.clone();
    let shown = app.run_on_main_thread(move || {
        if windows::present_approval(&handle, activation_token.as_deref()) {
            events::emit_to(&handle, APPROVAL, &Event::ApprovalChanged);
        } else if let Err(error) = windows::open_approval(&handle) {
            error!(%error, "no approval window");
        }
    });
    if let Err(error) = shown {
        warn!(%error, "the approval window could not be brought up");
    }
}

/// Opens the window if an agent asks: what was told before this process listened is not told again.
pub(crate) async fn look(app: AppHandle) {
    if pending(&app).await.is_ok_and(|pending| pending.question.is_some()) {
        show(&app, None);
    }
}

/// The person closed the window: a no to what it shows. The next question is drawn in it, if there is one.
pub(crate) async fn close<R: Runtime>(app: AppHandle<R>) {
    if let Some(id) = app.state::<Approval>().take_question() {
        let closed = app.state::<Host>().ask::<Nothing>(APPROVAL_CLOSED, &ApprovalRef { id }).await;
        if let Err(refused) = closed {
            warn!(code = ?refused.code, "the host did not take the no; it takes one when time runs out");
        }
    }
    if pending(&app).await.is_ok_and(|pending| pending.question.is_some()) {
        events::emit_to(&app, APPROVAL, &Event::ApprovalChanged);
    } else {
        end(&app).await;
    }
}

async fn pending<R: Runtime>(app: &AppHandle<R>) -> Result<PendingApproval, CommandError> {
    app.state::<Host>().ask(PENDING, &Nothing {}).await
}

/// Takes the window away, and the process with it where there is nothing else to show. The host is told first: a process
/// that ends untold was lost, and is started again.
async fn end<R: Runtime>(app: &AppHandle<R>) {
    let window = app.get_webview_window(APPROVAL);
    if app.state::<Approval>().alone {
        let _ = window.map(|window| window.hide());
        app.state::<Host>().tell(CLOSED).await;
        app.exit(Ending::Done as i32);
    } else if let Some(Err(error)) = window.map(|window| window.destroy()) {
        warn!(%error, "the approval window could not be closed");
    }
}
