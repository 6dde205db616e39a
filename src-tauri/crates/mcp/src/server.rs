//! The server: reads what is asked, runs it on a thread, and ends it where the assistant gives up or is gone.

use std::time::Duration;

use client::agent::HangUp;
use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;
use tokio::time::{Instant, interval_at};

use crate::bridge::{Asked, Bridge, Told};
use crate::input::Ended;
use crate::tools;

/// How often an assistant that wants to know is told that the person has not answered.
const PROGRESS: Duration = Duration::from_secs(5);
const WAITS: &str = "Waiting for the person to answer in Countersign.";

/// The server.
pub(crate) struct Server {
    bridge: Bridge,
    ended: Ended,
}

impl Server {
    pub(crate) fn new(bridge: Bridge, ended: Ended) -> Self {
        Self { bridge, ended }
    }

    /// Runs what is asked. It ends early where the assistant cancels or leaves: its connection is closed then, which
    /// withdraws what waits for the person.
    async fn answer(&self, asked: Asked, context: &RequestContext<RoleServer>) -> Told {
        let bridge = self.bridge.clone();
        let (tell, told_how) = oneshot::channel::<HangUp>();
        let mut work = tokio::task::spawn_blocking(move || {
            bridge.answer(asked, |hang_up| {
                let _ = tell.send(hang_up);
            })
        });
        let mut ended = self.ended.clone();
        let done = tokio::select! {
            done = &mut work => Some(done),
            () = context.ct.cancelled() => None,
            _ = ended.wait_for(|is_ended| *is_ended) => None,
            () = tell_progress(context) => None,
        };
        match done {
            Some(Ok(told)) => told,
            Some(Err(_)) => Told::not_done("Something went wrong in countersign-mcp.".to_owned()),
            None => {
                if let Ok(hang_up) = told_how.await {
                    hang_up.now();
                }
                Told::not_done("This was cancelled.".to_owned())
            }
        }
    }
}

/// Tells an assistant that gave a token for it that the answer takes longer; never ends.
async fn tell_progress(context: &RequestContext<RoleServer>) {
    let Some(token) = context.meta.get_progress_token() else { return std::future::pending().await };
    let mut ticks = interval_at(Instant::now() + PROGRESS, PROGRESS);
    let mut count = 0.0;
    loop {
        ticks.tick().await;
        count += 1.0;
        let news = ProgressNotificationParam::new(token.clone(), count).with_message(WAITS);
        // Whoever does not want to hear it is told all the same; the end of the input ends the call.
        let _ = context.peer.notify_progress(news).await;
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        let who = Implementation::new("countersign", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(capabilities).with_server_info(who).with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let asked = match request.name.as_ref() {
            tools::ASK_TO_CONNECT => read(request).map(Asked::Connect),
            tools::CALL_BANK => read(request).map(|call| Asked::Call(Box::new(call))),
            tools::LIST_CONNECTIONS => Ok(Asked::List),
            tools::RETURN_ACCESS => Ok(Asked::Return),
            _ => return Err(ErrorData::invalid_params("There is no such tool.", None)),
        };
        let told = match asked {
            Ok(asked) => self.answer(asked, &context).await,
            Err(not_done) => not_done,
        };
        let content = told.texts.into_iter().map(ContentBlock::text).collect();
        let result =
            if told.is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
        Ok(result.into())
    }
}

fn read<T: DeserializeOwned>(request: CallToolRequestParams) -> Result<T, Told> {
    let arguments = serde_json::Value::Object(request.arguments.unwrap_or_default());
    serde_json::from_value(arguments)
        .map_err(|error| Told::not_done(format!("The arguments are not as the tool takes them: {error}.")))
}
