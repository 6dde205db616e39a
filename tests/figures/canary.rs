//! `canary`: known secrets in every place where they must not be. What is done stands in `support::life::canary`. It needs
//! root, to read the host's memory.

use serde_json::{Value, json};
use support::life::canary::{PLACES, canary};

use crate::Setup;
use crate::report::{at_most, control, number};

/// One life in so many has the host's memory read.
const LIVES_PER_CORE: usize = 20;
const FEWEST_CORES: usize = 3;

pub(crate) async fn measure(setup: &Setup) -> Value {
    let cores = (setup.n / LIVES_PER_CORE).max(FEWEST_CORES);
    let mark = format!("{:016x}{:016x}", setup.seed ^ 0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344_u64);
    let came = canary(&setup.programs, setup.n, cores, &mark).await;
    eprintln!("canary: {came:?}");
    let unseen = PLACES.iter().filter(|place| !came.planted.contains_key(*place)).count();
    let hits = |count| at_most("secrets where they must not be", number(count), "", 0.0);
    json!({
        "n": came.lives,
        "parts": [hits(came.hits.len()), at_most("places in which a planted secret went unseen", number(unseen), "", 0.0)],
        "controls": [control("a secret in each place, each time spelled otherwise", &[hits(came.planted.len())])],
        "detail": {
            "hits": came.hits,
            "memory_read": came.cores,
            "places": PLACES,
            "planted_and_found": came.planted,
            "bytes_searched": came.searched,
            "places_to_come": ["support bundle", "agent's side of the socket"],
        },
    })
}
