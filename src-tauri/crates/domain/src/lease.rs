//! Leases: what one task was given, and whether a call is part of it.

use std::collections::BTreeSet;

use serde_json::Value;
use thiserror::Error;

use crate::call::Call;
use crate::id::OperationId;
use crate::money::{Amount, Currency};
use crate::profile::Operation;
use crate::task::{Day, Payment};

/// What may be done under a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terms {
    /// To look, by any of these.
    Look(Vec<Scope>),
    /// To pay exactly this.
    Pay {
        /// What.
        payment: Payment,
        /// From which account, where the operation says so.
        debtor: Option<String>,
    },
}

/// Operations at accounts and days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Which operations.
    pub actions: Vec<OperationId>,
    /// At which accounts, by the bank's ids.
    pub accounts: BTreeSet<String>,
    /// The first day.
    pub from: Option<Day>,
    /// The last day.
    pub to: Option<Day>,
}

/// Why a call is not part of a lease.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Beyond {
    /// At an account that is not among the task's.
    #[error("another account")]
    Account,
    /// Days outside of the task's.
    #[error("other days")]
    Days,
    /// An operation that is not among the task's.
    #[error("another operation")]
    Operation,
    /// Not the payment that was allowed.
    #[error("another payment")]
    Payment,
}

impl Terms {
    /// The operations, in the order of the task.
    pub fn operations(&self) -> impl Iterator<Item = &OperationId> {
        let (scopes, payment) = match self {
            Self::Look(scopes) => (scopes.as_slice(), None),
            Self::Pay { payment, .. } => ([].as_slice(), Some(&payment.action)),
        };
        scopes.iter().flat_map(|scope| &scope.actions).chain(payment)
    }

    /// Whether a call is what was allowed; days that the call leaves open are filled in.
    ///
    /// # Errors
    /// What of it is not.
    pub fn fit(&self, operation: &Operation, call: &mut Call) -> Result<(), Beyond> {
        match self {
            Self::Pay { payment, debtor } => {
                if payment.action == operation.id && is_payment(operation, call, payment, debtor.as_deref()) {
                    Ok(())
                } else if payment.action == operation.id {
                    Err(Beyond::Payment)
                } else {
                    Err(Beyond::Operation)
                }
            }
            Self::Look(scopes) => {
                let mut why = Beyond::Operation;
                for scope in scopes.iter().filter(|scope| scope.actions.contains(&operation.id)) {
                    match scope.fit(operation, call) {
                        Ok(()) => return Ok(()),
                        Err(beyond) => why = beyond,
                    }
                }
                Err(why)
            }
        }
    }
}

impl Scope {
    fn fit(&self, operation: &Operation, call: &mut Call) -> Result<(), Beyond> {
        if let Some(place) = &operation.account {
            let account = call.text_at(place).ok_or(Beyond::Account)?;
            if !self.accounts.contains(account) {
                return Err(Beyond::Account);
            }
        }
        let from = within(call, operation.from.as_deref(), self.from.as_ref(), |day, first| day >= first)?;
        let to = within(call, operation.to.as_deref(), self.to.as_ref(), |day, last| day <= last)?;
        for (place, day) in [from, to].into_iter().flatten() {
            call.set_query(place, day.as_str());
        }
        Ok(())
    }
}

/// Where a day is limited: fine as the call says it, or to be filled in.
fn within<'o, 'd>(
    call: &Call,
    place: Option<&'o str>,
    limit: Option<&'d Day>,
    fits: fn(&Day, &Day) -> bool,
) -> Result<Option<(&'o str, &'d Day)>, Beyond> {
    let Some(limit) = limit else { return Ok(None) };
    // The policy lets no task through that limits days where there is no place for them.
    let name = place.and_then(|place| place.strip_prefix("query.")).ok_or(Beyond::Days)?;
    match call.query(name) {
        None => Ok(Some((name, limit))),
        Some(said) if day_of(said).is_some_and(|day| fits(&day, limit)) => Ok(None),
        Some(_) => Err(Beyond::Days),
    }
}

/// The day of a date, or of a time in UTC: in any other zone it could be another day.
fn day_of(said: &str) -> Option<Day> {
    let (day, time) = said.split_once('T').map_or((said, None), |(day, time)| (day, Some(time)));
    let utc = time.is_none_or(|time| {
        time.strip_suffix('Z').is_some_and(|t| t.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b)))
    });
    if utc { Day::parse(day) } else { None }
}

fn is_payment(operation: &Operation, call: &Call, payment: &Payment, debtor: Option<&str>) -> bool {
    let text_at = |place: &Option<String>| place.as_ref().and_then(|place| call.text_at(place));
    let amount = operation.amount.as_ref().and_then(|place| call.value_at(place)).and_then(amount_of);
    let currency = text_at(&operation.currency).map(Currency::parse);
    let currency_fits = match (&operation.currency, currency) {
        (Some(_), Some(Ok(currency))) => currency == payment.amount.currency,
        (Some(_), None | Some(Err(_))) => false,
        (None, _) => true,
    };
    let said = operation.reference.as_ref().and_then(|place| call.value_at(place));
    let reference_fits = match (said, &payment.reference) {
        (None, None) => true,
        (Some(Value::String(said)), Some(reference)) => said == reference,
        (Some(_), None | Some(_)) | (None, Some(_)) => false,
    };
    amount.is_some_and(|amount| amount == payment.amount.amount)
        && currency_fits
        && text_at(&operation.payee) == Some(payment.creditor.as_str())
        && (operation.account.is_none() || (debtor.is_some() && text_at(&operation.account) == debtor))
        && reference_fits
}

/// Banks write sums as numbers or as texts.
fn amount_of(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => Amount::parse(text).ok(),
        Value::Number(number) => Amount::parse(&number.to_string()).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
