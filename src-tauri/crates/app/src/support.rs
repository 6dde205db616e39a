//! What support reads: the app in a glance, and the last attempts with how far they got.

use contract::support::{AttemptRow, Counts, Report, Status};
use contract::ui::{BankTold, GrantRow, GrantState, GrantsView, OtherAccountView, StoppedView};
use domain::agent::Agent;
use domain::attempt::Attempt;
use domain::id::AttemptId;
use domain::lock::Protection;
use domain::reference::Stage;
use domain::time::Timestamp;

use crate::port::{Clock as _, Ports, StopMark as _, Store as _};
use crate::report::Refusal;
use crate::start::App;
use crate::view;

/// How many attempts are listed.
const RECENT: u16 = 20;

impl<P: Ports> App<P> {
    /// The whole app in a glance, and how many connections there are.
    ///
    /// # Errors
    /// The store; so for every method here.
    pub async fn status(&self) -> Result<Status, Refusal> {
        let (app, grants) = (self.app_state().await?, self.list_grants().await?);
        Ok(Status { app, counts: counts(&grants), now: self.0.ports.clock().now().millis() })
    }

    /// The last attempts, newest first: as they run, or as they were stored.
    pub async fn recent_attempts(&self) -> Result<Vec<AttemptRow>, Refusal> {
        let (attempts, agents) =
            self.0.ports.store().read(|tx| Ok((tx.recent_attempts(RECENT)?, tx.agents()?))).await?;
        let row = |stored: Attempt| {
            let live = self.0.live().get(&stored.id).map(|live| (live.attempt.clone(), live.other.clone()));
            let (attempt, other) = live.unwrap_or((stored, None));
            self.attempt_row(&attempt, other, &agents)
        };
        Ok(attempts.into_iter().map(row).collect())
    }

    /// One attempt.
    pub async fn attempt_row_of(&self, id: AttemptId) -> Result<AttemptRow, Refusal> {
        let (attempt, other, agents) = self.attempt_and_agents(id).await?;
        Ok(self.attempt_row(&attempt, other, &agents))
    }

    /// Everything that support reads of an app that is not started: nothing of it asks the keychain.
    pub async fn report(&self) -> Result<Report, Refusal> {
        let read = self.0.ports.store().read(|tx| {
            let protection = tx.kek()?.map_or(Protection::default(), |kek| kek.protection);
            Ok((protection, tx.marked()?, tx.agents_stopped()?))
        });
        let (protection, marked, since) = read.await?;
        // Before the very first start there is no mark, and nothing that it could stop.
        let stopped = since.is_some() || (marked && self.0.ports.stop_mark().is_set().await);
        let grants = self.list_grants().await?;
        Ok(Report {
            version: self.version().to_owned(),
            sandbox: self.is_sandbox(),
            protection: view::protection(protection),
            stopped: stopped.then_some(StoppedView { since: since.map(Timestamp::millis), recorded: true }),
            counts: counts(&grants),
            grants,
            agents: self.list_agents().await?.agents,
            attempts: self.recent_attempts().await?,
        })
    }

    fn attempt_row(
        &self,
        attempt: &Attempt,
        other: Option<OtherAccountView>,
        agents: &[Agent],
    ) -> AttemptRow {
        AttemptRow {
            attempt: self.attempt_view(attempt, other, agents),
            stage: stage(attempt.stage).to_owned(),
        }
    }
}

fn counts(grants: &GrantsView) -> Counts {
    let count = |rows: &[GrantRow], fits: fn(&GrantState) -> bool| {
        u32::try_from(rows.iter().filter(|row| fits(&row.state)).count()).unwrap_or(u32::MAX)
    };
    Counts {
        connections: u32::try_from(grants.current.len()).unwrap_or(u32::MAX),
        reconnect: count(&grants.current, |state| matches!(state, GrantState::Reconnect { .. })),
        untold: count(
            &grants.history,
            |state| matches!(state, GrantState::Revoked { facts, .. } if matches!(facts.bank, BankTold::NotYet { .. })),
        ),
    }
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Accounts => "accounts",
        Stage::Bank => "bank",
        Stage::Browser => "browser",
        Stage::Callback => "callback",
        Stage::Decision => "decision",
        Stage::Task => "task",
        Stage::Exchange => "exchange",
        Stage::Identity => "identity",
        Stage::Keychain => "keychain",
        Stage::Metadata => "metadata",
        Stage::Revoke => "revoke",
        Stage::Save => "save",
        Stage::Start => "start",
    }
}
