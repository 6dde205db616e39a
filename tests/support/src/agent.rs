//! An agent of the tests: signs tasks and proofs as RFC 7515 and RFC 9449 say, with nothing of ours.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The private half of the key of RFC 8037 appendix A, which the test catalogues call Budget Buddy.
const BUDDY: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

/// Writes Budget Buddy's key to a file of its owner's alone, for programs that read it there.
#[must_use]
pub fn write_buddy(folder: &Path) -> PathBuf {
    let path = folder.join("buddy.jwk");
    let x = TestAgent::buddy().x();
    let key = json!({"kty": "OKP", "crv": "Ed25519", "d": BUDDY, "x": x});
    let mut file = OpenOptions::new();
    let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&path).expect("a file");
    file.write_all(key.to_string().as_bytes()).expect("a key");
    path
}

/// An agent with its key.
pub struct TestAgent {
    key: SigningKey,
    count: AtomicU64,
}

impl TestAgent {
    /// The agent that the catalogues of the tests list.
    #[must_use]
    pub fn buddy() -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(BUDDY).expect("base64url");
        Self::with(bytes.try_into().expect("32 bytes"))
    }

    /// An agent that nobody knows.
    #[must_use]
    pub fn stranger(n: u8) -> Self {
        Self::with([n; 32])
    }

    fn with(bytes: [u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(&bytes), count: AtomicU64::new(0) }
    }

    /// Its public key, base64url.
    #[must_use]
    pub fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// Its public key as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": self.x()})
    }

    /// Its key's thumbprint (RFC 7638).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
    }

    /// A name that was not used before.
    #[must_use]
    pub fn jti(&self) -> String {
        format!("{:032}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// Signs a header and claims.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Signs texts as they are.
    #[must_use]
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// The header of a proof.
    #[must_use]
    pub fn proof_header(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk()})
    }

    /// A proof for a request.
    #[must_use]
    pub fn proof(&self, method: &str, address: &str, lease: Option<&str>, now: i64) -> String {
        let mut claims = json!({"jti": self.jti(), "htm": method, "htu": address, "iat": now});
        if let Some(lease) = lease {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(lease)).into();
        }
        self.sign(&self.proof_header(), &claims)
    }

    /// The header of a task.
    #[must_use]
    pub fn task_header(&self) -> Value {
        json!({"typ": "countersign-task+jwt", "alg": "EdDSA", "kid": self.thumbprint()})
    }

    /// The claims of a task that asks for this.
    #[must_use]
    pub fn claims(&self, issuer: &str, grant: &str, details: &Value, now: i64) -> Value {
        json!({
            "iss": self.thumbprint(), "aud": issuer, "iat": now, "exp": now + 120, "jti": self.jti(), "grant": grant,
            "purpose": "To see where the money goes", "authorization_details": details, "uses": 1,
        })
    }

    /// A signed task.
    #[must_use]
    pub fn task(&self, issuer: &str, grant: &str, details: &Value, now: i64) -> String {
        self.sign(&self.task_header(), &self.claims(issuer, grant, details, now))
    }
}

/// What asks to look at something.
#[must_use]
pub fn look(actions: &[&str]) -> Value {
    json!([{"type": "account_information", "actions": actions}])
}
