//! A task of an agent: its signed words become a [`Task`], which comes from nowhere else.

use std::collections::BTreeSet;

use domain::agent::AgentKey;
use domain::id::{GrantId, OperationId};
use domain::money::{Amount, Currency, Money};
use domain::task::{
    Day, Look, MAX_LIFETIME, MAX_USES, Payment, Purpose, PurposeClass, Task, USUAL_LIFETIME, Wish,
};
use domain::text::quoted;
use domain::time::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::agent_jws::{JwsError, Parsed};

/// How far an agent's clock may be from ours, in seconds.
const SKEW: i64 = 60;
/// How long a task may be presented, in seconds.
const MAX_LIFE: i64 = 300;
/// Entries of `authorization_details`, and what each may list.
const MAX_ENTRIES: usize = 8;
const MAX_LISTED: usize = 64;
/// The longest id of a bank.
const MAX_ID: usize = 256;
/// The longest text that the payee reads (ISO 20022 `Ustrd`), and the longest name.
const MAX_TEXT: usize = 140;

const CLAIMS: [&str; 12] = [
    "iss",
    "aud",
    "iat",
    "nbf",
    "exp",
    "jti",
    "grant",
    "purpose",
    "purpose_class",
    "authorization_details",
    "uses",
    "lifetime",
];

/// Which rule a task breaks.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TaskError {
    /// `aud` is not this broker alone.
    #[error("aud is another broker")]
    Audience,
    /// `authorization_details` holds what cannot be asked for.
    #[error("authorization_details cannot be asked for")]
    Details,
    /// `exp` is past, or not a time.
    #[error("exp is past")]
    Expired,
    /// `grant` is not a grant's id.
    #[error("grant is not an id")]
    Grant,
    /// `iat` lies in the future, or is not a time.
    #[error("iat is not a time of the past")]
    Issued,
    /// `iss` is not the key's thumbprint.
    #[error("iss is another agent")]
    Issuer,
    /// `jti` is not 16 to 128 characters.
    #[error("no jti")]
    Jti,
    /// As a JWS.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// `exp` is more than five minutes after `iat`, or not after it.
    #[error("exp is too far from iat")]
    Life,
    /// `lifetime` is not 1 to 900.
    #[error("lifetime is out of range")]
    Lifetime,
    /// `nbf` lies in the future, or is not a time.
    #[error("nbf lies in the future")]
    NotYet,
    /// `purpose` is empty or too long.
    #[error("purpose is empty or too long")]
    Purpose,
    /// `purpose_class` is none of ours.
    #[error("purpose_class is not known")]
    PurposeClass,
    /// A claim that we do not know could be one that should hold us back.
    #[error("a claim that is not known")]
    UnknownClaim,
    /// `uses` is not 1 to 100; for a payment, not 1.
    #[error("uses is out of range")]
    Uses,
}

/// Verifies a task by the key of the agent that presents it.
///
/// `audience` is the broker's issuer; RFC 7523 §3 is checked in full.
///
/// # Errors
/// The first rule that it breaks.
pub fn verify(text: &str, key: &AgentKey, audience: &str, now: Timestamp) -> Result<Task, TaskError> {
    let parsed = Parsed::parse(text, "countersign-task+jwt", "kid")?;
    let thumbprint = key.thumbprint();
    if parsed.header.get("kid").and_then(Value::as_str) != Some(&thumbprint) {
        return Err(JwsError::Key.into());
    }
    parsed.check(key)?;
    let claims = &parsed.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if !claims.keys().all(|name| CLAIMS.contains(&name.as_str())) {
        return Err(TaskError::UnknownClaim);
    }
    if text("iss") != Some(&thumbprint) {
        return Err(TaskError::Issuer);
    }
    if text("aud") != Some(audience) {
        return Err(TaskError::Audience);
    }
    let ends_at = check_times(claims, now)?;
    let jti = text("jti").filter(|jti| (16..=128).contains(&jti.chars().count())).ok_or(TaskError::Jti)?;
    let wish = wish(claims.get("authorization_details")).ok_or(TaskError::Details)?;
    let uses = count(claims, "uses", MAX_USES).flatten().ok_or(TaskError::Uses)?;
    if matches!(wish, Wish::Pay(_)) && uses != 1 {
        return Err(TaskError::Uses);
    }
    Ok(Task {
        id: Sha256::new().chain_update(key.bytes()).chain_update(jti.as_bytes()).finalize().into(),
        content: content(claims),
        ends_at,
        grant: text("grant").and_then(|id| GrantId::parse(id).ok()).ok_or(TaskError::Grant)?,
        purpose: text("purpose").and_then(Purpose::parse).ok_or(TaskError::Purpose)?,
        purpose_class: purpose_class(claims.get("purpose_class"))?,
        wish,
        uses,
        lifetime: count(claims, "lifetime", MAX_LIFETIME)
            .ok_or(TaskError::Lifetime)?
            .unwrap_or(USUAL_LIFETIME),
    })
}

/// `iat`, `nbf` and `exp` by our clock; until when the `jti` has to be remembered.
fn check_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, TaskError> {
    let now = now.secs();
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let issued = time("iat").filter(|iat| *iat <= now.saturating_add(SKEW)).ok_or(TaskError::Issued)?;
    let ends = time("exp").ok_or(TaskError::Expired)?;
    if ends.saturating_add(SKEW) <= now {
        return Err(TaskError::Expired);
    }
    if ends <= issued || ends.saturating_sub(issued) > MAX_LIFE {
        return Err(TaskError::Life);
    }
    if claims.contains_key("nbf") && time("nbf").is_none_or(|nbf| nbf > now.saturating_add(SKEW)) {
        return Err(TaskError::NotYet);
    }
    Ok(Timestamp::from_secs(ends.saturating_add(SKEW + 1)))
}

/// A whole number from 1 to the most; the inner none where the claim is not there, the outer where it is something else.
fn count(claims: &Map<String, Value>, name: &str, most: u16) -> Option<Option<u16>> {
    match claims.get(name) {
        None => Some(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
            number.filter(|number| (1..=most).contains(number)).map(Some)
        }
    }
}

fn purpose_class(value: Option<&Value>) -> Result<PurposeClass, TaskError> {
    match value {
        None => Ok(PurposeClass::default()),
        Some(word) => serde_json::from_value(word.clone()).map_err(|_| TaskError::PurposeClass),
    }
}

/// Over everything but what makes it this one presentation.
fn content(claims: &Map<String, Value>) -> [u8; 32] {
    let once = ["iat", "nbf", "exp", "jti"];
    let mut lasting: Vec<_> = claims.iter().filter(|(name, _)| !once.contains(&name.as_str())).collect();
    lasting.sort_by_key(|(name, _)| *name);
    Sha256::digest(serde_json::to_vec(&lasting).unwrap_or_default()).into()
}

fn wish(details: Option<&Value>) -> Option<Wish> {
    let entries = details?.as_array().filter(|entries| (1..=MAX_ENTRIES).contains(&entries.len()))?;
    let objects: Vec<&Map<String, Value>> = entries.iter().map(Value::as_object).collect::<Option<_>>()?;
    let is =
        |entry: &&Map<String, Value>, kind: &str| entry.get("type").and_then(Value::as_str) == Some(kind);
    match objects.as_slice() {
        [payment] if is(payment, "payment_initiation") => pay(payment).map(Wish::Pay),
        looks if looks.iter().all(|entry| is(entry, "account_information")) => {
            looks.iter().map(|entry| look(entry)).collect::<Option<_>>().map(Wish::Look)
        }
        _ => None,
    }
}

fn look(entry: &Map<String, Value>) -> Option<Look> {
    only(entry, &["type", "actions", "identifier", "dateFrom", "dateTo"])?;
    let accounts = match entry.get("identifier") {
        None => None,
        Some(ids) => Some(ids_of(ids)?),
    };
    let day = |name: &str| match entry.get(name) {
        None => Some(None),
        Some(day) => Day::parse(day.as_str()?).map(Some),
    };
    Some(Look { actions: actions(entry)?, accounts, from: day("dateFrom")?, to: day("dateTo")? })
}

fn pay(entry: &Map<String, Value>) -> Option<Payment> {
    only(
        entry,
        &[
            "type",
            "actions",
            "instructedAmount",
            "creditorName",
            "creditorAccount",
            "debtorAccount",
            "remittanceInformationUnstructured",
        ],
    )?;
    let [action] = <[OperationId; 1]>::try_from(actions(entry)?).ok()?;
    let sum = entry.get("instructedAmount")?.as_object()?;
    only(sum, &["currency", "amount"])?;
    let amount = Money {
        amount: Amount::parse(sum.get("amount")?.as_str()?).ok()?,
        currency: Currency::parse(sum.get("currency")?.as_str()?).ok()?,
    };
    let account = |name: &str| match entry.get(name) {
        None => Some(None),
        Some(account) => {
            let account = account.as_object()?;
            only(account, &["id"])?;
            bank_id(account.get("id")?).map(Some)
        }
    };
    let words = |name: &str| match entry.get(name) {
        None => Some(None),
        Some(words) => {
            let words = words.as_str().filter(|words| words.chars().count() <= MAX_TEXT)?;
            // What is drawn is what the bank gets, sign by sign, or it is not asked for.
            (quoted(words, MAX_TEXT) == words && !words.is_empty()).then(|| Some(words.to_owned()))
        }
    };
    Some(Payment {
        action,
        amount,
        creditor: account("creditorAccount")??,
        creditor_name: words("creditorName")?,
        debtor: account("debtorAccount")?,
        reference: words("remittanceInformationUnstructured")?,
    })
}

fn only(entry: &Map<String, Value>, names: &[&str]) -> Option<()> {
    entry.keys().all(|name| names.contains(&name.as_str())).then_some(())
}

/// Operations, each once.
fn actions(entry: &Map<String, Value>) -> Option<Vec<OperationId>> {
    let listed = entry.get("actions")?.as_array().filter(|list| (1..=MAX_LISTED).contains(&list.len()))?;
    let actions: Vec<OperationId> =
        listed.iter().map(|id| OperationId::parse(id.as_str()?).ok()).collect::<Option<_>>()?;
    let different: BTreeSet<_> = actions.iter().collect();
    (different.len() == actions.len()).then_some(actions)
}

fn ids_of(list: &Value) -> Option<BTreeSet<String>> {
    let listed = list.as_array().filter(|list| (1..=MAX_LISTED).contains(&list.len()))?;
    listed.iter().map(bank_id).collect()
}

/// An id of the bank: whatever it is, it is compared and never drawn.
fn bank_id(value: &Value) -> Option<String> {
    let id = value.as_str()?;
    let plain = !id.is_empty() && id.len() <= MAX_ID && !id.chars().any(char::is_control);
    plain.then(|| id.to_owned())
}
