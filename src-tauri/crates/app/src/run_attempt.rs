//! One attempt, run: prepare, go out, wait, exchange, finish. Cancel is heard at every step.

use std::sync::Arc;
use std::time::Duration;

use domain::attempt::{Browser, Ending};
use domain::audit::AuditEvent;
use domain::provider::Provider;
use domain::reference::Stage;
use domain::secret::AuthorizationCode;
use oauth::callback::CallbackQuery;
use oauth::connect::Callback;
use oauth::metadata::{self, Endpoints};
use oauth::refusal::ProviderRule;
use oauth::token::{ExpectTokens, Issued, Leftover, TokenRequest};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::endings::{self, misbehaved};
use crate::go_out::{Out, Patience};
use crate::port::{
    Callback as _, CallbackPage, Clock as _, Http as _, Listening, OpenError, Ports, Store as _,
};
use crate::running::{Control, Running};

/// How long the person may take at the bank.
pub(crate) const AT_BANK: Duration = Duration::from_secs(5 * 60);
/// How many requests one attempt may have open at the bank: open again, copy link.
const MAX_OPENINGS: u16 = 10;

/// A judged answer: what to exchange, and what to expect of that.
type Answer = (TokenRequest, AuthorizationCode, ExpectTokens);

/// The exchange, under way in a task of its own so that Cancel never waits for the bank.
type Exchange = JoinHandle<Result<Issued, (Ending, Option<Leftover>)>>;

/// What can happen while the person is at the bank.
enum Turn<C> {
    Callback(C),
    Control(Control),
    Opened(Result<(), OpenError>),
}

impl<P: Ports> Running<P> {
    /// Runs to the end, whatever it is.
    pub(crate) async fn run(mut self, mut controls: mpsc::Receiver<Control>) {
        if let Err(ending) = self.connect(&mut controls).await {
            self.end(ending).await;
        }
    }

    /// All of it; an ending other than a grant is the error.
    async fn connect(&mut self, controls: &mut mpsc::Receiver<Control>) -> Result<(), Ending> {
        let inner = Arc::clone(&self.inner);
        let provider = inner.catalogue.provider(&self.attempt.provider).ok_or(Ending::BankUnreachable)?;
        let endpoints = until_cancelled(self.prepare(provider), controls).await?;
        let mut out = until_cancelled(self.go_out(provider, endpoints.clone()), controls).await?;
        let (request, code, expect) = self.wait_for_bank(&mut out, controls).await?;
        // One shot: the port is closed before the exchange begins.
        drop(out);
        // From here on the bank may have issued something: an orderly stop of the host waits for what follows.
        let _busy = inner.busy();
        self.reach(Stage::Exchange).await?;
        let issued = self.exchange(provider, &endpoints, request.build(&code), expect, controls).await?;
        self.finish(provider, &endpoints, issued, controls).await
    }

    /// The vault's key and the bank's metadata, before the browser is opened.
    async fn prepare(&mut self, provider: &Provider) -> Result<Endpoints, Ending> {
        self.reach(Stage::Keychain).await?;
        self.inner.ensure_key().await.map(drop).map_err(endings::of_key)?;
        self.reach(Stage::Metadata).await?;
        let Some(request) = metadata::request(provider) else { return Ok(Endpoints::pinned(provider)) };
        let reply = self.inner.ask_bank(request).await.map_err(endings::of_http)?;
        Endpoints::accept(provider, &reply).map_err(|err| endings::of_metadata(&err))
    }

    /// Waits for the answer, the person, or the end of the time; false answers change nothing.
    async fn wait_for_bank<L: Listening>(
        &mut self,
        out: &mut Out<L>,
        controls: &mut mpsc::Receiver<Control>,
    ) -> Result<Answer, Ending> {
        let inner = Arc::clone(&self.inner);
        let mut openings = self.attempt.openings;
        let mut time_out = Box::pin(inner.ports.clock().sleep(AT_BANK));
        loop {
            // Only going out again starts the time anew.
            if self.attempt.openings != openings {
                openings = self.attempt.openings;
                time_out = Box::pin(inner.ports.clock().sleep(AT_BANK));
            }
            let turn = tokio::select! {
                callback = out.listening.next() => Turn::Callback(callback.map_err(|_| Ending::PortTaken)?),
                control = controls.recv() => Turn::Control(control.unwrap_or(Control::Cancel)),
                outcome = &mut out.opening => Turn::Opened(outcome),
                () = &mut time_out => return Err(Ending::TimedOut),
            };
            match turn {
                Turn::Callback(callback) => {
                    if let Some(answer) = self.judge(out, callback).await? {
                        return Ok(answer);
                    }
                }
                Turn::Opened(outcome) => {
                    out.opening = Box::pin(std::future::pending());
                    self.opened(outcome).await?;
                }
                Turn::Control(Control::Cancel) => return Err(Ending::Cancelled),
                Turn::Control(wish @ (Control::OpenAgain | Control::CopyLink(_)))
                    if self.attempt.openings < MAX_OPENINGS =>
                {
                    self.go_again(out, wish, controls).await?
                }
                Turn::Control(Control::OpenAgain | Control::CopyLink(_) | Control::Decide(_)) => {}
            }
        }
    }

    /// Another request beside those that are out. If the bank does not take it, those still stand.
    async fn go_again<L: Listening>(
        &mut self,
        out: &mut Out<L>,
        wish: Control,
        controls: &mut mpsc::Receiver<Control>,
    ) -> Result<(), Ending> {
        let url = match until_cancelled(self.request(out, Patience::None), controls).await {
            Ok(url) => url,
            Err(Ending::Cancelled) => return Err(Ending::Cancelled),
            // A wish for the link ends unanswered, which its caller is told; the browser is shown as not opened.
            Err(_) => return self.change(|attempt| attempt.browser = Browser::Failed).await,
        };
        match wish {
            Control::CopyLink(reply) => {
                self.sent_out(Browser::LinkCopied).await?;
                // The asker may have gone; the request is good for whoever has the link.
                let _ = reply.send(Some(url));
                Ok(())
            }
            Control::OpenAgain | Control::Cancel | Control::Decide(_) => self.open(out, url).await,
        }
    }

    /// Judges one request at the callback path and answers the browser at once.
    async fn judge<L: Listening>(
        &mut self,
        out: &mut Out<L>,
        callback: L::Callback,
    ) -> Result<Option<Answer>, Ending> {
        let query = CallbackQuery::parse(callback.query());
        let mut mine = None;
        for expect in std::mem::take(&mut out.expected) {
            match expect.accept(&query) {
                Ok(Callback::NotMine(expect)) => out.expected.push(expect),
                Ok(Callback::Mine(request, code, expect)) => mine = Some(Ok((request, code, expect))),
                Err(error) => mine = Some(Err(error)),
            }
        }
        let page = match mine {
            Some(Ok(_)) => CallbackPage::Done,
            Some(Err(_)) => CallbackPage::NotConnected,
            None => CallbackPage::NotOurs,
        };
        if mine.is_none() {
            // In the background: whoever sends many, or reads slowly, must not hold up the genuine one.
            tokio::spawn(callback.answer(page));
            self.count_stray().await;
            return Ok(None);
        }
        callback.answer(page).await;
        self.reach(Stage::Callback).await?;
        mine.transpose().map_err(endings::of_callback)
    }

    /// Records interference at the 1st, 10th, 100th, … false answer: enough to see it, not enough to fill a disk.
    async fn count_stray(&mut self) {
        let strays = self.attempt.strays.saturating_add(1);
        self.attempt.strays = strays;
        if !is_power_of_ten(strays) {
            return;
        }
        tracing::warn!(attempt = %self.attempt.id, strays, "false answers at the loopback listener");
        let (id, now) = (self.attempt.id, self.inner.ports.clock().now());
        let event = AuditEvent::CallbackInterference { attempt: id, strays };
        if let Err(error) = self.inner.ports.store().write(move |tx| tx.append_audit(now, &event)).await {
            tracing::error!(attempt = %id, %error, "interference was not recorded");
        }
    }

    /// Exchanges the code, once. Whatever the bank issues and we do not keep is revoked.
    async fn exchange(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        request: Option<oauth::message::Request>,
        expect: ExpectTokens,
        controls: &mut mpsc::Receiver<Control>,
    ) -> Result<Issued, Ending> {
        let inner = Arc::clone(&self.inner);
        let request = request.ok_or(misbehaved(ProviderRule::AuthorizationEndpointUnfit))?;
        let mut exchange: Exchange = tokio::spawn(async move {
            let reply =
                inner.ports.http().send(request).await.map_err(|err| (endings::of_http(err), None))?;
            expect.accept(&reply).map_err(|err| (endings::of_token(err), Leftover::of_reply(&reply)))
        });
        tokio::select! {
            issued = &mut exchange => match issued {
                Ok(Ok(issued)) => Ok(issued),
                Ok(Err((ending, leftover))) => {
                    if let Some(leftover) = leftover {
                        self.discard_later(provider, endpoints, leftover);
                    }
                    Err(ending)
                }
                Err(_) => Err(Ending::BankUnreachable),
            },
            () = cancelled(controls) => {
                self.discard_when_done(exchange, endpoints);
                Err(Ending::Cancelled)
            }
        }
    }

    /// Cancelled while the bank was answering: the person goes on, what still comes is revoked.
    fn discard_when_done(&self, exchange: Exchange, endpoints: &Endpoints) {
        let (inner, attempt, endpoints) = (Arc::clone(&self.inner), self.attempt.clone(), endpoints.clone());
        let busy = inner.busy();
        tokio::spawn(async move {
            let leftover = match exchange.await {
                Ok(Ok(issued)) => Some(Leftover::from(issued)),
                Ok(Err((_, leftover))) => leftover,
                Err(_) => None,
            };
            if let (Some(leftover), Some(provider)) = (leftover, inner.catalogue.provider(&attempt.provider))
            {
                inner.discard(provider, &endpoints, &attempt, leftover).await;
            }
            drop(busy);
        });
    }

    /// The same for tokens that are there already.
    fn discard_later(&self, provider: &Provider, endpoints: &Endpoints, leftover: Leftover) {
        let (inner, attempt) = (Arc::clone(&self.inner), self.attempt.clone());
        let (provider, endpoints) = (provider.clone(), endpoints.clone());
        let busy = inner.busy();
        tokio::spawn(async move {
            inner.discard(&provider, &endpoints, &attempt, leftover).await;
            drop(busy);
        });
    }

    /// Checks who it is and what it covers, then stores; whatever fails, the bank is told to forget it.
    async fn finish(
        &mut self,
        provider: &Provider,
        endpoints: &Endpoints,
        mut issued: Issued,
        controls: &mut mpsc::Receiver<Control>,
    ) -> Result<(), Ending> {
        let holdings = until_cancelled(self.read_holdings(provider, endpoints, &mut issued), controls).await;
        let outcome = match holdings {
            Ok(holdings) => match self.takes_place_of(&holdings, controls).await {
                Ok(old) => self.save(provider, &issued, holdings, old).await,
                Err(ending) => Err(ending),
            },
            Err(ending) => Err(ending),
        };
        match outcome {
            Ok(()) => Ok(()),
            // Here the answer decides what is true: the person is told once it is known.
            Err(Ending::NotSaved { .. }) => {
                let leftover = Leftover::from(issued);
                let bank_told = self.inner.discard(provider, endpoints, &self.attempt, leftover).await;
                Err(Ending::NotSaved { bank_told })
            }
            Err(ending) => {
                self.discard_later(provider, endpoints, issued.into());
                Err(ending)
            }
        }
    }
}

/// Runs something until it is done or the person cancels.
async fn until_cancelled<T>(
    work: impl Future<Output = Result<T, Ending>>,
    controls: &mut mpsc::Receiver<Control>,
) -> Result<T, Ending> {
    tokio::select! {
        done = work => done,
        () = cancelled(controls) => Err(Ending::Cancelled),
    }
}

/// Resolves when the person cancels; other wishes have no meaning at this point.
async fn cancelled(controls: &mut mpsc::Receiver<Control>) {
    loop {
        match controls.recv().await {
            Some(Control::Cancel) | None => return,
            Some(Control::OpenAgain | Control::CopyLink(_) | Control::Decide(_)) => {}
        }
    }
}

fn is_power_of_ten(number: u32) -> bool {
    let mut power = 1u32;
    while power < number && power <= u32::MAX / 10 {
        power *= 10;
    }
    power == number
}
