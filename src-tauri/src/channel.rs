//! This process's end of the private channel.

use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use contract::channel::{EVENTS, HELLO, Hello, MAX_REQUEST, SHOW, ShowWindow};
use contract::error_code::{CommandError, ErrorCode};
use http::StatusCode;
use ipc::http::{CallError, Http2Client, Lines};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tracing::warn;

use crate::Ending;

/// How long the greeting may take.
const HELLO_LIMIT: Duration = Duration::from_secs(10);
/// How long the host may take to note something that needs no answer.
const TELL_LIMIT: Duration = Duration::from_secs(3);

/// The host, greeted.
#[derive(Debug)]
pub(crate) struct Host {
    client: Http2Client,
    home: Option<String>,
}

/// Why the host was greeted in vain.
#[derive(Debug, Error)]
pub(crate) enum HelloError {
    #[error("the channel cannot be used: {0}")]
    Channel(#[from] std::io::Error),
    #[error("the greeting failed: {0}")]
    Call(#[from] CallError),
    #[error("the host is another build; the package was replaced while it ran")]
    OtherBuild,
    #[error("the host's greeting has status {0} or is not of the right shape")]
    Malformed(StatusCode),
}

impl HelloError {
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::OtherBuild => Ending::OtherBuild,
            Self::Channel(_) | Self::Call(_) | Self::Malformed(_) => Ending::Failed,
        }
    }
}

impl Host {
    /// Greets the host; a host of another build is refused, as it refuses us.
    pub(crate) async fn greet(channel: StdStream) -> Result<Self, HelloError> {
        channel.set_nonblocking(true)?;
        let client = Http2Client::connect(tokio::net::UnixStream::from_std(channel)?).await?;
        let ours = Hello::of_this_build(cfg!(feature = "sandbox"), None);
        let (status, body) = client.post_json_within(HELLO_LIMIT, HELLO, json(&ours)).await?;
        if status == StatusCode::CONFLICT {
            return Err(HelloError::OtherBuild);
        }
        let answer = serde_json::from_slice(&body).ok().filter(|_| status == StatusCode::OK);
        let theirs: Hello = answer.ok_or(HelloError::Malformed(status))?;
        if theirs.build != ours.build || theirs.sandbox != ours.sandbox {
            return Err(HelloError::OtherBuild);
        }
        Ok(Self { client, home: theirs.home })
    }

    /// The data folder, where the host was told which.
    pub(crate) fn home(&self) -> Option<&str> {
        self.home.as_deref()
    }

    /// Passes a request on and hands back what the host says.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<A, CommandError> {
        let body = json(request);
        // The host would refuse it as well, after all of it had been sent.
        if body.len() > MAX_REQUEST {
            return Err(ErrorCode::RequestMalformed.into());
        }
        let (status, body) = self.client.post_json(path, body).await.map_err(|error| {
            warn!(path, %error, "no answer from the host");
            CommandError::from(code_of(&error))
        })?;
        if status == StatusCode::OK {
            serde_json::from_slice(&body).map_err(|_| ErrorCode::Internal.into())
        } else {
            Err(serde_json::from_slice(&body).unwrap_or_else(|_| ErrorCode::Internal.into()))
        }
    }

    /// Tells the host something that needs no answer. A host that is gone needs not be told.
    pub(crate) async fn tell(&self, path: &str) {
        let told = self.client.post_json_within(TELL_LIMIT, path, json(&contract::ui::Nothing {})).await;
        if let Err(error) = told {
            warn!(path, %error, "the host could not be told");
        }
    }

    /// Stops every agent at once, without asking back. The window shows whether it is so.
    pub(crate) async fn stop_agents(&self) {
        let stopped = self.ask::<serde_json::Value>("/window/stop_agents", &contract::ui::Nothing {}).await;
        if stopped.is_err() {
            tracing::error!("the agents were not stopped from the tray");
        }
    }

    /// Asks the host for a window. A host that is gone is noticed by whoever follows its events.
    pub(crate) async fn want(&self, wanted: ShowWindow) {
        let _ = self.ask::<serde_json::Value>(SHOW, &wanted).await;
    }

    /// Subscribes to what the host tells.
    pub(crate) async fn events(&self) -> Result<Lines, CallError> {
        self.client.stream(EVENTS).await
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain data with text keys always has a JSON form; what had none would be refused as malformed.
    serde_json::to_vec(value).unwrap_or_default()
}

fn code_of(error: &CallError) -> ErrorCode {
    match error {
        CallError::Dial(_) | CallError::Gone | CallError::TimedOut => ErrorCode::HostGone,
        CallError::Malformed | CallError::Refused(_) | CallError::Request | CallError::TooLong => {
            ErrorCode::Internal
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::convert::Infallible;

    use contract::ui::{GrantRef, GrantsView, Nothing};
    use http::{Request, Response};
    use http_body_util::Full;
    use hyper::body::{Bytes, Incoming};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    use super::*;

    /// What a host answers, by path.
    type Answers = fn(&str) -> (StatusCode, String);

    /// A host of this build that can do nothing, and says so.
    pub(crate) fn refuses_everything(path: &str) -> (StatusCode, String) {
        if path == HELLO {
            return (StatusCode::OK, hello(cfg!(feature = "sandbox")));
        }
        (StatusCode::UNPROCESSABLE_ENTITY, r#"{"code":"store_failed","reference":"K7-4MQ-2P"}"#.to_owned())
    }

    pub(crate) async fn greeted(answers: Answers) -> Result<Host, HelloError> {
        let (theirs, ours) = ipc::channel::pair().unwrap();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| async move {
            let (status, body) = answers(request.uri().path());
            let mut answer = Response::new(Full::new(Bytes::from(body)));
            *answer.status_mut() = status;
            Ok::<_, Infallible>(answer)
        });
        let host = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        tokio::spawn(host.serve_connection(TokioIo::new(theirs), service));
        Host::greet(StdStream::from(ours)).await
    }

    fn hello(sandbox: bool) -> String {
        let hello = Hello::of_this_build(sandbox, Some("/home/data".to_owned()));
        serde_json::to_string(&hello).unwrap()
    }

    fn same_build(path: &str) -> (StatusCode, String) {
        match path {
            HELLO => (StatusCode::OK, hello(cfg!(feature = "sandbox"))),
            "/window/list_grants" => (
                StatusCode::OK,
                r#"{"agents":0,"accounts":0,"current":[],"damaged":[],"history":[],"revision":7}"#.to_owned(),
            ),
            "/window/show_grant" => {
                (StatusCode::NOT_FOUND, r#"{"code":"grant_unknown","reference":"K7-4MQ-2P"}"#.to_owned())
            }
            _ => (StatusCode::BAD_GATEWAY, "<html>".to_owned()),
        }
    }

    #[tokio::test]
    async fn answers_and_refusals_of_the_host_are_handed_back() {
        let host = greeted(same_build).await.unwrap();
        assert_eq!(host.home(), Some("/home/data"));
        let grants: GrantsView = host.ask("/window/list_grants", &Nothing {}).await.unwrap();
        assert_eq!(grants.revision, 7);
        let unknown = GrantRef { grant: "x".to_owned() };
        let refused = host.ask::<GrantsView>("/window/show_grant", &unknown).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.reference.as_deref()),
            (ErrorCode::GrantUnknown, Some("K7-4MQ-2P"))
        );
        let fault = host.ask::<GrantsView>("/window/elsewhere", &Nothing {}).await.unwrap_err();
        assert_eq!(fault.code, ErrorCode::Internal);
        let long = GrantRef { grant: "x".repeat(MAX_REQUEST) };
        let unsent = host.ask::<GrantsView>("/window/list_grants", &long).await.unwrap_err();
        assert_eq!(unsent.code, ErrorCode::RequestMalformed, "this host would answer with a list");
    }

    #[tokio::test]
    async fn a_host_of_another_build_is_refused() {
        let refused: [Answers; 3] = [
            |_| (StatusCode::CONFLICT, String::new()),
            |_| (StatusCode::OK, hello(!cfg!(feature = "sandbox"))),
            |_| (StatusCode::OK, r#"{"build":"0.0.0","sandbox":false,"home":null}"#.to_owned()),
        ];
        for answers in refused {
            let error = greeted(answers).await.unwrap_err();
            assert_eq!(error.ending(), Ending::OtherBuild, "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_no_greeting_is_a_failure() {
        let malformed: [Answers; 2] =
            [|_| (StatusCode::OK, "{}".to_owned()), |_| (StatusCode::NOT_FOUND, hello(false))];
        for answers in malformed {
            assert_eq!(greeted(answers).await.unwrap_err().ending(), Ending::Failed);
        }
        let (theirs, ours) = ipc::channel::pair().unwrap();
        drop(theirs);
        assert_eq!(Host::greet(StdStream::from(ours)).await.unwrap_err().ending(), Ending::Failed);
    }

    #[tokio::test]
    async fn a_host_that_is_gone_is_told_apart_from_a_fault() {
        let (theirs, ours) = ipc::channel::pair().unwrap();
        let greeting = tokio::spawn(async { Host::greet(StdStream::from(ours)).await });
        let service = hyper::service::service_fn(|_: Request<Incoming>| async {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(hello(cfg!(feature = "sandbox"))))))
        });
        let host = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let running = tokio::spawn(host.serve_connection(TokioIo::new(theirs), service));
        let greeted = greeting.await.unwrap().unwrap();
        running.abort();
        let _ = running.await;
        let gone = greeted.ask::<GrantsView>("/window/list_grants", &Nothing {}).await.unwrap_err();
        assert_eq!(gone.code, ErrorCode::HostGone);
        greeted.tell("/window/closed").await;
    }
}
