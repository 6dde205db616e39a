//! HTTP/1.1 on the public socket, kept alive, with nothing of the client library: what an agent sends, byte by byte.

use std::path::Path;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::agent::TestAgent;

/// A connection to the socket.
pub struct Wire {
    sender: SendRequest<Full<Bytes>>,
    issuer: String,
}

/// A request that is signed and waits to be sent.
pub struct Signed {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Whether it is the bank's own.
    pub of_bank: bool,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answered {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Wire {
    /// Dials.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn dial(socket: &Path, issuer: &str) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, issuer: issuer.to_owned() })
    }

    /// Where a data folder's host listens, and its issuer.
    ///
    /// # Panics
    /// The folder names no host.
    #[must_use]
    pub fn endpoint(data: &Path) -> (std::path::PathBuf, String) {
        let text = std::fs::read(data.join("endpoint.json")).expect("endpoint.json");
        let named: Value = serde_json::from_slice(&text).expect("JSON");
        let text = |name: &str| named[name].as_str().expect("a text").to_owned();
        (text("socket").into(), text("issuer"))
    }

    /// Signs what asks for a lease.
    #[must_use]
    pub fn token(&self, agent: &TestAgent, grant: &str, details: &Value, uses: u16, now: i64) -> Signed {
        let mut claims = agent.claims(&self.issuer, grant, details, now);
        claims["uses"] = uses.into();
        let task = agent.sign(&agent.task_header(), &claims);
        let proof = agent.proof("POST", &format!("{}/token", self.issuer), None, now);
        let kind = "application/x-www-form-urlencoded".to_owned();
        Signed {
            method: "POST",
            path: "/token".to_owned(),
            headers: vec![("dpop", proof), ("content-type", kind)],
            body: format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={task}"),
        }
    }

    /// Signs a look at what the agent has.
    #[must_use]
    pub fn grants(&self, agent: &TestAgent, now: i64) -> Signed {
        let proof = agent.proof("GET", &format!("{}/grants", self.issuer), None, now);
        Signed {
            method: "GET",
            path: "/grants".to_owned(),
            headers: vec![("dpop", proof)],
            body: String::new(),
        }
    }

    /// What stops every agent; it needs no signature.
    #[must_use]
    pub fn kill(&self) -> Signed {
        let headers = vec![("content-type", "application/json".to_owned())];
        Signed { method: "POST", path: "/support/kill".to_owned(), headers, body: "{}".to_owned() }
    }

    /// Signs a call.
    #[must_use]
    pub fn call(&self, agent: &TestAgent, grant: &str, path: &str, lease: &str, now: i64) -> Signed {
        let path = format!("/call/{grant}{path}");
        let proof = agent.proof("GET", &format!("{}{path}", self.issuer), Some(lease), now);
        let headers = vec![("dpop", proof), ("authorization", format!("DPoP {lease}"))];
        Signed { method: "GET", path, headers, body: String::new() }
    }

    /// Sends, and reads the answer to its end.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, signed: &Signed) -> Result<Answered, hyper::Error> {
        let authority = self.issuer.trim_start_matches("http://");
        let mut request =
            Request::builder().method(signed.method).uri(&signed.path).header("host", authority);
        for (name, value) in &signed.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(signed.body.clone()))).expect("a request");
        self.sender.ready().await?;
        let answer: Response<_> = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let of_bank = answer.headers().contains_key("countersign-answer");
        let body = answer.into_body().collect().await?.to_bytes().to_vec();
        Ok(Answered { status, of_bank, body })
    }
}
