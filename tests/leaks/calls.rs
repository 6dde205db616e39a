//! `call_leaks`, a sample: what hostile banks make of the token does not reach the agent, nor any other host.

use support::echoing::{Echoing, WAYS};

#[tokio::test(flavor = "multi_thread")]
async fn no_bank_hands_the_token_to_an_agent_in_any_way() {
    let calls = Echoing::start().await.calls(WAYS * 2).await;
    assert_eq!((calls.made, calls.leaks, calls.elsewhere), (WAYS * 2, 0, 0), "{calls:?}");
    assert!(calls.unguarded >= WAYS, "passed on as they came, the bodies would have held it: {calls:?}");
    assert!(calls.whole > 10, "what holds no token comes whole: {calls:?}");
}
