//! The provider of the tests as a program of its own, for clients that are not ours.
//!
//! `hostile-provider list` prints the modes, one a line. `hostile-provider serve MODE [PORT]` plays one: it prints a
//! line of JSON with both issuers, then one for each request as it arrives, and ends when its standard input does.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::io::Read as _;

use anyhow::{Context as _, bail};
use serde_json::json;
use support::fake_provider::mode::{Mode, Play};
use support::fake_provider::{FakeProvider, Seen};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["list"] => Mode::lines().iter().for_each(|line| println!("{line}")),
        ["serve", mode] => serve(mode, 0).await?,
        ["serve", mode, port] => serve(mode, port.parse().context("a port")?).await?,
        _ => bail!("hostile-provider list | serve MODE [PORT]"),
    }
    Ok(())
}

async fn serve(mode: &str, port: u16) -> anyhow::Result<()> {
    let play = Play::start(mode, port).await.with_context(|| format!("no mode {mode}"))?;
    say_requests(&play.bank, "bank");
    say_requests(&play.other, "other");
    println!("{}", json!({"mode": mode, "issuer": play.bank.issuer, "other": play.other.issuer}));
    // Whoever started it holds the other end of its standard input: it cannot be left behind.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

fn say_requests(bank: &FakeProvider, which: &'static str) {
    bank.tells(move |seen: &Seen| {
        println!("{}", json!({"seen_by": which, "at": seen.at, "method": seen.method}))
    });
}
