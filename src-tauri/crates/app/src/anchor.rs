//! The anchor: the head of the audit log, kept in the keychain, so that an older copy of the store is noticed.
//!
//! A copy that was put back may hold tokens that the bank has replaced, and connections that were revoked since: using
//! one could trip the bank's alarm, or bring back what the person had ended. So nothing of it is used before the person
//! connects again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::ui::Event;
use domain::audit::AuditEvent;
use domain::grant::{Reconnect, ReconnectWhy};
use domain::lock::Protection;
use domain::time::Timestamp;
use tokio::sync::Notify;

use crate::key::KeyError;
use crate::port::{
    Anchor, Clock as _, Events as _, Keychain as _, KeychainError, Ports, Store as _, StoreError, Tx,
};
use crate::start::{App, Inner};

/// The log is anchored at most this often.
const PAUSE: Duration = Duration::from_secs(1);
/// How long an orderly stop waits for the keychain.
const AT_STOP: Duration = Duration::from_secs(3);

/// What is known of the anchor in this run.
#[derive(Default)]
pub(crate) struct Anchored {
    /// It was compared with the log.
    compared: AtomicBool,
    /// What stands in the keychain, as far as we know. Whoever holds it is the only one at it.
    known: tokio::sync::Mutex<Option<Anchor>>,
    /// The keychain may be there now.
    pub(crate) wake: Notify,
}

impl<P: Ports> App<P> {
    /// Runs for as long as the host does: compares, tidies, and anchors what was written since.
    pub(crate) async fn keep_anchored(self) {
        loop {
            self.0.anchor_now().await;
            tokio::select! {
                () = self.0.ports.store().written() => {}
                () = self.0.anchored.wake.notified() => {}
            }
            self.0.ports.clock().sleep(PAUSE).await;
        }
    }

    /// The last anchor of this run.
    pub(crate) async fn anchor_at_stop(&self) {
        if tokio::time::timeout(AT_STOP, self.0.anchor_now()).await.is_err() {
            tracing::warn!("the keychain did not take the last anchor in time");
        }
    }
}

impl<P: Ports> Inner<P> {
    /// Anchors the log as it is now, if the keychain takes part and is open.
    pub(crate) async fn anchor_now(&self) {
        match self.write_anchor().await {
            Ok(()) => self.tidy_keys_once().await,
            // It was noticed and is told; the next one is for the next round.
            Err(KeyError::Restored) => self.anchored.wake.notify_one(),
            Err(KeyError::Keychain(_)) => {}
            Err(error) => tracing::warn!(%error, "the log was not anchored"),
        }
    }

    async fn write_anchor(&self) -> Result<(), KeyError> {
        // The keychain outlives this process: it is told of nothing that a crash could still undo.
        let (kek, head) = self.ports.store().read_settled(|tx| Ok((tx.kek()?, tx.audit_head()?))).await?;
        let Some((kek, head)) = kek.zip(head) else { return Ok(()) };
        if !kek.protection.has_keychain() {
            return Ok(());
        }
        self.compare_anchor(kek.protection).await?;
        let mut known = self.anchored.known.lock().await;
        // Another call may have been here with a later head.
        if known.is_some_and(|known| known.seq >= head.seq) {
            return Ok(());
        }
        self.ports.keychain().status().await?;
        self.ports.keychain().write_anchor(&self.install, &head).await?;
        if !self.ports.store().read(|tx| tx.anchored()).await? {
            self.ports.store().write(|tx| tx.set_anchored()).await?;
        }
        *known = Some(head);
        Ok(())
    }

    /// Compares the log with its anchor, once in each run and before the first use of the key. Never prompts.
    ///
    /// # Errors
    /// The keychain or the store; then it is not compared yet. `Restored` if the store was put back: that is stored by
    /// then, and what the caller knows of the grants is not so any more.
    pub(crate) async fn compare_anchor(&self, protection: Protection) -> Result<(), KeyError> {
        if !protection.has_keychain() || self.anchored.compared.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut known = self.anchored.known.lock().await;
        if self.anchored.compared.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.ports.keychain().status().await?;
        let anchors = match self.ports.keychain().read_anchors(&self.install).await {
            // Something else stands in its place: there is no anchor.
            Err(KeychainError::Malformed) => Vec::new(),
            anchors => anchors?,
        };
        match self.ports.store().read(move |tx| missing(tx, &anchors)).await? {
            Compared::Sound(newest) => {
                *known = newest;
                self.anchored.compared.store(true, Ordering::SeqCst);
                Ok(())
            }
            Compared::PutBack(seq) => {
                let head = self.store_restored(seq).await?;
                self.anchored.compared.store(true, Ordering::SeqCst);
                // Until it is written anew, a start notices the same again.
                if let Some(head) = head {
                    self.ports.keychain().write_anchor(&self.install, &head).await?;
                    *known = Some(head);
                }
                Err(KeyError::Restored)
            }
        }
    }

    /// Records that the store was put back: no connection of it goes on without the person. The log's new head.
    async fn store_restored(&self, seq: u64) -> Result<Option<Anchor>, StoreError> {
        let now = self.ports.clock().now();
        tracing::error!(seq, "the store was put back from an older copy");
        let head = self.ports.store().write(move |tx| {
            tx.append_audit(now, &AuditEvent::StoreRestored { seq })?;
            reconnect_all(tx, now)?;
            // Which keys are litter is not to be learnt from an old copy: the one in force may be among them.
            tx.set_kek_litter(&[])?;
            tx.audit_head()
        });
        let head = head.await?;
        *self.restored_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(now);
        self.ports.events().send(Event::AppChanged);
        self.grants_changed();
        Ok(head)
    }
}

/// What came of comparing.
enum Compared {
    /// The log holds what was anchored last, or nothing ever was.
    Sound(Option<Anchor>),
    /// The record with this number is not in it; 0 where the anchor itself is gone.
    PutBack(u64),
}

/// Other programs can put items beside ours: the one that is furthest on counts, whatever else stands there.
fn missing(tx: &mut dyn Tx, anchors: &[Anchor]) -> Result<Compared, StoreError> {
    let Some(seq) = anchors.iter().map(|anchor| anchor.seq).max() else {
        return Ok(if tx.anchored()? { Compared::PutBack(0) } else { Compared::Sound(None) });
    };
    let here = tx.audit_hash(seq)?;
    let known = anchors.iter().find(|anchor| anchor.seq == seq && Some(anchor.hash) == here);
    Ok(known.map_or(Compared::PutBack(seq), |known| Compared::Sound(Some(*known))))
}

fn reconnect_all(tx: &mut dyn Tx, now: Timestamp) -> Result<(), StoreError> {
    let why = ReconnectWhy::StoreRestored;
    for mut grant in tx.grants()?.sound {
        if grant.revocation.is_some() {
            continue;
        }
        grant.reconnect = Some(Reconnect { since: now, why });
        tx.update_grant(&grant)?;
        tx.delete_refresh(grant.id)?;
        tx.append_audit(now, &AuditEvent::ReconnectNeeded { grant: grant.id, why })?;
    }
    Ok(())
}
