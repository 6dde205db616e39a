//! `countersign-mcp`: an MCP server over stdio, which an assistant starts. Each tool is a request to the Countersign that
//! runs, by the agent's key; it has no right of its own.
//!
//! **Invariant:** standard output carries the protocol alone. Nothing is logged, whatever the environment says.
//! **Invariant:** what a tool is said to do is constant; nothing from a bank, a person or the network is in it.
//! **Invariant:** it ends when its input does, and what waited for the person is withdrawn.

mod arguments;
mod bridge;
mod input;
mod server;
mod tools;
mod words;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use rmcp::ServiceExt as _;
use rmcp::transport::async_rw::AsyncRwTransport;

use arguments::Wanted;

/// The command line was not understood; as in `countersign`.
const MISUSED: u8 = 2;
const FAILED: u8 = 7;
/// The longest message of an assistant.
const MAX_LINE: usize = 256 * 1024;

fn main() -> ExitCode {
    let keys = match arguments::parse(std::env::args_os()) {
        Ok(Wanted::Serve(keys)) => keys,
        Ok(Wanted::Page(page)) => {
            let _ = writeln!(std::io::stdout(), "{page}");
            return ExitCode::SUCCESS;
        }
        Err(misuse) => {
            let _ = writeln!(std::io::stderr(), "{misuse}");
            return MISUSED.into();
        }
    };
    client::process::harden();
    match serve(bridge::Bridge::of(keys)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "countersign-mcp: {error:#}");
            FAILED.into()
        }
    }
}

fn serve(bridge: bridge::Bridge) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let served = runtime.block_on(async {
        let (input, ended) = input::Input::open();
        let transport = AsyncRwTransport::new(input, tokio::io::stdout()).with_max_line_length(MAX_LINE);
        let running = match server::Server::new(bridge, ended).serve(transport).await {
            Ok(running) => running,
            // An assistant that leaves before it has said hello.
            Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(error) => return Err(error).context("the assistant does not speak MCP"),
        };
        running.waiting().await.map(drop).context("the server stopped")
    });
    // A thread that still waits for a connection to end is not waited for.
    runtime.shutdown_background();
    served
}
