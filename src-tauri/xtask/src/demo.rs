//! The demo: Sandbox Bank, Countersign with a data folder of its own, and a sample agent.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use crate::build::{self, Build};
use crate::child;
use crate::node::Node;
use crate::tools::{self, For};

const SMOKE: &str = "smoke::a_grant_is_connected_used_shown_and_revoked";

/// Makes an Ed25519 key pair and says it as a JWK.
const MAKE_KEY: &str = "const { privateKey } = require('node:crypto').generateKeyPairSync('ed25519'); \
                        process.stdout.write(JSON.stringify(privateKey.export({ format: 'jwk' })));";

/// The sample agent's key, in the demo's folder.
const KEY: &str = "agent/key.json";

const BANK_START: Duration = Duration::from_secs(30);
const HOST_STOP: Duration = Duration::from_secs(15);
const BANK_STOP: Duration = Duration::from_secs(5);

/// With a person, until the person quits.
pub(crate) fn run() -> anyhow::Result<()> {
    if ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()))
    {
        bail!(
            "there is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set.\n  \
             `cargo xtask demo --smoke` runs the demo without one."
        );
    }
    tools::install(For::Building)?;
    let node = Node::find()?;
    node.ci("tests/sandbox-bank")?;
    build::ui(&node)?;
    build::programs(Build::Sandbox)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(play(&node))
}

/// Without a person: the product suite's own walk through connecting, using, showing and revoking.
pub(crate) fn smoke() -> anyhow::Result<()> {
    tools::install(For::Testing)?;
    let node = Node::find()?;
    node.ci("tests/sandbox-bank")?;
    build::ui(&node)?;
    build::programs(Build::Sandbox)?;
    let folder = child::target("demo");
    fs::create_dir_all(&folder)?;
    let mut test = child::cargo(["test", "-p", "countersign-tests", "--test", "product", "--"]);
    test.args(["--exact", SMOKE, "--nocapture"])
        .env("COUNTERSIGN_BIN", Build::Sandbox.folder())
        .env("COUNTERSIGN_NODE", node.program())
        .env("COUNTERSIGN_SCREENSHOTS", &folder);
    child::run(&mut test)?;
    println!("Screenshots are in target/demo.");
    Ok(())
}

/// What the sample agent has to say about the demo's connections. Its key is the demo's own.
pub(crate) fn agent() -> anyhow::Result<()> {
    let (folder, program) = (child::target("demo"), Build::Sandbox.folder().join("sample-agent"));
    if !program.exists() || !folder.join(KEY).exists() {
        bail!("the demo has not run yet: start `cargo xtask demo` first");
    }
    let mut agent = child::command(program);
    agent.env("COUNTERSIGN_HOME", folder.join("data")).env("COUNTERSIGN_AGENT_KEY_FILE", folder.join(KEY));
    child::run(&mut agent)
}

async fn play(node: &Node) -> anyhow::Result<()> {
    let folder = child::target("demo");
    make_private(&folder.join("data"))?;
    let lock = File::create(folder.join("lock"))?;
    if lock.try_lock().is_err() {
        println!("The demo is already running: its window is shown.");
        let status = host(&folder).status().await.context("countersignd")?;
        anyhow::ensure!(status.success(), "countersignd ended: {status}");
        return Ok(());
    }
    // Asked for before anything is started, so that no signal finds a bank without a keeper.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut bank = Bank::start(node, &folder).await?;
    let prepared = write_catalogue(node, &folder, &bank.catalogue);
    if let Err(error) = prepared {
        stop(&mut bank.child, BANK_STOP).await;
        return Err(error);
    }
    say_what_to_do(&bank.issuer);
    let mut host = match host(&folder).spawn() {
        Ok(host) => host,
        Err(error) => {
            stop(&mut bank.child, BANK_STOP).await;
            return Err(error).context("target/bin/sandbox/countersignd");
        }
    };
    let ended = tokio::select! {
        status = host.wait() => Some(status),
        status = bank.child.wait() => {
            eprintln!("The Sandbox Bank ended unasked ({}). So does the demo.", status.map_or_else(|e| e.to_string(), |s| s.to_string()));
            None
        }
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
    };
    stop(&mut host, HOST_STOP).await;
    stop(&mut bank.child, BANK_STOP).await;
    println!(
        "The demo has ended. Its data stays in target/demo for the next time; delete that folder to forget it."
    );
    match ended {
        Some(status) => {
            let status = status?;
            anyhow::ensure!(status.success(), "countersignd ended: {status}");
            Ok(())
        }
        None => Ok(()),
    }
}

fn host(folder: &Path) -> Command {
    let mut host = child::command(Build::Sandbox.folder().join("countersignd"));
    host.env("COUNTERSIGN_HOME", folder.join("data")).env("COUNTERSIGN_CATALOGUE", folder.join("catalogue"));
    own_group(host)
}

/// A process that Ctrl-C at the terminal does not reach: it is told to end in its turn.
fn own_group(mut command: std::process::Command) -> Command {
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    command
}

/// The Sandbox Bank, open.
struct Bank {
    child: Child,
    issuer: String,
    catalogue: PathBuf,
}

impl Bank {
    async fn start(node: &Node, folder: &Path) -> anyhow::Result<Self> {
        let mut command = node.command();
        command
            .arg("tests/sandbox-bank/src/main.js")
            .arg("--data")
            .arg(folder.join("bank"))
            .stdout(Stdio::piped());
        let mut child = own_group(command).spawn().context("the Sandbox Bank")?;
        let mut lines = BufReader::new(child.stdout.take().context("the bank's output")?).lines();
        let line = tokio::time::timeout(BANK_START, lines.next_line())
            .await
            .context("the Sandbox Bank does not open")??;
        let line = line.context("the Sandbox Bank did not start; its own words are above")?;
        let ready: Value = serde_json::from_str(&line).context("the Sandbox Bank's first line")?;
        let text = |name: &str| {
            ready
                .get(name)
                .and_then(Value::as_str)
                .with_context(|| format!("{name} in the bank's first line"))
        };
        Ok(Self { issuer: text("issuer")?.to_owned(), catalogue: text("catalogue")?.into(), child })
    }
}

/// Asks a process to end, and ends it where it does not.
async fn stop(child: &mut Child, patience: Duration) {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(pid) = pid
        && rustix::process::kill_process(pid, Signal::TERM).is_ok()
        && tokio::time::timeout(patience, child.wait()).await.is_err()
        && let Err(error) = child.kill().await
    {
        eprintln!("A process could not be ended: {error}");
    }
}

/// The folder that `COUNTERSIGN_CATALOGUE` names: the bank's own file and the sample agent.
fn write_catalogue(node: &Node, folder: &Path, of_bank: &Path) -> anyhow::Result<()> {
    let catalogue = folder.join("catalogue");
    if catalogue.exists() {
        fs::remove_dir_all(&catalogue)?;
    }
    fs::create_dir_all(catalogue.join("agents"))?;
    for entry in fs::read_dir(of_bank).context("the bank's catalogue")? {
        let file = entry?.path();
        if let (Some(name), Some("toml")) =
            (file.file_name(), file.extension().and_then(|ending| ending.to_str()))
        {
            fs::copy(&file, catalogue.join(name))?;
        }
    }
    let x = agent_key(node, &folder.join("agent"))?;
    let agent = format!("name = \"Budget Buddy\"\n\n[jwk]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nx = \"{x}\"\n");
    fs::write(catalogue.join("agents/budget-buddy.toml"), agent)?;
    Ok(())
}

/// The sample agent's public key; the pair is made once and kept for its owner alone.
fn agent_key(node: &Node, folder: &Path) -> anyhow::Result<String> {
    let file = folder.join("key.json");
    let text = if file.exists() {
        fs::read_to_string(&file)?
    } else {
        let made = child::heard(node.command().args(["--eval", MAKE_KEY])).context("node made no key")?;
        make_private(folder)?;
        let half = folder.join("key.json.new");
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&half)?
            .write_all(made.as_bytes())?;
        fs::rename(half, &file)?;
        made
    };
    let key: Value = serde_json::from_str(&text).context("target/demo/agent/key.json")?;
    Ok(key.get("x").and_then(Value::as_str).context("target/demo/agent/key.json has no x")?.to_owned())
}

/// A folder for its owner alone, also where it was there before.
fn make_private(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .with_context(|| folder.display().to_string())
}

fn say_what_to_do(issuer: &str) {
    println!();
    println!("Countersign opens with the Sandbox Bank ({issuer}) and the agent Budget Buddy.");
    println!("  1. Choose Connect Account, Sandbox Bank, Budget Buddy, and what it may see.");
    println!("  2. At the bank, sign in as `ada` with the password `sandbox`, and allow it.");
    println!("  3. In another terminal, let the agent use it: cargo xtask demo --agent");
    println!("  4. Back in the window, look at the connection, then revoke it.");
    println!(
        "The bank's side of it: {issuer}/connected-apps. To end the demo: Quit in the tray, or Ctrl-C here."
    );
    if !has_keychain() {
        println!();
        println!(
            "No keychain answers on this session (Secret Service), and Countersign stores nothing without one."
        );
        println!("Install and unlock GNOME Keyring, KWallet or KeePassXC; the window says when it is found.");
    }
    println!();
}

/// Whether a Secret Service is there, or comes when called, and has a default keychain. Asks nothing that would unlock it.
fn has_keychain() -> bool {
    let call = ["--session", "--print-reply", "--reply-timeout=3000", "--dest=org.freedesktop.secrets"];
    let alias = ["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias", "string:default"];
    let answer = child::heard(child::command("dbus-send").args(call).args(alias));
    // The path of nothing is "/".
    answer.is_some_and(|answer| !answer.trim_end().ends_with("\"/\""))
}
