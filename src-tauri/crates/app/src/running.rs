//! One running attempt: its record, which is stored before it is shown, and what the person may tell it.

use std::sync::Arc;

use contract::ui::Event;
use domain::attempt::{Attempt, Ending};
use domain::audit::AuditEvent;
use domain::reference::Stage;
use tokio::sync::oneshot;
use url::Url;

use crate::endings::NOT_SAVED;
use crate::port::{Clock as _, Events as _, Ports, Store as _, StoreError};
use crate::start::Inner;

/// What the person may tell a running attempt.
pub(crate) enum Control {
    /// Stop.
    Cancel,
    /// Send me to the bank again, with a fresh request.
    OpenAgain,
    /// Give me a fresh address instead.
    CopyLink(oneshot::Sender<Option<Url>>),
    /// Keep the accounts that nobody expected, as a connection of its own; or let them go.
    Decide(Decision),
}

/// What the person decides about accounts that nobody expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// They are kept.
    Keep,
    /// They are let go.
    LetGo,
}

/// A running attempt.
pub(crate) struct Running<P: Ports> {
    pub(crate) inner: Arc<Inner<P>>,
    pub(crate) attempt: Attempt,
}

impl<P: Ports> Running<P> {
    /// Moves on to a stage.
    pub(crate) async fn reach(&mut self, stage: Stage) -> Result<(), Ending> {
        self.change(|attempt| attempt.stage = stage).await
    }

    /// Changes the record: stored first, then shown.
    pub(crate) async fn change(&mut self, change: impl FnOnce(&mut Attempt)) -> Result<(), Ending> {
        let mut next = self.attempt.clone();
        change(&mut next);
        next.revision += 1;
        let stored = next.clone();
        self.inner.ports.store().write(move |tx| tx.update_attempt(&stored)).await.map_err(|_| NOT_SAVED)?;
        self.show(next);
        Ok(())
    }

    /// Ends it. The end is shown even if it cannot be stored; the next start then finds it interrupted.
    pub(crate) async fn end(&mut self, ending: Ending) {
        let now = self.inner.ports.clock().now();
        let mut next = self.attempt.clone();
        next.ending = Some(ending.clone());
        next.ended_at = Some(now);
        next.revision += 1;
        let mut stored = next.clone();
        let outcome: Result<(), StoreError> = self
            .inner
            .ports
            .store()
            .write(move |tx| {
                // A change that was on its way when the person cancelled may have been stored unseen.
                let last = tx.attempt(stored.id)?.ok_or(StoreError::Missing)?;
                stored.revision = last.revision + 1;
                tx.update_attempt(&stored)?;
                tx.append_audit(now, &AuditEvent::AttemptEnded { attempt: stored.id, ending })
            })
            .await;
        if let Err(error) = outcome {
            tracing::error!(attempt = %next.id, %error, "the end of an attempt was not stored");
        }
        tracing::info!(attempt = %next.id, reference = %next.reference(), "attempt ended");
        self.show(next);
    }

    /// Takes over a record that was stored elsewhere, and shows it.
    pub(crate) fn show(&mut self, next: Attempt) {
        let event = Event::AttemptChanged { id: next.id.to_string(), revision: next.revision };
        if let Some(live) = self.inner.live().get_mut(&next.id) {
            live.attempt = next.clone();
        }
        self.attempt = next;
        self.inner.ports.events().send(event);
    }
}
