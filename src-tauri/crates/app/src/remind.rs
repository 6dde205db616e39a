//! Reminders of an end that comes: one a week before, one on the day before, and none to whoever wants none.

use domain::audit::AuditEvent;
use domain::grant::{Grant, Reminder, Standing};
use domain::id::GrantId;
use domain::time::Timestamp;

use crate::change_grant::{Trace, must_live};
use crate::port::{Note, Notify as _, Ports, Store as _, StoreError};
use crate::report::Refusal;
use crate::start::App;
use crate::view;

const DAY: i64 = 86_400_000;
/// When the reminders are given, before the end.
const BEFORE: [(Reminder, i64); 2] = [(Reminder::Week, 7 * DAY), (Reminder::Day, DAY)];

impl<P: Ports> App<P> {
    /// Gives the reminders that are due, and says when the next one is.
    ///
    /// # Errors
    /// The store.
    pub async fn remind_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (agents, grants) = self.0.ports.store().read(|tx| Ok((tx.agents()?, tx.grants()?.sound))).await?;
        let mut next = None;
        for grant in grants {
            if is_due(&grant, now).is_some() && self.record_reminder(grant.id, now).await? {
                self.0.grants_changed();
                let agent = view::agent_mark(&agents, grant.agent).name;
                let days = now.days_until(grant.allowed_until());
                let note = Note::EndsSoon { agent, bank: grant.provider_name.clone(), days };
                self.0.ports.notify().notify(note).await;
            }
            next = next.into_iter().chain(next_after(&grant, now)).min();
        }
        Ok(next)
    }

    /// The person wants no more reminders of this end.
    ///
    /// # Errors
    /// There is nothing to remind of, or the store failed.
    pub async fn stop_reminding(&self, id: GrantId) -> Result<(), Refusal> {
        self.change_grant(id, |grant, seen| {
            must_live(grant, seen.now)?;
            let before = grant.reminded.replace(Reminder::NoMore);
            Ok((before != Some(Reminder::NoMore)).then(Trace::default))
        })
        .await
    }

    /// Recorded before it is given: a crash between may cost a reminder, and never repeats one.
    async fn record_reminder(&self, id: GrantId, now: Timestamp) -> Result<bool, StoreError> {
        let recorded = self.0.ports.store().write(move |tx| {
            // As it is now: it may have been revoked, narrowed or renewed since it was read.
            let Some(mut grant) = tx.grant(id)? else { return Ok(false) };
            let Some(reminder) = is_due(&grant, now) else { return Ok(false) };
            grant.reminded = Some(reminder);
            tx.update_grant(&grant)?;
            tx.append_audit(now, &AuditEvent::Reminded { grant: id, reminder })?;
            Ok(true)
        });
        recorded.await
    }
}

/// The reminder to be given now: the nearest to the end, and each only once.
fn is_due(grant: &Grant, now: Timestamp) -> Option<Reminder> {
    let lives = matches!(grant.standing(now), Standing::Active | Standing::Paused);
    passed(grant.allowed_until(), now).filter(|due| lives && grant.reminded < Some(*due))
}

/// The last reminder whose time has come.
pub(crate) fn passed(until: Timestamp, now: Timestamp) -> Option<Reminder> {
    let passed = |(_, before): &(Reminder, i64)| until.plus_millis(-before) <= now;
    BEFORE.into_iter().rfind(passed).map(|(reminder, _)| reminder)
}

/// When this grant's next reminder is due.
fn next_after(grant: &Grant, now: Timestamp) -> Option<Timestamp> {
    if !matches!(grant.standing(now), Standing::Active | Standing::Paused) {
        return None;
    }
    let to_come = BEFORE.into_iter().filter(|(reminder, _)| grant.reminded < Some(*reminder));
    to_come.map(|(_, before)| grant.allowed_until().plus_millis(-before)).find(|at| *at > now)
}
