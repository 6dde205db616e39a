//! `lost_refresh`: six points at which the answer to a refresh is lost, at three kinds of bank. What a run is and what it
//! is judged by stands in `support::life::lost`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::life::lost::{Case, End, Point, Rotation};
use support::life::many::many;
use tokio::runtime::Handle;

use crate::Setup;
use crate::report::{at_most, control, number};

/// Runs of the control at each point where the bank has replaced the token.
const CONTROL: usize = 4;

pub(crate) fn measure(setup: &Setup) -> Value {
    let kinds: Vec<(Point, Rotation)> =
        Point::ALL.into_iter().flat_map(|point| Rotation::ALL.map(|rotation| (point, rotation))).collect();
    let each = setup.n.div_ceil(kinds.len());
    let case = |(point, rotation), run| Case { point, rotation, run, seed: setup.seed, forgets: false };
    let cases: Vec<Case> = (0..each).flat_map(|run| kinds.iter().map(move |kind| case(*kind, run))).collect();
    let ends = ends(&cases);

    // Where the whole answer was sent, there may be nothing to forget.
    let surely_lost = [Point::NoByte, Point::HalfHead, Point::HalfBody];
    let forgetful: Vec<Case> = (0..CONTROL)
        .flat_map(|run| surely_lost.map(|point| case((point, Rotation::EndsFamily), run)))
        .map(|case| Case { forgets: true, ..case })
        .collect();
    let unseen = ends_that(&self::ends(&forgetful), End::is_good);
    eprintln!("lost_refresh: {unseen} of {} runs that forget went unnoticed", forgetful.len());
    let planted = at_most("runs that end otherwise", number(forgetful.len() - unseen), "runs", 0.0);

    let mut table: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for (case, end) in cases.iter().zip(&ends) {
        let word = match end {
            End::Recovered => "recovered",
            End::Asked => "reconnect_asked",
            End::Silent(_) => "silent",
            End::Wrong(_) => "wrong",
        };
        let kind = format!("{:?} at {:?}", case.point, case.rotation);
        *table.entry(kind).or_default().entry(word).or_default() += 1;
    }
    let silent = ends_that(&ends, |end| matches!(end, End::Silent(_)));
    let bad = ends_that(&ends, |end| !end.is_good());
    json!({
        "n": cases.len(),
        "parts": [
            at_most("runs that end otherwise", number(bad), "runs", 0.0),
            at_most("of them silent", number(silent), "runs", 0.0),
        ],
        "controls": [control("an app that forgets that an answer is missing", &[planted])],
        "detail": {
            "recovered": ends_that(&ends, |end| *end == End::Recovered),
            "reconnect_asked": ends_that(&ends, |end| *end == End::Asked),
            "by_point_and_bank": table,
            "noticed_of_control": [forgetful.len() - unseen, forgetful.len()],
        },
    })
}

fn ends(cases: &[Case]) -> Vec<End> {
    let banks = Handle::current();
    let ends = many(cases.len(), |n| cases[n].run(&banks));
    for (case, end) in cases.iter().zip(&ends) {
        if !end.is_good() && !case.forgets {
            eprintln!("lost_refresh: {case:?}: {end:?}");
        }
    }
    ends
}

fn ends_that(ends: &[End], fits: impl Fn(&End) -> bool) -> usize {
    ends.iter().filter(|end| fits(end)).count()
}
