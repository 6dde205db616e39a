//! `call_leaks`: calls through banks that hand the token on, by the real routes.

use serde_json::{Value, json};
use support::echoing::{Calls, Echoing};

use crate::Setup;
use crate::report::{at_most, control, number};

pub(crate) async fn measure(setup: &Setup) -> Value {
    let calls = Echoing::start().await.calls(setup.n).await;
    eprintln!("call_leaks: {calls:?}");
    let leaks = |leaks| at_most("answers with something of the token", number(leaks), "", 0.0);
    let Calls { made, whole, elsewhere, unguarded, .. } = calls;
    json!({
        "n": setup.n,
        "parts": [leaks(calls.leaks), at_most("requests to another host", number(elsewhere), "", 0.0)],
        "controls": [control("answers passed on as they come", &[leaks(unguarded)])],
        "detail": { "made": made, "whole": whole, "unguarded": unguarded },
    })
}
