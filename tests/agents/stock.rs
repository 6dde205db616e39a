//! Programs that know OAuth and HTTP, and nothing of us.

use std::io::Write as _;
use std::process::Stdio;

use support::process::{programs, root};

use crate::life::Life;

#[tokio::test(flavor = "multi_thread")]
async fn an_oauth_library_that_nobody_here_wrote_gets_a_lease_and_calls() {
    let life = Life::connected("accounts").await;
    let said = life.node("tests/openid-client/broker/lease.js");
    assert!(said.done().contains("accounts: 3"), "{said:?}");
}

/// The example of the README, run as it stands in its file.
#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_by_with_a_socket_and_proofs() {
    let life = Life::connected("accounts").await;
    let mut curl = life.command("/bin/bash".into());
    let path = format!("{}:/usr/bin:/bin", programs().display());
    curl.arg(root().join("tests/agents/curl.sh")).env("PATH", path).arg(life.grant());
    let output = curl.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("\"accounts\""), "{out}\n{err}");
    std::io::stdout().flush().unwrap();
}
