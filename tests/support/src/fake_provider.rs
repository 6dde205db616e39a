//! A scriptable provider: real HTTP on 127.0.0.1, honest unless told otherwise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use http::{Method, StatusCode, Uri, header};
use serde_json::{Value, json};

/// What the provider answers at one path, in place of the honest answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Content type; none if empty.
    pub content_type: &'static str,
    /// Body.
    pub body: String,
    /// Waits this long first.
    pub delay_ms: u64,
}

impl Answer {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, content_type: "application/json", body: body.to_string(), delay_ms: 0 }
    }

    /// The same, later.
    #[must_use]
    pub fn after(mut self, delay_ms: u64) -> Self {
        self.delay_ms = delay_ms;
        self
    }
}

/// A request as the provider saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path.
    pub path: String,
    /// The form, if it was one.
    pub form: BTreeMap<String, String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
}

#[derive(Default)]
struct Script {
    answers: BTreeMap<String, Answer>,
    delays: BTreeMap<String, u64>,
    seen: Vec<Seen>,
    busy: Vec<(SystemTime, SystemTime)>,
    nonce: String,
    claims: BTreeMap<String, Value>,
    token: BTreeMap<String, Value>,
    metadata: BTreeMap<String, Value>,
}

/// The provider; it stops when dropped.
pub struct FakeProvider {
    /// Its issuer.
    pub issuer: String,
    script: Arc<Mutex<Script>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FakeProvider {
    /// Starts an honest provider.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(answer).with_state((issuer.clone(), Arc::clone(&script)));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving") });
        Self { issuer, script, serving }
    }

    /// Its provider file.
    #[must_use]
    pub fn file(&self, id: &str) -> String {
        let i = &self.issuer;
        format!(
            r##"id = "{id}"
name = "Fake Bank {id}"
monogram = "FB"
colour = "#0b5d6b"
help = "{i}/help"
[authorization_server]
issuer = "{i}"
authorization_endpoint = "{i}/authorize"
token_endpoint = "{i}/token"
revocation_endpoint = "{i}/revoke"
jwks_uri = "{i}/jwks"
userinfo_endpoint = "{i}/userinfo"
discovery = "rfc8414"
[client]
client_id = "countersign"
token_endpoint_auth_method = "none"
redirect_uri_in_token_request = true
loopback_port = "any"
[authorization_request]
always_scopes = ["openid", "offline_access"]
[behaviour]
pkce = "advertised"
iss = "advertised"
par = "absent"
dpop = "absent"
consents = "independent"
rotation = "always"
narrowed_refresh = "unsafe"
revocation = "cascades"
consent_days = 90
[holder]
source = "userinfo"
name_claim = "name"
[api]
profile = "fdx-v6"
base = "{i}/fdx/v6"
"##
        )
    }

    /// Answers a path like this from now on.
    pub fn answers(&self, path: &str, answer: Answer) {
        self.script().answers.insert(path.into(), answer);
    }

    /// Answers a path honestly again.
    pub fn answers_honestly(&self, path: &str) {
        self.script().answers.remove(path);
    }

    /// Answers a path honestly but late.
    pub fn delays(&self, path: &str, ms: u64) {
        self.script().delays.insert(path.into(), ms);
    }

    /// Changes a claim of the id_token; `null` removes it.
    pub fn claims(&self, name: &str, value: Value) {
        self.script().claims.insert(name.into(), value);
    }

    /// Changes a member of the token response; `null` removes it.
    pub fn token(&self, name: &str, value: Value) {
        self.script().token.insert(name.into(), value);
    }

    /// Changes a member of the metadata; `null` removes it.
    pub fn metadata(&self, name: &str, value: Value) {
        self.script().metadata.insert(name.into(), value);
    }

    /// The nonce of the request at hand: the test reads it from the address that was opened.
    pub fn set_nonce(&self, nonce: &str) {
        self.script().nonce = nonce.into();
    }

    /// The requests at one path so far.
    #[must_use]
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.script().seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    /// From when to when it had a request and no answer yet, for each of them.
    #[must_use]
    pub fn busy(&self) -> Vec<(SystemTime, SystemTime)> {
        self.script().busy.clone()
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().expect("the script")
    }
}

async fn answer(
    State((issuer, script)): State<(String, Arc<Mutex<Script>>)>,
    _: Method,
    uri: Uri,
    headers: http::HeaderMap,
    body: Bytes,
) -> Response {
    let came = SystemTime::now();
    let path = uri.path().to_owned();
    let (delay, scripted) = {
        let mut script = script.lock().expect("the script");
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        let authorization =
            headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
        script.seen.push(Seen { path: path.clone(), form, authorization });
        let scripted = script.answers.get(&path).cloned();
        let delay =
            scripted.as_ref().map_or(0, |a| a.delay_ms).max(script.delays.get(&path).copied().unwrap_or(0));
        (delay, scripted)
    };
    tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
    let answer = scripted.unwrap_or_else(|| honest(&issuer, &script.lock().expect("the script"), &path));
    script.lock().expect("the script").busy.push((came, SystemTime::now()));
    let status = StatusCode::from_u16(answer.status).expect("a status");
    if answer.content_type.is_empty() {
        return (status, answer.body).into_response();
    }
    (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
}

fn changed(mut honest: Value, changes: &BTreeMap<String, Value>) -> Value {
    let members = honest.as_object_mut().expect("an object");
    for (name, value) in changes {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    honest
}

fn honest(issuer: &str, script: &Script, path: &str) -> Answer {
    match path {
        "/.well-known/oauth-authorization-server" => {
            Answer::json(200, &changed(metadata(issuer), &script.metadata))
        }
        "/token" => Answer::json(200, &changed(token(issuer, script), &script.token)),
        "/jwks" => {
            let x = URL_SAFE_NO_PAD.encode(key().verifying_key().as_bytes());
            Answer::json(
                200,
                &json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "sig", "x": x}]}),
            )
        }
        "/userinfo" => Answer::json(200, &json!({"sub": "u1", "name": "Fay Kester"})),
        "/fdx/v6/accounts" => Answer::json(
            200,
            &json!({"accounts": [
                {"accountId": "a1", "nickname": "Main", "accountNumberDisplay": "DE89370400440532013000", "currency": "EUR"},
                {"accountId": "a2", "nickname": "Side", "accountNumberDisplay": "••••4821", "currency": "EUR"},
            ]}),
        ),
        "/revoke" => Answer { status: 200, content_type: "", body: String::new(), delay_ms: 0 },
        _ => Answer::json(404, &json!({})),
    }
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn token(issuer: &str, script: &Script) -> Value {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let claims = json!({
        "iss": issuer, "aud": "countersign", "sub": "u1", "nonce": script.nonce, "iat": now, "exp": now + 300,
    });
    let claims = changed(claims, &script.claims);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k1"}"#);
    let input = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(key().sign(input.as_bytes()).to_bytes());
    json!({
        "access_token": "fake-access-token", "refresh_token": "fake-refresh-token", "token_type": "Bearer",
        "expires_in": 600, "id_token": format!("{input}.{signature}"),
    })
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}
