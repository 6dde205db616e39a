//! Who asks: a proof by an agent's key, on a connection of this user.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::port::Ports;
use app::{App, Proof, Refused};
use http::HeaderMap;
use http::request::Parts;

/// The connection that a request came on.
#[derive(Clone)]
pub struct Caller {
    /// The process that dialled, to be shown only: it may have ended, or have handed its end on.
    pid: Option<i32>,
    proven: Arc<AtomicBool>,
    prove: Arc<dyn Fn() + Send + Sync>,
}

impl Caller {
    /// A caller; `prove` is called once an enrolled agent's key was proven on the connection.
    #[must_use]
    pub fn new(pid: Option<i32>, prove: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { pid, proven: Arc::default(), prove }
    }

    /// The program, as the system names it now: for the person to read, and evidence of nothing.
    pub(crate) fn program(&self) -> Option<String> {
        ipc::peer::program(self.pid?)
    }
}

/// Checks the proof of a request.
///
/// # Errors
/// There is not exactly one, it does not hold or was used, or the key asks too often.
pub(crate) async fn prove<P: Ports>(
    app: &App<P>,
    parts: &Parts,
    lease: Option<&str>,
) -> Result<Proof, Refused> {
    let text = only(&parts.headers, "dpop").ok_or(Refused::NoProof)?;
    let proof = app.greet_agent(text, parts.method.as_str(), parts.uri.path(), lease)?;
    if let Some(caller) = parts.extensions.get::<Caller>() {
        let first = !caller.proven.load(Ordering::Relaxed);
        if first && app.is_enrolled(proof.key).await && !caller.proven.swap(true, Ordering::Relaxed) {
            (caller.prove)();
        }
    }
    Ok(proof)
}

/// The program at the other end, where it can be told.
pub(crate) fn program(parts: &Parts) -> Option<String> {
    parts.extensions.get::<Caller>()?.program()
}

/// The value of a header that is there once, as text.
pub(crate) fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}
