//! The connection to Countersign: found, checked, used again, and ended from another thread.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::agent::{LeaseText, STALE_SECONDS};
use zeroize::Zeroizing;

use super::AgentError;
use super::request::{Request, With};
use crate::clock::{self, Deadline};
use crate::dice;
use crate::endpoint::{Endpoint, EndpointError};
use crate::exchange::{self, Answer, Asked, ExchangeError};
use crate::key::AgentKey;
use crate::place::{self, DialError, Stream};
use crate::proof::{self, Proven};

/// A busy host closes connections it has no place for: the next may be taken.
const TRIES: u32 = 20;
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// Makes the body anew for each time that it is sent: from the key, and the issuer that is asked.
pub(super) type Body<'a> = &'a dyn Fn(&AgentKey, &str) -> Result<Zeroizing<Vec<u8>>, AgentError>;

/// What is sent.
pub(super) struct Sent<'a> {
    pub(super) request: &'a Request,
    pub(super) lease: Option<&'a LeaseText>,
    pub(super) content_type: Option<&'a str>,
    pub(super) body: Body<'a>,
    pub(super) limit: Duration,
    pub(super) max_answer: usize,
    /// It may be sent again where nothing was heard.
    pub(super) again: bool,
}

impl<'a> Sent<'a> {
    /// Without a lease or a body.
    pub(super) fn plain(request: &'a Request, limit: Duration) -> Self {
        let max_answer = super::MAX_OWN;
        Self {
            request,
            lease: None,
            content_type: None,
            body: &|_, _| Ok(Zeroizing::default()),
            limit,
            max_answer,
            again: true,
        }
    }
}

/// Ends what an agent waits for: its connection is closed, and all that it is asked afterwards ends at once.
#[derive(Clone, Debug)]
pub struct HangUp(Arc<Shared>);

impl HangUp {
    /// Now. What was asked of the person is withdrawn by that.
    pub fn now(&self) {
        let mut state = self.0.state();
        state.is_over = true;
        if let Some(stream) = &state.stream {
            place::end(stream);
        }
        self.0.changed.notify_all();
    }
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_over: bool,
    /// What is waited for.
    stream: Option<Stream>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can fail half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), AgentError> {
        if self.state().is_over { Err(AgentError::HungUp) } else { Ok(()) }
    }

    /// Waits, unless it is over.
    fn wait(&self, time: Duration) -> Result<(), AgentError> {
        let waited = self.changed.wait_timeout_while(self.state(), time, |state| !state.is_over);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_over { Err(AgentError::HungUp) } else { Ok(()) }
    }

    /// Says which connection is to be ended, unless it is over.
    fn waits_on(&self, stream: &Stream) -> Result<(), AgentError> {
        let clone = stream.try_clone().map_err(|_| DialError::Refused)?;
        let mut state = self.state();
        state.stream = Some(clone);
        if state.is_over { Err(AgentError::HungUp) } else { Ok(()) }
    }
}

/// The connection.
#[derive(Debug)]
pub(super) struct Line {
    data_folder: PathBuf,
    idle: Option<(Endpoint, Stream)>,
    shared: Arc<Shared>,
}

impl Line {
    pub(super) fn of(data_folder: PathBuf) -> Self {
        Self { data_folder, idle: None, shared: Arc::default() }
    }

    pub(super) fn hang_up(&self) -> HangUp {
        HangUp(Arc::clone(&self.shared))
    }

    /// What every address begins with.
    pub(super) fn issuer(&self) -> Result<String, AgentError> {
        Ok(Endpoint::read(&self.data_folder)?.issuer())
    }

    /// Waits some seconds, or until the agent hangs up.
    pub(super) fn wait(&self, seconds: u32) -> Result<(), AgentError> {
        self.shared.wait(Duration::from_secs(seconds.into()))
    }

    /// Sends a request with a proof and gives the answer, whatever its status.
    pub(super) fn send(&mut self, key: &AgentKey, sent: &Sent<'_>) -> Result<Answer, AgentError> {
        if !sent.request.is_fit() {
            return Err(AgentError::RequestUnfit);
        }
        let mut tries = TRIES;
        loop {
            let (endpoint, stream) = self.connected()?;
            let heard = self.send_on(key, sent, &endpoint, &stream);
            self.shared.state().stream = None;
            self.shared.check()?;
            match heard {
                Ok(answer) => {
                    if answer.goes_on {
                        self.idle = Some((endpoint, stream));
                    }
                    return Ok(answer);
                }
                Err(AgentError::Exchange(ExchangeError::Unheard)) if sent.again && tries > 1 => {
                    tries -= 1;
                    self.shared.wait(TRY_AGAIN)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn send_on(
        &self,
        key: &AgentKey,
        sent: &Sent<'_>,
        endpoint: &Endpoint,
        stream: &Stream,
    ) -> Result<Answer, AgentError> {
        let issuer = endpoint.issuer();
        let body = (sent.body)(key, &issuer)?;
        let address = format!("{issuer}{}", sent.request.path);
        let proven = Proven { method: &sent.request.method, address: &address, lease: sent.lease };
        let proof = proof::sign(key, &proven, clock::now(), dice::make_jti()?);
        let with = With {
            authority: endpoint.authority(),
            proof: &proof.map_err(|_| AgentError::RequestUnfit)?,
            lease: sent.lease,
            content_type: sent.content_type,
            length: body.len(),
        };
        let head = sent.request.head(&with).ok_or(AgentError::RequestUnfit)?;
        self.shared.waits_on(stream)?;
        let asked = Asked { head, body: &body, bodiless: sent.request.method == "HEAD" };
        Ok(exchange::exchange(stream, &asked, Deadline::after(sent.limit), sent.max_answer)?)
    }

    /// The connection of the request before, where it still stands; else a new one. Where nobody listens, the host may
    /// be about to start: it is looked for again for five seconds.
    fn connected(&mut self) -> Result<(Endpoint, Stream), AgentError> {
        if let Some((endpoint, stream)) = self.idle.take()
            && place::is_quiet(&stream)
        {
            return Ok((endpoint, stream));
        }
        let deadline = Deadline::after(Duration::from_secs(STALE_SECONDS));
        loop {
            self.shared.check()?;
            match self.dial() {
                Err(AgentError::Endpoint(EndpointError::Absent) | AgentError::Dial(DialError::Nobody))
                    if deadline.left().is_some() =>
                {
                    self.shared.wait(TRY_AGAIN)?
                }
                other => return other,
            }
        }
    }

    fn dial(&self) -> Result<(Endpoint, Stream), AgentError> {
        let endpoint = Endpoint::read(&self.data_folder)?;
        let stream = place::dial(&endpoint.socket)?;
        Ok((endpoint, stream))
    }
}
