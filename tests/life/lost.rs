//! `lost_refresh`.

use support::life::lost::{Case, End, Point, Rotation};
use support::life::many::many;
use tokio::runtime::Handle;

fn ends(cases: &[Case]) -> Vec<End> {
    let banks = Handle::current();
    many(cases.len(), |n| cases[n].run(&banks))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_whose_answer_is_lost_is_recovered_or_the_person_is_asked_with_the_reason() {
    let mut cases = Vec::new();
    for run in 0..4 {
        for point in Point::ALL {
            cases.extend(Rotation::ALL.map(|rotation| Case {
                point,
                rotation,
                run,
                seed: 7,
                forgets: false,
            }));
        }
    }
    let ends = ends(&cases);
    for (case, end) in cases.iter().zip(&ends) {
        assert!(end.is_good(), "{case:?}: {end:?}");
    }
    let asked = ends.iter().filter(|end| **end == End::Asked).count();
    assert!((12..=16).contains(&asked), "a strict bank that had replaced the token: {asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_forgets_that_an_answer_is_missing_is_noticed() {
    let mut cases = Vec::new();
    for point in [Point::NoByte, Point::HalfHead, Point::HalfBody, Point::Whole] {
        // The odd run of the last point is the one that is killed.
        cases.push(Case { point, rotation: Rotation::EndsFamily, run: 1, seed: 7, forgets: true });
    }
    for (case, end) in cases.iter().zip(ends(&cases)) {
        assert!(!end.is_good(), "{case:?}: {end:?}");
    }
}
