//! A task: what an agent says it is about to do.

use contract::agent::{
    AccountId, Amount, Detail, MAX_TASK_SECONDS, PurposeClass, TASK_TYPE, Task as Claims, TaskHeader,
};

use crate::key::{ALGORITHM, AgentKey};

/// One task's worth of access, to be asked for. What cannot be asked the broker refuses, and says why.
///
/// ```
/// use client::task::Task;
///
/// let task = Task::new("0190c0ffee", "Sum up what was spent in January")
///     .reads(["list_transactions"])
///     .of_accounts(["a1"])
///     .between("2026-01-01", "2026-01-31")
///     .uses(5);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    grant: String,
    purpose: String,
    class: Option<PurposeClass>,
    details: Vec<Detail>,
    uses: u32,
    lifetime: Option<u32>,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The operation's id.
    pub operation: String,
    /// How much: a decimal number, such as `12.50`.
    pub amount: String,
    /// Three letters (ISO 4217).
    pub currency: String,
    /// From which account.
    pub from: String,
    /// To which payee.
    pub to: String,
    /// The payee's name.
    pub payee: String,
    /// What the payee is told.
    pub message: Option<String>,
}

impl Task {
    /// Under this grant, for this purpose: the agent's own words, which the person may see.
    #[must_use]
    pub fn new(grant: &str, purpose: &str) -> Self {
        Self {
            grant: grant.to_owned(),
            purpose: purpose.to_owned(),
            class: None,
            details: Vec::new(),
            uses: 1,
            lifetime: None,
        }
    }

    /// To use these operations, on all accounts of the grant.
    #[must_use]
    pub fn reads<A: Into<String>>(mut self, operations: impl IntoIterator<Item = A>) -> Self {
        self.details.push(Detail::AccountInformation {
            actions: operations.into_iter().map(Into::into).collect(),
            identifier: None,
            date_from: None,
            date_to: None,
        });
        self
    }

    /// The operations named last, on these accounts alone.
    #[must_use]
    pub fn of_accounts<A: Into<String>>(mut self, accounts: impl IntoIterator<Item = A>) -> Self {
        if let Some(Detail::AccountInformation { identifier, .. }) = self.details.last_mut() {
            *identifier = Some(accounts.into_iter().map(Into::into).collect());
        }
        self
    }

    /// The operations named last, from the first of these days to the last (`2026-01-31`).
    #[must_use]
    pub fn between(mut self, first: &str, last: &str) -> Self {
        if let Some(Detail::AccountInformation { date_from, date_to, .. }) = self.details.last_mut() {
            (*date_from, *date_to) = (Some(first.to_owned()), Some(last.to_owned()));
        }
        self
    }

    /// To make one payment. The person is asked.
    #[must_use]
    pub fn pays(mut self, payment: Payment) -> Self {
        self.details.push(Detail::PaymentInitiation {
            actions: vec![payment.operation],
            instructed_amount: Amount { currency: payment.currency, amount: payment.amount },
            creditor_name: payment.payee,
            creditor_account: AccountId { id: payment.to },
            debtor_account: AccountId { id: payment.from },
            remittance_information_unstructured: payment.message,
        });
        self
    }

    /// What the protocol has no word of its own for here.
    #[must_use]
    pub fn detail(mut self, detail: Detail) -> Self {
        self.details.push(detail);
        self
    }

    /// What sort of purpose that is.
    #[must_use]
    pub fn class(mut self, class: PurposeClass) -> Self {
        self.class = Some(class);
        self
    }

    /// For so many calls; else for one.
    #[must_use]
    pub fn uses(mut self, uses: u32) -> Self {
        self.uses = uses;
        self
    }

    /// For so many seconds; else for five minutes.
    #[must_use]
    pub fn lifetime(mut self, seconds: u32) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// The grant it is under.
    #[must_use]
    pub fn grant(&self) -> &str {
        &self.grant
    }

    /// The task as a compact JWS, to be presented within five minutes.
    pub(crate) fn sign(
        &self,
        key: &AgentKey,
        issuer: &str,
        now: i64,
        jti: String,
    ) -> Result<String, serde_json::Error> {
        let thumbprint = key.thumbprint().to_owned();
        let header =
            TaskHeader { alg: ALGORITHM.to_owned(), typ: TASK_TYPE.to_owned(), kid: thumbprint.clone() };
        let claims = Claims {
            iss: thumbprint,
            aud: issuer.to_owned(),
            iat: now,
            exp: now.saturating_add(MAX_TASK_SECONDS),
            nbf: None,
            jti,
            grant: self.grant.clone(),
            purpose: self.purpose.clone(),
            purpose_class: self.class,
            authorization_details: self.details.clone(),
            uses: self.uses,
            lifetime: self.lifetime,
        };
        key.sign(&header, &claims)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    fn parts(jws: &str) -> Vec<Value> {
        let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        jws.split('.').take(2).map(read).collect()
    }

    #[test]
    fn a_task_has_the_claims_of_the_protocol() {
        let key = AgentKey::make().unwrap();
        let task = Task::new("g", "Sum up")
            .reads(["list_transactions"])
            .of_accounts(["a"])
            .between("2026-01-01", "2026-01-31")
            .reads(["list_accounts"])
            .class(PurposeClass::Budgeting)
            .uses(5)
            .lifetime(60);
        let [header, claims] = &parts(&task.sign(&key, "http://x", 100, "j".into()).unwrap())[..] else {
            panic!("two parts")
        };
        let id = key.thumbprint();
        assert_eq!(*header, json!({"alg": "EdDSA", "typ": "countersign-task+jwt", "kid": id}));
        let transactions = json!({"type": "account_information", "actions": ["list_transactions"],
            "identifier": ["a"], "dateFrom": "2026-01-01", "dateTo": "2026-01-31"});
        let accounts = json!({"type": "account_information", "actions": ["list_accounts"]});
        let expected = json!({"iss": id, "aud": "http://x", "iat": 100, "exp": 400, "jti": "j", "grant": "g",
            "purpose": "Sum up", "purpose_class": "budgeting", "uses": 5, "lifetime": 60,
            "authorization_details": [transactions, accounts]});
        assert_eq!(*claims, expected);
    }

    #[test]
    fn a_payment_is_written_out() {
        let key = AgentKey::make().unwrap();
        let task = Task::new("g", "Pay the water").pays(Payment {
            operation: "make_payment".into(),
            amount: "12.50".into(),
            currency: "USD".into(),
            from: "a".into(),
            to: "p".into(),
            payee: "Water Works".into(),
            message: Some("Invoice 12".into()),
        });
        let parts = parts(&task.sign(&key, "http://x", 100, "j".into()).unwrap());
        let expected = json!([{"type": "payment_initiation", "actions": ["make_payment"],
            "instructedAmount": {"currency": "USD", "amount": "12.50"}, "creditorName": "Water Works",
            "creditorAccount": {"id": "p"}, "debtorAccount": {"id": "a"},
            "remittanceInformationUnstructured": "Invoice 12"}]);
        assert_eq!(parts[1]["authorization_details"], expected);
        assert_eq!(parts[1]["uses"], 1);
    }
}
