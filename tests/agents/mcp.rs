//! An assistant: the client of MCP's own makers starts `countersign-mcp`, which speaks to the real host.

use crate::life::Life;

#[tokio::test(flavor = "multi_thread")]
async fn an_assistant_looks_at_accounts_and_never_sees_a_lease() {
    let life = Life::connected("accounts,transactions").await;
    let said = life.node("tests/mcp-client/host/assistant.js");
    assert!(said.done().contains("transactions: 2"), "{said:?}");
    life.cli(&["kill"]).done();
    let said = life.node("tests/mcp-client/host/assistant.js");
    assert!(said.err.contains("temporarily_unavailable"), "{said:?}");
}
