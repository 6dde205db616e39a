//! Serving HTTP: the public socket (HTTP/1.1) and the private channel (HTTP/2).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use app::App;
use axum::Router;
use broker::{Caller, Hub};
use http::Request;
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ipc::listen::Listener;
use tokio::net::UnixStream;

use crate::environment::Environment;
use crate::guests::{Guests, Place};
use crate::ports::RealPorts;

/// As many connections of programs at once that have not proven an agent's key.
const UNPROVEN: usize = 64;
/// And of those that have.
const PROVEN: usize = 1024;
/// A connection that says nothing for this long is closed.
const FIRST_REQUEST: Duration = Duration::from_secs(5);
/// And one that has proven no key in this time: what waits longest waits twenty seconds for the person.
const LONGEST: Duration = Duration::from_secs(30);

/// The public socket.
pub(crate) struct Public {
    listener: Listener,
    routes: Router,
    authority: String,
}

impl Public {
    pub(crate) fn bind(environment: &Environment, app: App<RealPorts>, hub: Hub) -> anyhow::Result<Self> {
        ipc_runtime_folder(environment)?;
        let install = app.install().clone();
        let path =
            ipc::address::socket_path(environment.runtime_folder(), &install).context("the socket's path")?;
        let authority = format!("{install}.countersign.localhost");
        let routes = broker::public::routes(app, hub, authority.clone());
        Ok(Self { listener: Listener::bind(&path).context("the socket")?, routes, authority })
    }

    pub(crate) fn path(&self) -> &Path {
        self.listener.path()
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Accepts until dropped. Beyond the limit, whoever says nothing makes room; if nobody does, a newcomer is closed
    /// at once.
    pub(crate) async fn serve(self) {
        let guests = Guests::new(UNPROVEN, PROVEN);
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(dialled) => dialled,
                Err(error) => {
                    tracing::warn!(%error, "the socket could not accept");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Some(place) = guests.enter() else { continue };
            let place = Arc::new(place);
            let routes = TowerToHyperService::new(self.routes.clone());
            tokio::spawn(async move {
                let (guest, proven) = (Arc::clone(&place), Arc::downgrade(&place));
                let prove = move || {
                    if let Some(place) = proven.upgrade() {
                        place.prove();
                    }
                };
                let caller = Caller::new(peer.pid, Arc::new(prove));
                let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(caller.clone());
                    let (asking, answer) = (guest.ask(), routes.call(request));
                    async move {
                        let answer = answer.await;
                        drop(asking);
                        answer
                    }
                });
                let serving = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(FIRST_REQUEST)
                    .max_buf_size(16 * 1024)
                    .serve_connection(TokioIo::new(stream), service);
                // A peer that breaks off or talks nonsense concerns nobody else.
                tokio::select! {
                    _ = serving => {}
                    () = place.asked_to_leave() => {}
                    () = stays_unproven(&place) => {}
                }
            });
        }
    }
}

/// Returns once a connection has taken too long to prove a key.
async fn stays_unproven(place: &Place) {
    tokio::time::sleep(LONGEST).await;
    if place.is_proven() {
        std::future::pending::<()>().await;
    }
}

/// Where there is no runtime folder of the session, one in the data folder serves.
fn ipc_runtime_folder(environment: &Environment) -> anyhow::Result<()> {
    let folder: PathBuf = environment.runtime_folder().to_owned();
    if folder.starts_with(environment.data_folder()) {
        ipc::folder::make_private(&folder).context("the runtime folder")?;
    }
    Ok(())
}

/// Serves one window process until it is gone.
pub(crate) async fn channel(stream: UnixStream, routes: Router) {
    let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    if let Err(error) = serving.await {
        tracing::debug!(%error, "the channel ended");
    }
}
