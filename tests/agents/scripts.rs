//! `countersign-agent`, as a script uses it.

use serde_json::{Value, json};

use crate::life::Life;

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sees_calls_and_gets_no_more_than_it_may() {
    let life = Life::connected("accounts,transactions").await;
    let said = life.agent(&["connections"]);
    assert!(
        said.done().contains("Sandbox Bank  active") && said.out.contains("list_transactions"),
        "{said:?}"
    );
    let grants = life.agent(&["connections", "--json"]).json();
    let grant = &grants["grants"][0];
    assert_eq!(grant["id"], life.grant());
    let account = grant["accounts"][0]["id"].as_str().unwrap();

    let call = |path: &str, more: &[&str]| {
        let begin = ["call", "--grant", "sandbox-bank", "--purpose", "See what there is", "GET", path];
        life.agent(&[&begin[..], more].concat())
    };
    let accounts = call("/accounts", &[]).json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), grant["accounts"].as_array().unwrap().len());
    let some = call(&format!("/accounts/{account}/transactions"), &["--query", "limit=2"]).json();
    assert_eq!(some["transactions"].as_array().unwrap().len(), 2);
    // The operation is not among those of the grant: nothing is asked.
    let other = call("/payees", &[]);
    assert_eq!(other.exit, 1, "{other:?}");

    let lease = |grant: &str, actions: &str| {
        life.agent(&[
            "token",
            "--grant",
            grant,
            "--purpose",
            "Look",
            "--actions",
            actions,
            "--uses",
            "2",
            "--json",
        ])
    };
    let got = lease("sandbox-bank", "list_accounts").json();
    assert_eq!((&got["token_type"], &got["scope"]), (&json!("DPoP"), &json!("list_accounts")));
    let refusal = |ran: crate::life::Ran| -> Value {
        assert_ne!(ran.exit, 0, "{ran:?}");
        serde_json::from_str::<Value>(&ran.out).unwrap()["refused"]["error"].clone()
    };
    let stranger = "0190aaaa-0000-7000-8000-000000000001";
    assert_eq!(refusal(lease(stranger, "list_accounts")), "invalid_target");
    assert_eq!(refusal(lease("sandbox-bank", "list_payees")), "invalid_scope");

    life.cli(&["kill"]).done();
    let stopped = call("/accounts", &["--json"]);
    assert_eq!(stopped.exit, 6, "{stopped:?}");
    life.cli(&["resume", "--agents", "--yes"]).done();
    call("/accounts", &[]).done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_added_gets_nothing() {
    let life = Life::connected("accounts").await;
    let file = life.endpoint().socket + ".jwk";
    let stranger = client::key::AgentKey::make().unwrap();
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.write(true).create_new(true).open(&file).unwrap();
    std::io::Write::write_all(&mut written, stranger.expose_jwk().as_bytes()).unwrap();
    let ran = life.agent(&["connections", "--json", "--key-file", &file]);
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(ran.out.contains("invalid_client"), "{ran:?}");
}
