//! Receipts: what the person keeps when a grant is made, changed or ended. No secret, no full number.

use contract::ui::{ReceiptAccount, ReceiptKind, ReceiptView, RevocationView};
use domain::agent::Agent;
use domain::grant::Grant;
use domain::permission::PermissionSet;
use domain::provider::Provider;
use domain::text::quoted;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::port::ReceiptRow;
use crate::view;

/// A receipt as it is stored. Early versions left out what they did not know yet, so nothing but `what` has to be there.
#[derive(Serialize, Deserialize)]
struct Body {
    what: ReceiptKind,
    at: Option<i64>,
    bank: Option<String>,
    issuer: Option<String>,
    agent: Option<String>,
    agent_name: Option<String>,
    thumbprint: Option<String>,
    holder: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
    /// The permissions in plain words, as the bank's file had them then.
    words: Option<Vec<String>>,
    #[serde(default)]
    not_allowed: Vec<String>,
    #[serde(default)]
    not_asked: Vec<String>,
    #[serde(default)]
    accounts: Vec<AccountLine>,
    until: Option<i64>,
    renews: Option<String>,
    cut_off_here: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct AccountLine {
    name: String,
    number: String,
}

/// The body of a receipt about a grant as it is from now on.
pub(crate) fn body(
    what: ReceiptKind,
    grant: &Grant,
    agents: &[Agent],
    provider: Option<&Provider>,
    at: Timestamp,
) -> String {
    let ended = is_end(what);
    let permissions = if ended { PermissionSet::default() } else { grant.allowed_permissions() };
    let agent = view::agent_mark(agents, grant.agent);
    let line = |account: &domain::grant::Account| AccountLine {
        name: account.name.clone(),
        number: account.masked.clone(),
    };
    let made = matches!(what, ReceiptKind::Connected | ReceiptKind::Renewed);
    let body = Body {
        what,
        at: Some(at.millis()),
        bank: Some(grant.provider_name.clone()),
        issuer: Some(grant.issuer.clone()),
        agent: Some(grant.agent.to_string()),
        agent_name: Some(agent.name),
        thumbprint: Some(agent.thumbprint),
        holder: grant.holder.clone(),
        words: Some(words(provider, &permissions)),
        permissions: permissions.iter().map(ToString::to_string).collect(),
        not_allowed: grant.missing.iter().filter(|_| made).map(ToString::to_string).collect(),
        not_asked: grant.extra.iter().filter(|_| made).cloned().collect(),
        accounts: grant.allowed_accounts().map(line).collect(),
        until: (!ended).then(|| grant.allowed_until().millis()),
        renews: grant.renews.filter(|_| made).map(|id| id.to_string()),
        cut_off_here: ended.then_some(true),
    };
    // Strings, numbers and lists of them: nothing that has no JSON.
    serde_json::to_string(&body).unwrap_or_default()
}

/// True for what leaves the agent nothing.
pub(crate) fn is_end(what: ReceiptKind) -> bool {
    match what {
        ReceiptKind::Ended | ReceiptKind::Revoked => true,
        ReceiptKind::Connected | ReceiptKind::Narrowed | ReceiptKind::Renewed | ReceiptKind::Widened => false,
    }
}

fn words(provider: Option<&Provider>, permissions: &PermissionSet) -> Vec<String> {
    view::permissions(provider, permissions.iter()).into_iter().map(|permission| permission.text).collect()
}

/// What a receipt says now: what was stored, completed from the grant where an early version stored less.
pub(crate) struct Reading<'r> {
    /// The stored receipt.
    pub(crate) row: &'r ReceiptRow,
    /// Its grant as it is now.
    pub(crate) grant: &'r Grant,
    /// The agents.
    pub(crate) agents: &'r [Agent],
    /// The bank, if it is in the catalogue.
    pub(crate) provider: Option<&'r Provider>,
    /// The reference of the attempt that made the grant.
    pub(crate) reference: Option<String>,
    /// Now.
    pub(crate) now: Timestamp,
}

impl Reading<'_> {
    /// The receipt to be shown; none if this version does not know its kind.
    pub(crate) fn view(&self) -> Option<ReceiptView> {
        let body: Body = serde_json::from_str(&self.row.body).ok()?;
        let agent = view::agent_mark(self.agents, self.grant.agent);
        let ids = || body.permissions.iter().filter_map(|id| domain::id::PermissionId::parse(id).ok());
        let permissions = body.words.clone().unwrap_or_else(|| words(self.provider, &ids().collect()));
        let revocation = self.grant.revocation.as_ref().filter(|_| is_end(body.what));
        let line = |line: &AccountLine| ReceiptAccount {
            name: quoted(&line.name, 60),
            number: quoted(&line.number, 60),
        };
        let mut view = ReceiptView {
            id: self.row.id.to_string(),
            what: body.what,
            at: self.row.at.millis(),
            bank: quoted(body.bank.as_ref().unwrap_or(&self.grant.provider_name), 80),
            issuer: body.issuer.clone().unwrap_or_else(|| self.grant.issuer.clone()),
            agent: quoted(body.agent_name.as_ref().unwrap_or(&agent.name), 80),
            thumbprint: body.thumbprint.clone().unwrap_or(agent.thumbprint),
            holder: body.holder.as_ref().or(self.grant.holder.as_ref()).map(|holder| quoted(holder, 80)),
            permissions: permissions.iter().map(|words| quoted(words, 200)).collect(),
            accounts: body.accounts.iter().map(line).collect(),
            until: body.until,
            facts: revocation.map(|known| view::facts(self.grant, known, self.provider, self.now)),
            json: String::new(),
        };
        view.json = self.for_programs(&view, &body);
        Some(view)
    }

    /// The whole receipt as JSON, with times that people and programs read.
    fn for_programs(&self, view: &ReceiptView, body: &Body) -> String {
        let receipt = json!({
            "countersign_receipt": 1,
            "id": view.id,
            "what": view.what,
            "at": text_of(view.at),
            "grant": self.grant.id.to_string(),
            "reference": self.reference,
            "renews": body.renews,
            "bank": { "name": view.bank, "issuer": view.issuer },
            "agent": { "id": self.grant.agent.to_string(), "name": view.agent, "key_thumbprint": view.thumbprint },
            "holder": view.holder,
            "permissions": body.permissions,
            "permissions_in_words": view.permissions,
            "not_allowed": body.not_allowed,
            "not_asked": body.not_asked,
            "accounts": view.accounts,
            "until": view.until.map(text_of),
            "end": view.facts.as_ref().map(|facts| end(facts, self.now)),
        });
        serde_json::to_string_pretty(&receipt).unwrap_or_default()
    }
}

/// The end, as known at a moment, with its times as text.
fn end(facts: &RevocationView, now: Timestamp) -> Value {
    let mut facts = serde_json::to_value(facts).unwrap_or_default();
    write_times(&mut facts);
    if let Some(members) = facts.as_object_mut() {
        members.insert("known_at".to_owned(), now.rfc3339().into());
    }
    facts
}

/// Every number of a revocation but the count of tries is a time.
fn write_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_i64() {
                    Some(millis) if name != "tries" => *value = text_of(millis).into(),
                    Some(_) | None => write_times(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(write_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn text_of(millis: i64) -> String {
    Timestamp::from_millis(millis).rfc3339()
}

#[cfg(test)]
mod tests {
    use domain::grant::{Revocation, TokenRevocation, WaitsFor};
    use domain::id::{AgentId, GrantId, ProviderId, ReceiptId};

    use super::*;

    const AT: Timestamp = Timestamp::from_secs(1_795_703_523);

    fn grant() -> Grant {
        Grant {
            id: GrantId::make_from(AT, [1; 10]),
            provider: ProviderId::parse("example-bank").unwrap(),
            provider_name: "Example Bank".into(),
            issuer: "https://auth.bank.example".into(),
            agent: AgentId::make_from(AT, [2; 10]),
            permissions: PermissionSet::default(),
            missing: Vec::new(),
            extra: Vec::new(),
            accounts: Vec::new(),
            holder: Some("Fay Kester".into()),
            created_at: AT,
            ends_at: AT.plus_days(30),
            scopes: None,
            access_token_ends_at: None,
            generation: 1,
            confirmed_at: AT,
            narrowing: None,
            paused: None,
            reconnect: None,
            renews: None,
            reminded: None,
            revocation: None,
        }
    }

    fn read(body: &str, grant: &Grant) -> Option<ReceiptView> {
        let id = ReceiptId::make_from(AT, [3; 10]);
        let row = ReceiptRow { id, grant: grant.id, at: AT, body: body.into() };
        Reading { row: &row, grant, agents: &[], provider: None, reference: None, now: AT }.view()
    }

    #[test]
    fn what_an_early_version_left_out_comes_from_the_grant() {
        let old = r#"{"what":"connected","at":1,"bank":"Old Name","issuer":"https://auth.bank.example","agent":"x",
            "permissions":["accounts","odd id"],"not_allowed":[],"not_asked":[],
            "accounts":[{"name":"Joint","number":"••••3000"}],"holder":"F. Kester","until":2}"#;
        let view = read(old, &grant()).unwrap();
        assert_eq!((view.bank.as_str(), view.holder.as_deref()), ("Old Name", Some("F. Kester")));
        assert_eq!(view.permissions, ["accounts"], "without the bank's file the ids must do");
        assert_eq!((view.agent, view.until), (grant().agent.to_string(), Some(2)));

        let old = r#"{"what":"revoked","at":1,"bank":"Example Bank","cut_off_here":true}"#;
        let view = read(old, &grant()).unwrap();
        assert_eq!((view.issuer.as_str(), view.until), ("https://auth.bank.example", None));
        assert_eq!(view.holder.as_deref(), Some("Fay Kester"));
    }

    #[test]
    fn a_kind_or_a_body_that_is_not_known_is_no_receipt() {
        for body in [r#"{"what":"married"}"#, "{}", "", "[]", r#"{"what":"revoked","accounts":7}"#] {
            assert!(read(body, &grant()).is_none(), "{body}");
        }
    }

    #[test]
    fn the_facts_of_an_end_are_those_of_now() {
        let mut grant = grant();
        let body = body(ReceiptKind::Revoked, &grant, &[], None, AT);
        let waits_for = WaitsFor::BankToAnswer;
        let pending = TokenRevocation::Pending { tries: 3, last_try: Some(AT), next_try: AT, waits_for };
        for (token, expected) in [
            (pending, r#""kind": "not_yet""#),
            (TokenRevocation::Confirmed { at: AT }, r#""at": "2026-11-26T14:32:03Z""#),
        ] {
            grant.revocation = Some(Revocation { cut_off_at: AT, token });
            let view = read(&body, &grant).unwrap();
            assert!(view.facts.is_some() && view.permissions.is_empty());
            assert!(view.json.contains(expected), "{}", view.json);
            assert!(view.json.contains(r#""cut_off_at": "2026-11-26T14:32:03Z""#), "{}", view.json);
            assert!(!view.json.contains("1795703523"), "times are written out: {}", view.json);
        }
    }
}
