//! Whether the log is what was written: each record follows from the one before, and the keychain knows one of them.

use contract::ui::{ActivityVerdict, AnchoredView};
use domain::audit::Chain;

use crate::port::{Anchor, Clock as _, Keychain as _, Ports, Store as _};
use crate::report::Refusal;
use crate::start::App;

/// So many records are read at a time: others read in between.
const AT_A_TIME: u16 = 2000;

impl<P: Ports> App<P> {
    /// Reads the whole log and checks it against itself and against its anchor in the keychain, as far as that answers
    /// without asking the person.
    ///
    /// # Errors
    /// The store failed.
    pub async fn check_activity(&self) -> Result<ActivityVerdict, Refusal> {
        let anchors = self.anchors().await;
        // Other programs can put items beside ours: the one that is furthest on counts.
        let newest = anchors.iter().map(|anchor| anchor.seq).max();
        let mut chain = Chain::default();
        let (mut first_bad, mut known) = (None, false);
        'log: loop {
            let from = chain.length();
            let records = self.0.ports.store().read(move |tx| tx.audit_after(from, AT_A_TIME)).await?;
            if records.is_empty() {
                break;
            }
            for record in &records {
                if let Err(error) = chain.accept(record) {
                    first_bad = Some(error.seq());
                    break 'log;
                }
                let here = Anchor { seq: record.seq, hash: record.hash };
                known |= Some(here.seq) == newest && anchors.contains(&here);
            }
        }
        let head = self.0.ports.store().read(|tx| tx.audit_head()).await?;
        let records = head.map_or(0, |head| head.seq);
        let anchored = match newest {
            None => AnchoredView::None,
            Some(newest) if !known || newest > records => AnchoredView::Cut,
            Some(newest) if newest == records => AnchoredView::Agrees,
            Some(_) => AnchoredView::Behind,
        };
        let checked_at = self.0.ports.clock().now().millis();
        Ok(ActivityVerdict { records, sound: first_bad.is_none(), first_bad, anchored, checked_at })
    }

    /// The anchors in the keychain; none where it is locked, does not answer or takes no part.
    pub(crate) async fn anchors(&self) -> Vec<Anchor> {
        let Ok(Some(kek)) = self.0.ports.store().read(|tx| tx.kek()).await else { return Vec::new() };
        if !kek.protection.has_keychain() || self.0.ports.keychain().status().await.is_err() {
            return Vec::new();
        }
        self.0.ports.keychain().read_anchors(&self.0.install).await.unwrap_or_default()
    }
}
