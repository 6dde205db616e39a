//! Upkeep: what has to happen in a grant's life while nobody looks. Refreshes that were lost are tried again, what was
//! not heard of for a day is asked after, what is over is ended at the bank too, and what is kept for nobody is deleted.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::audit::AuditEvent;
use domain::grant::{Grant, Standing};
use domain::id::GrantId;
use domain::lock::Lock;
use domain::refresh::Refresh;
use domain::time::Timestamp;

use crate::ask_bank::FARTHEST;
use crate::port::{Clock as _, Ports, Store as _, StoreError};
use crate::report::Refusal;
use crate::revoke_grant::CutOff;
use crate::start::{App, Inner};

/// How long a task is remembered beyond the time in which it could be presented, in milliseconds.
const TASKS_KEPT: i64 = 10 * 60_000;
/// A connection that nobody has heard of for this long is asked after.
const ASK_AFTER: i64 = 86_400_000;
/// What is kept sealed of a connection that the bank has ended.
const KEEP_SEALED: u16 = 30;
/// The longest time between two looks: dates may come nearer by a clock that is put right.
const LONGEST: i64 = 15 * 60_000;

/// What a grant is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// To be asked after.
    Check,
    /// To be ended: its time is over.
    End,
    /// To lose what is kept sealed of it.
    Forget,
    /// To be refreshed: an earlier try was lost or did not work.
    Refresh(u32),
}

impl<P: Ports> App<P> {
    /// Runs for as long as the host does.
    pub(crate) async fn keep_up(self) {
        loop {
            let now = self.0.ports.clock().now();
            let (kept_up, reminded) = (self.0.keep_up_once().await, self.remind_due(now).await);
            let pause = match kept_up.and_then(|next| Ok((next, reminded?))) {
                Ok((next, reminder)) => {
                    let next = next.into_iter().chain(reminder).min();
                    let left =
                        next.map_or(LONGEST, |next| next.millis() - self.0.ports.clock().now().millis());
                    Duration::from_millis(left.clamp(1000, LONGEST).unsigned_abs())
                }
                Err(error) => {
                    tracing::error!(%error, "the connections could not be looked after");
                    Duration::from_secs(10)
                }
            };
            tokio::select! {
                () = self.0.upkeep.notified() => {}
                () = self.0.ports.clock().sleep(pause) => {}
            }
        }
    }
}

impl<P: Ports> Inner<P> {
    /// Does what is due, one after the other, and says when the next thing is.
    async fn keep_up_once(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let read = self.ports.store().read(|tx| Ok((tx.grants()?.sound, tx.refreshes()?)));
        let (grants, refreshes) = read.await?;
        self.forget_old_tasks().await?;
        let mut next: Option<Timestamp> = None;
        for grant in grants {
            let refresh = refreshes.iter().find(|(id, _)| *id == grant.id).map(|(_, refresh)| refresh);
            let now = self.ports.clock().now();
            let when = match due(&grant, refresh, now) {
                (Some(due), _) => {
                    // One connection that cannot be looked after keeps no other from it.
                    if let Err(error) = self.carry_out(&grant, due).await {
                        tracing::info!(grant = %grant.id, ?due, %error, "not done yet");
                    }
                    Some(now.plus_millis(60_000))
                }
                (None, when) => when,
            };
            next = next.into_iter().chain(when).min();
        }
        Ok(next)
    }

    /// What can be presented no more need not be remembered; by a clock that was moved on, more is forgotten than that,
    /// which the task's own time makes up for.
    async fn forget_old_tasks(&self) -> Result<(), StoreError> {
        let before = self.ports.clock().now().plus_millis(-TASKS_KEPT);
        if self.ports.store().read(move |tx| tx.has_tasks_before(before)).await? {
            self.ports.store().write(move |tx| tx.forget_tasks(before)).await?;
        }
        Ok(())
    }

    async fn carry_out(self: &Arc<Self>, grant: &Grant, due: Due) -> Result<(), Refusal> {
        // Nothing is opened for upkeep while the person has it locked, or has stopped everything.
        let at_rest = matches!(self.lock_state(), Lock::Locked { .. }) || self.switch.is_stopped();
        match due {
            Due::End => self.cut_off(grant, CutOff::TimeOver).await,
            Due::Forget => self.forget_sealed(grant.id).await.map_err(Refusal::from),
            Due::Check | Due::Refresh(_) if at_rest => Ok(()),
            Due::Check => match self.check(grant.id).await {
                Err(Refusal::NeedsReconnect) => Ok(()),
                outcome => outcome,
            },
            Due::Refresh(generation) => self.refresh(grant.id, generation).await,
        }
    }

    /// What was kept for a reconnect that did not come: the bank has ended it long ago.
    async fn forget_sealed(&self, id: GrantId) -> Result<(), StoreError> {
        let now = self.ports.clock().now();
        let stored = self.ports.store().write(move |tx| {
            tx.delete_sealed(id)?;
            tx.append_audit(now, &AuditEvent::SealedForgotten { grant: id })
        });
        stored.await?;
        self.forget.store(true, Ordering::Relaxed);
        self.forget_deleted().await;
        self.grants_changed();
        Ok(())
    }
}

/// What a grant is due for now, or else when it will be due for something.
fn due(grant: &Grant, refresh: Option<&Refresh>, now: Timestamp) -> (Option<Due>, Option<Timestamp>) {
    match (grant.standing(now), &grant.reconnect) {
        (Standing::Revoked, _) => (None, None),
        (Standing::Ended, _) => (Some(Due::End), None),
        (Standing::Reconnect, Some(reconnect)) => {
            let end = reconnect.since.plus_days(KEEP_SEALED);
            if end <= now { (Some(Due::Forget), None) } else { (None, Some(end.min(grant.allowed_until()))) }
        }
        (Standing::Active | Standing::Paused | Standing::Reconnect, _) => {
            let next = match refresh {
                // What a crash left: at once.
                Some(Refresh { in_flight: Some(_), .. }) => now,
                // No pause is longer: a time further off was set by a clock that was wrong.
                Some(Refresh { next_try: Some(next), .. }) if *next <= now.plus_millis(FARTHEST) => *next,
                Some(_) => now.plus_millis(LONGEST),
                None => grant.confirmed_at.plus_millis(ASK_AFTER),
            };
            if next > now {
                return (None, Some(next.min(grant.allowed_until())));
            }
            let again = refresh.is_some_and(|refresh| refresh.in_flight.is_some() || refresh.unanswered > 0);
            (Some(if again { Due::Refresh(grant.generation) } else { Due::Check }), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{AgentId, ProviderId};
    use domain::permission::PermissionSet;

    const DAY: i64 = 86_400_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn grant() -> Grant {
        Grant {
            id: GrantId::make_from(at(0), [1; 10]),
            provider: ProviderId::parse("bank").unwrap(),
            provider_name: "Bank".into(),
            issuer: "https://bank.example".into(),
            agent: AgentId::make_from(at(0), [2; 10]),
            permissions: PermissionSet::default(),
            missing: Vec::new(),
            extra: Vec::new(),
            accounts: Vec::new(),
            holder: None,
            created_at: at(0),
            ends_at: at(90 * DAY),
            scopes: None,
            access_token_ends_at: None,
            generation: 4,
            confirmed_at: at(DAY),
            narrowing: None,
            paused: None,
            reconnect: None,
            renews: None,
            reminded: None,
            revocation: None,
        }
    }

    #[test]
    fn a_grant_is_looked_after_when_it_is_time() {
        let check = |grant: &Grant, refresh: Option<Refresh>, now, expected| {
            assert_eq!(due(grant, refresh.as_ref(), at(now)), expected);
        };
        let grant = grant();
        check(&grant, None, DAY, (None, Some(at(2 * DAY))));
        check(&grant, None, 2 * DAY, (Some(Due::Check), None));
        check(&grant, None, 90 * DAY, (Some(Due::End), None));
        let late = Grant { confirmed_at: at(90 * DAY - 5), ..grant.clone() };
        check(&late, None, 90 * DAY - 1, (None, Some(at(90 * DAY))));
        let waiting = Refresh { next_try: Some(at(DAY + 9)), ..Refresh::default() };
        check(&grant, Some(waiting.clone()), DAY, (None, Some(at(DAY + 9))));
        check(&grant, Some(waiting.clone()), DAY + 9, (Some(Due::Check), None));
        let lost = Refresh { unanswered: 1, ..waiting };
        check(&grant, Some(lost), DAY + 9, (Some(Due::Refresh(4)), None));
        let left = Refresh { in_flight: Some(at(DAY)), ..Refresh::default() };
        check(&grant, Some(left), DAY, (Some(Due::Refresh(4)), None));
        let absurd = Refresh { next_try: Some(at(80 * DAY)), ..Refresh::default() };
        check(&grant, Some(absurd), DAY, (None, Some(at(DAY + LONGEST))));
        let why = domain::grant::ReconnectWhy::EndedAtBank;
        let over = Grant { reconnect: Some(domain::grant::Reconnect { since: at(DAY), why }), ..grant };
        check(&over, None, 5 * DAY, (None, Some(at(31 * DAY))));
        check(&over, None, 31 * DAY, (Some(Due::Forget), None));
    }
}
