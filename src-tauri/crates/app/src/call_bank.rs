//! A brokered call: matched to its lease, written down, sent with the bank's token, and answered without it.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::Agent;
use domain::audit::AuditEvent;
use domain::call::Call;
use domain::grant::{Grant, ReconnectWhy, Standing};
use domain::id::{GrantId, LeaseId};
use domain::lease::Terms;
use domain::policy::{Denial, may_have};
use domain::profile::Operation;
use domain::provider::Provider;
use domain::secret::AccessToken;
use domain::time::Timestamp;
use oauth::challenge::{Complaint, complaint};
use oauth::echo::EchoGuard;
use oauth::json::object;
use oauth::message::{Request, bearer_request};
use oauth::proof::Proof;
use tokio::sync::mpsc;
use url::Url;

use crate::leases::Lease;
use crate::port::{
    CALL_LIMITS, CallBody, CallReply, Clock as _, Http as _, HttpError, Ports, Store as _, StoreError, Tx,
};
use crate::refused::Refused;
use crate::start::{App, Inner};

/// Pieces of an answer that wait for the agent to read them.
const AHEAD: usize = 4;
/// An agent that reads nothing for so long has gone.
const READS_WITHIN: Duration = Duration::from_secs(30);

/// What an agent sends.
#[derive(Debug)]
pub struct AgentCall {
    /// The grant in the path.
    pub grant: GrantId,
    /// The method.
    pub method: String,
    /// The path below the bank's base, with its first `/`.
    pub path: String,
    /// What stands after the `?`.
    pub query: Option<String>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// What the bank says to it.
pub struct BankAnswer {
    /// Its status.
    pub status: u16,
    /// What sort of body it is.
    pub content_type: String,
    /// When to ask again, in seconds.
    pub retry_after: Option<u32>,
    pieces: mpsc::Receiver<Piece>,
}

/// A piece of a body on its way to the agent.
enum Piece {
    Bytes(Vec<u8>),
    /// There is no more: without it a body is not whole, whatever came.
    End,
    /// The rest is not passed on.
    Cut(Refused),
}

impl BankAnswer {
    /// The next bytes of the body; none at its end.
    ///
    /// # Errors
    /// It is not passed on whole: the bank broke off, something in it may not go on, or access was cut off meanwhile.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Refused> {
        match self.pieces.recv().await {
            Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Piece::End) => Ok(None),
            Some(Piece::Cut(why)) => Err(why),
            None => Err(Refused::BankUnavailable),
        }
    }
}

/// A call that is written down and about to be sent.
struct Ready {
    lease: Arc<Lease>,
    grant: Grant,
    agent: Agent,
    request: Unsent,
}

/// A request without its token.
#[derive(Clone)]
struct Unsent {
    method: String,
    url: Url,
    body: Option<Vec<u8>>,
    /// The bank carries out a request with the same key once.
    once: Option<LeaseId>,
}

impl<P: Ports> App<P> {
    /// Makes a call under a lease.
    ///
    /// # Errors
    /// Why not; nothing was sent, unless it is the bank that failed.
    pub async fn call_bank(
        &self,
        proof: &Proof,
        handle: &str,
        call: AgentCall,
    ) -> Result<BankAnswer, Refused> {
        self.0.may_give()?;
        let now = self.0.moment();
        let lease = self.0.broker.leases.find(handle, &proof.key, call.grant, now)?;
        let ready = match self.0.ready_call(handle, Arc::clone(&lease), call).await {
            Ok(ready) => ready,
            Err(refused) => return Err(self.0.has_refused_call(&lease, refused).await),
        };
        let inner = Arc::clone(&self.0);
        let (head, heard) = tokio::sync::oneshot::channel();
        // In a task of its own: what was begun at the bank is written down even if the agent goes away.
        tokio::spawn(async move { inner.carry_out_call(ready, head).await });
        heard.await.unwrap_or(Err(Refused::BankUnavailable))
    }
}

type Head = tokio::sync::oneshot::Sender<Result<BankAnswer, Refused>>;

impl<P: Ports> Inner<P> {
    /// Reads the call, holds it against the lease and against the grant as it is now, and writes it down.
    async fn ready_call(
        self: &Arc<Self>,
        handle: &str,
        lease: Arc<Lease>,
        call: AgentCall,
    ) -> Result<Ready, Refused> {
        let grant = self.living(lease.grant).await?;
        // Told to come back later, an agent has its use of the lease still.
        if grant.standing(self.ports.clock().now()) == Standing::Paused {
            return Err(Denial::GrantPaused.into());
        }
        let provider = self.catalogue.provider(&grant.provider);
        let provider = provider.filter(|provider| provider.server.issuer.as_str() == grant.issuer);
        let provider = provider.ok_or(Refused::Denied(Denial::NeedsReconnect))?;
        let AgentCall { method, path, query, body, .. } = call;
        let body = if body.is_empty() { None } else { Some(object(&body).map_err(|_| Refused::Malformed)?) };
        let (operation, mut call) = Call::read(&provider.profile, &method, &path, query.as_deref(), body)?;
        lease.terms.fit(operation, &mut call)?;
        let request = unsent(provider, operation, &call, &lease).ok_or(Refused::Malformed)?;
        let account = operation.account.as_ref().and_then(|place| call.text_at(place)).map(str::to_owned);
        let (money, payee) = match &lease.terms {
            Terms::Pay { payment, .. } => (Some(payment.amount.clone()), Some(payment.creditor.clone())),
            Terms::Look(_) => (None, None),
        };
        self.broker.leases.take_use(handle)?;
        let event = AuditEvent::CallMade {
            grant: lease.grant,
            agent: lease.agent,
            lease: lease.id,
            operation: operation.id.clone(),
            account: account.clone(),
            money,
            payee,
        };
        let (now, key, permission) = (self.ports.clock().now(), lease.key, operation.permission.clone());
        let id = lease.grant;
        let stored = self.ports.store().write(move |tx| {
            let standing = as_it_is(tx, id, &key, now)?;
            if let Ok((_, grant)) = &standing {
                let at_account = |id: &String| grant.allowed_accounts().any(|account| account.id == *id);
                if !grant.allowed_permissions().contains(&permission) {
                    return Ok(Err(Refused::Denied(Denial::OperationOutside)));
                }
                if !account.iter().all(at_account) {
                    return Ok(Err(Refused::Denied(Denial::AccountOutside)));
                }
                tx.append_audit(now, &event)?;
                tx.count_use(id, now, false)?;
            }
            Ok(standing)
        });
        let (agent, grant) = stored.await??;
        Ok(Ready { lease, grant, agent, request })
    }

    /// Sends a call that is written down, and passes the answer on.
    async fn carry_out_call(self: Arc<Self>, ready: Ready, head: Head) {
        let grant = ready.grant.id;
        let used = self.uses.unless_cut(grant, self.stopped_or(self.exchange(&ready, head)));
        let status = match used.await {
            Some(Some(status)) => status,
            // Cut off, or everything stopped: the agent's connection ends where it stands.
            Some(None) | None => 0,
        };
        let event = AuditEvent::CallAnswered { grant, agent: ready.agent.id, lease: ready.lease.id, status };
        let now = self.ports.clock().now();
        if let Err(error) = self.ports.store().write(move |tx| tx.append_audit(now, &event)).await {
            tracing::error!(%error, "what a bank answered could not be recorded");
        }
        self.saw_call(ready.agent.id).await;
    }

    /// Waits for something, or drops it where it stands once everything is stopped.
    async fn stopped_or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.switch.until_stopped() => None,
            done = work => Some(done),
        }
    }

    /// One call with the token in hand; where the bank refuses that and nothing is changed by asking again, one more
    /// with a fresh one (OAuth 2.1 §5.3.2). The bank's status, 0 for none that could be used.
    async fn exchange(self: &Arc<Self>, ready: &Ready, head: Head) -> u16 {
        let (reply, access) = match self.reply(ready).await {
            Ok(reply) => reply,
            Err(refused) => {
                let _ = head.send(Err(refused));
                return 0;
            }
        };
        let guard = EchoGuard::new(&[access.expose_secret()]);
        drop(access);
        if (300..400).contains(&reply.status) {
            let _ = head.send(Err(Refused::BadAnswer));
            return reply.status;
        }
        let status = reply.status;
        if self.pass_on(reply, guard, head).await { status } else { 0 }
    }

    async fn reply(self: &Arc<Self>, ready: &Ready) -> Result<(CallReply, AccessToken), Refused> {
        let id = ready.grant.id;
        let (grant, access) = self.access_token(id).await?;
        let reads = ready.request.method == "GET";
        let mut reply = self.send_call(&ready.request, &access, reads).await?;
        if reply.status != 401 || complaint(&reply.challenges) == Complaint::InsufficientScope {
            return Ok((reply, access));
        }
        if !reads {
            // It may have been carried out for all we know: the agent is told, and nothing is repeated.
            return Ok((reply, access));
        }
        let (grant, access) = self.fresh_token(id, grant.generation).await?;
        reply = self.send_call(&ready.request, &access, reads).await?;
        if reply.status == 401 && complaint(&reply.challenges) != Complaint::InsufficientScope {
            self.need_reconnect(id, grant.generation, ReconnectWhy::RefusedAtBank).await?;
            return Err(Refused::Denied(Denial::NeedsReconnect));
        }
        Ok((reply, access))
    }

    async fn send_call(
        &self,
        request: &Unsent,
        access: &AccessToken,
        reads: bool,
    ) -> Result<CallReply, Refused> {
        let http = self.ports.http();
        let build = || request.with(access).ok_or(Refused::Malformed);
        match http.call(build()?, CALL_LIMITS).await {
            Ok(reply) => Ok(reply),
            // A connection that was kept and had been closed: what only reads is sent once more.
            Err(HttpError::Closed) if reads => http.call(build()?, CALL_LIMITS).await.map_err(unheard),
            Err(error) => Err(unheard(error)),
        }
    }

    /// Passes the answer on, piece by piece; what echoes the token ends it. True if it was passed on whole.
    async fn pass_on(&self, reply: CallReply, guard: EchoGuard, head: Head) -> bool {
        let content_type = passed_type(reply.content_type.as_deref());
        let mut body = Clean { body: reply.body, guard: Some(guard) };
        // The first piece that is known to be clean comes with the head: an echo in a short answer is no answer at all.
        let first = match body.next().await {
            Ok(first) => first,
            Err(refused) => {
                let _ = head.send(Err(refused));
                return false;
            }
        };
        let (sender, pieces) = mpsc::channel(AHEAD);
        let answer =
            BankAnswer { status: reply.status, content_type, retry_after: reply.retry_after, pieces };
        if self.may_give().is_err() || head.send(Ok(answer)).is_err() {
            return false;
        }
        let mut piece = first;
        while let Some(bytes) = piece {
            let sent = tokio::time::timeout(READS_WITHIN, sender.send(Piece::Bytes(bytes)));
            if !sent.await.is_ok_and(|sent| sent.is_ok()) {
                return false;
            }
            piece = match body.next().await {
                Ok(piece) => piece,
                Err(refused) => {
                    let _ = sender.send(Piece::Cut(refused)).await;
                    return false;
                }
            };
        }
        sender.send(Piece::End).await.is_ok()
    }

    async fn has_refused_call(self: &Arc<Self>, lease: &Lease, why: Refused) -> Refused {
        let (grant, agent, now) = (lease.grant, lease.agent, self.ports.clock().now());
        let event = AuditEvent::CallRefused { grant, agent, why: why.word() };
        if let Err(error) = self.ports.store().write(move |tx| tx.count_use(grant, now, true)).await {
            tracing::error!(%error, "a refused call could not be counted");
        }
        self.record_refusal(agent, event, why.rule()).await;
        why
    }
}

/// Agent and grant as they are in this transaction, if anything may be had.
fn as_it_is(
    tx: &mut dyn Tx,
    id: GrantId,
    key: &domain::agent::AgentKey,
    now: Timestamp,
) -> Result<Result<(Agent, Grant), Refused>, StoreError> {
    let (Some(agent), Some(grant)) = (tx.agent_by_key(key)?, tx.grant(id)?) else {
        return Ok(Err(Refused::LeaseUnknown));
    };
    Ok(may_have(&agent, &grant, now).map(|()| (agent, grant)).map_err(Refused::from))
}

/// A body of which only bytes come out that are known to hold nothing of the token; none at the end.
struct Clean {
    body: CallBody,
    /// None once the body has ended.
    guard: Option<EchoGuard>,
}

impl Clean {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Refused> {
        while let Some(guard) = &mut self.guard {
            let clean = match self.body.next().await.map_err(unheard)? {
                Some(bytes) => guard.push(&bytes).map_err(|_| Refused::BadAnswer)?,
                None => match self.guard.take() {
                    Some(guard) => guard.finish().map_err(|_| Refused::BadAnswer)?,
                    None => Vec::new(),
                },
            };
            if !clean.is_empty() {
                return Ok(Some(clean));
            }
        }
        Ok(None)
    }
}

fn unheard(error: HttpError) -> Refused {
    match error {
        HttpError::NotWellFormed | HttpError::TooLarge => Refused::BadAnswer,
        HttpError::Closed
        | HttpError::NoConnection
        | HttpError::NotPublic
        | HttpError::TimedOut
        | HttpError::Tls => Refused::BankUnavailable,
    }
}

/// The request, from what was read and from the profile alone.
fn unsent(provider: &Provider, operation: &Operation, call: &Call, lease: &Lease) -> Option<Unsent> {
    let mut url = Url::parse(&provider.operation_url(&call.path(operation))).ok()?;
    let mut parameters = call.parameters().peekable();
    if parameters.peek().is_some() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    let body = call.body().map(serde_json::to_vec).transpose().ok()?;
    let once = Some(lease.id).filter(|_| operation.pays());
    Some(Unsent { method: operation.method.clone(), url, body, once })
}

impl Unsent {
    fn with(&self, access: &AccessToken) -> Option<Request> {
        let mut request = bearer_request(&self.method, &self.url, access)?;
        if let Some(once) = self.once {
            request.headers_mut().insert("idempotency-key", once.to_string().parse().ok()?);
        }
        if let Some(body) = &self.body {
            request.headers_mut().insert("content-type", "application/json".parse().ok()?);
            request.body_mut().extend_from_slice(body);
        }
        Some(request)
    }
}

/// The kinds of bodies that an API has. Anything else is bytes, and nothing that a reader would run.
fn passed_type(said: Option<&str>) -> String {
    let essence = said.and_then(|said| said.split(';').next()).map(|e| e.trim().to_ascii_lowercase());
    let known =
        ["application/json", "application/problem+json", "text/csv", "application/pdf", "application/xml"];
    let json = |essence: &String| {
        essence.starts_with("application/")
            && essence.ends_with("+json")
            && essence.bytes().all(|b| b.is_ascii_alphanumeric() || b"/+.-".contains(&b))
    };
    match essence {
        Some(essence) if known.contains(&essence.as_str()) || json(&essence) => essence,
        Some(_) | None => "application/octet-stream".to_owned(),
    }
}
