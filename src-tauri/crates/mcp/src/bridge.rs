//! What each tool does, carried to the socket by `client`. It blocks; the server runs it on a thread of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use client::agent::{Agent, AgentError, HangUp, Lease, Request};
use client::keys::{KeyError, KeySource};
use client::operation::{self, Unclear};
use client::task::{Payment, Task};
use contract::agent::{ConnectWish, Connecting, Grant, Operation, PurposeClass, Risk};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::words;

/// The most of a bank's answer that is given to an assistant.
const MAX_TEXT: usize = 256 * 1024;

/// What a tool gave: texts, and whether it went as wanted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) texts: Vec<String>,
    pub(crate) is_error: bool,
}

impl Told {
    fn done(texts: impl IntoIterator<Item = String>) -> Self {
        Self { texts: texts.into_iter().collect(), is_error: false }
    }

    /// Why something was not done.
    pub(crate) fn not_done(text: String) -> Self {
        Self { texts: vec![text], is_error: true }
    }
}

impl From<AgentError> for Told {
    fn from(error: AgentError) -> Self {
        Self::not_done(words::error(&error))
    }
}

impl From<KeyError> for Told {
    fn from(error: KeyError) -> Self {
        Self::not_done(words::key(&error))
    }
}

/// The arguments of `call_bank`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallBank {
    connection: String,
    operation: String,
    purpose: String,
    #[serde(default)]
    purpose_class: Option<PurposeClass>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    query: BTreeMap<String, Value>,
    #[serde(default)]
    body: Option<Map<String, Value>>,
    #[serde(default)]
    payment: Option<PaymentWish>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentWish {
    amount: String,
    currency: String,
    from: String,
    to: String,
    payee: String,
    #[serde(default)]
    message: Option<String>,
}

/// The arguments of `ask_to_connect`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskToConnect {
    bank: String,
    #[serde(default)]
    permissions: Option<Vec<String>>,
    #[serde(default)]
    days: Option<u16>,
    #[serde(default)]
    purpose: Option<String>,
}

/// What is asked of a tool.
#[derive(Debug)]
pub(crate) enum Asked {
    Call(Box<CallBank>),
    Connect(AskToConnect),
    List,
    Return,
}

/// The way to the person's Countersign.
#[derive(Clone)]
pub(crate) struct Bridge {
    keys: KeySource,
    /// Leases that could not be given back.
    left: Arc<Mutex<Vec<Lease>>>,
}

impl Bridge {
    pub(crate) fn of(keys: KeySource) -> Self {
        Self { keys, left: Arc::default() }
    }

    /// An agent for one use of a tool: its key is read for it and wiped after it. `waits` is told how to end it.
    pub(crate) fn answer(&self, asked: Asked, waits: impl FnOnce(HangUp)) -> Told {
        let mut agent = match self.keys.load() {
            Ok(key) => Agent::of_person(key),
            Err(error) => return error.into(),
        };
        waits(agent.hang_up());
        let told = match asked {
            Asked::Call(call) => self.call(&mut agent, *call),
            Asked::Connect(ask) => connect(&mut agent, ask),
            Asked::List => list(&mut agent),
            Asked::Return => self.give_back(&mut agent),
        };
        told.unwrap_or_else(|not_done| not_done)
    }

    fn call(&self, agent: &mut Agent, call: CallBank) -> Result<Told, Told> {
        let grants = agent.grants()?.grants;
        let unclear = |what| move |unclear| Told::not_done(words::unclear(what, &unclear));
        let grant = operation::grant(&grants, &call.connection).map_err(unclear("connection"))?;
        let operation = named(grant, &call.operation).map_err(unclear("operation"))?;
        let value = |name: &str| {
            let account = (name == "account").then(|| call.account.clone()).flatten();
            account.or_else(|| call.values.get(name).cloned())
        };
        let path = operation::path(operation, value).map_err(unclear("operation"))?;
        let mut request = Request::of(&operation.method, &path);
        for (name, value) in &call.query {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            request = request.query(name, &text);
        }
        if let Some(body) = call.body.clone() {
            request = request.json(&Value::Object(body));
        }
        let lease = agent.lease(&task(grant, operation, call)?)?;
        let called = agent.call(&lease, &request);
        self.end(agent, lease, called.is_ok());
        let answer = called?;
        let text = shortened(&answer.body);
        Ok(Told {
            texts: vec![words::of_bank(answer.status, answer.content_type.as_deref()), text],
            is_error: answer.status >= 400,
        })
    }

    /// A lease is for one call: it is given back after it, and kept only where that fails and something is left of it.
    fn end(&self, agent: &mut Agent, lease: Lease, is_used: bool) {
        if agent.give_back(&lease).is_err() && !is_used {
            self.left.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
        }
    }

    fn give_back(&self, agent: &mut Agent) -> Result<Told, Told> {
        let mut left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let count = left.len();
        while let Some(lease) = left.pop() {
            if let Err(error) = agent.give_back(&lease) {
                left.push(lease);
                self.left.lock().unwrap_or_else(PoisonError::into_inner).append(&mut left);
                return Err(error.into());
            }
        }
        Ok(Told::done([match count {
            0 => "Nothing is held.".to_owned(),
            count => format!("Given back: {count}."),
        }]))
    }
}

fn named<'a>(grant: &'a Grant, id: &str) -> Result<&'a Operation, Unclear> {
    grant.operations.iter().find(|operation| operation.id == id).ok_or(Unclear::Nothing)
}

fn task(grant: &Grant, operation: &Operation, call: CallBank) -> Result<Task, Told> {
    let mut task = Task::new(&grant.id, &call.purpose);
    if let Some(class) = call.purpose_class {
        task = task.class(class);
    }
    task = match call.payment {
        Some(PaymentWish { amount, currency, from, to, payee, message }) => {
            let operation = operation.id.clone();
            task.pays(Payment { operation, amount, currency, from, to, payee, message })
        }
        None if operation.risk == Risk::Money => {
            return Err(Told::not_done("This moves money: say what with `payment`.".to_owned()));
        }
        None => {
            let task = task.reads([&operation.id]);
            match call.account {
                Some(account) => task.of_accounts([account]),
                None => task,
            }
        }
    };
    Ok(task)
}

fn list(agent: &mut Agent) -> Result<Told, Told> {
    let grants = agent.grants()?;
    let list = json!({ "note": words::NAMES_ARE_DATA, "connections": grants.grants });
    Ok(Told::done([list.to_string()]))
}

fn connect(agent: &mut Agent, ask: AskToConnect) -> Result<Told, Told> {
    let AskToConnect { bank, permissions, days, purpose } = ask;
    let wish = ConnectWish { provider: bank, permissions, days, purpose };
    match agent.connect(&wish, &mut |_| {})? {
        Connecting::Connected { grant } => Ok(Told::done([format!("Connected. The connection is {grant}.")])),
        Connecting::Declined => Err(Told::not_done("The person said no. Nothing was connected.".to_owned())),
        Connecting::Expired | Connecting::Waiting { .. } => {
            Err(Told::not_done("The person has not answered. Nothing was connected.".to_owned()))
        }
    }
}

/// Text for an assistant, without its end where it is too long.
fn shortened(body: &[u8]) -> String {
    let Some(begin) = body.get(..MAX_TEXT) else { return String::from_utf8_lossy(body).into_owned() };
    let text = String::from_utf8_lossy(begin);
    format!("{text}\n[Cut here: the answer has {} bytes. Ask for less, by the query.]", body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CallBank, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn arguments_that_are_not_named_are_refused() {
        assert!(read(r#"{"connection":"c","operation":"o","purpose":"p"}"#).is_ok());
        for text in [
            "{}",
            r#"{"connection":"c","operation":"o"}"#,
            r#"{"connection":"c","operation":"o","purpose":"p","uses":9}"#,
            r#"{"connection":"c","operation":"o","purpose":"p","purpose_class":"fun"}"#,
            r#"{"connection":"c","operation":"o","purpose":"p","payment":{"amount":"1"}}"#,
            r#"{"connection":"c","operation":"o","purpose":"p","payment":{"amount":1}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_long_answer_is_cut_and_says_so() {
        assert_eq!(shortened(b"short"), "short");
        let long = shortened(&vec![b'x'; MAX_TEXT + 1]);
        assert!(long.len() < MAX_TEXT + 100 && long.ends_with("Ask for less, by the query.]"));
    }

    #[test]
    fn what_moves_money_is_not_asked_for_without_saying_what() {
        let grant: Grant = serde_json::from_value(json!({"id": "g", "provider": {"id": "b", "name": "B"},
            "state": "active", "until": 1, "accounts": [], "operations": [{"id": "make_payment", "method": "POST",
            "path": "/payments", "risk": "money", "asks": "always"}]}))
        .unwrap();
        let operation = named(&grant, "make_payment").unwrap();
        let call = read(r#"{"connection":"g","operation":"make_payment","purpose":"p"}"#).unwrap();
        assert!(task(&grant, operation, call).unwrap_err().is_error);
    }
}
