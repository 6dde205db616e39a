//! Samples of the figures `memory` and `canary`: many lives of a connection at a host without a screen.

use std::path::Path;

use support::life::canary::{PLACES, canary};
use support::life::remembered::{locked, peeked, remembered};
use support::process::programs;

#[tokio::test(flavor = "multi_thread")]
async fn after_a_revocation_the_host_remembers_no_secret() {
    let came = remembered(&programs(), 6, "9b1f0c5e7a3d42868d21c4e05f7ab963").await;
    assert_eq!(came.found, Vec::<String>::new());
    assert!(came.latest_ms < 2000.0, "{came:?}");
    assert!(came.of_an_open_attempt > 0 && came.read > 6 << 20, "the search finds what is there: {came:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_that_is_kept_is_locked_in_memory_and_gone_after_a_lock() {
    let came = locked(&programs(), 3, "5f0be1c9d7724c0e8a36b2f94d1e7a80").await;
    assert_eq!(came.found, Vec::<String>::new());
    assert!(came.latest_ms < 2000.0, "{came:?}");
    assert!(
        came.open >= 3 && came.loose == 0,
        "the key is there while it is open, and nowhere else: {came:?}"
    );
}

#[test]
fn another_program_of_its_user_reads_neither_memory_nor_environment_nor_maps_of_the_host() {
    let peeked = peeked(Path::new(env!("CARGO_BIN_EXE_figures")), &programs(), 10);
    assert_eq!((peeked.tries, peeked.host, peeked.other), (30, 0, 30));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_many_lives_is_anywhere() {
    let came = canary(&programs(), 6, 2, "c7d20e41b85f4d6f9a63e1170f2b58ad").await;
    assert!(came.hits.is_empty(), "{:?}", came.hits);
    for place in PLACES {
        assert!(came.planted.contains_key(place), "{place} is searched in vain: {:?}", came.planted);
    }
}
