//! Connect Account from a terminal: asks for it, and shows the steps up to the end.

use std::time::Duration;

use contract::support::{self, AttemptRow, Started, Status, Wanted};
use contract::ui::{
    AgentsView, AttemptRef, AttemptStep, BrowserView, ConnectAccount, GrantRef, GrantView, Nothing,
    ProviderView, RenewGrant,
};

use crate::arguments::{Arguments, Connect, Renew};
use crate::choose;
use crate::exit::{self, Exit};
use crate::output;
use crate::render;
use crate::run::{DAY, Session, Stop};

/// How often is looked at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(300);

impl Session {
    /// All of it; an end other than a connection has its own status.
    pub(crate) async fn connect(&self, arguments: &Arguments, wanted: &Connect) -> Result<Exit, Stop> {
        let banks: Vec<ProviderView> = self.host.ask(support::PROVIDERS, &Nothing {}).await?;
        let bank =
            choose::bank(&banks, &wanted.provider).map_err(|unclear| Stop::unclear("bank", unclear))?;
        let agents: AgentsView = self.host.ask(support::AGENTS, &Nothing {}).await?;
        let agent = choose::agent(&agents.agents, &wanted.agent)
            .map_err(|unclear| Stop::unclear("agent", unclear))?;
        // The host's time counts: it judges whether the bank allows that end.
        let status: Status = self.host.ask(support::STATUS, &Nothing {}).await?;
        let connect = ConnectAccount {
            provider: bank.id.clone(),
            agent: agent.id.clone(),
            permissions: wanted.permissions.clone(),
            until: status.now.saturating_add(i64::from(wanted.days) * DAY),
        };
        match self.start(arguments, Wanted::Connect { connect }).await? {
            Started::Attempt { attempt } => self.follow(arguments, *attempt, &bank.host).await,
            other @ (Started::Agent { .. }
            | Started::Approved
            | Started::Declined
            | Started::Grant { .. }
            | Started::Resumed
            | Started::Waiting { .. }) => Ok(self.tell(arguments, &other)),
        }
    }

    /// Connects anew what a connection allows; it lives until the new one is there.
    pub(crate) async fn renew(&self, arguments: &Arguments, wanted: &Renew) -> Result<Exit, Stop> {
        let grant = self.named(&wanted.connection).await?;
        let view: GrantView = self.host.ask(support::GRANT, &GrantRef { grant: grant.clone() }).await?;
        let status: Status = self.host.ask(support::STATUS, &Nothing {}).await?;
        let same = || view.row.permissions.iter().map(|permission| permission.id.clone()).collect();
        let renew = RenewGrant {
            grant,
            permissions: wanted.permissions.clone().unwrap_or_else(same),
            until: status.now.saturating_add(i64::from(wanted.days) * DAY),
        };
        match self.start(arguments, Wanted::Renew { renew }).await? {
            Started::Attempt { attempt } => self.follow(arguments, *attempt, &view.row.bank.host).await,
            other @ (Started::Agent { .. }
            | Started::Approved
            | Started::Declined
            | Started::Grant { .. }
            | Started::Resumed
            | Started::Waiting { .. }) => Ok(self.tell(arguments, &other)),
        }
    }

    /// Shows the steps as they come; giving up here cancels.
    async fn follow(&self, arguments: &Arguments, first: AttemptRow, host: &str) -> Result<Exit, Stop> {
        let named = AttemptRef { attempt: first.attempt.id.clone() };
        let mut shown = None;
        let mut row = first;
        let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
        loop {
            if let Some(ending) = &row.attempt.ending {
                let status = exit::of_ending(ending);
                if arguments.json {
                    output::json(&row);
                } else {
                    output::say(&render::attempt(&row));
                }
                return Ok(status);
            }
            let step = (row.attempt.step, row.attempt.browser);
            if shown != Some(step) && !arguments.json {
                output::say(&said(step.0, step.1, host, &row.attempt.reference));
                shown = Some(step);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {
                    row = self.host.ask(support::ATTEMPT, &named).await?;
                }
                _ = &mut interrupted => {
                    row = self.host.ask(support::CANCEL, &named).await?;
                }
            }
        }
    }
}

fn said(step: AttemptStep, browser: BrowserView, host: &str, reference: &str) -> String {
    match (step, browser) {
        (AttemptStep::Preparing, _) => {
            format!("Checking your keychain and the bank's addresses. Reference {reference}.")
        }
        (AttemptStep::AtBank, BrowserView::Failed) => {
            "Your browser did not open. Copy the link in Countersign's window.".to_owned()
        }
        (AttemptStep::AtBank, BrowserView::LinkCopied | BrowserView::NotYet | BrowserView::Opened) => {
            format!("Your browser is at {host}. Sign in there. Countersign never sees your password.")
        }
        (AttemptStep::Answered, _) => "The bank answered. Checking it.".to_owned(),
        (AttemptStep::ReadingAccounts, _) => "Reading which accounts you allowed.".to_owned(),
        (AttemptStep::OtherAccount, _) => {
            "The bank answered for other accounts. Decide in Countersign's window.".to_owned()
        }
        (AttemptStep::Saving, _) => "Saving.".to_owned(),
        (AttemptStep::Ended, _) => "Done.".to_owned(),
    }
}
