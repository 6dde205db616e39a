//! The decision: a pure function of the task, the grant, the API's profile, what was chosen before, and the time.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::agent::Agent;
use crate::grant::{Grant, Standing};
use crate::id::{AgentId, ChoiceId, GrantId, OperationId};
use crate::lease::{Scope, Terms};
use crate::permission::Risk;
use crate::profile::{Operation, Profile};
use crate::task::{Look, Payment, PurposeClass, Task, Wish};
use crate::time::Timestamp;

/// What the person said once for a while: never for a payment, and never for more than the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub id: ChoiceId,
    /// For which agent.
    pub agent: AgentId,
    /// Under which grant.
    pub grant: GrantId,
    /// Which operation.
    pub operation: OperationId,
    /// For which purposes.
    pub purpose_class: PurposeClass,
    /// Until when.
    pub until: Timestamp,
    /// When it was made.
    pub made_at: Timestamp,
}

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It was agreed before.
    Allow(Terms),
    /// The person has to say.
    Ask(Terms),
    /// Not this.
    Deny(Denial),
}

/// Why not.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// An account that the grant does not cover.
    #[error("an account outside of the grant")]
    AccountOutside,
    /// The agent is paused.
    #[error("the agent is paused")]
    AgentPaused,
    /// The agent was removed.
    #[error("the agent was removed")]
    AgentRemoved,
    /// Days for an operation that takes none, or the last before the first.
    #[error("days that do not fit")]
    DatesUnfit,
    /// The grant's time is over.
    #[error("the grant is over")]
    GrantEnded,
    /// The person holds the grant back.
    #[error("the grant is paused")]
    GrantPaused,
    /// The grant was revoked.
    #[error("the grant was revoked")]
    GrantRevoked,
    /// The grant does not work any more.
    #[error("the grant has to be connected again")]
    NeedsReconnect,
    /// The grant is another agent's.
    #[error("another agent's grant")]
    NotThisAgents,
    /// The person did not allow what the operation needs.
    #[error("an operation outside of the grant")]
    OperationOutside,
    /// The API has no such operation, or it is asked for in the wrong way.
    #[error("no such operation")]
    OperationUnknown,
    /// What the task says of a payment does not fit the operation.
    #[error("a payment that does not fit")]
    PaymentUnfit,
}

/// What is known when a task comes.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'g> {
    /// Whose task it is.
    pub agent: &'g Agent,
    /// The grant that it names.
    pub grant: &'g Grant,
    /// What the grant's API offers.
    pub profile: &'g Profile,
    /// What was chosen before.
    pub choices: &'g [Choice],
    /// Now.
    pub now: Timestamp,
}

/// Decides. What is outside of the grant is denied, never trimmed to fit; what is inside and reads is allowed; what is
/// personal is asked for until the person has chosen; a payment is asked for each time.
#[must_use]
pub fn decide(task: &Task, ground: &Ground<'_>) -> Decision {
    match terms(task, ground) {
        Err(denial) => Decision::Deny(denial),
        Ok((terms, Risk::Read)) => Decision::Allow(terms),
        Ok((terms, Risk::Personal)) if terms.operations().all(|id| is_agreed(id, task, ground)) => {
            Decision::Allow(terms)
        }
        Ok((terms, Risk::Personal | Risk::Money)) => Decision::Ask(terms),
    }
}

/// Whether the person is asked before an operation.
#[must_use]
pub fn asks(risk: Risk) -> bool {
    risk != Risk::Read
}

/// How much harm an operation can do. What changes something at the bank is never a mere look.
#[must_use]
pub fn risk(profile: &Profile, operation: &Operation) -> Risk {
    // A profile whose operation needs a permission that is not there is refused when it is read.
    let said = profile.permission(&operation.permission).map_or(Risk::Money, |permission| permission.risk);
    if operation.pays() { Risk::Money } else { said }
}

/// Whether an agent may have anything at all now.
///
/// # Errors
/// Why it may not.
pub fn may_have(agent: &Agent, grant: &Grant, now: Timestamp) -> Result<(), Denial> {
    if grant.agent != agent.id {
        return Err(Denial::NotThisAgents);
    }
    if agent.removed_at.is_some() {
        return Err(Denial::AgentRemoved);
    }
    match grant.standing(now) {
        Standing::Revoked => Err(Denial::GrantRevoked),
        Standing::Ended => Err(Denial::GrantEnded),
        Standing::Reconnect => Err(Denial::NeedsReconnect),
        Standing::Paused => Err(Denial::GrantPaused),
        Standing::Active if agent.paused.is_some() => Err(Denial::AgentPaused),
        Standing::Active => Ok(()),
    }
}

fn terms(task: &Task, ground: &Ground<'_>) -> Result<(Terms, Risk), Denial> {
    may_have(ground.agent, ground.grant, ground.now)?;
    match &task.wish {
        Wish::Look(looks) => {
            let mut highest = Risk::Read;
            let mut scopes = Vec::with_capacity(looks.len());
            for look in looks {
                let (scope, risk) = look_terms(look, ground)?;
                highest = highest.max(risk);
                scopes.push(scope);
            }
            Ok((Terms::Look(scopes), highest))
        }
        Wish::Pay(payment) => pay_terms(payment, ground).map(|terms| (terms, Risk::Money)),
    }
}

fn look_terms(look: &Look, ground: &Ground<'_>) -> Result<(Scope, Risk), Denial> {
    let mut highest = Risk::Read;
    let dated = look.from.is_some() || look.to.is_some();
    if matches!((&look.from, &look.to), (Some(from), Some(to)) if from > to) {
        return Err(Denial::DatesUnfit);
    }
    for id in &look.actions {
        let operation = allowed(id, ground)?;
        let risk = risk(ground.profile, operation);
        // Money moves by a task that names the sum and the payee, or not at all.
        if risk == Risk::Money {
            return Err(Denial::OperationUnknown);
        }
        let takes_days = (look.from.is_none() || operation.from.is_some())
            && (look.to.is_none() || operation.to.is_some());
        if dated && !takes_days {
            return Err(Denial::DatesUnfit);
        }
        highest = highest.max(risk);
    }
    let of_grant = || ground.grant.allowed_accounts().map(|account| account.id.clone());
    let accounts = match &look.accounts {
        None => of_grant().collect(),
        Some(named) if named.iter().all(|id| of_grant().any(|account| account == *id)) => named.clone(),
        Some(_) => return Err(Denial::AccountOutside),
    };
    let scope =
        Scope { actions: look.actions.clone(), accounts, from: look.from.clone(), to: look.to.clone() };
    Ok((scope, highest))
}

fn pay_terms(payment: &Payment, ground: &Ground<'_>) -> Result<Terms, Denial> {
    let operation = allowed(&payment.action, ground)?;
    if !operation.pays() || operation.amount.is_none() || operation.payee.is_none() {
        return Err(Denial::OperationUnknown);
    }
    let debtor = match (&operation.account, &payment.debtor) {
        (None, None) => None,
        (Some(_), Some(debtor)) => Some(debtor.clone()),
        (None, Some(_)) | (Some(_), None) => return Err(Denial::PaymentUnfit),
    };
    if payment.reference.is_some() && operation.reference.is_none() {
        return Err(Denial::PaymentUnfit);
    }
    let account = |id: &String| ground.grant.allowed_accounts().find(|account| account.id == *id);
    match debtor.as_ref().map(account) {
        None => {}
        Some(None) => return Err(Denial::AccountOutside),
        // Where nobody says the currency but the account, it is the account's.
        Some(Some(account)) => {
            let said = account.currency.as_deref();
            if operation.currency.is_none() && said != Some(payment.amount.currency.as_str()) {
                return Err(Denial::PaymentUnfit);
            }
        }
    }
    Ok(Terms::Pay { payment: payment.clone(), debtor })
}

/// The operation, if the person allowed what it needs.
fn allowed<'g>(id: &OperationId, ground: &Ground<'g>) -> Result<&'g Operation, Denial> {
    let operation = ground.profile.operation(id).ok_or(Denial::OperationUnknown)?;
    if ground.grant.allowed_permissions().contains(&operation.permission) {
        Ok(operation)
    } else {
        Err(Denial::OperationOutside)
    }
}

/// Whether an operation needs no question: it only reads, or the person has chosen.
fn is_agreed(id: &OperationId, task: &Task, ground: &Ground<'_>) -> bool {
    let reads = ground.profile.operation(id).is_some_and(|o| risk(ground.profile, o) == Risk::Read);
    reads
        || ground.choices.iter().any(|choice| {
            choice.agent == ground.agent.id
                && choice.grant == ground.grant.id
                && choice.operation == *id
                && choice.purpose_class == task.purpose_class
                && choice.until > ground.now
        })
}

#[cfg(test)]
mod tests;
