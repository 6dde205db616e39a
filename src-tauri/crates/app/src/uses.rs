//! What is asked of a bank with a grant's token: a cut-off ends it before it is acknowledged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::GrantId;
use tokio::sync::{RwLock, watch};

/// The uses that are under way, by grant.
#[derive(Default)]
pub(crate) struct Uses(Mutex<BTreeMap<GrantId, Arc<Gate>>>);

/// One grant's.
struct Gate {
    cut: watch::Sender<bool>,
    /// Held by each use for as long as it lasts.
    under_way: RwLock<()>,
}

impl Uses {
    /// Waits for a use, or drops it where it stands once the grant is cut off; one that comes after that is not begun.
    pub(crate) async fn unless_cut<T>(&self, grant: GrantId, used: impl Future<Output = T>) -> Option<T> {
        let gate = self.gate(grant);
        let mut cut = gate.cut.subscribe();
        let _under_way = gate.under_way.read().await;
        tokio::select! {
            biased;
            _ = cut.wait_for(|cut| *cut) => None,
            done = used => Some(done),
        }
    }

    /// Cuts a grant off: when this returns, no use of it is under way, and none will be.
    pub(crate) async fn cut(&self, grant: GrantId) {
        let gate = self.gate(grant);
        gate.cut.send_replace(true);
        drop(gate.under_way.write().await);
    }

    /// A poisoned lock still holds valid data, since every change is one insertion.
    fn gate(&self, grant: GrantId) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Gate { cut: watch::Sender::new(false), under_way: RwLock::new(()) });
        Arc::clone(gates.entry(grant).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::Timestamp;
    use std::future::pending;

    #[tokio::test]
    async fn a_cut_off_ends_what_is_under_way_and_lets_nothing_begin() {
        let uses = Arc::new(Uses::default());
        let grant = |n| GrantId::make_from(Timestamp::from_millis(0), [n; 10]);
        let (one, two) = (Arc::clone(&uses), Arc::clone(&uses));
        let ended = tokio::spawn(async move { one.unless_cut(grant(1), pending::<()>()).await });
        let goes_on = tokio::spawn(async move { two.unless_cut(grant(2), pending::<()>()).await });
        tokio::task::yield_now().await;
        uses.cut(grant(1)).await;
        assert_eq!(ended.await.unwrap(), None);
        assert_eq!(uses.unless_cut(grant(1), async { 7 }).await, None, "none begins any more");
        assert_eq!(uses.unless_cut(grant(2), async { 7 }).await, Some(7), "another grant's goes on");
        assert!(!goes_on.is_finished());
    }
}
