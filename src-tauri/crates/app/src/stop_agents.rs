//! The kill switch: every agent is stopped at once, and stays stopped until the person lets them go on.
//!
//! **Invariant:** what stops is one number in memory, changed before anything is waited for. That it outlives a restart
//! is written down by every means there is, each for itself, until it is.
//!
//! **Invariant:** at a start the agents may go on only if the mark and the store both say so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::ui::Event;
use domain::audit::AuditEvent;
use domain::time::Timestamp;
use tokio::sync::{Mutex, Semaphore, watch};

use crate::port::{Clock as _, Events as _, Ports, StopMark as _, Store as _, StoreError};
use crate::report::Refusal;
use crate::running::Control;
use crate::start::{App, Inner};

/// How long stopping waits until it is written down. It is in force before.
const RECORD_WITHIN: Duration = Duration::from_millis(200);
/// How often writing it down is tried again.
const RECORD_AGAIN: Duration = Duration::from_secs(1);
/// A mark that cannot be read in this time counts as set.
const READ_WITHIN: Duration = Duration::from_secs(2);
/// One that writes it down and one that waits for it: whoever waits sees the newest stop.
const RECORDERS: usize = 2;

/// Whether the agents are stopped, and whether that is written down.
pub(crate) struct Switch {
    /// Two counters in one number that only ever grows, so that letting go on never undoes a stop it did not see. The
    /// upper half counts the turns between going on and being stopped, and is odd while they are stopped; the lower one
    /// counts how often stopping was wanted again since.
    state: AtomicU64,
    /// Wakes whatever is under way for an agent when they are stopped; what counts is `state`.
    stopping: tokio::sync::Notify,
    /// The newest turn that outlives a restart.
    recorded: watch::Sender<u64>,
    /// Writing down that they are stopped, or that they are not, is never done twice at once.
    writing: Mutex<()>,
    recorders: Arc<Semaphore>,
}

/// What is known right after stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// It outlives a restart already.
    pub recorded: bool,
}

impl Switch {
    /// Stopped, which is what a host begins with.
    pub(crate) fn stopped() -> Self {
        Self {
            state: AtomicU64::new(FIRST_TURN),
            stopping: tokio::sync::Notify::new(),
            recorded: watch::Sender::new(0),
            writing: Mutex::new(()),
            recorders: Arc::new(Semaphore::new(RECORDERS)),
        }
    }

    /// Whether every agent is stopped. To be read before work is done for an agent, and again right before anything is
    /// handed out.
    pub(crate) fn is_stopped(&self) -> bool {
        is_stop(self.state.load(Ordering::SeqCst))
    }

    /// Whether that outlives a restart.
    pub(crate) fn is_recorded(&self) -> bool {
        *self.recorded.borrow() >= turn(self.state.load(Ordering::SeqCst))
    }

    /// Stops; the state from then on.
    fn stop(&self) -> u64 {
        let next = |state: u64| if is_stop(state) { state + 1 } else { next_turn(state) };
        let update = |state| Some(next(state));
        let before = match self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, update) {
            Ok(before) | Err(before) => before,
        };
        self.stopping.notify_waiters();
        next(before)
    }

    /// Returns once they are stopped.
    pub(crate) async fn until_stopped(&self) {
        loop {
            // Listening before looking: a stop in between is heard.
            let stopping = self.stopping.notified();
            if self.is_stopped() {
                return;
            }
            stopping.await;
        }
    }

    /// The stop that is in force, if one is.
    fn in_force(&self) -> Option<u64> {
        Some(self.state.load(Ordering::SeqCst)).filter(|state| is_stop(*state))
    }

    /// Lets go on, unless there was another stop than this one. False if there was.
    fn go_on(&self, stop: u64) -> bool {
        self.state.compare_exchange(stop, next_turn(stop), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn has_recorded(&self, stop: u64) {
        self.recorded.send_modify(|newest| *newest = turn(stop).max(*newest));
    }

    /// What was written is about to be taken away: whoever stops in that moment waits until it is written again.
    fn has_not_recorded(&self) {
        self.recorded.send_replace(0);
    }
}

/// The turn that a host begins with: stopped.
const FIRST_TURN: u64 = 1 << 32;

fn turn(state: u64) -> u64 {
    state / FIRST_TURN
}

fn next_turn(state: u64) -> u64 {
    (turn(state) + 1) * FIRST_TURN
}

fn is_stop(state: u64) -> bool {
    turn(state) % 2 == 1
}

impl<P: Ports> App<P> {
    /// Whether agents may be served at all. Whoever serves one asks before doing any work, and again right before
    /// handing anything out. What tells banks that access has ended does not ask.
    ///
    /// # Errors
    /// Every agent is stopped.
    pub fn may_serve(&self) -> Result<(), Refusal> {
        if self.0.switch.is_stopped() { Err(Refusal::AgentsStopped) } else { Ok(()) }
    }

    /// Stops every agent. In force before anything is waited for; needs neither store, keychain, lock nor network.
    pub async fn stop_agents(&self) -> Stopped {
        let stop = self.0.switch.stop();
        tracing::warn!("every agent is stopped");
        self.0.broker.leases.end_all();
        self.cancel_all();
        self.0.asked().refuse_all();
        self.refuse_questions();
        self.0.ports.events().send(Event::AppChanged);
        self.record_stop();
        let mut recorded = self.0.switch.recorded.subscribe();
        let recorded =
            tokio::time::timeout(RECORD_WITHIN, recorded.wait_for(|newest| *newest >= turn(stop))).await;
        Stopped { recorded: recorded.is_ok_and(|known| known.is_ok()) }
    }

    /// Lets the agents go on. Only the person may want that.
    ///
    /// # Errors
    /// It could not be written down, or they were stopped again meanwhile: they are still stopped.
    pub async fn resume_agents(&self) -> Result<(), Refusal> {
        // The stop that the person knew of when they said this: one that comes later is not undone by it.
        let Some(stop) = self.0.switch.in_force() else { return Ok(()) };
        let _one = self.0.switch.writing.lock().await;
        match self.0.switch.in_force() {
            None => return Ok(()),
            Some(newest) if newest != stop => return Err(Refusal::StillStopped),
            Some(_) => {}
        }
        let now = self.0.ports.clock().now();
        // The store says so last, and has said "stopped" before the mark is taken away: a host that ends anywhere in
        // between finds them stopped.
        self.0.ports.store().write(move |tx| record_row(tx, now)).await?;
        self.0.switch.has_not_recorded();
        let cleared = self.0.ports.stop_mark().clear().await.map_err(|_| Refusal::StillStopped);
        let allowed = match cleared {
            Ok(()) => self
                .0
                .ports
                .store()
                .write(move |tx| {
                    tx.set_agents_stopped(None)?;
                    tx.append_audit(now, &AuditEvent::AgentsResumed)
                })
                .await
                .map_err(Refusal::from),
            Err(refusal) => Err(refusal),
        };
        let gone_on = allowed.is_ok() && self.0.switch.go_on(stop);
        if !gone_on {
            // What was taken away is written again.
            self.record_stop();
        }
        self.0.ports.events().send(Event::AppChanged);
        // What was let lie meanwhile.
        self.0.upkeep.notify_one();
        allowed?;
        if gone_on { Ok(()) } else { Err(Refusal::StillStopped) }
    }

    /// Finds out at a start whether the agents may go on: only if the mark and the store say so.
    pub(crate) async fn read_stop(&self) {
        let stop = self.0.switch.in_force().unwrap_or_default();
        match self.found_stopped().await {
            Ok((false, false)) => {
                self.0.switch.go_on(stop);
            }
            Ok((true, true)) => self.0.switch.has_recorded(stop),
            // One place does not know it yet.
            Ok((true, false) | (false, true)) | Err(_) => self.record_stop(),
        }
        if self.0.switch.is_stopped() {
            tracing::warn!("every agent is stopped, as before");
        }
    }

    /// What the mark says, and what the store says. The very first start makes the mark; the store remembers that first,
    /// so that from then on a missing one means stopped.
    async fn found_stopped(&self) -> Result<(bool, bool), StoreError> {
        let (marked, row) =
            self.0.ports.store().read(|tx| Ok((tx.marked()?, tx.agents_stopped()?.is_some()))).await?;
        let mark = self.0.ports.stop_mark();
        if !marked && !row {
            self.0.ports.store().write(|tx| tx.set_marked()).await?;
            if mark.clear().await.is_err() {
                tracing::error!("the stop mark could not be made");
            }
        }
        let set = tokio::time::timeout(READ_WITHIN, mark.is_set()).await.unwrap_or(true);
        Ok((set, row))
    }

    /// Whatever goes on at a bank for an agent is cancelled.
    fn cancel_all(&self) {
        let running: Vec<_> = self.0.live().values().map(|live| live.control.clone()).collect();
        for control in running {
            if control.try_send(Control::Cancel).is_err() {
                // Busy with what it was told before; one that has ended hears nothing any more.
                tokio::spawn(async move { drop(control.send(Control::Cancel).await) });
            }
        }
    }

    /// Sees to it that the stop in force is written down, however long that takes.
    fn record_stop(&self) {
        let Ok(place) = Arc::clone(&self.0.switch.recorders).try_acquire_owned() else { return };
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let mut recorded = inner.switch.recorded.subscribe();
            while !inner.record_once().await {
                if recorded.has_changed().is_ok_and(|changed| changed) {
                    recorded.mark_unchanged();
                    inner.ports.events().send(Event::AppChanged);
                }
                inner.ports.clock().sleep(RECORD_AGAIN).await;
            }
            drop(place);
            inner.ports.events().send(Event::AppChanged);
        });
    }
}

impl<P: Ports> Inner<P> {
    /// Writes the stop in force to the mark and to the store, each for itself. True if nothing is left to be written.
    async fn record_once(&self) -> bool {
        let _one = self.switch.writing.lock().await;
        let Some(stop) = self.switch.in_force() else { return true };
        let known = |written: bool| {
            if written {
                self.switch.has_recorded(stop);
            }
            written
        };
        let mark = async { known(self.ports.stop_mark().set().await) };
        let row = async {
            let now = self.ports.clock().now();
            let written = self.ports.store().write(move |tx| record_row(tx, now)).await;
            if let Err(error) = &written {
                tracing::error!(%error, "the store does not take that every agent is stopped");
            }
            known(written.is_ok())
        };
        let (mark, row) = tokio::join!(mark, row);
        mark && row
    }
}

/// The row and its audit record, once for each stop.
fn record_row(tx: &mut dyn crate::port::Tx, now: Timestamp) -> Result<(), StoreError> {
    if tx.agents_stopped()?.is_some() {
        return Ok(());
    }
    // Whoever was stopped once has a mark.
    tx.set_marked()?;
    tx.set_agents_stopped(Some(now))?;
    tx.append_audit(now, &AuditEvent::AgentsStopped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letting_go_on_never_undoes_a_stop_it_did_not_see() {
        let switch = Switch::stopped();
        let seen = switch.in_force().unwrap();
        assert!(switch.go_on(seen) && !switch.is_stopped());
        assert_eq!(switch.in_force(), None);
        let first = switch.stop();
        assert_eq!(switch.in_force(), Some(first));
        let second = switch.stop();
        assert!(second > first);
        assert!(!switch.go_on(first), "another stop came after the one that was seen");
        assert!(switch.is_stopped());
        assert!(switch.go_on(second));
        assert!(!switch.go_on(second), "once is enough");
    }

    #[test]
    fn a_stop_is_recorded_only_once_it_is_itself() {
        let switch = Switch::stopped();
        let first = switch.in_force().unwrap();
        assert!(!switch.is_recorded());
        switch.has_recorded(first);
        assert!(switch.is_recorded());
        let again = switch.stop();
        assert!(switch.is_recorded(), "wanted again, it is the same stop");
        assert!(switch.go_on(again));
        switch.stop();
        assert!(!switch.is_recorded());
        switch.has_recorded(first);
        assert!(!switch.is_recorded());
    }

    #[test]
    fn stopping_wins_every_race() {
        for _ in 0..1000 {
            let switch = Switch::stopped();
            let seen = switch.in_force().unwrap();
            std::thread::scope(|threads| {
                threads.spawn(|| switch.go_on(seen));
                threads.spawn(|| switch.stop());
            });
            assert!(switch.is_stopped(), "whichever was first, the stop is in force");
        }
    }
}
