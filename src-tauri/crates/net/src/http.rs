//! The HTTP client: TLS with bundled roots, no redirects, no proxy, no cookies, sizes and times bounded,
//! each request sent once.
//!
//! **Invariant:** only what reads goes over a connection that was used before: for anything else its closing could be
//! mistaken for "not received".

use std::error::Error as StdError;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use app::port::{CallLimits, CallReply, Http, HttpError};
use domain::provider::AddressRule;
use domain::time::Timestamp;
use flate2::read::MultiGzDecoder;
use oauth::message::{Reply, Request, StatusAlone};
use reqwest::{Client, Response, redirect, retry};
use thiserror::Error;
use url::Url;

mod address;
mod call;
mod fault;
mod retry_after;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
mod tls;
mod unzip;

use address::{Lookup, PublicResolver};

/// The largest body, before and after decompression.
const MAX_BODY: usize = 64 * 1024;
/// The largest header section.
const MAX_HEAD: usize = 64 * 1024;
/// HTTP/2 keeps no more than this of an unread reply in memory.
const WINDOW: u32 = 65_535;
/// How many connections to a bank are kept for calls to come.
const KEPT: usize = 64;
/// For how long: less than servers keep theirs, so that few are found closed.
const KEPT_FOR: Duration = Duration::from_secs(15);

/// How long a request may take.
#[derive(Clone, Copy)]
struct Times {
    /// From the first look-up to the last byte of the reply (design.md section 10).
    total: Duration,
    /// Until name, connection and handshake are done; nothing was sent before that.
    connect: Duration,
}

const TIMES: Times = Times { total: Duration::from_secs(10), connect: Duration::from_secs(5) };

/// What the host decides about the client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which addresses may be connected to.
    pub addresses: AddressRule,
    /// Trusted beside the bundled roots; sandbox builds only.
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// Why there is no client.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SetupError {
    /// The TLS library refused its own configuration.
    #[error("the HTTP client could not be set up")]
    Client,
    /// The extra roots are not certificates in PEM form.
    #[error("the extra roots are not certificates")]
    Roots,
}

/// The HTTP client behind [`app::port::Http`].
pub struct HttpClient {
    /// Each request has a connection of its own.
    client: Client,
    /// Keeps connections, for calls that only read.
    keeping: Client,
    addresses: AddressRule,
    times: Times,
}

impl HttpClient {
    /// Makes a client.
    ///
    /// # Errors
    /// See [`SetupError`].
    #[expect(clippy::needless_pass_by_value, reason = "settings are handed over, as to every adapter")]
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        Self::build(&settings, address::system(), TIMES)
    }

    fn build(settings: &Settings, lookup: Lookup, times: Times) -> Result<Self, SetupError> {
        let tls = tls::config(settings.extra_roots_pem.as_deref())?;
        let resolver = Arc::new(PublicResolver::new(lookup, settings.addresses));
        let builder = |kept: usize| {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(Arc::clone(&resolver))
                .user_agent(concat!("Countersign/", env!("CARGO_PKG_VERSION")))
                .https_only(settings.addresses == AddressRule::Public)
                .redirect(redirect::Policy::none())
                .referer(false)
                .no_proxy()
                .connect_timeout(times.connect)
                // A request that may have been carried out is never sent again (RFC 6749 §4.1.2): no policy repeats it.
                .retry(retry::never())
                .pool_max_idle_per_host(kept)
                .pool_idle_timeout(KEPT_FOR)
                .http1_max_headers(100)
                .http2_max_header_list_size(64 * 1024)
                .http2_initial_stream_window_size(WINDOW)
        };
        let client = builder(0).http2_initial_connection_window_size(WINDOW).build();
        // One reader that is slow holds up nobody who shares the connection.
        let keeping = builder(KEPT).http2_initial_connection_window_size(call::SHARED_WINDOW).build();
        Ok(Self {
            client: client.map_err(|_| SetupError::Client)?,
            keeping: keeping.map_err(|_| SetupError::Client)?,
            addresses: settings.addresses,
            times,
        })
    }

    async fn exchange(&self, request: Request) -> Result<Reply, HttpError> {
        let status_alone = request.extensions().get::<StatusAlone>().is_some();
        let mut request = reqwest::Request::try_from(request).map_err(|_| HttpError::NoConnection)?;
        self.check_url(request.url())?;
        prepare(request.headers_mut(), "gzip");
        let response = self.client.execute(request).await.map_err(|err| fault::before_reply(&err))?;
        if status_alone && response.status() == StatusCode::OK {
            return Ok(Reply {
                status: 200,
                content_type: None,
                retry_after: None,
                body: Vec::new(),
                ..Reply::default()
            });
        }
        read(response).await
    }

    async fn begin(&self, request: Request) -> Result<Response, HttpError> {
        let mut request = reqwest::Request::try_from(request).map_err(|_| HttpError::NoConnection)?;
        self.check_url(request.url())?;
        prepare(request.headers_mut(), "identity");
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        let client = if reads { &self.keeping } else { &self.client };
        client.execute(request).await.map_err(|err| fault::before_reply(&err))
    }

    /// The resolver sees names only; an address in the URL itself is judged here.
    fn check_url(&self, url: &Url) -> Result<(), HttpError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(HttpError::NoConnection);
        }
        let ip = match url.host() {
            Some(url::Host::Ipv4(ip)) => Some(ip.into()),
            Some(url::Host::Ipv6(ip)) => Some(ip.into()),
            Some(url::Host::Domain(_)) => None,
            None => return Err(HttpError::NoConnection),
        };
        if ip.is_some_and(|ip| !address::is_allowed(ip, self.addresses)) {
            return Err(HttpError::NotPublic);
        }
        let loopback = ip.is_some_and(|ip| ip.is_loopback()) && self.addresses == AddressRule::DangerLoopback;
        if url.scheme() == "https" || (url.scheme() == "http" && loopback) {
            Ok(())
        } else {
            Err(HttpError::Tls)
        }
    }
}

impl Http for HttpClient {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        tokio::time::timeout(self.times.total, self.exchange(request))
            .await
            .unwrap_or(Err(HttpError::TimedOut))
    }

    async fn call(&self, request: Request, limits: CallLimits) -> Result<CallReply, HttpError> {
        let mut end = Box::pin(tokio::time::sleep(limits.total));
        let response = tokio::select! {
            response = self.begin(request) => response?,
            () = &mut end => return Err(HttpError::TimedOut),
        };
        call::reply(response, limits.body, end)
    }
}

/// Names the coding that is asked for, and keeps credentials out of HTTP/2 header tables and debug output.
fn prepare(headers: &mut HeaderMap, coding: &'static str) {
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(coding));
    for name in [header::AUTHORIZATION, header::HeaderName::from_static("dpop")] {
        if let Some(value) = headers.get_mut(name) {
            value.set_sensitive(true);
        }
    }
}

/// What is told of a reply's head.
struct Head {
    coding: Coding,
    content_type: Option<String>,
    retry_after: Option<u32>,
    date: Option<Timestamp>,
    challenges: Vec<String>,
}

impl Head {
    fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        if headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() > MAX_HEAD
        {
            return Err(HttpError::TooLarge);
        }
        let date = only(headers, &header::DATE);
        let challenges = headers.get_all(header::WWW_AUTHENTICATE).iter();
        Ok(Self {
            coding: Coding::of(headers)?,
            content_type: only(headers, &header::CONTENT_TYPE),
            retry_after: only(headers, &header::RETRY_AFTER)
                .and_then(|text| retry_after::seconds(&text, date.as_deref())),
            date: date.and_then(|text| retry_after::date(&text)),
            challenges: challenges.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect(),
        })
    }
}

async fn read(mut response: Response) -> Result<Reply, HttpError> {
    let Head { coding, content_type, retry_after, date, challenges } = Head::of(response.headers())?;
    let status = response.status().as_u16();
    let mut received = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|err| fault::after_connecting(&err))? {
        if received.len() + chunk.len() > MAX_BODY {
            return Err(HttpError::TooLarge);
        }
        received.extend_from_slice(&chunk);
    }
    Ok(Reply { status, content_type, retry_after, date, challenges, body: coding.decode(received)? })
}

/// How the body is coded for the way.
#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Identity,
}

impl Coding {
    fn of(headers: &HeaderMap) -> Result<Self, HttpError> {
        let codings: Vec<&[u8]> =
            headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
        match codings.as_slice() {
            [] => Ok(Self::Identity),
            [one] if one.eq_ignore_ascii_case(b"identity") => Ok(Self::Identity),
            [one] if one.eq_ignore_ascii_case(b"gzip") => Ok(Self::Gzip),
            _ => Err(HttpError::NotWellFormed),
        }
    }

    /// Decodes all of it or nothing: what is cut off, or followed by something else, is not what was sent.
    fn decode(self, received: Vec<u8>) -> Result<Vec<u8>, HttpError> {
        match self {
            Self::Identity => Ok(received),
            // An answer to HEAD or a 204 may say how a body would have been coded.
            Self::Gzip if received.is_empty() => Ok(received),
            Self::Gzip => {
                let mut body = Vec::new();
                let mut decoder = MultiGzDecoder::new(received.as_slice()).take(MAX_BODY as u64 + 1);
                decoder.read_to_end(&mut body).map_err(|_| HttpError::NotWellFormed)?;
                if body.len() > MAX_BODY { Err(HttpError::TooLarge) } else { Ok(body) }
            }
        }
    }
}

/// A header's text if it is there exactly once.
fn only(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (Some(Ok(text)), None) => Some(text.to_owned()),
        _ => None,
    }
}

/// An error and everything below it, the contents of I/O errors included.
fn chain<'a>(err: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(err), |&err: &&'a (dyn StdError + 'static)| {
        let inner = err.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| err.source())
    })
}
