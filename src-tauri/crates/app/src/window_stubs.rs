//! Stands in for the activity page's use cases, which are built elsewhere.

use contract::ui::{ActivityDetails, ActivityFilter, ActivityPage, ActivityVerdict, AnchoredView, SavedFile};
use domain::id::{AgentId, GrantId};

use crate::port::{Clock as _, Ports, Store as _};
use crate::report::{Refusal, Thing};
use crate::start::App;

impl<P: Ports> App<P> {
    /// What happened, newest first.
    pub async fn list_activity(&self, filter: &ActivityFilter) -> Result<ActivityPage, Refusal> {
        filter.agent.as_deref().map(AgentId::parse).transpose().map_err(|_| Refusal::Malformed)?;
        filter.grant.as_deref().map(GrantId::parse).transpose().map_err(|_| Refusal::Malformed)?;
        Ok(ActivityPage { entries: Vec::new(), more: false })
    }

    /// One record, whole.
    pub async fn show_activity(&self, _seq: u64) -> Result<ActivityDetails, Refusal> {
        Err(Refusal::Unknown(Thing::Activity))
    }

    /// Checks that nothing of the log was changed.
    pub async fn check_activity(&self) -> Result<ActivityVerdict, Refusal> {
        let records = self.0.ports.store().read(|tx| tx.audit()).await?;
        let checked_at = self.0.ports.clock().now().millis();
        let records = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let anchored = AnchoredView::None;
        Ok(ActivityVerdict { records, sound: true, first_bad: None, anchored, checked_at })
    }

    /// Writes the log to a file for the person.
    pub async fn export_activity(&self) -> Result<SavedFile, Refusal> {
        Err(Refusal::NotWritten)
    }
}
