//! A grant that lives is read, judged and changed in one transaction, so that nothing can come between.

use domain::agent::Agent;
use domain::audit::AuditEvent;
use domain::grant::{Grant, Standing};
use domain::id::{GrantId, ReceiptId};
use domain::time::Timestamp;

use crate::port::{Clock as _, Ports, ReceiptRow, Store as _};
use crate::report::{Refusal, Thing};
use crate::start::App;

/// What goes into the store with a changed grant.
#[derive(Default)]
pub(crate) struct Trace {
    /// The audit record.
    pub(crate) event: Option<AuditEvent>,
    /// The receipt's body.
    pub(crate) receipt: Option<String>,
}

/// What a change is judged by.
pub(crate) struct Seen<'s> {
    /// The agents.
    pub(crate) agents: &'s [Agent],
    /// Now.
    pub(crate) now: Timestamp,
}

impl<P: Ports> App<P> {
    /// Changes a grant; a change that gives no trace changed nothing, and nothing is written.
    ///
    /// # Errors
    /// There is no such grant, it may not be changed like this, or the store failed.
    pub(crate) async fn change_grant(
        &self,
        id: GrantId,
        change: impl FnOnce(&mut Grant, &Seen<'_>) -> Result<Option<Trace>, Refusal> + Send + 'static,
    ) -> Result<(), Refusal> {
        let now = self.0.ports.clock().now();
        let receipt_id = ReceiptId::make_from(now, self.0.random()?);
        let changed = self.0.ports.store().write(move |tx| {
            let Some(mut grant) = tx.grant(id)? else { return Ok(Err(Refusal::Unknown(Thing::Grant))) };
            let agents = tx.agents()?;
            let trace = match change(&mut grant, &Seen { agents: &agents, now }) {
                Ok(Some(trace)) => trace,
                Ok(None) => return Ok(Ok(false)),
                Err(refusal) => return Ok(Err(refusal)),
            };
            tx.update_grant(&grant)?;
            if let Some(body) = trace.receipt {
                tx.insert_receipt(&ReceiptRow { id: receipt_id, grant: id, at: now, body })?;
            }
            trace.event.map_or(Ok(()), |event| tx.append_audit(now, &event))?;
            Ok(Ok(true))
        });
        if changed.await?? {
            self.0.grants_changed();
            // When it ends, or whether it is looked after at all, may be another thing now.
            self.0.upkeep.notify_one();
        }
        Ok(())
    }
}

/// Refuses what is over, or cannot go on as it is.
pub(crate) fn must_live(grant: &Grant, now: Timestamp) -> Result<(), Refusal> {
    match grant.standing(now) {
        Standing::Revoked if !grant.ran_out() => Err(Refusal::Revoked),
        Standing::Revoked | Standing::Ended => Err(Refusal::GrantOver),
        Standing::Reconnect => Err(Refusal::NeedsReconnect),
        Standing::Paused | Standing::Active => Ok(()),
    }
}
