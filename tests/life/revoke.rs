//! `revoke`.

use support::life::cut::{Cut, Planted, cut};
use support::life::halt::halt;
use support::life::many::many;
use support::life::outbox::month;
use tokio::runtime::Handle;

fn cuts(runs: usize, planted: Option<Planted>) -> Vec<Cut> {
    let banks = Handle::current();
    many(runs, |run| cut(&banks, 7, run, planted))
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_acknowledgement_nothing_is_used_and_nothing_comes_back() {
    for (run, cut) in cuts(60, None).iter().enumerate() {
        assert!(cut.used_after == 0 && cut.wrong.is_empty(), "schedule {run}: {cut:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_that_is_not_kept_is_noticed() {
    let cuts = cuts(4, Some(Planted::CutOffForgotten));
    assert!(cuts.iter().any(|cut| cut.used_after > 0), "{cuts:?}");
    assert!(cuts.iter().all(|cut| !cut.wrong.is_empty()), "{cuts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_that_is_not_kept_is_noticed() {
    let cuts = cuts(4, Some(Planted::OutboxForgotten));
    assert!(cuts.iter().all(|cut| !cut.wrong.is_empty()), "{cuts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_was_away_for_a_month_is_told_everything() {
    let banks = Handle::current();
    let told = tokio::task::spawn_blocking(move || month(&banks, 7, 30, false)).await.unwrap();
    assert_eq!((told.revoked, told.confirmed, told.live), (10, 10, 0), "{told:?}");
    assert!(told.tries > 0, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outbox_that_is_lost_at_one_restart_is_noticed() {
    let banks = Handle::current();
    let told = tokio::task::spawn_blocking(move || month(&banks, 7, 20, true)).await.unwrap();
    assert!(told.confirmed < told.revoked && told.live > 0, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_works_while_nothing_else_does() {
    let stop = tokio::task::spawn_blocking(|| halt(2000)).await.unwrap();
    assert!(!stop.served && !stop.forgotten, "{stop:?}");
    assert!(stop.written_ms > 500.0, "nothing could be written: {stop:?}");
}
