//! `refresh_race`.

use std::path::Path;

use support::life::race::race;
use support::life::swap::{How, swap};

const PROGRAM: &str = env!("CARGO_BIN_EXE_figures");

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_at_once_make_one_refresh_for_each_expiry() {
    let good = race(20, 64, false).await;
    assert_eq!((good.posts, good.reuses, good.refused), (20, 0, 0));
    assert_eq!(good.adopted.len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_refreshes_beside_the_others_is_noticed() {
    let beside = race(1, 16, true).await;
    assert!(beside.posts_off() > 0 && beside.reuses > 0, "{beside:?}");
}

#[test]
fn many_processes_win_each_generation_once() {
    assert_eq!(swap(Path::new(PROGRAM), 64, 60, How::BySwap), 0);
}

#[test]
fn processes_that_write_without_comparing_are_noticed() {
    assert!(swap(Path::new(PROGRAM), 16, 40, How::Blindly) > 0);
}
