//! What was given, in the words of the request.

use domain::id::{GrantId, OperationId};
use domain::lease::{Scope, Terms};
use domain::task::Payment;
use serde_json::{Map, Value, json};

/// Where calls under a grant go.
pub(crate) fn resource(issuer: &str, grant: GrantId) -> String {
    format!("{issuer}/call/{grant}")
}

/// The operations, as a scope.
pub(crate) fn operations<'o>(ids: impl Iterator<Item = &'o OperationId>) -> String {
    ids.map(OperationId::as_str).collect::<Vec<_>>().join(" ")
}

/// What was given, in the words of the request (RFC 9396 §7).
pub(crate) fn details(terms: &Terms) -> Vec<Value> {
    match terms {
        Terms::Look(scopes) => scopes.iter().map(look_detail).collect(),
        Terms::Pay { payment, .. } => vec![payment_detail(payment)],
    }
}

fn look_detail(scope: &Scope) -> Value {
    let mut detail = Map::new();
    detail.insert("type".to_owned(), "account_information".into());
    detail.insert("actions".to_owned(), scope.actions.iter().map(OperationId::as_str).collect());
    detail.insert("identifier".to_owned(), scope.accounts.iter().map(String::as_str).collect());
    for (name, day) in [("dateFrom", &scope.from), ("dateTo", &scope.to)] {
        if let Some(day) = day {
            detail.insert(name.to_owned(), day.as_str().into());
        }
    }
    detail.into()
}

fn payment_detail(payment: &Payment) -> Value {
    let mut detail = Map::new();
    let sum = json!({"currency": payment.amount.currency.as_str(), "amount": payment.amount.amount.as_str()});
    detail.insert("type".to_owned(), "payment_initiation".into());
    detail.insert("actions".to_owned(), json!([payment.action.as_str()]));
    detail.insert("instructedAmount".to_owned(), sum);
    detail.insert("creditorAccount".to_owned(), json!({"id": payment.creditor}));
    for (name, words) in
        [("creditorName", &payment.creditor_name), ("remittanceInformationUnstructured", &payment.reference)]
    {
        if let Some(words) = words {
            detail.insert(name.to_owned(), words.as_str().into());
        }
    }
    if let Some(debtor) = &payment.debtor {
        detail.insert("debtorAccount".to_owned(), json!({"id": debtor}));
    }
    detail.into()
}
