//! The window's routes, for the private channel alone.

use app::App;
use app::port::Ports;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use contract::channel::{
    APPROVAL_CLOSED, CLOSED, COPY_LINK, EVENTS, HELLO, Hello, HostEvent, Link, MAX_REQUEST, NO_TRAY, QUIT,
    SHOW, ShowWindow,
};
use contract::ui::{ApprovalRef, AttemptRef, Nothing};
use futures_util::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::commands;
use crate::hub::{Hub, WindowSignal};
use crate::reply::{answer, json, parse_whole};

struct Shared<P: Ports> {
    app: App<P>,
    hub: Hub,
    hello: Hello,
}

impl<P: Ports> Clone for Shared<P> {
    fn clone(&self) -> Self {
        Self { app: self.app.clone(), hub: self.hub.clone(), hello: self.hello.clone() }
    }
}

/// The routes of one channel.
pub fn routes<P: Ports>(app: App<P>, hub: Hub, hello: Hello) -> Router {
    macro_rules! route {
        ($($name:ident($request:ident) -> $answer:ty;)*) => {
            Router::new()$(.route(concat!("/window/", stringify!($name)), post(
                async |State(shared): State<Shared<P>>, body: Result<Bytes, BytesRejection>| match parse_whole(body) {
                    // In a task of its own: what was begun is carried through even if the window goes meanwhile.
                    Ok(request) => match tokio::spawn(async move {
                        if is_by_hand(stringify!($name)) {
                            shared.app.touched();
                        }
                        commands::$name(&shared.app, request).await
                    }).await {
                        Ok(outcome) => answer(outcome),
                        Err(_) => crate::reply::refuse(contract::error_code::ErrorCode::Internal),
                    },
                    Err(refusal) => answer::<()>(Err(refusal)),
                },
            )))*
        };
    }
    contract::command_table!(route)
        .merge(contract::approval_table!(route))
        .route(APPROVAL_CLOSED, post(approval_closed::<P>))
        .route(HELLO, post(greet::<P>))
        .route(EVENTS, get(events::<P>))
        .route(COPY_LINK, post(copy_link::<P>))
        .route(CLOSED, post(closed::<P>))
        .route(NO_TRAY, post(no_tray::<P>))
        .route(QUIT, post(quit::<P>))
        .route(SHOW, post(show::<P>))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .with_state(Shared { app, hub, hello })
}

/// Whether a command shows that somebody sits at the window. What only reads is sent by the window itself too.
fn is_by_hand(command: &str) -> bool {
    let reads = ["app_state", "check_keychain", "pending_approval"];
    !(command.starts_with("list_") || command.starts_with("show_") || reads.contains(&command))
}

/// The routes of a host that could not open its data: every command is answered with the reason.
pub fn unfit_routes(code: contract::error_code::ErrorCode, hub: &Hub, hello: Hello) -> Router {
    let events = {
        let hub = hub.clone();
        async move || stream_events(&hub)
    };
    let end = |signal: WindowSignal| {
        let hub = hub.clone();
        async move || {
            hub.signal(signal).await;
            StatusCode::NO_CONTENT
        }
    };
    Router::new()
        .route(HELLO, post(async move || json(StatusCode::OK, &hello)))
        .route(EVENTS, get(events))
        .route(CLOSED, post(end(WindowSignal::Closed)))
        .route(QUIT, post(end(WindowSignal::Quit)))
        .fallback(async move || crate::reply::refuse(code))
}

/// A window of another build is refused: it would ask for what this host does not know.
async fn greet<P: Ports>(State(shared): State<Shared<P>>, body: Result<Bytes, BytesRejection>) -> Response {
    let Ok(theirs) = parse_whole::<Hello>(body) else { return StatusCode::BAD_REQUEST.into_response() };
    if theirs.build != shared.hello.build || theirs.sandbox != shared.hello.sandbox {
        tracing::warn!("a window of another build was refused");
        shared.hub.signal(WindowSignal::OtherBuild).await;
        return json(StatusCode::CONFLICT, &shared.hello);
    }
    shared.hub.signal(WindowSignal::Hello).await;
    json(StatusCode::OK, &shared.hello)
}

async fn events<P: Ports>(State(shared): State<Shared<P>>) -> Response {
    stream_events(&shared.hub)
}

fn stream_events(hub: &Hub) -> Response {
    let stream = BroadcastStream::new(hub.subscribe()).map(|event| {
        // One that fell behind reads everything anew: any event makes it do so.
        let lagged = |_: BroadcastStreamRecvError| HostEvent::Ui { event: contract::ui::Event::AppChanged };
        let mut line = serde_json::to_vec(&event.unwrap_or_else(lagged)).unwrap_or_default();
        line.push(b'\n');
        Ok::<_, std::convert::Infallible>(Bytes::from(line))
    });
    let kind = HeaderValue::from_static("application/x-ndjson");
    ([(header::CONTENT_TYPE, kind)], Body::from_stream(stream)).into_response()
}

async fn copy_link<P: Ports>(
    State(shared): State<Shared<P>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let link = async {
        let id = commands::attempt(&parse_whole::<AttemptRef>(body)?)?;
        shared.app.copy_link(id).await.map(|url| Link { url: url.into() })
    };
    answer(link.await)
}

/// The person closed the approval window over a question, which is a no. One that is over meanwhile needs none.
async fn approval_closed<P: Ports>(
    State(shared): State<Shared<P>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let closed = async {
        let question = commands::question(&parse_whole::<ApprovalRef>(body)?)?;
        match shared.app.approval_closed(question).await {
            Err(app::Refusal::ApprovalOver | app::Refusal::AskedUnknown) => Ok(Nothing {}),
            outcome => outcome.map(|()| Nothing {}),
        }
    };
    answer(closed.await)
}

async fn closed<P: Ports>(State(shared): State<Shared<P>>) -> StatusCode {
    shared.hub.signal(WindowSignal::Closed).await;
    StatusCode::NO_CONTENT
}

async fn no_tray<P: Ports>(State(shared): State<Shared<P>>) -> StatusCode {
    shared.app.set_no_tray();
    StatusCode::NO_CONTENT
}

async fn quit<P: Ports>(State(shared): State<Shared<P>>) -> StatusCode {
    shared.hub.signal(WindowSignal::Quit).await;
    StatusCode::NO_CONTENT
}

async fn show<P: Ports>(State(shared): State<Shared<P>>, body: Result<Bytes, BytesRejection>) -> StatusCode {
    let nothing = body.as_ref().is_ok_and(Bytes::is_empty);
    let wanted = if nothing { Ok(ShowWindow::default()) } else { parse_whole::<ShowWindow>(body) };
    let Ok(ShowWindow { quit }) = wanted else { return StatusCode::BAD_REQUEST };
    shared.hub.signal(WindowSignal::Show { quit, activation_token: None }).await;
    StatusCode::NO_CONTENT
}
