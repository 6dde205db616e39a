//! Going out to the bank: the loopback port, the request, the browser.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::attempt::{Browser, Ending};
use domain::provider::Provider;
use domain::reference::Stage;
use oauth::connect::{Authorization, Draft, ExpectCallback};
use oauth::fresh::Fresh;
use oauth::message::Reply;
use oauth::metadata::Endpoints;
use oauth::refusal::ProviderRule;
use url::Url;

use crate::endings::{self, NOT_SAVED, misbehaved};
use crate::port::{Clock as _, Http as _, Listening, Loopback, OpenError, Opener as _, Ports};
use crate::run_attempt::AT_BANK;
use crate::running::Running;

/// How often a request is pushed where the bank asks us to wait.
const PUSHES: u32 = 3;
/// The longest the person is kept waiting for the bank to take a pushed request.
const LONGEST_WAIT: u32 = 30;
/// Some browsers and servers cut an address that is longer.
const LONG: usize = 2000;

/// The requests of one attempt that are out at the bank, and where their answers arrive.
pub(crate) struct Out<L> {
    pub(crate) listening: L,
    draft: Draft,
    pub(crate) expected: Vec<ExpectCallback>,
    pub(crate) opening: Opening,
}

/// The browser, being opened; the answer may come sooner than the launcher is done.
type Opening = Pin<Box<dyn Future<Output = Result<(), OpenError>> + Send>>;

/// Whether a bank that is busy is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It is not: answers to other requests may arrive meanwhile.
    None,
    /// For as long as it says, within reason.
    Some,
}

impl<P: Ports> Running<P> {
    /// Binds the loopback port and makes the first request.
    pub(crate) async fn go_out(
        &mut self,
        provider: &Provider,
        endpoints: Endpoints,
    ) -> Result<Out<<P::Loopback as Loopback>::Listening>, Ending> {
        self.reach(Stage::Browser).await?;
        let listening =
            self.inner.ports.loopback().listen(&provider.callback_path(), provider.loopback_port).await;
        let listening = listening.map_err(|_| Ending::PortTaken)?;
        let permissions = self.attempt.permissions.iter().filter_map(|id| provider.profile.permission(id));
        let scopes: Vec<String> = permissions.map(|permission| permission.scope.clone()).collect();
        let draft = Draft::new(provider, endpoints, &scopes).map_err(misbehaved)?;
        let mut out =
            Out { listening, draft, expected: Vec::new(), opening: Box::pin(std::future::pending()) };
        let url = self.request(&mut out, Patience::Some).await?;
        self.open(&mut out, url).await?;
        Ok(out)
    }

    /// A fresh request: state, nonce and verifier of its own; the address to open.
    pub(crate) async fn request<L: Listening>(
        &mut self,
        out: &mut Out<L>,
        patience: Patience,
    ) -> Result<Url, Ending> {
        let mut pushes = if patience == Patience::Some { PUSHES } else { 1 };
        loop {
            let fresh =
                Fresh::from_random(self.inner.random().map_err(|_| NOT_SAVED)?).map_err(|_| NOT_SAVED)?;
            let prepared = out.draft.prepare(fresh, out.listening.redirect_uri());
            let (authorization, expect) =
                prepared.ok_or(misbehaved(ProviderRule::AuthorizationEndpointUnfit))?;
            let url = match authorization {
                Authorization::Open(url) => url,
                Authorization::Push(request, pushed) => {
                    let reply = self.inner.ports.http().send(*request).await.map_err(endings::of_http)?;
                    pushes -= 1;
                    if let Some(wait) = told_to_wait(&reply).filter(|_| pushes > 0) {
                        self.inner.ports.clock().sleep(wait).await;
                        continue;
                    }
                    pushed.accept(&reply).map_err(endings::of_push)?
                }
            };
            out.expected.push(expect);
            return Ok(url);
        }
    }

    /// Begins to open the browser, and the time that the person has.
    pub(crate) async fn open<L>(&mut self, out: &mut Out<L>, url: Url) -> Result<(), Ending> {
        if url.as_str().len() > LONG {
            // Never cut: a part of it would ask for something else (RFC 8252 §6). Support finds it in the log.
            tracing::warn!(attempt = %self.attempt.id, bytes = url.as_str().len(), "a long address is opened");
        }
        let inner = Arc::clone(&self.inner);
        out.opening = Box::pin(async move { inner.ports.opener().open(&url).await });
        self.sent_out(Browser::NotYet).await
    }

    pub(crate) async fn sent_out(&mut self, browser: Browser) -> Result<(), Ending> {
        let span = i64::try_from(AT_BANK.as_millis()).unwrap_or(i64::MAX);
        let deadline = self.inner.ports.clock().now().plus_millis(span);
        self.change(|attempt| {
            attempt.stage = Stage::Bank;
            attempt.browser = browser;
            attempt.openings += 1;
            attempt.deadline = Some(deadline);
        })
        .await
    }

    pub(crate) async fn opened(&mut self, outcome: Result<(), OpenError>) -> Result<(), Ending> {
        let browser = match outcome {
            Ok(()) => Browser::Opened,
            Err(error) => {
                tracing::warn!(attempt = %self.attempt.id, %error, "the browser was not opened");
                Browser::Failed
            }
        };
        self.change(|attempt| attempt.browser = browser).await
    }
}

/// How long a bank that is busy asks us to wait; it has not taken the request then (RFC 6585 §4, RFC 9110 §15.6.4).
fn told_to_wait(reply: &Reply) -> Option<Duration> {
    let seconds = reply.retry_after.filter(|_| matches!(reply.status, 429 | 503))?;
    (seconds <= LONGEST_WAIT).then(|| Duration::from_secs(seconds.max(1).into()))
}
