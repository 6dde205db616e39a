//! `memory`: what the host still holds after a revocation, and what other programs of its user get to read of it. What is
//! done stands in `support::life::remembered`. It needs root, to read the host's memory.

use serde_json::{Value, json};
use support::life::remembered::{peeked, remembered};

use crate::Setup;
use crate::report::{at_most, control, number};

/// Lives at one host, so that a large number of them does not mean one old host.
const LIVES: usize = 10;
/// Each time three places are read.
const PEEKS: usize = 100;

pub(crate) async fn measure(setup: &Setup) -> Value {
    let (mut found, mut latest, mut read, mut lives) = (Vec::new(), 0.0_f64, 0, 0);
    let mut of_open = usize::MAX;
    while lives < setup.n {
        let mark = format!("{:016x}{:016x}", setup.seed ^ 0x5bd1_e995_9a3f_27c1, lives + 0x7c3d_5531);
        let came = remembered(&setup.programs, LIVES.min(setup.n - lives), &mark).await;
        lives += came.lives;
        eprintln!("memory: {lives} lives, {} found", came.found.len());
        of_open = of_open.min(came.of_an_open_attempt);
        found.extend(came.found);
        latest = latest.max(came.latest_ms);
        read += came.read;
    }
    let (program, programs) = (std::env::current_exe().expect("this program"), setup.programs.clone());
    let peeked =
        tokio::task::spawn_blocking(move || peeked(&program, &programs, PEEKS)).await.expect("a reader");
    let hits = |count| at_most("secrets in the host's memory after a revocation", number(count), "", 0.0);
    let reads = |count| at_most("reads of the host by its own user", number(count), "", 0.0);
    json!({
        "n": lives,
        "parts": [hits(found.len()), at_most("read by then, the latest", latest, "ms", 2000.0), reads(peeked.host)],
        "controls": [
            control("the state of an attempt that goes on, at each host", &[hits(of_open)]),
            control("another process of the same user", &[reads(peeked.other)]),
        ],
        "detail": {
            "found": found,
            "bytes_read": read,
            "reads_tried": peeked.tries,
            "looked_for": ["every code and token", "key-encryption key", "state", "nonce", "verifier", "challenge"],
            "after": "revocation",
        },
    })
}
