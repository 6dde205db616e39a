//! The honest bank: what it remembers, and what it answers where no script says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::answer::{Plain, changed};
use super::document;
use super::request::Seen;
use super::script::{Habit, Script};

type Form = BTreeMap<String, String>;

/// What the honest bank remembers.
#[derive(Clone, Default)]
pub(super) struct Bank {
    pub(super) issuer: String,
    /// The path it has registered for our redirect address; any while nothing is said.
    pub(super) callback_path: Option<String>,
    /// Its consents are counted: the n-th has `code-n`, `access-n` and `refresh-n`.
    consents: u32,
    pushes: u32,
    pushed: BTreeMap<String, Form>,
    codes: BTreeMap<String, Code>,
    /// Tokens that work.
    pub(super) live: BTreeSet<String>,
    /// How often each consent's tokens were replaced.
    turns: BTreeMap<u32, u32>,
    /// The nonce of each consent's request, which later id_tokens repeat.
    nonces: BTreeMap<u32, String>,
    /// How often a refresh token came that was used before.
    reuses: u32,
    /// What every code and token ends with, on the wire.
    pub(super) mark: String,
    /// How many seconds its clock was moved on.
    pub(super) ahead: u64,
}

#[derive(Clone)]
struct Code {
    number: u32,
    asked: Form,
    used: bool,
}

impl Bank {
    pub(super) fn answer(&mut self, script: &Script, seen: &Seen) -> Plain {
        let seen = &self.unmarked(seen);
        match (seen.method.as_str(), seen.at.as_str()) {
            ("GET", "metadata") => {
                Plain::json(200, &changed(document::metadata(&self.issuer), &script.metadata))
            }
            ("GET", "jwks") => {
                let x = URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "alg": "EdDSA", "x": x});
                let now = std::time::SystemTime::now() + std::time::Duration::from_secs(self.ahead);
                Plain::json(200, &json!({ "keys": [jwk] })).with("date", &httpdate::fmt_http_date(now))
            }
            ("POST", "par") => self.push(seen),
            ("GET", "authorize") => self.authorize(script, seen),
            ("POST", "token") if seen.form.get("grant_type").is_some_and(|kind| kind == "refresh_token") => {
                self.refresh(script, seen)
            }
            ("POST", "token") => self.exchange(script, seen),
            ("GET", "userinfo") => self.guarded(seen, || json!({"sub": "u1", "name": "Fay Kester"})),
            ("GET", "accounts") => self.guarded(seen, accounts),
            ("GET", "/fdx/v6/accounts/a1") => {
                self.guarded(seen, || json!({"accountId": "a1", "currentBalance": 12.5}))
            }
            ("GET", "/fdx/v6/accounts/a1/transactions") => self.guarded(seen, || json!({"transactions": []})),
            ("GET", "/fdx/v6/customers/current") => self.guarded(seen, || json!({"name": {"first": "Fay"}})),
            ("POST", "/fdx/v6/payments") => {
                self.guarded(seen, || json!({"paymentId": "p-1", "status": "PROCESSED"}))
            }
            ("POST", "revoke") => {
                if let Some(token) = seen.form.get("token") {
                    if script.has(Habit::RevokesTokenAlone) {
                        self.live.remove(token);
                    } else {
                        self.end(token);
                    }
                }
                Plain::empty(200)
            }
            _ => Plain::json(404, &json!({})),
        }
    }

    /// RFC 9126 §2: everything the browser would carry, pushed; no `request_uri` in it.
    fn push(&mut self, seen: &Seen) -> Plain {
        if seen.form.contains_key("request_uri") || !is_sound(&seen.form) {
            return refusal("invalid_request");
        }
        self.pushes += 1;
        let request_uri = format!("urn:ietf:params:oauth:request_uri:{}", self.pushes);
        self.pushed.insert(request_uri.clone(), seen.form.clone());
        Plain::json(201, &json!({"request_uri": request_uri, "expires_in": 60}))
    }

    /// The person says yes at once.
    fn authorize(&mut self, script: &Script, seen: &Seen) -> Plain {
        let query: Form = seen.query_pairs().into_iter().collect();
        let asked = match query.get("request_uri") {
            // Used once, and the browser carries nothing else (RFC 9126 §4).
            Some(request_uri) => match self.pushed.remove(request_uri) {
                Some(pushed) if pushed.get("client_id") == query.get("client_id") => pushed,
                Some(_) | None => return page("This request is not known here."),
            },
            None if script.metadata.get("require_pushed_authorization_requests") == Some(&json!(true)) => {
                return page("Requests are to be pushed first.");
            }
            None => query,
        };
        let redirect = asked.get("redirect_uri").and_then(|uri| Url::parse(uri).ok());
        let Some(redirect) = redirect.filter(|uri| self.is_registered(uri, script)) else {
            return page("This address is not registered here.");
        };
        let state = asked.get("state").cloned().unwrap_or_default();
        let iss = self.issuer.clone();
        if !is_sound(&asked) {
            return go(&redirect, "error=invalid_request&state={state}&iss={iss}", "", &state, &iss);
        }
        self.consents += 1;
        let long = if script.has(Habit::LongCode) { 4096 } else { 0 };
        let code = format!("code-{}{}", self.consents, "x".repeat(long));
        let mut bound = asked;
        if script.has(Habit::CodeOfAnother) {
            bound.insert("code_challenge".into(), challenge(&"another".repeat(7)));
        }
        self.codes.insert(code.clone(), Code { number: self.consents, asked: bound, used: false });
        let template = script.callback.as_deref().unwrap_or("code={code}&state={state}&iss={iss}");
        go(&redirect, template, &self.marked(&code), &state, &iss)
    }

    fn marked(&self, secret: &str) -> String {
        if self.mark.is_empty() { secret.to_owned() } else { format!("{secret}~{}", self.mark) }
    }

    /// A request as if there were no marks.
    fn unmarked(&self, seen: &Seen) -> Seen {
        let mut seen = seen.clone();
        if !self.mark.is_empty() {
            let mark = format!("~{}", self.mark);
            let values = seen.form.values_mut().chain(&mut seen.authorization);
            for value in values.filter(|value| value.ends_with(&mark)) {
                value.truncate(value.len() - mark.len());
            }
        }
        seen
    }

    /// RFC 8252 §7.3: any port of this computer, and the one path that was registered.
    fn is_registered(&self, uri: &Url, script: &Script) -> bool {
        let local = matches!(uri.host_str(), Some("127.0.0.1" | "[::1]")) && uri.scheme() == "http";
        let path = self.callback_path.as_deref().unwrap_or(uri.path());
        local && (path == uri.path() || script.has(Habit::TakesAnyRedirect))
    }

    /// The newest tokens of a consent, if they work: access and refresh.
    pub(super) fn newest(&self, consent: u32) -> Option<(String, String)> {
        let turn = self.turns.get(&consent).copied().unwrap_or(0);
        // A bank that keeps its refresh token still has the first.
        let refresh = [turn, 0].map(|turn| named("refresh", consent, turn));
        let refresh = refresh.into_iter().find(|token| self.live.contains(token))?;
        Some((named("access", consent, turn), refresh))
    }

    /// How often a refresh token came that was used before.
    pub(super) fn reuses(&self) -> u32 {
        self.reuses
    }

    /// RFC 6749 §6, and RFC 9700 §4.14.2 for what becomes of the old token.
    fn refresh(&mut self, script: &Script, seen: &Seen) -> Plain {
        let sent = seen.form.get("refresh_token").map(String::as_str).unwrap_or_default();
        let named_as = sent.strip_prefix("refresh-").map(|rest| rest.split_once('.').unwrap_or((rest, "0")));
        let parts = named_as.and_then(|(n, turn)| Some((n.parse::<u32>().ok()?, turn.parse::<u32>().ok()?)));
        let Some((number, turn)) = parts else { return refusal("invalid_grant") };
        let now = self.turns.get(&number).copied().unwrap_or(0);
        let stays = script.has(Habit::KeepsRefreshToken);
        let before = turn + 1 == now && script.has(Habit::GraceForLostAnswers);
        if !self.live.contains(sent) && !before {
            if turn < now {
                self.reuses += 1;
                // Somebody has it twice: the whole family ends.
                self.end_family(number);
            }
            return refusal("invalid_grant");
        }
        let next = if before { now } else { now + 1 };
        self.turns.insert(number, next);
        let refresh = if stays { sent.to_owned() } else { named("refresh", number, next) };
        let access = named("access", number, next);
        if !stays && !before {
            self.live.remove(sent);
        }
        self.live.extend([access.clone(), refresh.clone()]);
        let nonce = self.nonces.get(&number).cloned();
        let mut answer = self.token(script, number, nonce.as_ref());
        answer["access_token"] = json!(self.marked(&access));
        answer["refresh_token"] = if stays { Value::Null } else { json!(self.marked(&refresh)) };
        if stays {
            answer.as_object_mut().expect("an object").remove("refresh_token");
        }
        Plain::json(200, &changed(answer, &script.token))
    }

    pub(super) fn end_family(&mut self, number: u32) {
        let of_family = |token: &String| {
            let rest = token.trim_start_matches("refresh-").trim_start_matches("access-");
            rest.split('.').next() == Some(number.to_string().as_str())
        };
        self.live.retain(|token| !of_family(token));
    }

    /// RFC 6749 §4.1.3 and RFC 7636 §4.6; a code used twice ends what it brought (RFC 6749 §4.1.2).
    fn exchange(&mut self, script: &Script, seen: &Seen) -> Plain {
        let form = &seen.form;
        let Some(code) = form.get("code").and_then(|code| self.codes.get_mut(code)) else {
            return refusal("invalid_grant");
        };
        let number = code.number;
        if code.used && !script.has(Habit::CodeReuse) {
            self.end(&format!("refresh-{number}"));
            return refusal("invalid_grant");
        }
        code.used = true;
        let same = |name: &str| form.get(name) == code.asked.get(name);
        let verifier = form.get("code_verifier").map(|verifier| challenge(verifier));
        let proven = verifier.as_ref() == code.asked.get("code_challenge");
        if form.get("grant_type").map(String::as_str) != Some("authorization_code")
            || !same("client_id")
            || !same("redirect_uri")
            || !(proven || script.has(Habit::IgnoresPkce))
        {
            return refusal("invalid_grant");
        }
        let nonce = code.asked.get("nonce").cloned();
        self.nonces.extend(nonce.iter().map(|nonce| (number, nonce.clone())));
        self.live.extend([format!("access-{number}"), format!("refresh-{number}")]);
        Plain::json(200, &changed(self.token(script, number, nonce.as_ref()), &script.token))
    }

    fn token(&self, script: &Script, number: u32, nonce: Option<&String>) -> Value {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let now = since.as_secs() + self.ahead;
        let claims = json!({
            "iss": self.issuer, "aud": "countersign", "sub": "u1", "nonce": nonce, "iat": now, "exp": now + 300,
        });
        let claims = changed(claims, &script.claims);
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k1"}"#);
        let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(key().sign(input.as_bytes()).to_bytes());
        json!({
            "access_token": self.marked(&format!("access-{number}")),
            "refresh_token": self.marked(&format!("refresh-{number}")),
            "token_type": "Bearer", "expires_in": 600, "id_token": format!("{input}.{signature}"),
        })
    }

    /// What only a token that works opens (RFC 6750 §3).
    fn guarded(&self, seen: &Seen, body: impl FnOnce() -> Value) -> Plain {
        let token = seen.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer "));
        if token.is_some_and(|token| self.live.contains(token)) {
            return Plain::json(200, &body());
        }
        Plain::json(401, &json!({})).with("www-authenticate", "Bearer error=\"invalid_token\"")
    }

    /// Ends a token; with the refresh token its access token.
    fn end(&mut self, token: &str) {
        self.live.remove(token);
        if let Some(number) = token.strip_prefix("refresh-") {
            let number = number.split('.').next().and_then(|number| number.parse().ok());
            number.into_iter().for_each(|number| self.end_family(number));
        }
    }
}

/// What a token of a consent is called: `access-3` at first, `access-3.1` after the first refresh.
fn named(kind: &str, consent: u32, turn: u32) -> String {
    if turn == 0 { format!("{kind}-{consent}") } else { format!("{kind}-{consent}.{turn}") }
}

/// OAuth 2.1 §4.1.1: a code, for this client, with S256.
fn is_sound(asked: &Form) -> bool {
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|v| v == value);
    is("response_type", "code") && is("client_id", "countersign") && is("code_challenge_method", "S256")
}

/// RFC 7636 §4.2.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

fn go(redirect: &Url, template: &str, code: &str, state: &str, iss: &str) -> Plain {
    let coded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let query = template
        .replace("{code}", &coded(code))
        .replace("{state}", &coded(state))
        .replace("{iss}", &coded(iss));
    Plain::empty(302).with("location", &format!("{redirect}?{query}"))
}

fn page(text: &str) -> Plain {
    Plain { status: 400, headers: vec![("content-type".into(), "text/html".into())], body: text.into() }
}

fn refusal(code: &str) -> Plain {
    Plain::json(400, &json!({ "error": code }))
}

fn accounts() -> Value {
    json!({"accounts": [
        {"accountId": "a1", "nickname": "Main", "accountNumberDisplay": "DE89370400440532013000", "currency": "EUR"},
        {"accountId": "a2", "nickname": "Side", "accountNumberDisplay": "••••4821", "currency": "EUR"},
    ]})
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}
