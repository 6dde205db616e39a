//! `broker_requests.jsonl`: one thing wrong with a request in each row, and the error that names it.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use support::agent::{TestAgent, look};
use support::counter::{Ask, Counter};

use super::is_refusal;

const ROWS: &str = include_str!("../../tables/broker_requests.jsonl");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "ids")]
    _ids: Vec<String>,
    name: String,
    /// The route: the request that is sound but for what follows.
    to: String,
    #[serde(default)]
    edit: Edit,
    status: u16,
    /// None where the answer is no refusal of the broker's: it was served, or did not get that far.
    error: Option<String>,
}

/// What is changed. A null takes away what is there.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Edit {
    method: Option<String>,
    path: Option<String>,
    host: Option<String>,
    /// Beside those that are there.
    headers: Vec<(String, Value)>,
    /// Of the form, or the JSON body.
    body: Map<String, Value>,
    /// Fields that stand there once more.
    again: Vec<(String, String)>,
    kind: Option<String>,
    /// The whole body instead.
    raw: Option<Value>,
    /// How often the proof is sent.
    proofs: Option<usize>,
    proof: Jws,
    task: Jws,
}

/// What is changed of something signed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Jws {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// Signed by somebody else.
    by_stranger: bool,
    /// Header and claims as texts, where JSON could not say it.
    header_text: Option<String>,
    claims_text: Option<Value>,
    /// What becomes of the text: `{}` is the signed one, `{0}`, `{1}` and `{2}` are its parts.
    text: Option<String>,
}

/// What stands for what in a row.
struct Known {
    now: i64,
    words: Vec<(&'static str, String)>,
}

impl Known {
    fn text(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(list) => list.iter().map(|value| self.value(value)).collect(),
            Value::Object(object) if object.len() == 1 => match object.iter().next().unwrap() {
                (name, after) if name == "now" => (self.now + after.as_i64().unwrap()).into(),
                (name, _) if name == "null" => Value::Null,
                (name, of) if name == "repeat" => {
                    let (what, times) = (of[0].as_str().unwrap(), of[1].as_u64().unwrap());
                    what.repeat(usize::try_from(times).unwrap()).into()
                }
                (name, value) => json!({ name: self.value(value) }),
            },
            Value::Object(object) => {
                object.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
            }
            Value::Bool(_) | Value::Null | Value::Number(_) => value.clone(),
        }
    }

    fn apply(&self, target: &mut Value, edits: &Map<String, Value>) {
        for (name, value) in edits {
            if value.is_null() {
                target.as_object_mut().unwrap().remove(name);
            } else {
                target[name] = self.value(value);
            }
        }
    }

    fn sign(&self, agent: &TestAgent, mut header: Value, mut claims: Value, jws: &Jws) -> String {
        self.apply(&mut header, &jws.header);
        self.apply(&mut claims, &jws.claims);
        let header = jws.header_text.as_ref().map_or(header.to_string(), |text| self.text(text));
        let claims = jws.claims_text.as_ref().map_or(claims.to_string(), |text| {
            self.value(text).as_str().expect("a text").replace("{claims}", &claims.to_string())
        });
        let stranger = TestAgent::stranger(9);
        let signed = if jws.by_stranger { &stranger } else { agent }.sign_text(&header, &claims);
        let Some(text) = &jws.text else { return signed };
        let parts: Vec<&str> = signed.split('.').collect();
        (0..3).fold(text.replace("{}", &signed), |text, n| text.replace(&format!("{{{n}}}"), parts[n]))
    }
}

impl Row {
    /// The request of the row.
    fn ask(&self, counter: &Counter, agent: &TestAgent, known: &Known) -> Ask {
        let (edit, lease) = (&self.edit, known.text("{lease}"));
        let call = format!("/call/{}/accounts/a1", counter.grant);
        let (method, path) = match self.to.as_str() {
            "metadata" => ("GET", "/.well-known/oauth-authorization-server"),
            "grants" => ("GET", "/grants"),
            "call" => ("GET", call.as_str()),
            "token" => ("POST", "/token"),
            "revoke" => ("POST", "/revoke"),
            "agents" => ("POST", "/agents"),
            "connect" => ("POST", "/connect"),
            other => panic!("{other}"),
        };
        let mut claims =
            json!({"jti": agent.jti(), "htm": method, "htu": counter.address(path), "iat": known.now});
        if self.to == "call" {
            let proof = agent.proof(method, "http://x", Some(&lease), known.now);
            claims["ath"] = claims_of(&proof)["ath"].clone();
        }
        let proof = known.sign(agent, agent.proof_header(), claims, &edit.proof);
        let mut ask = Ask::new(
            edit.method.as_deref().unwrap_or(method),
            &edit.path.as_ref().map_or(path.to_owned(), |path| known.text(path)),
        );
        let proofs = if self.to == "metadata" { 0 } else { 1 };
        for _ in 0..edit.proofs.unwrap_or(proofs) {
            ask = ask.with("dpop", &proof);
        }
        if let Some(host) = &edit.host {
            ask = ask.with("host", &known.text(host));
        }
        for (name, value) in &edit.headers {
            ask = ask.with(name, known.value(value).as_str().expect("a text"));
        }
        if self.to == "call" && !edit.headers.iter().any(|(name, _)| name == "authorization") {
            ask = ask.with("authorization", &format!("DPoP {lease}"));
        }
        self.body(counter, agent, known, ask)
    }

    fn body(&self, counter: &Counter, agent: &TestAgent, known: &Known, ask: Ask) -> Ask {
        let edit = &self.edit;
        let (form, mut body) = match self.to.as_str() {
            "token" => {
                let claims = counter.claims(&look(&["get_balance"]), 1);
                let task = known.sign(agent, agent.task_header(), claims, &edit.task);
                (
                    true,
                    json!({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": task}),
                )
            }
            "revoke" => (true, json!({"token": "nobodys"})),
            "agents" => (false, json!({"name": "Budget Buddy", "key": agent.jwk()})),
            "connect" => (false, json!({"provider": "bank-1"})),
            _ => return ask,
        };
        known.apply(&mut body, &edit.body);
        let kind = if form { "application/x-www-form-urlencoded" } else { "application/json" };
        let ask = ask.with("content-type", edit.kind.as_deref().unwrap_or(kind));
        if let Some(raw) = &edit.raw {
            return ask.body(known.value(raw).as_str().expect("a text"));
        }
        if !form {
            return ask.body(body.to_string());
        }
        let fields = body
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let fields = fields.chain(edit.again.iter().map(|(name, value)| (name.clone(), known.text(value))));
        ask.body(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish())
    }
}

/// The claims of a compact JWS.
fn claims_of(jws: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = jws.split('.').nth(1).expect("claims");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_served_or_refused_by_its_rule() {
    let counter = Counter::open(&["accounts", "balances"]).await;
    let (agent, mut given) = (&counter.agent, 1);
    let lease = counter.lease(&look(&["get_balance"]), 100).await;
    let bank = counter.bank.live().into_iter().find(|token| token.starts_with("access-")).unwrap();
    let words = vec![
        ("{grant}", counter.grant.to_string()),
        ("{issuer}", counter.address("")),
        ("{lease}", lease),
        ("{bank}", bank),
        ("{thumbprint}", agent.thumbprint()),
        ("{stranger}", TestAgent::stranger(9).thumbprint()),
        ("{x}", agent.x()),
        ("{stranger_x}", TestAgent::stranger(9).x()),
    ];
    let mut wrong = Vec::new();
    for line in ROWS.lines() {
        let row: Row = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        counter.app.clock.pass(std::time::Duration::from_secs(1));
        let known = Known { now: counter.now(), words: words.clone() };
        let answer = counter.ask(&row.ask(&counter, agent, &known)).await;
        if (answer.status, answer.error()) != (row.status, row.error.clone()) {
            wrong.push(format!("{}: {answer:?}", row.name));
            continue;
        }
        if let Some(error) = &row.error {
            is_refusal(&answer, row.status, error);
        }
        given += usize::from(row.to == "token" && row.status == 200);
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), ROWS.lines().count());
    assert_eq!(counter.records("lease_given"), given, "nothing that was refused gave a lease");
    assert!(counter.bank.all_seen().iter().all(|seen| seen.at == "/fdx/v6/accounts/a1"));
}
