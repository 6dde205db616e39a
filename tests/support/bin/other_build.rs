//! A window process of another build: what a host meets after its package was changed under it.

use contract::channel::{HELLO, Hello};
use ipc::http::Http2Client;

/// `countersign-desktop` ends with this where the host is of another build.
const OTHER_BUILD: u8 = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<std::process::ExitCode> {
    let channel = ipc::channel::take_inherited().ok_or_else(|| anyhow::anyhow!("no channel"))?;
    channel.set_nonblocking(true)?;
    let client = Http2Client::connect(tokio::net::UnixStream::from_std(channel)?).await?;
    let hello = Hello { build: "another".into(), ..Hello::of_this_build(true, None) };
    let (status, _) = client.post_json(HELLO, serde_json::to_vec(&hello)?).await?;
    anyhow::ensure!(status == http::StatusCode::CONFLICT, "a window of another build was taken");
    Ok(std::process::ExitCode::from(OTHER_BUILD))
}
