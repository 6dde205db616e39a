//! Certificates, what of the environment plays a part (nothing), and HTTP/2.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::Response;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, NameConstraints, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::server::Server;
use super::*;

/// A certificate authority of a test's own.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(change: impl Fn(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "Countersign test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut params);
        Self { params, key: KeyPair::generate().unwrap() }
    }

    fn pem(&self) -> Vec<u8> {
        self.params.self_signed(&self.key).unwrap().pem().into_bytes()
    }

    fn leaf(&self, change: impl Fn(&mut CertificateParams)) -> Identity {
        let mut params = leaf_params();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Identity { chain: vec![certificate.der().clone()], key }
    }
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
    params
}

/// Serves each TLS connection with a script, and counts the handshakes that were finished.
async fn serve<F, R>(identity: Identity, alpn: &[&str], script: F) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Fn(TlsStream<TcpStream>) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send,
{
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(identity.chain, key)
            .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, shaken, script) =
        (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)), Arc::new(script));
    let counter = Arc::clone(&shaken);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, script, counter) = (acceptor.clone(), Arc::clone(&script), Arc::clone(&counter));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    counter.fetch_add(1, Ordering::SeqCst);
                    script(stream).await;
                }
            });
        }
    });
    (address, shaken)
}

async fn say_ok(mut stream: TlsStream<TcpStream>) {
    let mut bytes = [0; 4096];
    let _ = stream.read(&mut bytes).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    let _ = stream.shutdown().await;
}

async fn outcome(identity: Identity, roots: Option<Vec<u8>>) -> Result<u16, HttpError> {
    let (address, _) = serve(identity, &["http/1.1"], say_ok).await;
    post(&client(roots), &format!("https://{address}/token")).await.map(|reply| reply.status)
}

fn names(name: &str) -> Vec<SanType> {
    vec![SanType::DnsName(name.try_into().unwrap())]
}

#[tokio::test]
async fn only_a_certificate_for_this_host_and_time_is_accepted() {
    let authority = Authority::new(|_| {});
    let refused = Err(HttpError::Tls);
    for (case, identity, expected) in [
        ("good", authority.leaf(|_| {}), Ok(200)),
        ("expired", authority.leaf(|p| p.not_after = date_time_ymd(2020, 1, 1)), refused),
        ("not yet valid", authority.leaf(|p| p.not_before = date_time_ymd(2090, 1, 1)), refused),
        ("another name", authority.leaf(|p| p.subject_alt_names = names("bank.example")), refused),
        ("localhost", authority.leaf(|p| p.subject_alt_names = names("localhost")), refused),
        ("the address as a name", authority.leaf(|p| p.subject_alt_names = names("127.0.0.1")), refused),
        (
            "another address",
            authority.leaf(|p| p.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 2].into())]),
            refused,
        ),
        (
            "common name alone",
            authority.leaf(|p| {
                p.subject_alt_names.clear();
                p.distinguished_name.push(DnType::CommonName, "127.0.0.1");
            }),
            refused,
        ),
        (
            "for clients",
            authority.leaf(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            refused,
        ),
        (
            "an authority's own",
            authority.leaf(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            refused,
        ),
    ] {
        assert_eq!(outcome(identity, Some(authority.pem())).await, expected, "{case}");
    }
}

#[tokio::test]
async fn only_a_certificate_from_a_trusted_root_is_accepted() {
    let (authority, stranger) = (Authority::new(|_| {}), Authority::new(|_| {}));
    let self_signed = || {
        let (params, key) = (leaf_params(), KeyPair::generate().unwrap());
        Identity { chain: vec![params.self_signed(&key).unwrap().der().clone()], key }
    };
    let through_a_leaf = {
        let (params, key) = (leaf_params(), KeyPair::generate().unwrap());
        let middle = params.signed_by(&key, &Issuer::from_params(&authority.params, &authority.key)).unwrap();
        let last = KeyPair::generate().unwrap();
        let leaf = leaf_params().signed_by(&last, &Issuer::from_params(&params, &key)).unwrap();
        Identity { chain: vec![leaf.der().clone(), middle.der().clone()], key: last }
    };
    let elsewhere = GeneralSubtree::IpAddress(CidrSubnet::V4([10, 0, 0, 0], [255, 0, 0, 0]));
    let narrow = Authority::new(|params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![elsewhere.clone()],
            excluded_subtrees: Vec::new(),
        });
    });
    let (trusted, both) = (authority.pem(), [stranger.pem(), authority.pem()].concat());
    let refused = Err(HttpError::Tls);
    for (case, identity, roots, expected) in [
        ("root added", authority.leaf(|_| {}), Some(trusted.clone()), Ok(200)),
        ("roots added", authority.leaf(|_| {}), Some(both), Ok(200)),
        ("root not added", authority.leaf(|_| {}), None, refused),
        ("unknown authority", stranger.leaf(|_| {}), Some(trusted.clone()), refused),
        ("self-signed", self_signed(), Some(trusted.clone()), refused),
        ("self-signed, no roots added", self_signed(), None, refused),
        ("through a leaf", through_a_leaf, Some(trusted), refused),
        ("outside its authority's names", narrow.leaf(|_| {}), Some(narrow.pem()), refused),
    ] {
        assert_eq!(outcome(identity, roots).await, expected, "{case}");
    }
}

#[tokio::test]
async fn a_server_without_sound_tls_gets_nothing() {
    for (case, answer, expected) in [
        ("plain HTTP", &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], HttpError::Tls),
        ("TLS 1.0 only", b"\x15\x03\x01\x00\x02\x02\x46", HttpError::Tls),
        ("handshake failure", b"\x15\x03\x03\x00\x02\x02\x28", HttpError::Tls),
        ("junk", &[0; 64], HttpError::Tls),
        ("closes", b"", HttpError::NoConnection),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = vec![0; 8192];
            let len = stream.read(&mut hello).await.unwrap();
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            hello.truncate(len);
            [hello, rest].concat()
        });
        assert_eq!(
            post(&client(None), &format!("https://{address}/token")).await.err(),
            Some(expected),
            "{case}"
        );
        let seen = String::from_utf8_lossy(&server.await.unwrap()).into_owned();
        assert!(!seen.contains("secret"), "{case}");
    }
    // A handshake that hangs: nothing was sent.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    assert_eq!(
        post(&client(None), &format!("https://{address}/")).await.err(),
        Some(HttpError::NoConnection)
    );
}

#[tokio::test]
async fn a_connection_cut_without_a_goodbye_is_closed() {
    let authority = Authority::new(|_| {});
    let cut = |mut stream: TlsStream<TcpStream>| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":").await;
        let _ = stream.flush().await;
        drop(stream.into_inner().0);
    };
    let (address, shaken) = serve(authority.leaf(|_| {}), &["http/1.1"], cut).await;
    let got = post(&client(Some(authority.pem())), &format!("https://{address}/")).await;
    assert_eq!(got.err(), Some(HttpError::Closed));
    assert_eq!(shaken.load(Ordering::SeqCst), 1);
}

#[test]
fn extra_roots_that_are_none_are_refused() {
    let truncated = {
        let pem = Authority::new(|_| {}).pem();
        pem[..pem.len() / 2].to_vec()
    };
    for (case, pem) in [
        ("empty", Vec::new()),
        ("not PEM", b"hello".to_vec()),
        ("a key", KeyPair::generate().unwrap().serialize_pem().into_bytes()),
        ("not a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()),
        ("truncated", truncated),
    ] {
        let settings = Settings { addresses: AddressRule::Public, extra_roots_pem: Some(pem) };
        assert_eq!(HttpClient::new(settings).err(), Some(SetupError::Roots), "{case}");
    }
    assert!(HttpClient::new(Settings { addresses: AddressRule::Public, extra_roots_pem: None }).is_ok());
}

const CHILD: &str = "COUNTERSIGN_NET_TEST";

/// Runs one test of this file again, in a process with this environment; gives what it prints.
fn again(test: &str, environment: &[(&str, String)]) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", &format!("http::tests::tls::{test}")]).env(CHILD, "1");
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[expect(clippy::disallowed_methods, reason = "the test talks to itself through its environment")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_plays_no_part() {
    const NAME: &str = "the_environment_plays_no_part";
    if told(CHILD).is_some() {
        let (url, pem) = (told("TEST_URL").unwrap(), std::fs::read(told("SSL_CERT_FILE").unwrap()).unwrap());
        assert_eq!(post(&client(None), &url).await.err(), Some(HttpError::Tls));
        assert_eq!(post(&client(Some(pem)), &url).await.unwrap().status, 200);
        println!("both were as expected");
        return;
    }
    let (authority, proxy, folder) =
        (Authority::new(|_| {}), Server::saying(""), tempfile::tempdir().unwrap());
    let (address, _) = serve(authority.leaf(|_| {}), &["http/1.1"], say_ok).await;
    let (roots, key_log) = (folder.path().join("roots.pem"), folder.path().join("keys"));
    std::fs::write(&roots, authority.pem()).unwrap();
    let mut environment = vec![
        ("TEST_URL", format!("https://{address}/token")),
        ("SSL_CERT_FILE", roots.display().to_string()),
        ("SSL_CERT_DIR", folder.path().display().to_string()),
        ("SSLKEYLOGFILE", key_log.display().to_string()),
    ];
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        environment.push((name, format!("http://{}", proxy.address)));
    }
    let printed = tokio::task::spawn_blocking(move || again(NAME, &environment)).await.unwrap();
    assert!(printed.contains("both were as expected"), "{printed}");
    assert!(!key_log.exists());
    assert_eq!(proxy.connections(), 0);
}

/// The largest this process has been, in KiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bombs_and_endless_bodies_cost_little_memory() {
    const NAME: &str = "bombs_and_endless_bodies_cost_little_memory";
    if told(CHILD).is_some() {
        let client = client(None);
        let _ = post(&client, &told("TEST_SMALL").unwrap()).await;
        let before = peak();
        for name in ["TEST_BOMB", "TEST_ENDLESS"] {
            for _ in 0..5 {
                assert_eq!(
                    post(&client, &told(name).unwrap()).await.err(),
                    Some(HttpError::TooLarge),
                    "{name}"
                );
            }
        }
        println!("grew by {} KiB", peak() - before);
        return;
    }
    use std::io::Write as _;
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..60).for_each(|_| bomb.write_all(&[0; 1024 * 1024]).unwrap());
    let mut reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    reply.extend(bomb.finish().unwrap());
    let (small, bomb) =
        (Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Server::saying(reply));
    let endless = Server::new(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let environment =
        [("TEST_SMALL", small.url()), ("TEST_BOMB", bomb.url()), ("TEST_ENDLESS", endless.url())];
    let printed = tokio::task::spawn_blocking(move || again(NAME, &environment)).await.unwrap();
    let grown =
        printed.split_once("grew by ").unwrap().1.split_once(" KiB").unwrap().0.parse::<usize>().unwrap();
    assert!(grown < 8 * 1024, "{grown} KiB");
}

/// What an HTTP/2 server does with the first request of a connection.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Answer,
    Bomb,
    Endless,
    GoAway,
    Headers,
    Refuse,
    Reset,
    Silence,
}

async fn speak_http2(stream: TlsStream<TcpStream>, habit: Habit, requests: Arc<AtomicUsize>) {
    let Ok(mut connection) =
        h2::server::Builder::new().handshake::<_, std::io::Cursor<Vec<u8>>>(stream).await
    else {
        return;
    };
    while let Some(Ok((_request, mut respond))) = connection.accept().await {
        requests.fetch_add(1, Ordering::SeqCst);
        let mut response = Response::builder().status(200).header("content-type", "application/json");
        match habit {
            Habit::Answer => {
                let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
                body.send_data(std::io::Cursor::new(b"{}".to_vec()), true).unwrap();
            }
            Habit::Bomb => {
                response = response.header("content-encoding", "gzip");
                let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
                let _ = body.send_data(std::io::Cursor::new(vec![0; 10]), true);
            }
            Habit::Endless => {
                let mut body = respond.send_response(response.body(()).unwrap(), false).unwrap();
                tokio::spawn(async move {
                    while body.send_data(std::io::Cursor::new(vec![b'x'; 16384]), false).is_ok() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                });
            }
            Habit::GoAway => connection.abrupt_shutdown(h2::Reason::NO_ERROR),
            Habit::Headers => {
                for number in 0..200 {
                    response = response.header(format!("x-{number}"), "x".repeat(1000));
                }
                let _ = respond.send_response(response.body(()).unwrap(), true);
            }
            Habit::Refuse => respond.send_reset(h2::Reason::REFUSED_STREAM),
            Habit::Reset => respond.send_reset(h2::Reason::INTERNAL_ERROR),
            Habit::Silence => std::mem::forget(respond),
        }
    }
}

#[tokio::test]
async fn http2_has_the_same_rules_and_sends_once() {
    let authority = Authority::new(|_| {});
    for (habit, expected) in [
        (Habit::Answer, Ok(b"{}".to_vec())),
        (Habit::Bomb, Err(HttpError::NotWellFormed)),
        (Habit::Endless, Err(HttpError::TooLarge)),
        (Habit::GoAway, Err(HttpError::Closed)),
        (Habit::Headers, Err(HttpError::Closed)),
        (Habit::Refuse, Err(HttpError::Closed)),
        (Habit::Reset, Err(HttpError::Closed)),
        (Habit::Silence, Err(HttpError::TimedOut)),
    ] {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let script = move |stream| speak_http2(stream, habit, Arc::clone(&counter));
        let (address, shaken) = serve(authority.leaf(|_| {}), &["h2"], script).await;
        let got = post(&client(Some(authority.pem())), &format!("https://{address}/token")).await;
        assert_eq!(got.map(|reply| reply.body), expected, "{habit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let counts = (requests.load(Ordering::SeqCst), shaken.load(Ordering::SeqCst));
        assert_eq!(counts, (1, 1), "{habit:?}: one request on one connection");
    }
}

#[tokio::test]
async fn requests_share_no_connection() {
    let authority = Authority::new(|_| {});
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    let script = move |stream| speak_http2(stream, Habit::Answer, Arc::clone(&counter));
    let (address, shaken) = serve(authority.leaf(|_| {}), &["h2"], script).await;
    let client = client(Some(authority.pem()));
    let url = format!("https://{address}/token");
    let (one, two, three) = tokio::join!(post(&client, &url), post(&client, &url), post(&client, &url));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(post(&client, &url).await.is_ok());
    assert_eq!((requests.load(Ordering::SeqCst), shaken.load(Ordering::SeqCst)), (4, 4));
}
