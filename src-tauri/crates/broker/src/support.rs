//! `/support/…`: what the command line asks. Reading and stopping is free to any program of the person; what starts
//! something is put before the person first.
//!
//! **Invariant:** the types that go out are those of `contract`, none of which can carry a token or a key.

use std::time::Duration;

use app::port::Ports;
use app::{App, Begun, Refusal, Said, Wanted};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use axum::routing::post;
use contract::error_code::ErrorCode;
use contract::support::{self, AskedRef, AuditFrom, EnrolmentRef, Killed, Start, Started};
use contract::ui::{
    AgentRef, AnswerEnrolment, AppState, ApprovalRef, AttemptRef, GrantRef, NarrowGrant, Nothing, Unlock,
};
use domain::id::{AskedId, GrantId, QuestionId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands;
use crate::reply::{answer, parse_whole, refuse};

/// How long a request is kept open for the person.
const WAIT: Duration = Duration::from_secs(support::WAIT_SECONDS);

/// What came as a body.
type Sent = Result<Bytes, BytesRejection>;

/// The routes.
pub(crate) fn routes<P: Ports>(app: App<P>) -> Router {
    macro_rules! route {
        ($($path:expr, |$app:ident, $request:ident: $kind:ty| $done:expr;)*) => {
            Router::new()$(.route($path, post(
                async |State($app): State<App<P>>, sent: Sent| run(sent, async move |$request: $kind| $done).await,
            )))*
        };
    }
    route! {
        support::STATUS, |app, _nothing: Nothing| app.status().await;
        support::GRANTS, |app, _nothing: Nothing| app.list_grants().await;
        support::GRANT, |app, named: GrantRef| commands::show_grant(&app, named).await;
        support::AGENTS, |app, _nothing: Nothing| app.list_agents().await;
        support::APPROVALS, |app, _nothing: Nothing| app.open_questions().await;
        support::PROVIDERS, |app, _nothing: Nothing| Ok(app.list_providers());
        support::ATTEMPTS, |app, _nothing: Nothing| app.recent_attempts().await;
        support::ATTEMPT, |app, named: AttemptRef| app.attempt_row_of(commands::attempt(&named)?).await;
        support::AUDIT, |app, from: AuditFrom| app.audit_part(from).await;
        support::CHECK, |app, named: GrantRef| {
            let id = commands::grant(&named)?;
            app.check_for_another(id).await?;
            app.show_grant(id).await
        };
        support::PAUSE, |app, named: GrantRef| commands::pause_grant(&app, named).await;
        support::NARROW, |app, left: NarrowGrant| commands::narrow_grant(&app, left).await;
        support::LOCK, |app, nothing: Nothing| commands::lock(&app, nothing).await;
        support::UNLOCK, |app, request: Unlock| unlock(&app, request).await;
        support::REVOKE, |app, named: GrantRef| commands::revoke_grant(&app, named).await;
        support::CANCEL, |app, named: AttemptRef| {
            let id = commands::attempt(&named)?;
            app.cancel_attempt(id).await?;
            app.attempt_row_of(id).await
        };
        support::ANSWER_APPROVAL, |app, named: ApprovalRef| {
            app.approval_closed(commands::question(&named)?).await?;
            app.open_questions().await
        };
        support::ANSWER_ENROLMENT, |app, named: EnrolmentRef| {
            let no = AnswerEnrolment { id: named.id, accept: false, name: None, replaces: None };
            app.answer_enrolment(&no).await
        };
        support::PAUSE_AGENT, |app, named: AgentRef| commands::pause_agent(&app, named).await;
        support::REMOVE_AGENT, |app, named: AgentRef| commands::remove_agent(&app, named).await;
        support::KILL, |app, _nothing: Nothing| {
            Ok(Killed { recorded: app.stop_agents().await.recorded })
        };
        support::START, |app, wanted: Start| start(&app, wanted).await;
        support::ASKED, |app, named: AskedRef| {
            let id = AskedId::parse(&named.asked).map_err(|_| Refusal::Malformed)?;
            wait(&app, id).await
        };
    }
    .with_state(app)
}

/// Answers one request, in a task of its own: what was begun is carried through even if the caller goes away.
async fn run<R, A, F>(sent: Sent, work: impl FnOnce(R) -> F + Send + 'static) -> Response
where
    R: DeserializeOwned + Send + 'static,
    A: Serialize + Send + 'static,
    F: Future<Output = Result<A, Refusal>> + Send + 'static,
{
    match parse_whole::<R>(sent) {
        Ok(request) => match tokio::spawn(work(request)).await {
            Ok(outcome) => answer(outcome),
            Err(_) => refuse(ErrorCode::Internal),
        },
        Err(refusal) => answer::<()>(Err(refusal)),
    }
}

/// Opens the lock by the passphrase. Without one there is nothing that this program could show to be the person: they
/// unlock in the window.
async fn unlock<P: Ports>(app: &App<P>, request: Unlock) -> Result<AppState, Refusal> {
    app.may_guess()?;
    let passphrase = commands::passphrase(request.passphrase).ok().flatten();
    app.unlock_from_elsewhere(passphrase.ok_or(Refusal::PassphraseWrong)?).await?;
    app.app_state().await
}

/// Starts what is wanted once the person has said so: by a click, or by the passphrase that came with the request.
async fn start<P: Ports>(app: &App<P>, request: Start) -> Result<Started, Refusal> {
    let wanted = wanted(request.wanted)?;
    if request.unasked {
        return begun(app, app.begin_in_sandbox(wanted).await?).await;
    }
    match request.passphrase {
        Some(passphrase) => begun(app, app.begin_with_passphrase(wanted, passphrase).await?).await,
        None => {
            let id = app.ask(wanted).await?;
            wait(app, id).await
        }
    }
}

async fn wait<P: Ports>(app: &App<P>, id: AskedId) -> Result<Started, Refusal> {
    match app.said(id, WAIT).await? {
        None => Ok(Started::Waiting { asked: id.to_string() }),
        Some(Said::No) => Ok(Started::Declined),
        Some(Said::Yes(outcome)) => begun(app, outcome?).await,
    }
}

async fn begun<P: Ports>(app: &App<P>, begun: Begun) -> Result<Started, Refusal> {
    Ok(match begun {
        Begun::Agent(id) => Started::Agent { agent: Box::new(app.show_agent(id).await?) },
        Begun::Approved => Started::Approved,
        Begun::Agents => Started::Resumed,
        Begun::Attempt(id) => Started::Attempt { attempt: Box::new(app.attempt_row_of(id).await?) },
        Begun::Grant(id) => Started::Grant { grant: Box::new(app.show_grant(id).await?) },
    })
}

fn wanted(wanted: support::Wanted) -> Result<Wanted, Refusal> {
    let grant = |text: &str| GrantId::parse(text).map_err(|_| Refusal::Malformed);
    Ok(match wanted {
        support::Wanted::Approve { id, drawn, days } => {
            let question = QuestionId::parse(&id).map_err(|_| Refusal::Malformed)?;
            Wanted::Approve { question, drawn, days }
        }
        support::Wanted::Enrol { id, name, replaces } => {
            Wanted::Enrol(AnswerEnrolment { id, accept: true, name: Some(name), replaces })
        }
        support::Wanted::ResumeAgent { agent } => Wanted::ResumeAgent(commands::agent(&agent)?),
        support::Wanted::Connect { connect } => Wanted::Connect(connect),
        support::Wanted::Renew { renew } => Wanted::Renew(renew),
        support::Wanted::Resume { grant: id } => Wanted::Resume(grant(&id)?),
        support::Wanted::ResumeAgents {} => Wanted::ResumeAgents,
        support::Wanted::Widen { grant: id } => Wanted::Widen(grant(&id)?),
    })
}
