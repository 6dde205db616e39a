//! Connect Account: from the click to a named ending.

use std::sync::Arc;
use std::time::Duration;

use contract::ui::ConnectAccount;
use domain::attempt::{Attempt, Browser};
use domain::audit::AuditEvent;
use domain::id::{AgentId, AttemptId, PermissionId, ProviderId};
use domain::lock::Lock;
use domain::permission::PermissionSet;
use domain::provider::Provider;
use domain::reference::{RandomPart, Stage};
use domain::time::Timestamp;
use tokio::sync::{mpsc, oneshot};
use url::Url;

use crate::port::{Clock as _, Ports, Store as _};
use crate::report::{Refusal, Thing};
use crate::running::{Control, Running};
use crate::start::{App, Live};

/// How many attempts may run at once.
const MAX_RUNNING: usize = 8;

impl<P: Ports> App<P> {
    /// Starts Connect Account. The attempt is recorded before anything goes out; how it goes on is told by events.
    ///
    /// # Errors
    /// The request does not fit, or the attempt cannot be recorded. Nothing was started then.
    pub async fn connect_account(&self, request: &ConnectAccount) -> Result<Attempt, Refusal> {
        if let Lock::Locked { .. } = self.lock_state() {
            return Err(Refusal::Locked);
        }
        let attempt = self.draft_attempt(request).await?;
        self.start_attempt(attempt).await
    }

    /// Records an attempt and lets it run.
    pub(crate) async fn start_attempt(&self, attempt: Attempt) -> Result<Attempt, Refusal> {
        let (control, controls) = mpsc::channel(8);
        {
            let mut live = self.0.live();
            let running = || live.values().map(|live| &live.attempt).filter(|it| it.ending.is_none());
            // Of two renewals of one connection, the second would find the first one's work.
            let renewing = attempt.renews.is_some() && running().any(|it| it.renews == attempt.renews);
            if renewing || running().count() >= MAX_RUNNING {
                return Err(Refusal::TooMany);
            }
            live.insert(attempt.id, Live { attempt: attempt.clone(), control, other: None });
        }
        if let Err(err) = self.record(attempt.clone()).await {
            self.0.live().remove(&attempt.id);
            return Err(err);
        }
        let running = Running { inner: Arc::clone(&self.0), attempt: attempt.clone() };
        tokio::spawn(running.run(controls));
        Ok(attempt)
    }

    /// Stops an attempt; works at every step and leaves nothing.
    ///
    /// # Errors
    /// There is no such attempt.
    pub async fn cancel_attempt(&self, id: AttemptId) -> Result<(), Refusal> {
        // Ended meanwhile: what was wanted is so already.
        drop(self.control(id)?.send(Control::Cancel).await);
        self.settled(id).await;
        Ok(())
    }

    /// Sends the person to the bank again with a fresh request.
    ///
    /// # Errors
    /// There is no such attempt, or it has ended.
    pub async fn open_again(&self, id: AttemptId) -> Result<(), Refusal> {
        self.control(id)?.send(Control::OpenAgain).await.map_err(|_| Refusal::AttemptEnded)
    }

    /// A fresh address for the person's clipboard.
    ///
    /// # Errors
    /// There is no such attempt, it has ended, or the bank did not take another request.
    pub async fn copy_link(&self, id: AttemptId) -> Result<Url, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.control(id)?.send(Control::CopyLink(reply)).await.map_err(|_| Refusal::AttemptEnded)?;
        answer.await.ok().flatten().ok_or(Refusal::AttemptEnded)
    }

    pub(crate) fn control(&self, id: AttemptId) -> Result<mpsc::Sender<Control>, Refusal> {
        self.0.live().get(&id).map(|live| live.control.clone()).ok_or(Refusal::Unknown(Thing::Attempt))
    }

    /// Waits until a cancelled attempt has ended, so that the answer to the click shows it.
    pub(crate) async fn settled(&self, id: AttemptId) {
        for _ in 0..100 {
            let ended = self.0.live().get(&id).is_none_or(|live| live.attempt.ending.is_some());
            if ended {
                return;
            }
            self.0.ports.clock().sleep(Duration::from_millis(10)).await;
        }
    }

    /// Turns the texts into an attempt that fits; nothing is stored and nothing goes out.
    pub(crate) async fn draft_attempt(&self, request: &ConnectAccount) -> Result<Attempt, Refusal> {
        let provider = ProviderId::parse(&request.provider).map_err(|_| Refusal::Malformed)?;
        let provider = self.0.catalogue.provider(&provider).ok_or(Refusal::Unknown(Thing::Provider))?;
        let agent = AgentId::parse(&request.agent).map_err(|_| Refusal::Malformed)?;
        let agents = self.0.ports.store().read(|tx| tx.agents()).await?;
        if !agents.iter().any(|a| a.id == agent) {
            return Err(Refusal::Unknown(Thing::Agent));
        }
        let now = self.0.ports.clock().now();
        let until = Timestamp::from_millis(request.until);
        // A day of grace: "90 days" chosen shortly before midnight is the end of that day.
        if until <= now || until > now.plus_days(provider.behaviour.consent_days.saturating_add(1)) {
            return Err(Refusal::Date);
        }
        Ok(Attempt {
            id: AttemptId::make_from(now, self.0.random()?),
            random: RandomPart::make_from(self.0.random()?),
            provider: provider.id.clone(),
            agent,
            renews: None,
            permissions: chosen(provider, &request.permissions)?,
            until,
            started_at: now,
            deadline: None,
            openings: 0,
            strays: 0,
            browser: Browser::NotYet,
            stage: Stage::Start,
            ending: None,
            ended_at: None,
            grant: None,
            revision: 1,
        })
    }

    async fn record(&self, attempt: Attempt) -> Result<(), Refusal> {
        self.0
            .ports
            .store()
            .write(move |tx| {
                tx.insert_attempt(&attempt)?;
                tx.append_audit(
                    attempt.started_at,
                    &AuditEvent::AttemptStarted {
                        attempt: attempt.id,
                        provider: attempt.provider.clone(),
                        agent: attempt.agent,
                        permissions: attempt.permissions.iter().cloned().collect(),
                    },
                )
            })
            .await?;
        Ok(())
    }
}

/// What was chosen, as a set this bank has.
fn chosen(provider: &Provider, permissions: &[String]) -> Result<PermissionSet, Refusal> {
    let ids = permissions.iter().map(|p| PermissionId::parse(p)).collect::<Result<Vec<_>, _>>();
    let ids = ids.map_err(|_| Refusal::Permissions)?;
    if ids.is_empty() || ids.iter().any(|id| provider.profile.permission(id).is_none()) {
        return Err(Refusal::Permissions);
    }
    Ok(ids.into_iter().collect())
}
