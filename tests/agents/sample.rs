//! The sample agent: what a person would want from it.

use crate::life::Life;

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_agent_sums_up_what_was_spent() {
    let life = Life::connected("accounts,transactions").await;
    let said = life.ran("sample-agent", &[]);
    let out = said.done();
    assert_eq!(out.matches("Sandbox Bank, ").count(), 3, "three accounts: {out}");
    assert!(out.contains("Total spent") && out.contains(" USD"), "{out}");
    let cents = out.lines().filter_map(|line| line.split_whitespace().find(|word| word.contains('.')));
    assert!(cents.clone().count() > 5);
    assert!(cents.into_iter().all(|sum| sum.split('.').nth(1).is_some_and(|rest| rest.len() == 2)), "{out}");
    life.cli(&["revoke", &life.grant()]).done();
    let after = life.ran("sample-agent", &[]);
    assert_eq!(after.exit, 1, "{after:?}");
    assert!(after.err.contains("nothing is connected"), "{after:?}");
}
