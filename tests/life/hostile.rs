//! `hostile_agent`, a sample.

use support::hostile::run;

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_do_anything_get_what_the_model_owes_them() {
    let run = run(3_000, 7, false).await;
    assert!(run.wrong.is_empty(), "{}: {:#?}", run.wrong.len(), run.wrong);
    assert!(run.given > 150 && run.called > 150, "{} given, {} called", run.given, run.called);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_lends_leases_is_told_apart() {
    let run = run(500, 7, true).await;
    assert!(!run.wrong.is_empty(), "{} given, {} called", run.given, run.called);
}
