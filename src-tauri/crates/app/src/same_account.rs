//! A renewal must come back with the same customer. Whoever else it is, nothing is put under the old grant.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use contract::ui::{AccountView, OtherAccountView};
use domain::attempt::Ending;
use domain::grant::{Account, Grant};
use domain::id::GrantId;
use domain::reference::Stage;
use tokio::sync::mpsc;
use vault::envelope::{Opened, open};
use vault::label::Kind;

use crate::accounts::Holdings;
use crate::endings::{self, NOT_SAVED};
use crate::port::{Clock as _, Ports, SealedRow, Store as _};
use crate::running::{Control, Decision, Running};

/// How long the person may think about accounts that nobody expected; after that the answer is no.
const TO_DECIDE: Duration = Duration::from_secs(5 * 60);

impl<P: Ports> Running<P> {
    /// The grant whose place the new one takes; none if it is to be one of its own.
    pub(crate) async fn takes_place_of(
        &mut self,
        holdings: &Holdings,
        controls: &mut mpsc::Receiver<Control>,
    ) -> Result<Option<GrantId>, Ending> {
        let Some(id) = self.attempt.renews else { return Ok(None) };
        let read =
            self.inner.ports.store().read(move |tx| Ok((tx.grant(id)?, tx.sealed(id, Kind::Subject)?)));
        let (old, sealed) = read.await.map_err(|_| NOT_SAVED)?;
        // Revoked while the person was at the bank: whoever ends a connection does not want it renewed.
        let old = old.filter(|old| old.revocation.is_none() || old.ran_out()).ok_or(Ending::Cancelled)?;
        if self.is_same(&old, sealed, holdings).await? {
            return Ok(Some(id));
        }
        match self.ask(holdings, controls).await? {
            Decision::Keep => Ok(None),
            Decision::LetGo => Err(Ending::OtherAccount),
        }
    }

    /// By the bank's name for the person; where it gives none, by the accounts. What cannot be told is not the same.
    async fn is_same(
        &self,
        old: &Grant,
        sealed: Option<SealedRow>,
        holdings: &Holdings,
    ) -> Result<bool, Ending> {
        match (sealed, &holdings.subject) {
            (Some(row), Some(subject)) => {
                let (key, kek) = self.inner.existing_key().await.map_err(endings::of_key)?;
                let label = self.inner.label(old.id, &old.issuer, Kind::Subject, row.generation);
                let opened = open(&row.blob, &label, &key, kek);
                Ok(opened.is_ok_and(|opened| says(&opened, subject)))
            }
            (None, _) | (_, None) => Ok(same_accounts(&old.accounts, &holdings.accounts)),
        }
    }

    /// Shows whose accounts have come instead, and waits. Silence, cancelling and stopping mean no.
    async fn ask(
        &mut self,
        holdings: &Holdings,
        controls: &mut mpsc::Receiver<Control>,
    ) -> Result<Decision, Ending> {
        let inner = Arc::clone(&self.inner);
        let span = i64::try_from(TO_DECIDE.as_millis()).unwrap_or(i64::MAX);
        let until = inner.ports.clock().now().plus_millis(span);
        let other = OtherAccountView {
            holder: holdings.holder.clone(),
            accounts: holdings.accounts.iter().map(unused).collect(),
            until: until.millis(),
        };
        let mut time_out = Box::pin(inner.ports.clock().sleep(TO_DECIDE));
        self.show_other(Some(other));
        self.reach(Stage::Decision).await?;
        let decision = loop {
            tokio::select! {
                control = controls.recv() => match control {
                    Some(Control::Decide(decision)) => break decision,
                    Some(Control::Cancel) | None => break Decision::LetGo,
                    Some(Control::OpenAgain | Control::CopyLink(_)) => {}
                },
                () = &mut time_out => break Decision::LetGo,
            }
        };
        self.show_other(None);
        Ok(decision)
    }

    fn show_other(&self, other: Option<OtherAccountView>) {
        if let Some(live) = self.inner.live().get_mut(&self.attempt.id) {
            live.other = other;
        }
    }
}

fn says(opened: &Opened, subject: &str) -> bool {
    opened.expose_bytes() == subject.as_bytes()
}

/// The same ones, and at least one of them: no accounts say nothing of whose they are.
fn same_accounts(old: &[Account], new: &[Account]) -> bool {
    let ids = |accounts: &[Account]| -> BTreeSet<String> { accounts.iter().map(|a| a.id.clone()).collect() };
    !old.is_empty() && ids(old) == ids(new)
}

fn unused(account: &Account) -> AccountView {
    AccountView {
        id: account.id.clone(),
        allowed: false,
        name: account.name.clone(),
        masked: account.masked.clone(),
        currency: account.currency.clone(),
    }
}
