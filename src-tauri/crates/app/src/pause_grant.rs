//! Pause and resume: the agent is held back here, and the bank knows nothing of it.

use domain::audit::AuditEvent;
use domain::grant::Paused;
use domain::id::GrantId;
use domain::lock::Lock;

use crate::change_grant::{Trace, must_live};
use crate::port::Ports;
use crate::report::Refusal;
use crate::start::App;

impl<P: Ports> App<P> {
    /// Holds a grant back. One that is held back already stays as it is.
    ///
    /// # Errors
    /// There is nothing to hold back, or the store failed.
    pub async fn pause_grant(&self, id: GrantId) -> Result<(), Refusal> {
        self.change_grant(id, move |grant, seen| {
            must_live(grant, seen.now)?;
            if grant.paused.is_some() {
                return Ok(None);
            }
            grant.paused = Some(Paused { at: seen.now });
            Ok(Some(Trace { event: Some(AuditEvent::GrantPaused { grant: id }), receipt: None }))
        })
        .await
    }

    /// Lets a grant go on. One that is not held back stays as it is.
    ///
    /// # Errors
    /// There is nothing to let go on, the vault is locked, or the store failed.
    pub async fn resume_grant(&self, id: GrantId) -> Result<(), Refusal> {
        self.must_be_open()?;
        self.change_grant(id, move |grant, seen| {
            must_live(grant, seen.now)?;
            if grant.paused.take().is_none() {
                return Ok(None);
            }
            Ok(Some(Trace { event: Some(AuditEvent::GrantResumed { grant: id }), receipt: None }))
        })
        .await
    }

    /// What gives an agent more than it has is for whoever can open the vault.
    pub(crate) fn must_be_open(&self) -> Result<(), Refusal> {
        match self.0.lock_state() {
            Lock::Open => Ok(()),
            Lock::Locked { .. } => Err(Refusal::Locked),
        }
    }
}
