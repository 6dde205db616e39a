//! Whether the invariants hold: in what a host left behind, and in what a fresh one makes of it. Judged from outside, by
//! what was told to the person and by what the bank knows.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::json;

use super::control::Fault;
use super::operation::{Operation, Person};
use super::remains::{Remains, Row};
use super::told::{Shown, Told};
use crate::fake_provider::Seen;

/// A fresh host tells an honest bank within this time, the slowest keychain included.
const DRAINED: Duration = Duration::from_secs(15);
const SIGKILL: i32 = 9;

/// One run, and what is to be said against it.
pub(super) struct Case {
    operation: Operation,
    fault: Fault,
    pub(super) violations: Vec<String>,
    /// Consents at the bank that the host never could know of.
    pub(super) unknown: usize,
    /// Connections that do not go on without the person, since an answer was lost.
    pub(super) reconnects: usize,
    /// An attempt ended without a connection, or did not end before the host did.
    may_have_lost: bool,
    /// The bank was sent a refresh token.
    refreshed: bool,
}

impl Case {
    pub(super) fn new(operation: Operation, fault: Fault) -> Self {
        Self {
            operation,
            fault,
            violations: Vec::new(),
            unknown: 0,
            reconnects: 0,
            may_have_lost: false,
            refreshed: false,
        }
    }

    pub(super) fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    fn hold(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(what());
        }
    }

    fn is_kill(&self) -> bool {
        matches!(self.fault, Fault::Kill(_) | Fault::KillUnwritten)
    }

    /// The host ended before it had a window.
    pub(super) fn not_up(&mut self, status: Option<ExitStatus>) {
        let orderly = status.is_some_and(|status| status.code() == Some(1));
        let killed = status.is_some_and(|status| status.signal() == Some(SIGKILL));
        let is_fine = if self.is_kill() { killed } else { orderly && self.operation.is_a_start() };
        self.hold(is_fine, || format!("the host did not come up: {status:?}"));
    }

    /// The host ran until it was killed, or ended by itself with this status.
    pub(super) fn acted(&mut self, stuck: Option<String>, ended: Option<ExitStatus>) {
        if let Some(stuck) = stuck {
            self.violation(format!("I8: {stuck}"));
        }
        let killed = ended.and_then(|status| status.signal()) == Some(SIGKILL);
        self.hold(ended.is_none() || (self.is_kill() && killed), || {
            format!("the host ended by itself: {ended:?}")
        });
    }

    /// The bank has seen these requests to its token endpoint.
    pub(super) fn seen(&mut self, requests: &[Seen]) {
        let is_refresh =
            |seen: &Seen| seen.form.get("grant_type").is_some_and(|kind| kind == "refresh_token");
        self.refreshed = requests.iter().any(is_refresh);
    }

    /// No panic was said.
    pub(super) fn read_log(&mut self, log: &Path) {
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| line.contains("panicked")) {
            self.violation(format!("a panic: {line}"));
        }
    }

    /// What was acknowledged is there, whole.
    pub(super) fn judge_remains(&mut self, remains: &Remains, told: &Told, live: &BTreeSet<String>) {
        self.may_have_lost = remains.ended_without;
        if remains.is_absent {
            let nothing = told.connected.is_empty() && told.attempts.is_empty();
            return self.hold(nothing, || "I7: there is no database".to_owned());
        }
        for leak in &remains.leaks {
            self.violation(format!("I4: a token stands in {leak}"));
        }
        if let Some(unsound) = &remains.unsound {
            return self.violation(format!("I7: {unsound}"));
        }
        let row = |id: &String| remains.rows.iter().find(|row| row.id == *id);
        for id in &told.connected {
            self.hold(row(id).is_some(), || {
                format!("I1: the connection {id} was acknowledged and is not there")
            });
        }
        for id in &told.revoked {
            let is_so = row(id).is_some_and(|row| row.cut_off);
            self.hold(is_so, || format!("I2: the connection {id} was revoked and is not"));
        }
        for id in &told.confirmed {
            let is_so = row(id).is_some_and(|row| row.bank == "confirmed");
            self.hold(is_so, || format!("I2: the bank's word on {id} was shown and is not there"));
        }
        for id in &told.attempts {
            self.hold(remains.attempts.contains(id), || format!("I1: the attempt {id} is not there"));
        }
        for sealed in &told.sealed {
            self.hold(remains.sealed.contains(sealed), || "I1: a sealed record is not there".to_owned());
        }
        for row in &remains.rows {
            self.judge_row(row);
        }
        if matches!(self.operation, Operation::Renew) {
            let stand = remains.rows.iter().filter(|row| !row.cut_off).count();
            self.hold(stand == 1, || {
                format!("I1: {stand} connections stand, where one takes the other's place")
            });
        }
        if !self.is_migration() {
            self.judge_bank(remains, live);
        }
    }

    fn is_migration(&self) -> bool {
        matches!(self.operation, Operation::Migrate(_))
    }

    fn judge_row(&mut self, row: &Row) {
        let id = &row.id;
        let waits = row.bank == "pending";
        self.hold(waits == row.waits, || {
            format!("I5: {id} is {:?} and its outbox entry: {}", row.bank, row.waits)
        });
        // A fixture has not all that a real host writes.
        if self.is_migration() {
            return;
        }
        let wanted = !row.cut_off || waits;
        self.hold(wanted == row.sealed, || format!("I6: {id} is {:?} and sealed: {}", row.bank, row.sealed));
        let said = |event: &str| row.events.iter().any(|e| e == event);
        let made = said("grant_connected") || said("grant_not_kept");
        self.hold(made, || format!("I3: nothing is written of how {id} was made"));
        let ended =
            !row.cut_off || ["grant_not_kept", "grant_replaced", "grant_revoked"].into_iter().any(said);
        self.hold(ended, || format!("I3: nothing is written of how {id} was cut off"));
        let confirmed = (row.bank == "confirmed") == said("revocation_confirmed");
        self.hold(confirmed, || format!("I3: {id} is {:?}, and the log says otherwise", row.bank));
    }

    /// What the bank knows and what stands here fit together: each consent at the bank is somebody's to revoke, and none
    /// was ended there that is not ended here.
    fn judge_bank(&mut self, remains: &Remains, live: &BTreeSet<String>) {
        let live = consents(live);
        let active = remains.rows.iter().filter(|row| !row.cut_off).count();
        let sure =
            remains.rows.iter().filter(|row| !row.cut_off && !row.reconnect && !row.unanswered).count();
        let waiting = remains.rows.iter().filter(|row| row.bank == "pending").count();
        self.hold(sure <= live, || format!("I2: {sure} are active here, and the bank knows {live}"));
        let unknown = live.saturating_sub(active + waiting);
        let explained = self.operation.asks_for_tokens() && self.may_have_lost && unknown <= 1;
        self.hold(unknown == 0 || explained, || {
            format!(
                "I5: the bank knows {live} consents, and here are {active} active and {waiting} that wait"
            )
        });
    }
}

fn consents(live: &BTreeSet<String>) -> usize {
    live.iter().filter(|token| token.starts_with("refresh-")).count()
}

/// A fresh host shows what was told, tells the bank what it has not been told, and ends everything when it is asked to.
pub(super) async fn judge_fresh(case: &mut Case, person: &mut Person<'_>) {
    let told = person.told.clone();
    let Some(view) = person.hosted.ask("list_grants", &json!({})).await.done() else {
        return case.violation("I8: a fresh host does not show the list".to_owned());
    };
    let damaged = view["damaged"].as_array().map_or(0, Vec::len);
    case.hold(damaged == 0, || format!("I7: {damaged} records are shown as damaged"));
    let shown = Shown::of(&view);
    let find = |id: &String| shown.iter().find(|shown| shown.id == *id);
    for id in &told.connected {
        case.hold(find(id).is_some(), || format!("I1: a fresh host does not show {id}"));
    }
    for id in &told.revoked {
        let is_so = find(id).is_some_and(Shown::is_revoked);
        case.hold(is_so, || format!("I2: a fresh host shows {:?}", find(id)));
    }
    for id in &told.attempts {
        let view = person.hosted.ask("show_attempt", &json!({ "attempt": id })).await.done();
        let step = view.map_or_else(String::new, |view| view["step"].to_string());
        case.hold(step == "\"ended\"", || format!("I8: the attempt {id} is at {step:?} after a restart"));
    }
    let state = person.hosted.ask("app_state", &json!({})).await.done();
    let stopped = state.map(|state| !state["stopped"].is_null());
    let is_so = stopped.is_some() && (told.stopped.is_none() || told.stopped == stopped);
    case.hold(is_so, || {
        format!("I2: agents stopped: {:?} was said, and now it is {stopped:?}", told.stopped)
    });
    if case.is_migration() {
        return;
    }
    if !drain(case, person).await {
        return;
    }
    end_all(case, person, &shown).await;
}

/// Each connection works or says why not; then each is ended, here and at the bank.
async fn end_all(case: &mut Case, person: &mut Person<'_>, shown: &[Shown]) {
    let (works, paused) = (person.told.works.clone(), person.told.paused.clone());
    let mut broken = 0;
    let standing: Vec<&String> = shown.iter().filter(|s| !s.is_revoked()).map(|shown| &shown.id).collect();
    for id in &standing {
        match person.ask_after(id).await {
            Some(Some(now)) if now.state == "reconnect" => {
                broken += 1;
                let explained = case.refreshed && !works.contains(*id);
                case.hold(explained, || {
                    format!("I6: {id} does not go on ({}), and no answer was lost", now.why)
                });
                case.reconnects += 1;
            }
            Some(Some(now)) => {
                // Held back without an answer: the host was killed in between.
                let may_be_paused = matches!(case.operation, Operation::Pause);
                let is_so = match now.state.as_str() {
                    "active" => !paused.contains(*id),
                    "paused" => may_be_paused,
                    _ => false,
                };
                case.hold(is_so, || format!("I6: {id} is {now:?}"));
            }
            Some(None) | None => case.violation(format!("I6: nobody can say whether {id} works")),
        }
    }
    let newest = person.bank.live();
    person.bank.forget_seen();
    for id in &standing {
        if person.cut_off(id).await.is_none() {
            return case.violation(format!("I2: a fresh host does not answer when {id} is revoked"));
        }
    }
    if !drain(case, person).await {
        return;
    }
    let sent: BTreeSet<String> =
        person.bank.seen("revoke").iter().filter_map(|seen| seen.form.get("token").cloned()).collect();
    let old = sent.iter().filter(|token| token.starts_with("refresh-") && !newest.contains(*token)).count();
    case.hold(old <= broken, || format!("I6: the bank is sent {sent:?}, and it knows {newest:?}"));
    let left = consents(&person.bank.live());
    let explained = case.operation.asks_for_tokens() && case.may_have_lost && left <= 1;
    case.unknown = left;
    case.hold(left == 0 || explained, || {
        format!("I5: {left} consents are left at the bank, and nobody knows")
    });
}

/// Waits until nothing is left to be told; false where that does not come.
async fn drain(case: &mut Case, person: &mut Person<'_>) -> bool {
    let begin = Instant::now();
    loop {
        let Some(shown) = person.look().await else {
            case.violation("I8: a fresh host does not show the list any more".to_owned());
            return false;
        };
        let Some(waits) = shown.iter().find(|shown| shown.waits()) else { return true };
        if begin.elapsed() > DRAINED {
            case.violation(format!("I5: the bank was not told: {waits:?}"));
            return false;
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}
