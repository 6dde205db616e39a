//! The public socket: what any program of the same user may ask.

use app::App;
use app::port::Ports;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contract::channel::Show;
use contract::support::MAX_REQUEST;
use http::{HeaderMap, StatusCode, header};

use crate::hub::{Hub, WindowSignal};
use crate::reply::parse;

/// What the socket's handlers share.
#[derive(Clone)]
struct Shared {
    hub: Hub,
    authority: String,
}

/// The routes of the public socket. `authority` is the one value that `Host` may have, so that no web page can be
/// made to speak to it by a name of its own.
pub fn routes<P: Ports>(app: App<P>, hub: Hub, authority: String) -> Router {
    let shared = Shared { hub, authority };
    Router::new()
        .route("/show", post(show))
        .with_state(shared.clone())
        .merge(crate::support::routes(app.clone()))
        .layer(DefaultBodyLimit::max(MAX_REQUEST))
        .merge(crate::agent::routes(app))
        .layer(from_fn_with_state(shared, check_host))
}

async fn check_host(
    State(shared): State<Shared>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let mut hosts = headers.get_all(header::HOST).iter();
    let ours = hosts.next().is_some_and(|host| host.as_bytes() == shared.authority.as_bytes())
        && hosts.next().is_none();
    // A target in absolute form counts before `Host` (RFC 9112 §3.2.2).
    let named = request.uri().authority().is_some_and(|named| named.as_str() != shared.authority);
    let foreign = named || headers.contains_key(header::ORIGIN);
    if ours && !foreign { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

/// Brings up the window. It carries at most an activation token.
async fn show(State(shared): State<Shared>, body: Bytes) -> StatusCode {
    let wanted = if body.is_empty() { Ok(Show::default()) } else { parse::<Show>(&body) };
    match wanted {
        Ok(Show { activation_token }) => {
            // It goes into a child's environment: visible ASCII of a sensible length, or not at all.
            let activation_token = activation_token
                .filter(|token| token.len() <= 256 && token.bytes().all(|b| b.is_ascii_graphic()));
            shared.hub.signal(WindowSignal::Show { quit: false, activation_token }).await;
            StatusCode::NO_CONTENT
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}
