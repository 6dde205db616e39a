//! `hostile_agent`: agents that do anything in any order, at the real socket, beside a model of what each is owed.

use serde_json::{Value, json};
use support::hostile::run;

use crate::Setup;
use crate::report::{at_most, control, number};

pub(crate) async fn measure(setup: &Setup) -> Value {
    let sound = run(setup.n, setup.seed, false).await;
    let lent = run(setup.n.min(2_000), setup.seed, true).await;
    eprintln!("hostile_agent: {:#?}", sound.wrong);
    let wrong = |run: &support::hostile::Run| {
        at_most("answers that the model does not owe", number(run.wrong.len()), "", 0.0)
    };
    json!({
        "n": setup.n,
        "parts": [wrong(&sound)],
        "controls": [control("a model that lends leases", &[wrong(&lent)])],
        "detail": Value::from(&sound),
    })
}
