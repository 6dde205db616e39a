//! `/support/…` on the public socket: what the command line reads, stops and asks for, over real HTTP.

use app::Refusal;
use broker::Hub;
use contract::error_code::{CommandError, ErrorCode};
use contract::support::{self as paths, AttemptRow, Killed, Started, Status};
use contract::ui::{GrantState, GrantView, GrantsView};
use domain::id::AskedId;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::fake_provider::FakeProvider;
use support::fakes::{TestApp, come_back};
use tokio::net::UnixStream;

const HOST: &str = "0707070707070707.countersign.localhost";

/// A program that has dialled the socket.
struct Caller(SendRequest<Full<Bytes>>);

impl Caller {
    async fn dial(app: &TestApp) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let routes = broker::public::routes(app.app.clone(), Hub::new().0, HOST.into());
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(theirs), TowerToHyperService::new(routes)),
        );
        let (sender, connection) = handshake(TokioIo::new(ours)).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(&mut self, host: &str, path: &str, body: String) -> (u16, Bytes) {
        let request = Request::post(path).header(header::HOST, host).body(Full::new(Bytes::from(body)));
        self.0.ready().await.unwrap();
        let answer = self.0.send_request(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }

    async fn ask<A: DeserializeOwned>(&mut self, path: &str, body: Value) -> Result<A, ErrorCode> {
        let (status, answer) = self.send(HOST, path, body.to_string()).await;
        match status {
            200 => Ok(serde_json::from_slice(&answer).unwrap()),
            422 => Err(serde_json::from_slice::<CommandError>(&answer).unwrap().code),
            other => panic!("{other} at {path}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_stopping_and_ending_need_nothing() {
    let bank = FakeProvider::start().await;
    let mut app = TestApp::start(&[&bank]).await;
    let mut caller = Caller::dial(&app).await;
    let nothing = || json!({});
    let attempt = app.click_connect("bank-1", &["accounts"]).await;
    come_back(&app.opened().await).await;
    let grant = app.ended(&attempt).await.grant.unwrap();
    let status: Status = caller.ask(paths::STATUS, nothing()).await.unwrap();
    assert_eq!((status.counts.connections, status.app.stopped), (1, None));
    let [row] = &caller.ask::<Vec<AttemptRow>>(paths::ATTEMPTS, nothing()).await.unwrap()[..] else {
        panic!("one attempt")
    };
    assert_eq!((&*row.stage, row.attempt.grant.as_ref()), ("save", Some(&grant)));
    let list: GrantsView = caller.ask(paths::GRANTS, nothing()).await.unwrap();
    assert_eq!(list.current[0].id, grant);

    let ended: GrantView = caller.ask(paths::REVOKE, json!({ "grant": grant })).await.unwrap();
    assert!(matches!(ended.row.state, GrantState::Revoked { .. }));
    let again = caller.ask::<GrantView>(paths::REVOKE, json!({ "grant": grant })).await;
    assert_eq!(again.unwrap_err(), ErrorCode::GrantRevoked);
    let running = app.click_connect("bank-1", &["accounts"]).await;
    app.opened().await;
    let killed: Killed = caller.ask(paths::KILL, nothing()).await.unwrap();
    assert!(killed.recorded);
    assert_eq!(app.app.may_serve(), Err(Refusal::AgentsStopped));
    app.ended(&running).await;
    let row: AttemptRow =
        caller.ask(paths::ATTEMPT, json!({ "attempt": running.id.to_string() })).await.unwrap();
    assert_eq!(row.stage, "bank");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_can_ask_to_start_and_only_the_person_starts() {
    let app = TestApp::start(&[]).await;
    app.app.stop_agents().await;
    let mut caller = Caller::dial(&app).await;
    let resume = || json!({"wanted": {"kind": "resume_agents"}, "passphrase": null});
    // The person says nothing for as long as a request is kept open.
    let patience = app.clock.clone();
    let waited = tokio::join!(caller.ask::<Started>(paths::START, resume()), async move {
        for _ in 0..40 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            patience.pass(std::time::Duration::from_secs(1));
        }
    });
    let Ok(Started::Waiting { asked }) = waited.0 else { panic!("{:?}", waited.0) };
    app.app.may_serve().unwrap_err();
    let clicking = app.app.clone();
    let id = AskedId::parse(&asked).unwrap();
    let (started, clicked) =
        tokio::join!(caller.ask::<Started>(paths::ASKED, json!({ "asked": asked })), async move {
            clicking.answer_asked(id, true).await
        });
    assert_eq!((started, clicked), (Ok(Started::Resumed), Ok(())));
    assert_eq!(app.app.may_serve(), Ok(()));
    let unknown = caller.ask::<Started>(paths::ASKED, json!({ "asked": "x" })).await;
    assert_eq!(unknown.unwrap_err(), ErrorCode::RequestMalformed);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_sandbox_starts_unasked() {
    let unasked = || json!({"wanted": {"kind": "resume_agents"}, "passphrase": null, "unasked": true});
    let sandbox = TestApp::start(&[]).await;
    sandbox.app.stop_agents().await;
    let started = Caller::dial(&sandbox).await.ask::<Started>(paths::START, unasked()).await;
    assert_eq!((started, sandbox.app.may_serve()), (Ok(Started::Resumed), Ok(())));

    let released = TestApp::start_released().await;
    released.app.stop_agents().await;
    let mut caller = Caller::dial(&released).await;
    let refused = caller.ask::<Started>(paths::START, unasked()).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::RequestMalformed);
    let guess = json!({"wanted": {"kind": "resume_agents"}, "passphrase": "guess"});
    assert_eq!(caller.ask::<Started>(paths::START, guess).await.unwrap_err(), ErrorCode::PassphraseWrong);
    released.app.may_serve().unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_a_foreign_name_and_a_body_that_is_too_long_get_nowhere() {
    let app = TestApp::start(&[]).await;
    assert_eq!(Caller::dial(&app).await.send("localhost", paths::KILL, "{}".into()).await.0, 421);
    for body in ["", "[]", "null", "{\"x\":1}", "{"] {
        let (status, answer) = Caller::dial(&app).await.send(HOST, paths::KILL, body.into()).await;
        assert_eq!(status, 422, "{body}");
        let refused: CommandError = serde_json::from_slice(&answer).unwrap();
        assert_eq!(refused.code, ErrorCode::RequestMalformed);
    }
    let long = format!("{{\"grant\":\"{}\"}}", "x".repeat(paths::MAX_REQUEST));
    assert_eq!(Caller::dial(&app).await.send(HOST, paths::REVOKE, long).await.0, 422);
    assert_eq!(app.app.may_serve(), Ok(()), "nothing was stopped");
    let mut page = Caller::dial(&app).await;
    let request = Request::post(paths::KILL).header(header::HOST, HOST).header(header::ORIGIN, "http://x");
    let answer = page.0.send_request(request.body(Full::new(Bytes::from("{}"))).unwrap()).await.unwrap();
    assert_eq!(answer.status().as_u16(), 421);
    assert_eq!(app.app.may_serve(), Ok(()));
}
